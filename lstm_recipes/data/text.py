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
from lstm_recipes.data.utf8 import NotUTF8, decoded, text_blocks
from lstm_recipes.errors import UserError

LONGEST_VALIDATION = 5_000_000
"""Characters, as of text8 and enwik8. A tenth of more takes hours to be measured in order."""


def standard_input() -> str:
    """The text on standard input, strictly UTF-8 as in `read_text`; it may be empty.

    Raises:
        UserError: It is not UTF-8; the message says where.
    """
    try:
        return "".join(decoded([sys.stdin.buffer.read()]))
    except NotUTF8 as error:
        raise UserError(
            f"standard input is not UTF-8: {error.reason} ({error.byte:#04x}) at line "
            f"{error.line}, byte {error.position} counted from 0; give UTF-8 text"
        ) from None


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
    return "".join(text_blocks(path))


def fingerprint(text: str) -> str:
    """The SHA-256 of a text's UTF-8, in hexadecimal.

    >>> fingerprint("abc")
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def split(text: str, train_fraction: float = 0.9) -> tuple[str, str]:
    """A text's first characters to train on, and the rest to validate (`training_length`).

    Raises:
        UserError: a part would have fewer than 2 characters, so that it has nothing to predict.

    >>> split("To be, or not to be.", 0.5)
    ('To be, or ', 'not to be.')
    """
    border = training_length(len(text), train_fraction)
    return text[:border], text[border:]


def training_length(length: int, train_fraction: float = 0.9) -> int:
    """How many characters of a text train: `int(train_fraction * length)`, and of a text so long
    that more than five million would be left to validate, all but five million.

    Raises:
        UserError: a part would have fewer than 2 characters.

    >>> training_length(1_115_394), training_length(2_000_000_000)
    (1003854, 1995000000)
    """
    if not 0 < train_fraction < 1:
        raise UserError(f"train_fraction is {train_fraction}; give a number between 0 and 1")
    train = max(int(train_fraction * length), length - LONGEST_VALIDATION)
    if train < 2 or length - train < 2:
        raise UserError(
            f"a text of {length:,} characters splits into {train:,} for training and "
            f"{length - train:,} for validation, and each needs at least 2; give a longer text"
        )
    return train


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
        ids = self._ids[np.minimum(code_points(text), len(self._ids) - 1)]
        if ids.min(initial=0) < 0:
            unknown = self.unknown(text)
            raise UserError(
                f"the vocabulary of {len(self):,} characters lacks {len(unknown):,} of the "
                f"text's: {name_characters(unknown)}; remove them from the text or extend the "
                "vocabulary"
            )
        return ids

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
        return code_points("".join(self.characters))

    @cached_property
    def _ids(self) -> np.ndarray:
        """The id of each code point up to the greatest one and of all beyond, -1 for unknown
        ones, int32."""
        ids = np.full(self._codes.max() + 2, -1, np.int32)
        ids[self._codes] = np.arange(len(self), dtype=np.int32)
        return ids


def code_points(text: str) -> np.ndarray:
    """Those of a text's characters, surrogates included, uint32.

    >>> code_points("aé")
    array([ 97, 233], dtype=uint32)
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
