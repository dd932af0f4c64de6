"""From words to the numbers that a tagger reads."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from lstm_recipes.data.ragged import Ragged
from lstm_recipes.data.word_context import (
    Context,
    Occurrences,
    may_be_name,
    spread,
    surroundings,
)

LONGEST = 24  # characters of a word that are read: the first and the last half of so many


class Words(NamedTuple):
    """A batch of sentences; 0 wherever there is nothing."""

    rows: np.ndarray
    """int32 ``[batch, words]``: each word's row in the table of vectors; 0 is the unknown word."""
    case: np.ndarray
    """int32 ``[batch, words]``: 1 lower, 2 Title, 3 UPPER, 4 miXed, 5 without letters."""
    characters: np.ndarray
    """int32 ``[batch, words, characters]``: 1 is an unknown character."""
    context: Context
    """The words' other occurrences."""


def case_of(word: str) -> int:
    """How a word is written, 1 to 5.

    >>> [case_of(word) for word in ("bank", "Bank", "IBM", "eBay", "1996-08-22")]
    [1, 2, 3, 4, 5]
    """
    letters = [c for c in word if c.isalpha()]
    if not letters:
        return 5
    if not any(c.isupper() for c in letters):
        return 1
    if all(c.isupper() for c in letters):
        return 3 if len(letters) > 1 else 2
    return 2 if word[0].isupper() and not any(c.isupper() for c in letters[1:]) else 4


def keys_of(word: str, cased: bool) -> list[str]:
    """What a word is looked up by, the first that is found: as it is, where the case counts; in
    lower case; in lower case with zeros for its digits.

    >>> keys_of("F16", cased=True)
    ['F16', 'f16', 'f00']
    """
    lower = word.lower()
    keys = [word] if cased else []
    return [*keys, lower, re.sub(r"\d", "0", lower)]


class WordFeatures:
    """What a tagger sees of a word: its row in a table of vectors, its case, its characters.

    Args:
        words: The words that have rows, from row 1 on.
        characters: The characters that are known, from 2 on.
        cased: Whether a word is looked up as it is written before it is in lower case.

    >>> features = WordFeatures(["the", "bank", "0000"], "abhknet")
    >>> features.encode([["The", "bank"], ["1996"]]).rows
    array([[1, 2],
           [3, 0]], dtype=int32)
    """

    def __init__(self, words: Sequence[str], characters: str, cased: bool = False):
        self.cased = cased
        self.rows = {word: row for row, word in enumerate(words, 1)}
        self.characters = characters
        self._ids = {character: number for number, character in enumerate(characters, 2)}

    def row(self, word: str) -> int:
        """The row of the first of `keys_of` the word that has one, or 0."""
        return next((self.rows[k] for k in keys_of(word, self.cased) if k in self.rows), 0)

    def encode(self, sentences: Iterable[Sequence[str]]) -> Words:
        """The numbers of some sentences, padded to the longest sentence and word."""
        return EncodedSentences(self, sentences).batch()


class EncodedSentences:
    """Sentences of which every different word is looked up once.

    Args:
        features: What is seen of a word.
        sentences: In the order in which they were written.
        window: How many sentences before and after are looked at too; with 0 there is no context,
            of its own sentence neither.
        begins: Whether a document begins with a sentence; none sees beyond its own. Without it
            they are all of one.
    """

    def __init__(
        self,
        features: WordFeatures,
        sentences: Iterable[Sequence[str]],
        window: int = 0,
        begins: Sequence[bool] | None = None,
    ):
        known: dict[str, int] = {}
        self.ids = Ragged.of(
            ([known.setdefault(word, len(known) + 1) for word in s] for s in sentences), "int32"
        )
        self.rows = np.array([0, *map(features.row, known)], "int32")
        self.case = np.array([0, *map(case_of, known)], "int32")
        number = np.min_scalar_type(len(features.characters) + 1)
        self.characters = np.zeros((len(known) + 1, LONGEST), number)
        for word, k in known.items():
            if len(word) > LONGEST:
                word = word[: LONGEST // 2] + word[-LONGEST // 2 :]
            self.characters[k, : len(word)] = [features._ids.get(c, 1) for c in word]
        self.lengths = np.maximum((self.characters != 0).sum(1), 1)
        self.window = window
        begins = np.zeros(len(self.ids), bool) if begins is None else begins
        self._near = surroundings(begins, window)
        names = np.full(len(known) + 1, -1, "int32")
        if window:
            numbers: dict[str, int] = {}
            for word, k in known.items():
                if may_be_name(word):
                    names[k] = numbers.setdefault(word.lower(), len(numbers))
        self._names = names[self.ids.values]
        self._occurrences = Occurrences(self._names)

    def batch(self, chosen: Iterable[int] | None = None) -> Words:
        """Some of the sentences, by number; all of them if none are named."""
        chosen = np.arange(len(self.ids)) if chosen is None else np.array([*chosen], int)
        words = padded([self.ids[k] for k in chosen])
        longest = self.lengths[words].max(initial=1)
        characters = self.characters[words][:, :, :longest].astype("int32")
        context = self._context(chosen, words.shape)
        return Words(self.rows[words], self.case[words], characters, context)

    def _context(self, chosen: np.ndarray, shape: tuple[int, int]) -> Context:
        ids, ends = self.ids.values, self.ids.ends
        which, at = spread(ends[chosen], ends[chosen + 1])
        named = self._names[at] >= 0
        which, at = which[named], at[named]
        word, other = self._occurrences.of(at, ends[self._near[chosen[which]]])
        place = which[word] * shape[1] + at[word] - ends[chosen[which[word]]]
        cases = np.zeros((shape[0] * shape[1], 6), "float32")
        np.add.at(cases, (place, self.case[ids[other]] - 1), 1.0)
        count = cases[:, :5].sum(1, keepdims=True)
        cases = np.concatenate([cases[:, :5] / np.maximum(count, 1.0), count > 0], axis=1)
        cases = cases.reshape(*shape, 6).astype("float32")
        # Beside it stands a word, or the sentence's end, and then nothing.
        begins, stops = (ends[np.searchsorted(ends, k)] == k for k in (other, other + 1))
        left = np.where(begins, 0, ids[other - 1])
        right = np.where(stops, 0, ids[np.minimum(other + 1, len(ids) - 1)])
        around, ranges = self._around(chosen)
        beside = self.rows[left], self.rows[right]
        return Context(place.astype("int32"), *beside, cases, around, ranges)

    def _around(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows of all words around, each sentence's once, and which of them are around each of
        the chosen."""
        if not self.window:
            return np.zeros(0, "int32"), np.zeros((len(chosen), 2), "int32")
        near, ends = self._near[chosen], self.ids.ends
        sentences = np.unique(spread(*near.T)[1])
        _, words = spread(ends[sentences], ends[sentences + 1])
        before = np.cumsum([0, *(ends[sentences + 1] - ends[sentences])]).astype("int32")
        return self.rows[self.ids.values[words]], before[np.searchsorted(sentences, near)]


def padded(rows: Sequence[np.ndarray], value: int = 0) -> np.ndarray:
    """Rows of different lengths as one int32 array, at least one column wide."""
    out = np.full((len(rows), max([1, *map(len, rows)])), value, "int32")
    for k, row in enumerate(rows):
        out[k, : len(row)] = row
    return out
