"""A text that is read in blocks, as often as need be, and never held whole."""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lstm_recipes.data.id_file import IdFile
from lstm_recipes.data.text import Vocabulary, code_points, read_text
from lstm_recipes.data.utf8 import text_blocks
from lstm_recipes.errors import UserError


@dataclass(frozen=True)
class TextSource:
    """A text by its name, and what was found when it was read once.

    >>> source = TextSource.of("notes", lambda: ["to be, ", "or not"])
    >>> source.length, source.characters
    (13, 'to be,rn')
    >>> source.ids(Vocabulary.of(source.characters))[:5]
    array([7, 5, 0, 2, 3], dtype=int32)
    """

    name: str
    blocks: Callable[[], Iterable[str]]
    """Reads it again, a piece at a time."""
    sha256: str
    """Of its UTF-8: `text.fingerprint`."""
    length: int
    """In characters."""
    characters: str
    """Each that it has once, in order of first appearance."""

    @classmethod
    def of(cls, name: str, blocks: Callable[[], Iterable[str]]) -> "TextSource":
        """Read a text once.

        Args:
            name: what a person calls it.
            blocks: gives its pieces, the same whenever it is called.

        Raises:
            UserError: ``blocks`` does.
        """
        sum_, length, characters = hashlib.sha256(), 0, {}
        seen = np.zeros(0x110000, bool)
        for text in blocks():
            sum_.update(text.encode("utf-8", "surrogatepass"))
            length += len(text)
            codes = code_points(text)
            new = codes[~seen[codes]]
            seen[new] = True
            characters |= dict.fromkeys(map(chr, new.tolist()))
        return cls(name, blocks, sum_.hexdigest(), length, "".join(characters))

    @classmethod
    def file(cls, path: str | os.PathLike) -> "TextSource":
        """A UTF-8 file, read once; or what gives its bytes only once, such as a pipe.

        Raises:
            UserError: as `text.read_text` does.
        """
        path = Path(path).expanduser()
        blocks = partial(text_blocks, path)
        if not path.is_file():
            whole = read_text(path)
            blocks = lambda: [whole]  # noqa: E731  it stands beside the other one
        return cls.of(path.name, blocks)

    @property
    def about(self) -> dict[str, Any]:
        """What a run's config.json says of it."""
        return {"name": self.name, "sha256": self.sha256, "characters": self.length}

    def read(self) -> str:
        """The whole text."""
        return "".join(self.blocks())

    def ids(self, vocabulary: Vocabulary, folder: str | os.PathLike | None = None) -> IdFile:
        """The ids of all its characters, on the disk.

        Args:
            vocabulary: that has all its characters.
            folder: in whose file system they are kept; None is that for temporary files.

        Raises:
            UserError: the vocabulary lacks a character, there is no room for the ids, or the text
                is no longer what it was.
        """
        ids = IdFile.of(map(vocabulary.encode, self.blocks()), len(vocabulary), folder)
        if len(ids) != self.length:
            raise UserError(
                f"{self.name} had {self.length:,} characters and now has {len(ids):,}; wait until "
                "nothing writes to it, and try again"
            )
        return ids
