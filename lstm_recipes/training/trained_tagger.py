"""A trained tagger as a run folder holds it."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.data.conll import DOCUMENT_START, Corpus, Sentence, read_columns
from lstm_recipes.data.tag_schemes import spans
from lstm_recipes.data.tagger_vocabulary import TaggerVocabulary
from lstm_recipes.data.vectors import read_vectors
from lstm_recipes.data.word_features import EncodedSentences
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.errors import UserError
from lstm_recipes.training.entity_confidence import EntityConfidence
from lstm_recipes.training.model_file import load_model
from lstm_recipes.training.run_folder import RunFolder

if TYPE_CHECKING:
    import keras

CHUNK = 2000  # sentences that are looked up and tagged at a time


class Tagged(NamedTuple):
    """The tags of a sentence."""

    tags: list[str]
    """In IOB2, one a word."""
    confidences: list[float]
    """Of each entity, in order: the probability that exactly these words are one of its type."""


class Measured(NamedTuple):
    """What a tagger makes of a split."""

    scores: dict[str, Any]
    """Precision, recall and F1 in percent, over all and by type, and how many numbers training
    could change: the model's, and the training words' vectors."""
    sentences: list[Sentence]
    tags: list[list[str]]
    """Those that were found, in IOB2."""

    def mistakes(self) -> list[dict[str, Any]]:
        """The commonest mistakes, most frequent first: the rows of a table."""
        from lstm_recipes.metrics.spans import confusions

        words = [sentence.words for sentence in self.sentences]
        gold = [sentence.tags for sentence in self.sentences]
        return [mistake._asdict() for mistake in confusions(words, gold, self.tags)]


class TrainedTagger:
    """The best model of a run, its words' vectors and its tags.

    Args:
        path: The run's folder.
        vectors: A file with vectors of more words.

    Raises:
        UserError: There is no such run, or no model in it yet, or a file is damaged.
    """

    def __init__(self, path: str | os.PathLike, vectors: Path | None = None):
        self.folder = RunFolder(path)
        self._file = self.folder.require("best.keras")
        self.folder.check_version()
        found = self.folder.read_json("vocabulary")
        try:
            vocabulary = TaggerVocabulary.from_json(found)
        except (KeyError, TypeError, UserError) as error:
            reason = error if isinstance(error, UserError) else f"it lacks {error}"
            raise UserError(
                f"{self.folder / 'vocabulary.json'} is not that of a tagger ({reason}); give the "
                "folder that ner train wrote"
            ) from None
        self.tags, self.scheme, self.window = vocabulary.tags, vocabulary.scheme, vocabulary.window
        self.table = WordTable.load(self.folder.require("vectors.npz"))
        if vectors is not None:
            self.table = self.table.extended(read_vectors(vectors))
        self.features = vocabulary.features(self.table.words)

    @cached_property
    def model(self) -> "keras.Model":
        """The model, loaded when it is first needed."""
        from lstm_recipes.models import tagger  # noqa: F401  it registers our layers

        return load_model(self._file, self._wrong)

    def _wrong(self, model: "keras.Model") -> str | None:
        if model.output.shape[-1] != len(self.tags):
            return f"it is not for the {len(self.tags)} known tags"
        if model.input["vectors"].shape[-1] != self.table.matrix.shape[1]:
            return f"it is not for vectors of {self.table.matrix.shape[1]} numbers"
        return None

    @cached_property
    def _decoder(self) -> Any:
        from lstm_recipes.training.tagging import Decoder

        return Decoder(self.model, self.tags, self.scheme)

    def tag(
        self,
        sentences: Sequence[Sequence[str]],
        confidences: bool = False,
        begins: Sequence[bool] | None = None,
    ) -> Iterator[Tagged]:
        """Tag sentences, each a sequence of words, some at a time; one without words has no tags.

        Args:
            sentences: Any number of them, in the order in which they were written: what a word is
                may show in the sentences around it.
            confidences: Whether to compute how sure the model is of each entity, exactly: the sum
                over all sequences of tags that have it (Culotta & McCallum 2004).
            begins: Whether a document begins with each of the sentences; without it they are of
                one.
        """
        filled = [k for k, sentence in enumerate(sentences) if len(sentence)]
        done = 0
        for start in range(0, len(filled), CHUNK):
            inside = range(start, min(start + CHUNK, len(filled)))
            found = self._tag(sentences, filled, inside, confidences, begins)
            for k, tagged in zip(inside, found, strict=True):
                yield from [Tagged([], [])] * (filled[k] - done)
                yield tagged
                done = filled[k] + 1
        yield from [Tagged([], [])] * (len(sentences) - done)

    def _tag(
        self,
        sentences: Sequence[Sequence[str]],
        filled: Sequence[int],
        inside: range,
        confidences: bool,
        begins: Sequence[bool] | None,
    ) -> list[Tagged]:
        """Tag some of the sentences that have words, with an eye on those around them."""
        around = range(
            max(inside.start - self.window, 0), min(inside.stop + self.window, len(filled))
        )
        near = [sentences[filled[k]] for k in around]
        begins = None if begins is None else [begins[filled[k]] for k in around]
        words = EncodedSentences(self.features, near, self.window, begins)
        offset = inside.start - around.start
        found: list[Any] = [None] * len(inside)
        batches = self._decoder.emissions(
            self.table.matrix, words, range(offset, offset + len(inside))
        )
        for chosen, emissions in batches:
            best = self._decoder.best(emissions)
            tags = [self._decoder.in_iob2(row) for row in best]
            sure = self._sure(emissions, tags) if confidences else [[]] * len(tags)
            for k, row, numbers in zip(chosen, tags, sure, strict=True):
                found[k - offset] = Tagged(row, numbers)
        return found

    def _sure(self, emissions: Any, tags: list[list[str]]) -> list[list[float]]:
        """The probability of each entity of some sentences."""
        if not any(entity for row in tags for entity in spans(row, "IOB2")):
            return [[] for _ in tags]
        chances = (part.numpy() for part in self._decoder.chances(emissions))
        return [
            [self._confidence(p[: len(row)], onward, *span) for span in spans(row, "IOB2")]
            for p, onward, row in zip(*chances, tags, strict=True)
        ]

    @cached_property
    def _confidence(self) -> EntityConfidence:
        legal = self._decoder.crf.allowed is not None
        return EntityConfidence(self.tags, self.scheme, legal)

    def measure(self, split: str | None = None) -> Measured:
        """Tag a split that the run keeps and score it; without a name test, or else valid.

        Raises:
            UserError: The run has no such split.
        """
        import keras

        from lstm_recipes.metrics.spans import entity_scores

        if split is None:
            split = "test" if (self.folder / "test.conll").exists() else "valid"
        path = self.folder / f"{split}.conll"
        if not path.exists():
            raise UserError(
                f"{self.folder.path} has no {path.name}, because the data that it was trained on "
                f"had no {split} split; leave out --split"
            )
        sentences = read_columns(path)
        begins = [s.begins for s in sentences]
        found = [row.tags for row in self.tag([s.words for s in sentences], begins=begins)]
        scores = entity_scores([s.tags for s in sentences], found)
        rounded = keras.tree.map_structure(
            lambda score: round(score, 2) if isinstance(score, float) else score, scores
        )
        trainable = sum(math.prod(weight.shape) for weight in self.model.trainable_variables)
        trainable += self.table.trained * self.table.matrix.shape[1]
        return Measured({"split": split, "parameters": trainable} | rounded, sentences, found)


def keep(folder: RunFolder, corpus: Corpus, vocabulary: TaggerVocabulary) -> None:
    """Write what a `TrainedTagger` needs beside its model: vocabulary.json, and the splits that it
    is measured on."""
    folder.write_json("vocabulary", asdict(vocabulary))
    folder.write_text("valid.conll", write_columns(corpus.valid))
    if corpus.test:
        folder.write_text("test.conll", write_columns(corpus.test))


def write_errors(path: Path, sentences: Sequence[Sentence], found: Sequence[Sequence[str]]) -> None:
    """Write the sentences with a mistake to a file: word, right tag and found tag a line."""
    blocks = []
    for sentence, tags in zip(sentences, found, strict=True):
        if list(sentence.tags) != list(tags):
            rows = zip(sentence.words, sentence.tags, tags, strict=True)
            blocks.append("".join("\t".join(row) + "\n" for row in rows))
    try:
        write_atomically(path, "\n".join(blocks).encode("utf-8"))
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror}); give another file with --errors"
        ) from None


def write_columns(sentences: Sequence[Sentence]) -> str:
    """Sentences as text: a word and its tag a line, an empty line after each sentence; before a
    document a line that marks it."""
    blocks = (
        f"{DOCUMENT_START}\tO\n\n" * s.begins
        + "".join(f"{w}\t{t}\n" for w, t in zip(s.words, s.tags, strict=True))
        for s in sentences
    )
    return "".join(block + "\n" for block in blocks)
