"""Text as characters: reading it, numbering its characters, splitting it."""

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError

_BYTE_ORDER_MARK = "\ufeff"


def standard_input() -> str:
    """The text on standard input, strictly UTF-8 as in `read_text`; it may be empty.

    Raises:
        UserError: It is not UTF-8; the message says where.
    """
    content = sys.stdin.buffer.read()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"standard input is not UTF-8: {error.reason} ({content[error.start]:#04x}) at line "
            f"{line}, byte {error.start} counted from 0; give UTF-8 text"
        ) from None
    return text.removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n")


def read_text(path: str | os.PathLike) -> str:
    r"""The text of a UTF-8 file, strictly: bytes that are not UTF-8 are an error.

    One byte order mark at the very start of the file is removed, and each `\r\n` becomes
    `\n`. Everything else stays as it is.

    Raises:
        UserError: the file is missing, empty, binary, not UTF-8 or cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "notes.txt")
    ...     _ = file.write_bytes(b"\xef\xbb\xbfone\r\ntwo\n")
    ...     read_text(file)
    'one\ntwo\n'
    """
    path = Path(path).expanduser()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; give the path of a UTF-8 text file") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; give the path of one UTF-8 text file") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); give a text file that you may read"
        ) from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{path} looks like UTF-16; save it as UTF-8 and try again")
    if (position := content.find(b"\0")) >= 0:
        raise UserError(
            f"{path} is a binary file (NUL at {_place(content, position)}); give a UTF-8 text file"
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8: {error.reason} ({content[error.start]:#04x}) at "
            f"{_place(content, error.start)}; save the file as UTF-8 and try again"
        ) from None
    text = text.removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n")
    if not text:
        raise UserError(f"{path} is empty; give a file with text in it")
    return text


def _place(content: bytes, position: int) -> str:
    """Where a byte stands, as an editor and a hex viewer count: lines from 1, bytes from 0."""
    line = content.count(b"\n", 0, position) + 1
    return f"line {line}, byte {position} counted from 0"


def fingerprint(text: str) -> str:
    """The SHA-256 of a text's UTF-8, in hexadecimal.

    >>> fingerprint("abc")
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def split(text: str, train_fraction: float = 0.9) -> tuple[str, str]:
    """The first `int(train_fraction * len(text))` characters for training, the rest to validate.

    Raises:
        UserError: a part would have fewer than 2 characters, so that it has nothing to predict.

    >>> split("To be, or not to be.", 0.5)
    ('To be, or ', 'not to be.')
    """
    if not 0 < train_fraction < 1:
        raise UserError(f"train_fraction is {train_fraction}; give a number between 0 and 1")
    border = int(train_fraction * len(text))
    train, validation = text[:border], text[border:]
    if len(train) < 2 or len(validation) < 2:
        raise UserError(
            f"a text of {len(text):,} characters splits into {len(train):,} for training and "
            f"{len(validation):,} for validation, and each needs at least 2; give a longer text"
        )
    return train, validation


def name_characters(characters: str, most: int = 10) -> str:
    r"""Characters as a person can recognise them, the first few by name and the rest counted.

    >>> name_characters("é\t")
    "'é' (U+00E9), '\\t' (U+0009)"
    >>> name_characters("abcd", most=2)
    "'a' (U+0061), 'b' (U+0062) and 2 more"
    """
    named = ", ".join(f"{character!r} (U+{ord(character):04X})" for character in characters[:most])
    more = len(characters) - most
    return f"{named} and {more:,} more" if more > 0 else named


@dataclass(frozen=True)
class Vocabulary:
    """The characters that a model knows; a character's id is its place among them.

    >>> vocabulary = Vocabulary.of("hello")
    >>> vocabulary.characters
    ('e', 'h', 'l', 'o')
    >>> vocabulary.encode("hole")
    array([1, 3, 2, 0], dtype=int32)
    >>> vocabulary.decode([1, 3, 2, 0])
    'hole'
    >>> vocabulary.extended("a hotel").characters
    ('e', 'h', 'l', 'o', ' ', 'a', 't')
    """

    characters: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.characters:
            raise UserError("a vocabulary needs at least one character; give a text that has some")
        if any(not isinstance(one, str) or len(one) != 1 for one in self.characters):
            raise UserError("each entry of a vocabulary must be one single character")
        if len(set(self.characters)) < len(self.characters):
            raise UserError("a vocabulary holds each character once, and this one repeats some")

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """The characters of a text, sorted by code point."""
        return cls(tuple(sorted(set(text))))

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Vocabulary":
        """Read what `save` wrote.

        Raises:
            UserError: the file is missing or damaged.
        """
        remedy = "take it from an undamaged copy of the run folder, or train again"
        try:
            characters = json.loads(Path(path).read_text("utf-8"))["characters"]
            if not isinstance(characters, list):
                raise UserError('"characters" must be a list')
            return cls(tuple(characters))
        except FileNotFoundError:
            raise UserError(f"there is no vocabulary {path}; {remedy}") from None
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}); {remedy}") from None
        except (ValueError, KeyError, TypeError) as error:
            reason = error if isinstance(error, UserError) else "not what this package writes"
            raise UserError(f"the vocabulary {path} is damaged ({reason}); {remedy}") from None

    def save(self, path: str | os.PathLike) -> None:
        """Write `{"characters": [...]}`, atomically.

        A list and not one string: in JSON two lone surrogates side by side would become one
        character.
        """
        content = json.dumps({"characters": list(self.characters)}) + "\n"
        write_atomically(path, content.encode("ascii"))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> np.ndarray:
        """The ids of a text's characters, int32.

        Raises:
            UserError: the text has characters that the vocabulary lacks; it names them.
        """
        codes, ids = self._sorted
        wanted = _code_points(text)
        places = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        if not np.array_equal(codes[places], wanted):
            unknown = self.unknown(text)
            raise UserError(
                f"the vocabulary of {len(self):,} characters lacks {len(unknown):,} of the "
                f"text's: {name_characters(unknown)}; remove them from the text or extend the "
                "vocabulary"
            )
        return ids[places]

    def decode(self, ids: Iterable[int] | np.ndarray) -> str:
        """The text of a sequence of ids."""
        ids = np.asarray(ids if hasattr(ids, "__array__") else list(ids))
        if ids.size == 0:
            return ""
        if ids.ndim != 1 or ids.dtype.kind not in "iu":
            raise ValueError(f"ids must be one row of whole numbers, not {ids.dtype} {ids.shape}")
        if ids.min() < 0 or ids.max() >= len(self):
            raise ValueError(
                f"ids must lie in 0..{len(self) - 1}; these reach from {ids.min()} to {ids.max()}"
            )
        return self._codes[ids].tobytes().decode("utf-32-le", "surrogatepass")

    def unknown(self, text: str) -> str:
        """The characters of a text that the vocabulary lacks, in order of first appearance.

        >>> Vocabulary.of("abc").unknown("cabbage")
        'ge'
        """
        known = set(self.characters)
        return "".join(one for one in dict.fromkeys(text) if one not in known)

    def extended(self, text: str) -> "Vocabulary":
        """This vocabulary with a text's new characters, sorted, after the old ones.

        The old characters keep their ids, so the rows of a trained model stay true.
        """
        return Vocabulary(self.characters + tuple(sorted(self.unknown(text))))

    @cached_property
    def _codes(self) -> np.ndarray:
        """The code point of each id."""
        return _code_points("".join(self.characters))

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """The code points in order, and the id of each."""
        order = np.argsort(self._codes)
        return self._codes[order], order.astype(np.int32)


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
