"""A table of word vectors: those that were trained, and pretrained ones beside them."""

import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.data.conll import Corpus
from lstm_recipes.data.vectors import WordVectors, read_vectors
from lstm_recipes.data.word_features import keys_of
from lstm_recipes.errors import UserError, first_line

COMMONEST = 50_000  # pretrained vectors that are kept beside those of a corpus' own words


@dataclass(frozen=True)
class WordTable:
    """Words and their vectors; row 0 is any other word's.

    >>> table = WordTable.made(["the", "bank", "the"], size=4, seed=0)
    >>> table.words, table.matrix.shape, table.rare.tolist()
    (['the', 'bank'], (3, 4), [False, False, True])
    """

    words: list[str]
    """Of the rows from 1 on."""
    matrix: np.ndarray
    """float32 ``[1 + words, size]``."""
    trained: int
    """How many rows, from 0 on, training changes: those of the training words."""
    rare: np.ndarray
    """bool ``[trained]``: words whose like will be unknown in other texts. With pretrained vectors
    those that are not among the commonest of them, otherwise those that were seen once."""

    @classmethod
    def of(
        cls, corpus: Corpus, vectors: Path | None, size: int, seed: int, cased: bool
    ) -> "WordTable":
        """The table before training: the training words, and of a file of pretrained vectors, if
        there is one, those of the development words and of the commonest words too. A row has
        ``size`` numbers, or as many as the file's.

        Raises:
            UserError: The file cannot be read.
        """
        words = Counter(word for sentence in corpus.train for word in sentence.words)
        pretrained = None
        if vectors is not None:
            valid = [word for sentence in corpus.valid for word in sentence.words]
            keys = {key for word in {*words, *valid} for key in keys_of(word, cased)}
            pretrained = read_vectors(vectors, keys, COMMONEST)
            size = pretrained.matrix.shape[1]
        return cls.made(
            words, size=size, seed=seed, vectors=pretrained, commonest=COMMONEST, cased=cased
        )

    @classmethod
    def made(
        cls,
        words: Iterable[str] | Counter[str],
        *,
        size: int,
        seed: int,
        vectors: WordVectors | None = None,
        commonest: int = 0,
        cased: bool = False,
    ) -> "WordTable":
        """The table before training.

        The training words come first. Each begins with the pretrained vector that it is looked up
        by (`keys_of`), and otherwise with uniform random numbers of variance 1 / size (Ma &
        Hovy 2016, section 3.1). All other pretrained words follow.

        Args:
            words: All the words of the training text, as often as they stand there; or how often
                each does.
            size: Width of a vector; that of ``vectors``, where they are given.
            seed: Of the random numbers.
            vectors: Pretrained vectors.
            commonest: How many of them, the first ones, are kept whether the words are in the
                training text or not.
            cased: Whether ``Bank`` and ``bank`` have a row each.
        """
        counts: Counter[str] = Counter()
        for word, count in Counter(words).items():
            counts[keys_of(word, cased)[0]] += count
        known = {} if vectors is None else vectors.index
        bound = (3 / size) ** 0.5
        draw = np.random.default_rng(seed)
        trained = draw.uniform(-bound, bound, (len(counts) + 1, size)).astype("float32")
        trained[0] = 0
        rare = np.zeros(len(counts) + 1, bool)
        for row, (word, count) in enumerate(counts.items(), 1):
            place = next((known[key] for key in keys_of(word, cased) if key in known), None)
            if place is not None:
                trained[row] = vectors.matrix[place]
            if vectors is None:
                rare[row] = count == 1
            else:
                rare[row] = place is None or place >= commonest
        others = [word for word in known if word not in counts]
        rest = np.zeros((0, size), "float32")
        if others:
            rest = vectors.matrix[[known[word] for word in others]]
        return cls([*counts, *others], np.concatenate([trained, rest]), len(trained), rare)

    @cached_property
    def halved(self) -> np.ndarray:
        """The matrix as a file keeps it: rounded to float16, in float32."""
        return self.matrix.astype("float16").astype("float32")

    def about(self, vectors: Path | None) -> dict[str, Any]:
        """What a run keeps in its config.json of the vectors that it starts from."""
        name = "none" if vectors is None else vectors.name
        return {"name": name, "sha256": hashlib.sha256(self.matrix).hexdigest()}

    def with_trained(self, rows: np.ndarray) -> "WordTable":
        """The table with other values in the trained rows."""
        matrix = np.concatenate([rows, self.matrix[self.trained :]])
        return WordTable(self.words, matrix, self.trained, self.rare)

    def extended(self, vectors: WordVectors) -> "WordTable":
        """The table with rows for words that it lacks.

        Raises:
            UserError: The vectors have another width.
        """
        size = self.matrix.shape[1]
        if vectors.matrix.shape[1] != size:
            raise UserError(
                f"the vectors have {vectors.matrix.shape[1]} numbers a word and the model was "
                f"trained with {size}; give the file that it was trained with"
            )
        here = set(self.words)
        new = [word for word in vectors.words if word not in here]
        rows = vectors.matrix[[vectors.index[word] for word in new]].reshape(-1, size)
        words, matrix = [*self.words, *new], np.concatenate([self.matrix, rows])
        return WordTable(words, matrix, self.trained, self.rare)

    def save(self, path: Path) -> None:
        """Write the words and, in float16, the vectors."""
        content = io.BytesIO()
        text = np.frombuffer("\n".join(self.words).encode("utf-8"), "uint8")
        numbers = {"trained": self.trained, "rare": self.rare}
        np.savez_compressed(content, words=text, matrix=self.matrix.astype("float16"), **numbers)
        write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> "WordTable":
        """Read what ``save`` wrote.

        Raises:
            UserError: The file is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                words = file["words"].tobytes().decode("utf-8")
                matrix = file["matrix"].astype("float32")
                table = cls(
                    words.split("\n") if words else [], matrix, int(file["trained"]), file["rare"]
                )
            if len(table.words) + 1 != len(matrix):
                raise ValueError(f"{len(table.words)} words and {len(matrix)} vectors")
            return table
        except Exception as error:  # zip, NumPy's format and the system each have their own
            raise UserError(
                f"{path} is damaged ({first_line(error)}); take it from an undamaged copy of "
                "the run folder, or train again"
            ) from None
