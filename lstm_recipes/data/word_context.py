"""What the sentences around tell of a sentence's words.

A name that one sentence leaves open another one settles: "Blackburn 2" and "the striker Blackburn
bought". So a tagger may see, of every word that could be a name, the words beside its other
occurrences, averaged, and how it is written there (Chieu & Ng 2003; *context aggregation* in
Ratinov & Roth 2009, section 5.1). And whether Chicago is a city or a team depends on what is talked
about, for which the average of all words around may stand.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Context(NamedTuple):
    """Other occurrences of the words of a batch, one after the other, and all words around its
    sentences."""

    place: np.ndarray
    """int32 ``[occurrences]``, rising: which word of the batch, sentence · length + position."""
    left: np.ndarray
    """int32 ``[occurrences]``: the row of the word to the left of the occurrence; 0 is none."""
    right: np.ndarray
    """int32 ``[occurrences]``: of the word to its right."""
    cases: np.ndarray
    """float32 ``[batch, words, 6]``: the share of the occurrences in each case (`case_of`), and
    1 where there is any."""
    around: np.ndarray
    """int32 ``[words around]``: the rows of all words of all sentences around."""
    ranges: np.ndarray
    """int32 ``[batch, 2]``: which of those are around a sentence: from the first number to before
    the second."""


def may_be_name(word: str) -> bool:
    """Whether a word has a letter that is not a small one; letters of scripts without case count.

    >>> [may_be_name(word) for word in ("bank", "Bank", "eBay", "1996", "東京")]
    [False, True, True, False, True]
    """
    return any(c.isalpha() and not c.islower() for c in word)


def surroundings(begins: Sequence[bool], window: int) -> np.ndarray:
    """Of each sentence the first and the last but one of those around it: the ``window`` before and
    after, of the same document; int32 ``[sentences, 2]``.

    >>> surroundings([False, False, False, True, False], window=1).tolist()
    [[0, 2], [0, 3], [1, 3], [3, 5], [3, 5]]
    """
    number = np.arange(len(begins))
    starts = np.flatnonzero(np.append(begins, True))
    place = np.searchsorted(starts, number, side="right")
    first = np.where(place > 0, np.append(starts, 0)[place - 1], 0)
    low = np.maximum(first, number - window)
    return np.stack([low, np.minimum(starts[place], number + window + 1)], axis=1).astype("int32")


class Occurrences:
    """Where each word that may be a name stands, in any case.

    Args:
        names: of each word of all sentences, one behind the other, the number of its name; -1 for
            words that are none, int ``[words]``.

    >>> written = ["Ajax", "won", "AJAX", "and", "PSV", "Ajax"]  # in three sentences
    >>> found = Occurrences(np.array([0, -1, 0, -1, 1, 0]))
    >>> found.of(np.array([0, 2, 4]), np.array([[0, 5], [0, 6], [0, 6]]))
    (array([0, 1, 1]), array([2, 0, 5]))
    """

    def __init__(self, names: np.ndarray):
        self.names, self.total = names, len(names)
        places = np.flatnonzero(names >= 0)
        # All places of a name side by side and rising: its range is found by bisection.
        self._sorted = np.sort(names[places].astype("int64") * self.total + places)

    def of(self, places: np.ndarray, around: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The other occurrences of the words at some places, the words in order, and of each the
        occurrences as they were written.

        Args:
            places: of words that may be names, int ``[some]``.
            around: from which place to before which other one each is looked for, ``[some, 2]``.

        Returns:
            Which of the words, and the place of the occurrence, int64 ``[occurrences]`` both.
        """
        first = self.names[places].astype("int64") * self.total
        low, high = np.searchsorted(self._sorted, first[:, None] + around).T
        which, found = spread(low, high)
        found = self._sorted[found] - first[which]
        others = found != places[which]
        return which[others], found[others]


def spread(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All numbers from each of ``low`` to before that of ``high``, and of which of them each is.

    >>> spread(np.array([3, 7, 0]), np.array([5, 7, 1]))
    (array([0, 0, 2]), array([3, 4, 0]))
    """
    lengths = high - low
    which = np.repeat(np.arange(len(low)), lengths)
    return which, np.arange(len(which)) + (low - np.cumsum(lengths) + lengths)[which]
