"""Rows of different lengths in one array: sentences' ids in as little memory as they need."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np


class Ragged(Sequence[np.ndarray]):
    """Rows one behind the other; each comes out as int32 ``[length]``.

    Args:
        values: of all rows, in the type in which they are kept.
        ends: where each row ends, 0 before the first, int64 ``[rows + 1]``.

    >>> rows = Ragged.of([np.array([5, 6]), np.array([7])], "uint8")
    >>> rows[0], rows.lengths, len(rows), rows.values.dtype
    (array([5, 6], dtype=int32), array([2, 1]), 2, dtype('uint8'))
    """

    def __init__(self, values: np.ndarray, ends: np.ndarray):
        self.values, self.ends = values, ends

    @classmethod
    def of(cls, rows: Iterable[Sequence[int] | np.ndarray], dtype: np.typing.DTypeLike) -> "Ragged":
        """Rows of whole numbers that ``dtype`` can hold."""
        values, ends, width = bytearray(), array("q", [0]), np.dtype(dtype).itemsize
        for row in rows:
            values += np.asarray(row, dtype).tobytes()
            ends.append(len(values) // width)
        return cls(np.frombuffer(values, dtype), np.frombuffer(ends, "int64"))

    @property
    def lengths(self) -> np.ndarray:
        """How long each row is, int64 ``[rows]``."""
        return np.diff(self.ends)

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        k = range(len(self))[row]
        return self.values[self.ends[k] : self.ends[k + 1]].astype("int32")

    def __iter__(self) -> Iterator[np.ndarray]:
        for start, end in pairwise(self.ends.tolist()):
            yield self.values[start:end].astype("int32")
