"""Ids on the disk: a text's, of which a step reads a little here and there."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from lstm_recipes.data.spool import Spool


@dataclass(frozen=True, eq=False)
class IdFile:
    """Whole numbers on the disk, of which a slice is an array: `ids[3:7]`, int32.

    >>> ids = IdFile.of([np.array([7, 0]), np.array([300])], size=301)
    >>> len(ids), ids[1:3], ids.stored
    (3, array([  0, 300], dtype=int32), dtype('uint16'))
    """

    spool: Spool
    stored: np.dtype
    """The smallest type that holds every id."""
    length: int

    ndim = 1
    dtype = np.dtype("int32")
    """Of a slice."""

    @classmethod
    def of(
        cls, blocks: Iterable[np.ndarray], size: int, folder: str | os.PathLike | None = None
    ) -> "IdFile":
        """Ids below ``size``, one block behind the other.

        Args:
            blocks: whole numbers, each of one axis.
            size: of the vocabulary.
            folder: in whose file system they are kept; None is that for temporary files.

        Raises:
            UserError: there is no room for them.
        """
        spool, stored = Spool(folder), np.min_scalar_type(max(size - 1, 0))
        for block in blocks:
            spool.append(np.ascontiguousarray(block, stored).view("uint8"))
        return cls(spool, stored, spool.size // stored.itemsize)

    def first(self, length: int) -> "IdFile":
        """So many of them, from the first one on, in the same file."""
        return replace(self, length=min(length, self.length))

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, places: slice) -> np.ndarray:
        start, stop, step = places.indices(self.length)
        if step != 1:
            raise ValueError(f"ids are read one after the other, not by steps of {step}")
        width = self.stored.itemsize
        found = self.spool.read(start * width, stop * width)
        return np.frombuffer(found, self.stored).astype("int32")
