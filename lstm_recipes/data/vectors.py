"""Word vectors as GloVe and word2vec write them: a word and its numbers on each line."""

import gzip
import io
import os
import zlib
from array import array
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lstm_recipes.errors import UserError


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and, for each of them, a row of numbers.

    Args:
        words: each one once.
        matrix: float32 of shape (words, width).

    >>> vectors = WordVectors(["the", "of"], np.array([[1, 2], [3, 4]], "float32"))
    >>> vectors.matrix[vectors.index["of"]]
    array([3., 4.], dtype=float32)
    """

    words: list[str]
    matrix: np.ndarray

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @property
    def width(self) -> int:
        """How many numbers a word has."""
        return self.matrix.shape[1]


def read_vectors(
    path: str | os.PathLike, wanted: Container[str] | None = None, commonest: int = 0
) -> WordVectors:
    r"""The rows of a file of word vectors that are wanted, in the order of the file.

    The file is UTF-8 text, gzipped or not, with a word and its numbers on each line, separated
    by single spaces. The first line may be word2vec's: the number of rows and their width. A
    word may contain spaces, for the numbers are counted from the right. A word that comes
    again is passed over. Numbers are read, and so checked, only in rows that are kept.

    Args:
        path: the file.
        wanted: keep these words; None stands for all of them, if `commonest` is 0, or for none.
        commonest: keep this many of the file's first rows too: such files begin with the
            commonest words.

    Raises:
        UserError: the file cannot be read, or a row has another width than the first one, or a
            value that is no finite number. It names the file and the line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "vectors.txt")
    ...     _ = file.write_text("the 0.1 0.2\nof 0.3 0.4\nNew York 0.5 0.6\nand 0.7 0.8\n")
    ...     vectors = read_vectors(file, wanted={"New York", "London"}, commonest=1)
    >>> vectors.words
    ['the', 'New York']
    >>> vectors.matrix
    array([[0.1, 0.2],
           [0.5, 0.6]], dtype=float32)
    """
    path = Path(path).expanduser()
    everything = wanted is None and commonest == 0
    width = rows = position = 0
    lines: dict[str, int] = {}  # the line on which each kept word stands
    values = array("f")
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            begin, position = position, position + len(line)
            row = line.rstrip()
            if number == 1:
                row = row.removeprefix(b"\xef\xbb\xbf")
                width = _announced(row) or row.count(b" ")
                if _announced(row):
                    continue
            if not row:
                continue
            cut = _cut(row, width, path, number)
            try:
                word = row[:cut].decode("utf-8")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path} is not UTF-8: {error.reason} at line {number}, byte "
                    f"{begin + error.start} counted from 0; give vectors as UTF-8 text"
                ) from None
            rows += 1
            kept = everything or rows <= commonest or (wanted is not None and word in wanted)
            if kept and word not in lines:
                lines[word] = number
                _append(values, row[cut + 1 :], path, number)
    if not rows:
        raise UserError(f"{path} has no vectors; give a file with a word and its numbers on a line")
    matrix = np.frombuffer(values, "float32").reshape(len(lines), width)
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        line = list(lines.values())[int(np.argmin(finite))]
        raise UserError(f"{path}, line {line}: a number is not finite; {_REMEDY}")
    return WordVectors(list(lines), matrix)


_REMEDY = "remove that line, or get the file anew"


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked if they are gzipped."""
    try:
        with path.open("rb") as file:
            start = file.peek(4)
            if start.startswith(b"PK\x03\x04"):
                raise UserError(f"{path} is a zip archive; unpack it and give one of its files")
            if start.startswith(b"\x1f\x8b"):
                yield io.BufferedReader(gzip.GzipFile(fileobj=file), 1 << 20)
            else:
                yield file
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; give a text file of word vectors") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; give one text file of word vectors") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is a damaged gzip file ({error}); get it anew") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); give a file that you may read"
        ) from None


def _announced(row: bytes) -> int:
    """The width that word2vec's first line announces, or 0 if this is none."""
    parts = row.split(b" ")
    return int(parts[1]) if len(parts) == 2 and all(map(bytes.isdigit, parts)) else 0


def _cut(row: bytes, width: int, path: Path, number: int) -> int:
    """Where the word ends. A word with spaces is one whose last part is no decimal number."""
    spaces = row.count(b" ")
    if spaces == width > 0:
        return row.find(b" ")
    cut = len(row.rsplit(b" ", width)[0]) if 0 < width < spaces else 0
    last = row[:cut].rpartition(b" ")[2]
    if not cut or (b"." in last and _is_number(last)):
        raise UserError(
            f"{path}, line {number}: the row has {spaces:,} numbers after its word, separated by "
            f"single spaces, and the file's first line {width or 'none'}; {_REMEDY}"
        )
    return cut


def _append(values: array, numbers: bytes, path: Path, number: int) -> None:
    try:
        values.extend(map(float, numbers.split(b" ")))
    except ValueError:
        wrong = next(one for one in numbers.split(b" ") if not _is_number(one))
        raise UserError(
            f"{path}, line {number}: {wrong.decode('utf-8', 'replace')!r:.40} is no number; "
            f"{_REMEDY}"
        ) from None


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
