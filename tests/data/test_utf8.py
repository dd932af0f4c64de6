"""UTF-8 in blocks: the same text and the same errors as of the whole, wherever it is cut."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lstm_recipes.data.utf8 import NotUTF8, decoded, lines_of, text_blocks
from lstm_recipes.errors import UserError

# What meets a border between blocks: characters of one to four bytes, line ends, marks; and bytes
# that are not UTF-8, or are in no text.
PARTS = ["a", "\n", "\r", "\r\n", "é", "日", "👩", "\ufeff"]
WRONG = [b"\xff", b"\xfe", b"\xe9", b"\xf0\x9f", b"\xed\xa0\x80", b"\xc0\x80", b"\xbf", b"\0"]
good = st.lists(st.sampled_from(PARTS)).map("".join).map(str.encode)
anything = st.lists(st.sampled_from([part.encode() for part in PARTS] + WRONG)).map(b"".join)


def whole(content: bytes) -> str:
    """What the blocks have to add up to, read at once."""
    return content.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")


def expected(path, content: bytes) -> str:
    """The text, or the sentence that says what is wrong."""

    def place(at: int) -> str:
        line = content.count(b"\n", 0, at) + 1
        return f"line {line}, byte {at} counted from 0"

    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return f"{path} looks like UTF-16; save it as UTF-8 and try again"
    if (at := content.find(b"\0")) >= 0:
        return f"{path} is a binary file (NUL at {place(at)}); give a UTF-8 text file"
    try:
        return whole(content) or f"{path} is empty; give a file with text in it"
    except UnicodeDecodeError as error:
        byte = f"{content[error.start]:#04x}"
        return (
            f"{path} is not UTF-8: {error.reason} ({byte}) at {place(error.start)}; save the file "
            "as UTF-8 and try again"
        )


@given(anything, st.integers(2, 9))
@example(b"", 2)
@example(b"\xef\xbb\xbf", 2)
@example(b"\xff\xfea", 2)
@example(b"\xe9 and, blocks later, a\0", 2)
@example(b"cut \xf0\x9f\x91", 2)
def test_a_file_is_the_same_text_or_the_same_error_in_any_blocks(tmp_path_factory, content, size):
    path = tmp_path_factory.getbasetemp() / "blocks.txt"
    path.write_bytes(content)
    try:
        pieces = list(text_blocks(path, size))
        assert all(pieces)
        found = "".join(pieces)
    except UserError as error:
        found = str(error)
    assert found == expected(path, content)


@given(good, st.data())
def test_pieces_of_any_length_add_up_to_the_whole(content, data):
    cuts = sorted(data.draw(st.sets(st.integers(1, max(len(content) - 1, 1)), max_size=5)))
    blocks = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    assert "".join(decoded(block for block in blocks if block)) == whole(content)


@given(st.lists(st.text(st.sampled_from("a\n\r\u2028"), min_size=1)))
def test_lines_are_those_of_the_whole(blocks):
    assert list(lines_of(blocks)) == "".join(blocks).split("\n")


def test_what_stands_before_a_wrong_byte_is_given():
    pieces = decoded([b"one\n", b"two\xe9t\xe9"])
    assert next(pieces) == "one\n"
    with pytest.raises(NotUTF8) as error:
        next(pieces)
    assert (error.value.byte, error.value.line, error.value.position) == (0xE9, 2, 7)
