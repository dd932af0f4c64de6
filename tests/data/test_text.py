"""Reading, numbering and splitting text."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data import (
    Vocabulary,
    fingerprint,
    name_characters,
    read_text,
    split,
)
from lstm_recipes.errors import UserError

# All code points, surrogates included, and the ones that meet each other awkwardly.
characters = st.one_of(
    st.integers(0, 0x10FFFF).map(chr),
    st.sampled_from("\0\r\n e\u0301\ufeff\ud800\udbff\udc00\udfff\U00010000\U0010ffff👩\u200d"),
)
texts = st.lists(characters, min_size=1).map("".join)


# --- reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"one\ntwo", "one\ntwo"),
        (b"one\r\ntwo\r\n", "one\ntwo\n"),
        (b"lone\rreturn\r\r\n", "lone\rreturn\r\n"),
        ("\ufeffé👩\u200d🚀".encode(), "é👩\u200d🚀"),
        ("\ufeff\ufeffa\ufeff".encode(), "\ufeffa\ufeff"),
    ],
)
def test_text_is_read_as_utf8_with_unix_lines_and_without_a_mark(tmp_path, content, text):
    path = tmp_path / "text"
    path.write_bytes(content)
    assert read_text(path) == read_text(str(path)) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"a\nb\nc\0", "binary file (NUL at line 3, byte 5 counted from 0)"),
        (b"first\nsecond \xe9t\xe9\n", "(0xe9) at line 2, byte 13 counted from 0"),
        (b"cut \xf0\x9f\x91", "unexpected end of data (0xf0) at line 1, byte 4 counted from 0"),
        (b"\xed\xa0\x80", "(0xed) at line 1, byte 0"),
        ("hello".encode("utf-16"), "looks like UTF-16; save it as UTF-8"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(tmp_path, content, message):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_text(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_a_folder_and_one_that_may_not_be_read(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"there is no file .*absent\.txt; give the path"):
        read_text(tmp_path / "absent.txt")
    with pytest.raises(UserError, match="is a folder"):
        read_text(tmp_path)
    (tmp_path / "file").write_text("text")
    with pytest.raises(UserError, match=r"cannot be read \(Not a directory\)"):
        read_text(tmp_path / "file" / "below")

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
        read_text(tmp_path / "file")


# --- fingerprint and split -------------------------------------------------------------------


@given(texts)
def test_a_fingerprint_is_the_sha256_of_utf8(text):
    expected = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    assert fingerprint(text) == expected


@given(st.text(min_size=11, max_size=300))
def test_a_split_loses_nothing_and_validates_on_the_last_tenth(text):
    train, validation = split(text)
    assert train + validation == text
    assert len(train) == int(0.9 * len(text))


@pytest.mark.parametrize(("text", "fraction"), [("", 0.9), ("a" * 10, 0.9), ("abcd", 0.25)])
def test_a_text_too_short_to_split_says_what_is_needed(text, fraction):
    with pytest.raises(UserError, match=f"{len(text)} characters .* at least 2; give a longer"):
        split(text, fraction)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_a_fraction_lies_between_0_and_1(fraction):
    with pytest.raises(UserError, match="between 0 and 1"):
        split("a" * 100, fraction)


# --- vocabulary ------------------------------------------------------------------------------


@given(texts)
def test_any_text_comes_back(text):
    vocabulary = Vocabulary.of(text)
    ids = vocabulary.encode(text)
    assert ids.dtype == np.int32 and ids.shape == (len(text),)
    assert vocabulary.decode(ids) == vocabulary.decode(ids.tolist()) == text
    assert list(vocabulary.characters) == sorted(set(text))
    assert len(vocabulary) == len(set(text))


@given(texts, texts)
def test_an_extended_vocabulary_keeps_the_old_ids(old, new):
    before = Vocabulary.of(old)
    after = before.extended(new)
    np.testing.assert_array_equal(after.encode(old), before.encode(old))
    assert after.decode(after.encode(new + old)) == new + old
    assert after.characters == before.characters + tuple(sorted(set(new) - set(old)))
    assert after.extended(old + new) == after


@given(texts, texts)
def test_unknown_characters_come_in_order_of_first_appearance(known, text):
    vocabulary = Vocabulary.of(known)
    unknown = vocabulary.unknown(text)
    assert list(unknown) == [one for one in dict.fromkeys(text) if one not in set(known)]
    if unknown:
        with pytest.raises(UserError, match=r"vocabulary of .* lacks"):
            vocabulary.encode(text)
    else:
        vocabulary.encode(text)


def test_encoding_names_at_most_ten_unknown_characters():
    with pytest.raises(UserError, match="lacks 2 of the text's: ") as error:
        Vocabulary.of("abc").encode("aéb\u0301")
    assert "'é' (U+00E9), " in str(error.value) and "(U+0301)" in str(error.value)
    with pytest.raises(UserError, match=r"lacks 23 of .*'m' \(U\+006D\) and 13 more; remove"):
        Vocabulary.of("abc").encode("defghijklmnopqrstuvwxyz")


def test_characters_are_named_on_one_line():
    assert name_characters("\n\ud800") == r"'\n' (U+000A), '\ud800' (U+D800)"
    assert "\n" not in name_characters("\n\r\x85\u2028\u2029\x1b")


def test_empty_texts_have_no_ids():
    vocabulary = Vocabulary.of("abc")
    assert vocabulary.encode("").shape == (0,)
    assert vocabulary.decode([]) == vocabulary.decode(np.zeros(0, np.int32)) == ""
    with pytest.raises(UserError, match="at least one character"):
        Vocabulary.of("")


@pytest.mark.parametrize("ids", [[-1], [3], [[0, 1]], [0.5]])
def test_ids_that_are_none_of_the_vocabularys_are_an_error(ids):
    with pytest.raises(ValueError, match="ids must"):
        Vocabulary.of("abc").decode(ids)


def test_ids_may_be_an_iterator_or_a_tensor_like():
    vocabulary = Vocabulary.of("abc")
    assert vocabulary.decode(iter([0, np.int64(2)])) == "ac"
    assert vocabulary.decode(np.array([2, 1], np.uint8)) == "cb"


@pytest.mark.parametrize("bad", [("ab",), ("a", "a"), ("",), (1,)])
def test_a_vocabulary_is_made_of_single_different_characters(bad):
    with pytest.raises(UserError):
        Vocabulary(bad)


@given(texts, texts)
def test_a_saved_vocabulary_comes_back(tmp_path_factory, old, new):
    path = tmp_path_factory.mktemp("run") / "vocabulary.json"
    vocabulary = Vocabulary.of(old).extended(new)
    vocabulary.save(path)
    assert Vocabulary.load(path) == vocabulary
    assert list(path.parent.iterdir()) == [path]


def test_the_file_is_plain_json(tmp_path):
    Vocabulary.of("é\n").save(tmp_path / "vocabulary.json")
    assert json.loads((tmp_path / "vocabulary.json").read_text()) == {"characters": ["\n", "é"]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"3",
        b"{}",
        b'{"characters": "abc"}',
        b'{"characters": []}',
        b'{"characters": ["ab"]}',
        b'{"characters": [["a"]]}',
        b'{"characters": ["a", "a"]}',
        b'{"characters": ["a", 1]}',
    ],
)
def test_a_damaged_vocabulary_is_told_in_one_sentence(tmp_path, content):
    path = tmp_path / "vocabulary.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"vocabulary\.json is damaged") as error:
        Vocabulary.load(path)
    assert "\n" not in str(error.value)


def test_a_vocabulary_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="there is no vocabulary"):
        Vocabulary.load(tmp_path / "vocabulary.json")
    with pytest.raises(UserError, match="cannot be read"):
        Vocabulary.load(tmp_path)
