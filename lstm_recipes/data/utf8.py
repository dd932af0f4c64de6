"""UTF-8 read in blocks, so that a text need not fit into memory."""

import codecs
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from lstm_recipes.errors import UserError

BLOCK = 1 << 20  # bytes that are read at a time
BYTE_ORDER_MARK = "\ufeff"


class NotUTF8(Exception):
    """Bytes that are not UTF-8: why, which byte, and where it stands."""

    def __init__(self, reason: str, byte: int, line: int, position: int):
        super().__init__(reason)
        self.reason, self.byte, self.line, self.position = reason, byte, line, position


def decoded(blocks: Iterable[bytes]) -> Iterator[str]:
    r"""The text of bytes, wherever they are cut: one byte order mark at the very start is removed,
    and each `\r\n` becomes `\n`. No piece is empty.

    Raises:
        NotUTF8: when the pieces before the wrong byte have been given.

    >>> list(decoded([b"\xef\xbb", b"\xbfcaf\xc3", b"\xa9\r", b"\n"]))
    ['caf', 'é', '\n']
    """
    rest, held, start, line, begun = b"", "", 0, 1, False
    for block in chain(blocks, [b""]):  # the empty one is the end
        data = rest + block
        try:
            text, used = codecs.utf_8_decode(data, "strict", not block)
        except UnicodeDecodeError as error:
            line += data.count(b"\n", 0, error.start)
            place = start + error.start
            raise NotUTF8(error.reason, data[error.start], line, place) from None
        rest, start, line = data[used:], start + used, line + data.count(b"\n", 0, used)
        if text and not begun:
            text, begun = text.removeprefix(BYTE_ORDER_MARK), True
        text = held + text
        held = "\r" if block and text.endswith("\r") else ""  # a \n may follow
        text = text[: len(text) - len(held)].replace("\r\n", "\n")
        if text:
            yield text


def lines_of(blocks: Iterable[str]) -> Iterator[str]:
    r"""The lines of a text, without the `\n` between them: those of `"".join(blocks).split("\n")`.

    >>> list(lines_of(["one\nt", "wo\n"]))
    ['one', 'two', '']
    """
    rest = ""
    for block in blocks:
        *lines, rest = (rest + block).split("\n")
        yield from lines
    yield rest


def text_blocks(path: str | os.PathLike, size: int = BLOCK) -> Iterator[str]:
    """The text of a UTF-8 file, strictly, a piece at a time; `text.read_text` has the rules.

    Args:
        path: the file.
        size: bytes that are read at a time, at least 2.

    Raises:
        UserError: the file is missing, empty, binary, not UTF-8 or cannot be read. What is wrong
            with its end is found when its beginning has been given.
    """
    path = Path(path).expanduser()
    empty = True
    try:
        with path.open("rb") as file:
            blocks = _without_nul(file, path, size)
            try:
                for text in decoded(blocks):
                    empty = False
                    yield text
            except NotUTF8 as error:
                for _ in blocks:  # a NUL further on says more: that it is no text at all
                    pass
                raise UserError(
                    f"{path} is not UTF-8: {error.reason} ({error.byte:#04x}) at line "
                    f"{error.line}, byte {error.position} counted from 0; save the file as UTF-8 "
                    "and try again"
                ) from None
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; give the path of a UTF-8 text file") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; give the path of one UTF-8 text file") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); give a text file that you may read"
        ) from None
    if empty:
        raise UserError(f"{path} is empty; give a file with text in it")


def _without_nul(file: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    """The file's bytes; an error where they are no text's."""
    start, line = 0, 1
    while block := file.read(size):
        if not start and block.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UserError(f"{path} looks like UTF-16; save it as UTF-8 and try again")
        if (place := block.find(b"\0")) >= 0:
            line += block.count(b"\n", 0, place)
            raise UserError(
                f"{path} is a binary file (NUL at line {line}, byte {start + place} counted from "
                "0); give a UTF-8 text file"
            )
        start, line = start + len(block), line + block.count(b"\n")
        yield block
