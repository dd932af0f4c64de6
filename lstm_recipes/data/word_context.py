"""What the sentences around tell of a sentence's words.

A name that one sentence leaves open another one settles: "Blackburn 2" and "the striker Blackburn
bought". So a tagger may see, of every word that could be a name, the words beside its other
occurrences, averaged, and how it is written there (Chieu & Ng 2003; *context aggregation* in
Ratinov & Roth 2009, section 5.1). And whether Chicago is a city or a team depends on what is talked
about, for which the average of all words around may stand.
"""

from bisect import bisect_left
from collections import defaultdict
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


def occurrences(sentences: Sequence[Sequence[str]], around: np.ndarray) -> list[np.ndarray]:
    """Of each sentence, int32 ``[occurrences, 2]``: the position of a word that may be a name, and
    the place of another occurrence of it, in any case, among all words of the sentences, in one of
    those around it (`surroundings`) or in the same one.

    >>> written = [["Ajax", "won"], ["AJAX", "and", "PSV"], ["Ajax"]]
    >>> found = occurrences(written, surroundings([False] * 3, window=1))
    >>> [rows.tolist() for rows in found]
    [[[0, 2]], [[0, 0], [0, 5]], [[0, 2]]]
    """
    places, owners = defaultdict(list), defaultdict(list)
    total = 0
    for number, words in enumerate(sentences):
        for place, word in enumerate(words, total):
            if may_be_name(word):
                places[word.lower()].append(place)
                owners[word.lower()].append(number)
        total += len(words)
    found, first = [], 0
    for words, (low, high) in zip(sentences, around.tolist(), strict=True):
        rows = []
        for position, word in enumerate(words):
            if not may_be_name(word):
                continue
            key = word.lower()
            here = slice(bisect_left(owners[key], low), bisect_left(owners[key], high))
            rows += [(position, at) for at in places[key][here] if at != first + position]
        found.append(np.array(rows, "int32").reshape(-1, 2))
        first += len(words)
    return found
