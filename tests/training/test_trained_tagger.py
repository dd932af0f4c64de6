"""A trained tagger as its folder holds it: what it says of any words, how sure, and damage."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_recipes.data.conll import Sentence, read_columns
from lstm_recipes.data.tag_schemes import repair, spans
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.errors import UserError
from lstm_recipes.training import tagging, trained_tagger
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained_tagger import TrainedTagger, write_columns, write_errors

from .wild_tagger import WORDS, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("tagger") / "run")


@pytest.fixture(scope="module")
def trained(run) -> TrainedTagger:
    return TrainedTagger(run)


@pytest.fixture(scope="module")
def looking_around(tmp_path_factory) -> TrainedTagger:
    """One that sees the two sentences before and after."""
    return TrainedTagger(make_run(tmp_path_factory.mktemp("around") / "run", window=2))


@pytest.fixture
def copied(run, tmp_path) -> Path:
    """A copy of the run to change."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in run.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


# --- tokens in, tags out ---------------------------------------------------------------------


def assert_whole(sentences, found) -> None:
    """A legal tag a word, and a probability an entity."""
    assert len(found) == len(sentences)
    for words, (tags, confidences) in zip(sentences, found, strict=True):
        assert len(tags) == len(words)
        assert repair(tags, "IOB2") == (tags, 0)
        assert len(confidences) == len(spans(tags, "IOB2"))
        assert all(0 < c <= 1 for c in confidences)


some_words = st.one_of(
    st.sampled_from(WORDS),
    st.text(min_size=1, max_size=40).filter(str.strip),
    st.sampled_from(["🚢", "👩‍🚀", "שלום", "العربية", "ﬁ", "İ", "x" * 3000, "\u200f", "e\u0301"]),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(some_words, max_size=8), max_size=6), st.randoms())
def test_a_sentence_has_its_tags_whatever_is_tagged_beside_it(trained, sentences, order):
    found = list(trained.tag(sentences, confidences=True))
    assert_whole(sentences, found)
    places = list(range(len(sentences)))
    order.shuffle(places)
    again = list(trained.tag([sentences[k] for k in places], confidences=True))
    for place, one in zip(places, again, strict=True):
        (alone,) = trained.tag([sentences[place]], confidences=True)
        assert found[place].tags == one.tags == alone.tags
        for other in (one, alone):
            assert other.confidences == pytest.approx(found[place].confidences, abs=1e-4)


def test_nothing_is_tagged_as_nothing(trained):
    assert list(trained.tag([])) == []
    assert list(trained.tag([[], []], confidences=True)) == [([], []), ([], [])]


def test_long_and_short_sentences_side_by_side(trained):
    rng = np.random.default_rng(0)
    long = [str(word) for word in rng.choice(WORDS, 2000)]
    sentences = [long, ["Rome"], [], long[:300], ["🚢"] * 50]
    found = list(trained.tag(sentences, confidences=True))
    assert_whole(sentences, found)
    assert sum(tag[0] == "B" for tag in found[0].tags) > 100


@pytest.mark.parametrize("name", ["trained", "looking_around"])
def test_it_does_not_matter_how_many_are_read_at_once(name, request, monkeypatch):
    tagger = request.getfixturevalue(name)
    rng = np.random.default_rng(0)
    sentences = [[str(w) for w in rng.choice(WORDS, n)] for n in rng.integers(0, 12, 40)]
    found = list(tagger.tag(sentences, confidences=True))
    monkeypatch.setattr(trained_tagger, "CHUNK", 7)
    monkeypatch.setattr(tagging, "READ_AT_ONCE", 20)
    again = list(tagger.tag(sentences, confidences=True))
    assert [row.tags for row in again] == [row.tags for row in found]
    for row, other in zip(found, again, strict=True):
        assert row.confidences == pytest.approx(other.confidences, abs=1e-5)
    without = list(tagger.tag(sentences))
    assert [row.tags for row in without] == [row.tags for row in found]
    assert all(row.confidences == [] for row in without)


def test_a_name_is_looked_for_in_the_sentences_around(looking_around):
    """As far as the window reaches, over empty sentences, and not further."""
    sentences = [["Ada", "rose"], [], ["the", "Nile"], ["Rome", "and", "Ada"], ["in", "1996"]]
    near, far = sentences.copy(), sentences.copy()
    near[3], far[4] = ["Rome", "and", "Byron"], ["Ada", "wrote"]
    found, other, same = (
        next(looking_around.tag(some, confidences=True)) for some in (sentences, near, far)
    )
    assert_whole([sentences[0]], [found])
    assert same.tags == found.tags
    assert same.confidences == pytest.approx(found.confidences, abs=1e-5)
    begins = [False, False, False, True, False]
    cut, near = (
        next(looking_around.tag(some, confidences=True, begins=begins))
        for some in (sentences, near)
    )
    assert cut.tags == near.tags and cut.confidences == pytest.approx(near.confidences, abs=1e-5)
    changed = pytest.approx(other.confidences, abs=1e-3)
    assert found.tags != other.tags or found.confidences != changed


# --- measuring -------------------------------------------------------------------------------


def test_without_a_test_split_the_valid_split_is_measured_and_named(trained, copied, monkeypatch):
    monkeypatch.setattr(trained, "folder", RunFolder(copied))
    found = trained.measure()
    assert found.scores["split"] == "valid" and len(found.sentences) == 2
    with pytest.raises(UserError, match=r"has no test\.conll, because the data .*leave out --spl"):
        trained.measure("test")
    (copied / "test.conll").write_bytes((copied / "valid.conll").read_bytes())
    assert trained.measure().scores == found.scores | {"split": "test"}


@pytest.mark.parametrize("crf", [True, False])
def test_parameters_are_the_numbers_that_training_can_change(trained, tmp_path, monkeypatch, crf):
    other = TrainedTagger(make_run(tmp_path / "run", crf=crf))
    monkeypatch.setattr(other, "tag", trained.tag)
    layers = [layer for layer in other.model.layers if layer.name != "crf"]
    expected = sum(layer.count_params() for layer in layers)
    expected += (9 * 9 + 9 + 9) * crf
    expected += (len(WORDS) + 1) * 6
    assert other.measure().scores["parameters"] == expected


words_of_files = st.text(min_size=1, max_size=6).filter(
    lambda w: not set(w) & set("\0\n\t \r\ufeff") and w != "-DOCSTART-"
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(words_of_files, st.sampled_from(["O", "B-PER", "B-a b"])), min_size=1),
        min_size=1,
    )
)
def test_sentences_are_read_as_they_were_written(tmp_path_factory, rows):
    rows = [*rows, [("#", "O"), ("# a", "B-PER")]]
    sentences = [Sentence(*zip(*row, strict=True)) for row in rows]
    path = tmp_path_factory.mktemp("columns") / "valid.conll"
    path.write_text(write_columns(sentences), "utf-8")
    assert read_columns(path) == sentences


def test_documents_are_read_as_they_were_written(tmp_path):
    begins = [True, False, False, True, True]
    sentences = [Sentence(("Ada",), ("B-PER",), here) for here in begins]
    (tmp_path / "valid.conll").write_text(write_columns(sentences))
    found = read_columns(tmp_path / "valid.conll")
    assert found == sentences and [s.begins for s in found] == begins


def test_sentences_with_mistakes_are_written(tmp_path):
    sentences = [Sentence(("Ada", "slept"), ("B-PER", "O")), Sentence(("Rome",), ("B-LOC",))]
    found = [["B-PER", "O"], ["B-PER"]]
    write_errors(tmp_path / "errors.txt", [*sentences, *sentences], [*found, ["O", "O"], ["O"]])
    assert (tmp_path / "errors.txt").read_text() == (
        "Rome\tB-LOC\tB-PER\n\nAda\tB-PER\tO\nslept\tO\tO\n\nRome\tB-LOC\tO\n"
    )
    write_errors(tmp_path / "none.txt", sentences, [s.tags for s in sentences])
    assert (tmp_path / "none.txt").read_text() == ""


def test_a_file_for_mistakes_that_cannot_be_written_is_one_sentence(tmp_path):
    for path in (tmp_path / "no" / "errors.txt", tmp_path):
        with pytest.raises(UserError, match=r"cannot be written \(.*give another file with --err"):
            write_errors(path, [], [])
    assert not list(tmp_path.iterdir())


# --- more vectors ----------------------------------------------------------------------------


def test_more_vectors_give_unknown_words_rows_and_others_keep_theirs(run, trained, tmp_path):
    file = tmp_path / "vectors.txt"
    rng = np.random.default_rng(0)
    rows = {word: rng.normal(size=6) for word in ("rome", "lovelace", "00")}
    file.write_text("".join(f"{w} {' '.join(map(str, r))}\n" for w, r in rows.items()))
    more = TrainedTagger(run, file)
    assert [more.features.row(w) for w in WORDS] == [trained.features.row(w) for w in WORDS]
    assert trained.features.row("Lovelace") == trained.features.row("42") == 0
    for word, key in (("Lovelace", "lovelace"), ("42", "00")):
        row = more.table.matrix[more.features.row(word)]
        np.testing.assert_allclose(row, rows[key], rtol=1e-6)
    np.testing.assert_array_equal(
        more.table.matrix[more.features.row("Rome")],
        trained.table.matrix[trained.features.row("Rome")],
    )
    assert more.table.trained == trained.table.trained


def test_vectors_of_another_width_are_refused(run, tmp_path):
    file = tmp_path / "vectors.txt"
    file.write_text("lovelace 0.1 0.2\n")
    with pytest.raises(UserError, match=r"the vectors have 2 numbers a word .* with 6; give the"):
        TrainedTagger(run, file)


# --- damage ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["best.keras", "vocabulary.json", "vectors.npz", "valid.conll"])
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    with pytest.raises(UserError, match=f"{copied} has no {name}"):
        TrainedTagger(copied).measure("valid")


def test_a_damaged_file_is_named(copied):
    for name in ("best.keras", "vocabulary.json", "vectors.npz", "valid.conll"):
        path = copied / name
        before = path.read_bytes()
        for content in (b"", b"PK", b"\xff\xfe\xff", before[: len(before) // 2]):
            if name == "valid.conll" and content == before[: len(before) // 2]:
                continue  # fewer sentences, and nobody can tell
            path.write_bytes(content)
            with pytest.raises(UserError) as raised:
                TrainedTagger(copied).measure()
            assert str(path) in str(raised.value) and "\n" not in str(raised.value), content
        path.write_bytes(before)


GOOD = {"tags": ["O", "B-PER"], "scheme": "IOBES", "cased": False, "characters": "ab", "window": 0}


@pytest.mark.parametrize(
    "vocabulary",
    [
        {"characters": ["a", "b"]},
        {"tags": ["O"], "scheme": "IOBES", "characters": "ab"},
        {"tags": None, "scheme": "IOBES", "cased": False, "characters": "ab"},
        GOOD | {"tags": "O"},
        GOOD | {"tags": []},
        GOOD | {"tags": ["O", 7]},
        GOOD | {"tags": ["O", "O"]},
        GOOD | {"tags": ["O", "B-PER", "Q-PER"]},
        GOOD | {"tags": ["O", "B-PER", "S-PER"], "scheme": "IOB2"},
        GOOD | {"scheme": "__import__('os')"},
        GOOD | {"scheme": 2},
        GOOD | {"cased": "no"},
        GOOD | {"characters": "aa"},
        GOOD | {"characters": ["a", "b"]},
        GOOD | {"window": -1},
        GOOD | {"window": "1"},
    ],
)
def test_the_folder_of_another_recipe_is_refused(copied, vocabulary):
    (copied / "vocabulary.json").write_text(json.dumps(vocabulary))
    with pytest.raises(UserError, match=r"vocabulary\.json is not that of a tagger .*ner train"):
        TrainedTagger(copied)


def test_files_of_two_runs_are_told_apart(copied):
    WordTable.made(WORDS, size=7, seed=0).save(copied / "vectors.npz")
    with pytest.raises(UserError, match=r"best\.keras is damaged \(it is not for vectors of 7"):
        TrainedTagger(copied).measure()
    vocabulary = json.loads((copied / "vocabulary.json").read_text())
    vocabulary["tags"].append("B-ORG")
    (copied / "vocabulary.json").write_text(json.dumps(vocabulary))
    with pytest.raises(UserError, match=r"best\.keras is damaged \(it is not for the 10 known"):
        TrainedTagger(copied).measure()
