"""Sentence pairs: cleaning, dropping, splitting, and the files they come from."""

import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data.pair_files import load_parallel, load_tab_separated
from lstm_recipes.data.pairs import Limits, content, pairs_of, read_lines, split_by_source
from lstm_recipes.errors import UserError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
TWENTY = [(f"{number} cats", f"{number} chats") for number in range(20)]


# --- what is dropped ----------------------------------------------------------------------------


def test_what_is_dropped_is_counted_by_split_and_reason():
    unfit = [("", "vide"), (" \t", "blanc"), ("x" * 31, "long"), ("ten chars.", "ten"), ("a", "b")]
    limits = Limits(longest=30, ratio=3)
    pairs = pairs_of("p", ("en", "fr"), {"train": unfit, "valid": unfit, "test": unfit}, limits)
    assert pairs.train == [("a", "b")]
    assert pairs.dropped["train"] == {"empty": 2, "too long": 1, "unlike lengths": 1}
    assert pairs.valid == pairs.test == unfit[2:]  # an evaluation split loses empty lines alone
    assert pairs.dropped["valid"] == pairs.dropped["test"] == {"empty": 2}
    assert pairs.report() == (
        "p: 1 / 3 / 3 pairs for training / validation / test; dropped: 2 empty (train), "
        "1 too long (train), 1 unlike lengths (train), 2 empty (valid), 2 empty (test)"
    )


def test_limits_hold_at_their_edges():
    limits = Limits(longest=9, ratio=3)
    assert limits.problem(("abc", "x" * 9)) is None
    assert limits.problem(("x" * 9, "abc")) is None
    assert limits.problem(("ab", "x" * 7)) == "unlike lengths"
    assert limits.problem(("x" * 9, "x" * 10)) == "too long"


@pytest.mark.parametrize("numbers", [{"longest": 0}, {"ratio": 0.5}, {"ratio": float("nan")}])
def test_wrong_limits_are_refused(numbers):
    with pytest.raises(UserError, match="give"):
        Limits(**numbers)


def test_sentences_lose_tabs_and_breaks_but_no_spaces_within():
    train = [(" a\tb\u2028c ", "d\u202f! \r")]
    assert pairs_of("p", ("en", "fr"), {"train": train, "valid": TWENTY}).train == [
        ("a b c", "d\u202f!")
    ]


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"train": [("", "a")], "valid": TWENTY}, r"no pairs to train on \(dropped: 1 empty\)"),
        ({"train": TWENTY, "valid": []}, r"no pairs to validate with \(dropped: none\)"),
        ({"train": TWENTY}, "no pairs to validate with"),
    ],
)
def test_a_split_that_is_needed_and_empty_is_refused(splits, message):
    with pytest.raises(UserError, match=message):
        pairs_of("p", ("en", "fr"), splits)


def test_the_fingerprint_is_of_all_sentences_that_are_there():
    def sha256(train, valid=TWENTY):
        return pairs_of("p", ("en", "fr"), {"train": train, "valid": valid}).sha256

    by_hand = b"train\na\tb\nvalid\nc\td\ntest\n"
    assert sha256([("a", "b")], [("c", "d")]) == hashlib.sha256(by_hand).hexdigest()
    assert sha256([("a", "b"), ("", "c")]) == sha256([("a", "b")])
    assert len({sha256([("a", "b")]), sha256([("a", "c")]), sha256([("b", "a")])}) == 3
    assert content({"train": [("\ud800", "b")]})  # half a character is no reason to fall over


# --- splitting ----------------------------------------------------------------------------------

SENTENCES = st.text(st.sampled_from("abAB \n"), max_size=4)


@given(pairs=st.lists(st.tuples(SENTENCES, SENTENCES), max_size=40))
def test_no_source_stands_in_two_splits(pairs):
    splits = split_by_source(pairs, {"valid": 0.3, "test": 0.3})
    assert sorted(pair for part in splits.values() for pair in part) == sorted(pairs)
    sources = [{source.strip().lower() for source, _ in part} for part in splits.values()]
    assert not sources[0] & sources[1] | sources[0] & sources[2] | sources[1] & sources[2]
    assert split_by_source(reversed(pairs), {"valid": 0.3, "test": 0.3}) == {
        split: part[::-1] for split, part in splits.items()
    }


def test_splits_have_about_their_shares():
    pairs = [(str(number), "") for number in range(20_000)]
    splits = split_by_source(pairs, {"valid": 0.05, "test": 0.1})
    assert abs(len(splits["valid"]) - 1_000) < 130  # four standard deviations
    assert abs(len(splits["test"]) - 2_000) < 170


@pytest.mark.parametrize("shares", [{"test": 1.0}, {"test": 0.0}, {"valid": 0.5, "test": 0.5}])
def test_shares_that_leave_nothing_are_refused(shares):
    with pytest.raises(ValueError, match="shares"):
        split_by_source(TWENTY, shares)


# --- lines --------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_only_line_feeds_end_a_line(tmp_path, packed):
    path = tmp_path / ("a.gz" if packed else "a.txt")
    found = "\ufeffone\r\ntwo\x0bthree\u2028\x85four\r\n\nlast".encode()
    path.write_bytes(gzip.compress(found) if packed else found)
    assert list(read_lines(path)) == ["one", "two\x0bthree\u2028\x85four", "", "last"]


def test_what_cannot_be_read_is_told_with_its_line(tmp_path):
    def refusal(name, found=None):
        path = tmp_path / name
        if found is not None:
            path.write_bytes(found)
        with pytest.raises(UserError) as error:
            list(read_lines(path))
        assert str(path) in str(error.value) and "\n" not in str(error.value)
        return str(error.value)

    assert "line 3: this is not UTF-8" in refusal("a", b"one\ntwo\nth\xffree\n")
    assert "line 2: this is not UTF-8" in refusal("b.gz", gzip.compress(b"one\n\xe9t\xe9\n"))
    assert "there is no file" in refusal("c")
    assert "is empty" in refusal("d", b"")
    assert "is empty" in refusal("d.gz", gzip.compress(b""))
    assert "cannot be unpacked" in refusal("e.gz", b"no gzip at all")
    assert "cannot be unpacked" in refusal("f.gz", gzip.compress(b"one\n" * 99)[:-9])
    (tmp_path / "g").mkdir()
    assert "cannot be read" in refusal("g")


# --- two parallel files -------------------------------------------------------------------------


def write(folder, **files):
    """Files whose names have _ for the dot before the language."""
    for name, lines in files.items():
        folder.joinpath(name.replace("__", ".")).write_text("".join(f"{one}\n" for one in lines))
    return folder


def parallel(folder):
    """A folder with all three splits, one of them packed."""
    write(folder, train__en=["a", "b"], train__fr=["c", "d"], val__en=["e"], val__fr=["f"])
    for language, line in (("en", "g"), ("fr", "h")):
        path = folder / f"test_2016_flickr.{language}.gz"
        path.write_bytes(gzip.compress(f"{line}\n".encode()))
    return folder


def test_parallel_files_in_either_direction(tmp_path):
    folder = parallel(tmp_path)
    pairs = load_parallel(folder, "en", "fr")
    assert (pairs.name, pairs.languages) == (tmp_path.name, ("en", "fr"))
    assert (pairs.train, pairs.valid, pairs.test) == (
        [("a", "c"), ("b", "d")],
        [("e", "f")],
        [("g", "h")],
    )
    assert load_parallel(folder, "fr", "en").train == [("c", "a"), ("d", "b")]


def test_the_test_files_may_be_missing(tmp_path):
    write(tmp_path, train__en="a", train__fr="b", dev__en="c", dev__fr="d")
    assert load_parallel(tmp_path, "en", "fr").test == []


@pytest.mark.parametrize(
    ("files", "gone", "message"),
    [
        ({"train__fr": "x"}, "", r"train.en, line 2: no line of .*train.fr .* have 2 and 1 lines"),
        ({"train__fr": "xyz"}, "", r"train.fr, line 3: no line of .*train.en .* have 3 and 2"),
        ({}, "train.en", "has no train.en, packed"),
        ({}, "val.fr", "has no valid.fr or val.fr or validation.fr or dev.fr"),
        ({}, "test_2016_flickr.fr.gz", "has no test.fr or test_2016_flickr.fr"),
        ({"valid__en": "e"}, "", "two files for valid, valid.en and val.en"),
        ({"train__en": "", "train__fr": ""}, "", "train.en is empty"),
    ],
)
def test_wrong_parallel_files_are_told(tmp_path, files, gone, message):
    write(parallel(tmp_path), **files)
    if gone:
        (tmp_path / gone).unlink()
    with pytest.raises(UserError, match=message):
        load_parallel(tmp_path, "en", "fr")


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read .* train.en and train.de"):
        load_parallel(tmp_path / "none", "en", "de")


# --- one file with tabs -------------------------------------------------------------------------


def test_columns_may_be_chosen_and_others_are_ignored(tmp_path):
    path = tmp_path / "all.tsv"
    path.write_text("".join(f"{n}\ten {n}\tfr {n}\tCC\n" for n in range(99)))
    pairs = load_tab_separated(path, ("fr", "en"), source_column=2, target_column=1)
    assert set(pairs.train) < {(f"fr {n}", f"en {n}") for n in range(99)}
    assert load_tab_separated(path, ("fr", "en"), -2, -3).sha256 == pairs.sha256


@pytest.mark.parametrize("line", ["no tab here", "\t".join("ab")])
def test_a_missing_column_is_told_with_its_line(tmp_path, line):
    path = tmp_path / "few.tsv"
    path.write_text(f"a\tb\tc\n\n{line}\n")
    with pytest.raises(UserError, match=r"few.tsv, line 3: there is no column 3, for '.*' has \d"):
        load_tab_separated(path, target_column=2)


def test_blank_lines_and_empty_sentences_are_counted(tmp_path):
    path = tmp_path / "some.tsv"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in TWENTY * 3) + "\nGo.\t\n")
    pairs = load_tab_separated(path)
    assert sum(pairs.dropped[split]["empty"] for split in pairs.dropped) == 2
    assert sum(map(len, (pairs.train, pairs.valid, pairs.test))) == 60


def test_a_file_too_short_to_split_is_told(tmp_path):
    (tmp_path / "one.tsv").write_text("a\tb\n")
    with pytest.raises(UserError, match="no pairs to"):
        load_tab_separated(tmp_path / "one.tsv")


def test_the_tatoeba_file_beside_the_repository():
    path = SHARED / "tatoeba" / "fra.txt"
    if not path.exists():
        pytest.skip("there is no copy of Tatoeba's fra.txt beside the repository")
    pairs = load_tab_separated(path)
    sizes = [len(pairs.train), len(pairs.valid), len(pairs.test)]
    assert sum(sizes) == 76_038 and not any(pairs.dropped.values())
    sources = [{source.lower() for source, _ in getattr(pairs, s)} for s in pairs.dropped]
    assert not sources[0] & sources[1] | sources[0] & sources[2] | sources[1] & sources[2]
    shares = [len(part) / sum(map(len, sources)) for part in sources[1:]]
    assert shares == pytest.approx([0.05, 0.05], abs=0.004)
