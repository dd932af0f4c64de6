"""Word vectors: which rows are kept, and what is refused with file and line."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data.vectors import read_vectors
from lstm_recipes.errors import UserError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "glove"
GOOD = "the 0.1 -0.2 3\nof 1e-3 .5 0\nRome 1 2 3\nto 4.25 5 6\n"


@pytest.fixture
def file(tmp_path):
    """A call that writes a file and gives its path."""

    def write(text, name="vectors.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", " \n"),
        "4 3\n" + GOOD,
        "\ufeff" + GOOD,
        GOOD + "\n",
        GOOD + "of 7 7 7\n",
        gzip.compress(GOOD.encode()),
    ],
    ids=["plain", "cut", "crlf", "padded", "word2vec", "bom", "blank", "twice", "gzip"],
)
def test_all_rows(file, text):
    vectors = read_vectors(file(text))
    assert vectors.words == ["the", "of", "Rome", "to"]
    assert vectors.matrix.dtype == np.float32 and vectors.width == 3
    expected = np.array([[0.1, -0.2, 3], [1e-3, 0.5, 0], [1, 2, 3], [4.25, 5, 6]], "float32")
    np.testing.assert_array_equal(vectors.matrix, expected)
    assert vectors.index == {"the": 0, "of": 1, "Rome": 2, "to": 3}
    assert vectors.index is vectors.index


@pytest.mark.parametrize(
    ("wanted", "commonest", "kept"),
    [
        (None, 0, "the of Rome to"),
        (None, 2, "the of"),
        (None, 9, "the of Rome to"),
        ({"to", "Oslo"}, 0, "to"),
        (["to", "the"], 2, "the of to"),
        ({"to"}, 1, "the to"),
        ((), 0, ""),
    ],
)
@pytest.mark.parametrize("header", ["", "4 3\n"])
def test_rows_that_are_wanted(file, wanted, commonest, kept, header):
    vectors = read_vectors(file(header + GOOD), wanted, commonest)
    assert vectors.words == kept.split()
    assert vectors.matrix.shape == (len(vectors.words), 3)
    for word, row in vectors.index.items():
        np.testing.assert_array_equal(
            vectors.matrix[row], read_vectors(file(GOOD), {word}).matrix[0]
        )


words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n\ufeff"), min_size=1
).filter(lambda word: not re.search(r"\d", word))
rows = st.dictionaries(words, st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3))


@given(rows)
def test_any_words_pass_through(tmp_path_factory, rows):
    rows = {"the": [0.0, 0.0, 0.0]} | rows
    path = tmp_path_factory.getbasetemp() / "vectors.txt"
    lines = (" ".join([word, *map(repr, numbers)]) for word, numbers in rows.items())
    path.write_bytes("\n".join(lines).encode())
    vectors = read_vectors(path)
    assert vectors.words == list(rows)
    np.testing.assert_array_equal(vectors.matrix, np.array(list(rows.values()), "float32"))


def test_words_with_spaces(file):
    text = (
        "the 0.1 0.2\nNew York 0.3 0.4\n. . . 0.5 0.6\n10\xa0000 0.7 0.8\n\xa0 1 2\n1 2 3.5 4.5\n"
    )
    vectors = read_vectors(file(text))
    assert vectors.words == ["the", "New York", ". . .", "10\xa0000", "\xa0", "1 2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 1 2\nb 1\n", "line 2: the row has 1 numbers .* the file's first line 2; remove"),
        ("a 1 2\nb\n", "line 2: the row has 0 numbers"),
        ("a 1 2\nb 0.1 0.2 0.3\n", "line 2: the row has 3 numbers"),
        ("2 3\na 1 2\n", "line 2: the row has 2 numbers .* first line 3"),
        ("a\nb\n", "line 1: the row has 0 numbers .* first line none"),
        ("a\t1\t2\n", "line 1: the row has 0 numbers .* single spaces"),
        ("a 1 2\nb 1 zwei\n", "line 2: 'zwei' is no number"),
        ("a 1 2\nb 1  2\n", "line 2: '' is no number"),
        ("a 1 2\nb nan 2\n", "line 2: a number is not finite"),
        ("a 1 2\nb 1 2\nc 1 1e40\nd inf 1\n", "line 3: a number is not finite"),
        (b"a 1 2\nJos\xe9 1 2\n", "not UTF-8: .* at line 2, byte 9 counted from 0"),
        ("", "has no vectors"),
        ("\n\n", "has no vectors|line 1"),
        ("2 3\n", "has no vectors"),
        (b"PK\x03\x04...", "is a zip archive; unpack it"),
        (gzip.compress(GOOD.encode(), mtime=0)[:-12], "is a damaged gzip file"),
        (b"\x1f\x8bnot really", "is a damaged gzip file"),
    ],
)
def test_a_wrong_file_gets_one_sentence_with_file_and_line(file, text, message):
    path = file(text)
    with pytest.raises(UserError) as error:
        read_vectors(path)
    said = str(error.value)
    assert said.startswith(str(path)) and re.search(message, said) and "\n" not in said, said


def test_rows_that_are_not_kept_are_checked_for_their_width_alone(file):
    assert read_vectors(file("a 1 2\nb x y\n"), {"a"}).words == ["a"]
    with pytest.raises(UserError, match="line 2"):
        read_vectors(file("a 1 2\nb 1\n"), {"a"})


def test_missing_files_are_told(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        read_vectors(tmp_path / "absent.txt")
    with pytest.raises(UserError, match="is a folder"):
        read_vectors(tmp_path)


def test_glove_beside_the_repository():
    path = SHARED / "glove.6B.100d.subset.txt.gz"
    if not path.exists():
        pytest.skip("there is no copy of GloVe's vectors beside the repository")
    vectors = read_vectors(path, {"zurich", "london"}, commonest=1000)
    assert vectors.words[:3] == ["the", ",", "."] and len(vectors.words) == 1001
    assert vectors.matrix.shape == (1001, 100)
    np.testing.assert_allclose(vectors.matrix[0, :2], [-0.038194, -0.24487])
