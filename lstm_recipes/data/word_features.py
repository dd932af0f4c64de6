"""From words to the numbers that a tagger reads."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from lstm_recipes.data.word_context import Context, occurrences, surroundings

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
        sentences = list(sentences)
        known = {
            word: k for k, word in enumerate(dict.fromkeys(w for s in sentences for w in s), 1)
        }
        self.ids = [np.array([known[word] for word in s], "int32") for s in sentences]
        self.rows = np.array([0, *map(features.row, known)], "int32")
        self.case = np.array([0, *map(case_of, known)], "int32")
        self.characters = np.zeros((len(known) + 1, LONGEST), "int32")
        for word, k in known.items():
            if len(word) > LONGEST:
                word = word[: LONGEST // 2] + word[-LONGEST // 2 :]
            self.characters[k, : len(word)] = [features._ids.get(c, 1) for c in word]
        self.lengths = np.maximum((self.characters != 0).sum(1), 1)
        nothing = np.zeros((0, 2), "int32")
        self.window = window
        begins = [False] * len(sentences) if begins is None else begins
        self._near = surroundings(begins, window)
        self._again = [nothing] * len(sentences)
        if window:
            self._again = occurrences(sentences, self._near)
        # Each word's id, and those of the words beside it, 0 at the ends of sentences.
        self._id = np.concatenate([[0], *self.ids])[1:].astype("int32")
        self._ends = np.cumsum([0, *map(len, self.ids)])
        self._left = np.concatenate([[0], *(np.append(0, ids[:-1]) for ids in self.ids)])[1:]
        self._right = np.concatenate([[0], *(np.append(ids[1:], 0) for ids in self.ids)])[1:]

    def batch(self, chosen: Iterable[int] | None = None) -> Words:
        """Some of the sentences, by number; all of them if none are named."""
        chosen = range(len(self.ids)) if chosen is None else list(chosen)
        words = padded([self.ids[k] for k in chosen])
        longest = self.lengths[words].max(initial=1)
        context = self._context(chosen, words.shape)
        characters = self.characters[words][:, :, :longest]
        return Words(self.rows[words], self.case[words], characters, context)

    def _context(self, chosen: Sequence[int], shape: tuple[int, int]) -> Context:
        again = [self._again[k] for k in chosen]
        places = [rows[:, 0] + k * shape[1] for k, rows in enumerate(again)]
        place = np.concatenate([np.zeros(0, "int32"), *places]).astype("int32")
        other = np.concatenate([np.zeros((0, 2), "int32"), *again])[:, 1]
        cases = np.zeros((shape[0] * shape[1], 6), "float32")
        np.add.at(cases, (place, self.case[self._id[other]] - 1), 1.0)
        count = cases[:, :5].sum(1, keepdims=True)
        cases = np.concatenate([cases[:, :5] / np.maximum(count, 1.0), count > 0], axis=1)
        cases = cases.reshape(*shape, 6).astype("float32")
        left, right = self.rows[self._left[other]], self.rows[self._right[other]]
        around, ranges = self._around(chosen)
        return Context(place, left, right, cases, around, ranges)

    def _around(self, chosen: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """The rows of all words around, each sentence's once, and which of them are around each of
        the chosen."""
        if not self.window:
            return np.zeros(0, "int32"), np.zeros((len(chosen), 2), "int32")
        near = self._near[chosen]
        turns = np.zeros(len(self.ids) + 1, "int32")
        np.add.at(turns, near[:, 0], 1)
        np.add.at(turns, near[:, 1], -1)
        wanted = np.cumsum(turns)[:-1] > 0
        lengths = np.diff(self._ends)
        ends = np.cumsum([0, *(lengths * wanted)]).astype("int32")
        return self.rows[self._id[np.repeat(wanted, lengths)]], ends[near]


def padded(rows: Sequence[np.ndarray], value: int = 0) -> np.ndarray:
    """Rows of different lengths as one int32 array, at least one column wide."""
    out = np.full((len(rows), max([1, *map(len, rows)])), value, "int32")
    for k, row in enumerate(rows):
        out[k, : len(row)] = row
    return out
