"""A list whose items are on the disk: sentences to train on, of which there may be millions."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from operator import eq
from typing import Any, Generic, TypeVar, overload

import numpy as np

from lstm_recipes.data.spool import Spool

Item = TypeVar("Item")
BLOCK = 1 << 20  # bytes that are written at a time
AT_ONCE = 2000  # items that are read at a time


class DiskList(Sequence[Item], Generic[Item]):
    """Items in a file without a name, in memory 8 bytes each. Unlike a list it does not change.

    Args:
        items: any number of them, read once.
        pack: makes bytes of an item.
        unpack: makes the item of these bytes.

    Raises:
        UserError: there is no room for them on the disk.

    >>> words = DiskList(["to", "be"], str.encode, bytes.decode)
    >>> words, words[-1], len(words), words == ["to", "be"]
    (['to', 'be'], 'be', 2, True)
    """

    def __init__(
        self,
        items: Iterable[Item],
        pack: Callable[[Item], bytes],
        unpack: Callable[[bytes], Item],
    ):
        self._spool, self._unpack = Spool(), unpack
        ends, block, written = array("q", [0]), bytearray(), 0
        for item in items:
            block += pack(item)
            ends.append(written + len(block))
            if len(block) >= BLOCK:
                self._spool.append(block)
                block, written = bytearray(), ends[-1]
        self._spool.append(block)
        self._ends = np.frombuffer(ends, "int64")

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> list[Item]: ...
    def __getitem__(self, place: int | slice) -> Item | list[Item]:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        k = range(len(self))[place]
        return self._unpack(self._spool.read(*self._ends[k : k + 2].tolist()))

    def __iter__(self) -> Iterator[Item]:
        for first in range(0, len(self), AT_ONCE):
            ends = self._ends[first : first + AT_ONCE + 1].tolist()
            data = self._spool.read(ends[0], ends[-1])
            for start, end in pairwise(ends):
                yield self._unpack(data[start - ends[0] : end - ends[0]])

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # as of a list

    def __repr__(self) -> str:
        return repr(list(self))
