"""A trained tagger as a run folder holds it."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.data.conll import Sentence, read_columns
from lstm_recipes.data.tag_schemes import spans
from lstm_recipes.data.vectors import read_vectors
from lstm_recipes.data.word_features import EncodedSentences, WordFeatures
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.errors import UserError
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
        found = self.folder.read_json("vocabulary")
        try:
            self.tags, self.scheme = list(found["tags"]), str(found["scheme"])
            characters, cased = str(found["characters"]), bool(found["cased"])
        except (KeyError, TypeError) as error:
            raise UserError(
                f"{self.folder / 'vocabulary.json'} is not that of a tagger (it lacks {error}); "
                "give the folder that ner train wrote"
            ) from None
        self.table = WordTable.load(self.folder.require("vectors.npz"))
        if vectors is not None:
            self.table = self.table.extended(read_vectors(vectors))
        self.features = WordFeatures(self.table.words, characters, cased)

    @cached_property
    def model(self) -> "keras.Model":
        """The model, loaded when it is first needed."""
        import keras

        from lstm_recipes.models import tagger  # noqa: F401  it registers our layers

        try:
            model = keras.saving.load_model(self._file, compile=False)
            if model.output.shape[-1] != len(self.tags):
                raise ValueError(f"it is not for the {len(self.tags)} known tags")
        except Exception as error:  # zip, JSON, HDF5 and Keras each have their own
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise UserError(
                f"{self._file} is damaged ({reason}); take it from an undamaged copy of the run "
                "folder, or train again"
            ) from None
        return model

    @cached_property
    def _decoder(self) -> Any:
        from lstm_recipes.training.tagging import Decoder

        return Decoder(self.model, self.tags, self.scheme)

    def tag(
        self, sentences: Sequence[Sequence[str]], confidences: bool = False
    ) -> Iterator[Tagged]:
        """Tag sentences, each a sequence of words, some at a time; one without words has no tags.

        Args:
            sentences: Any number of them.
            confidences: Whether to compute how sure the model is of each entity, exactly: the sum
                over all sequences of tags that have it (Culotta & McCallum 2004).
        """
        for start in range(0, len(sentences), CHUNK):
            yield from self._tag(sentences[start : start + CHUNK], confidences)

    def _tag(self, sentences: Sequence[Sequence[str]], confidences: bool) -> list[Tagged]:
        found = [Tagged([], [])] * len(sentences)
        filled = [k for k, sentence in enumerate(sentences) if len(sentence)]
        words = EncodedSentences(self.features, [sentences[k] for k in filled])
        for chosen, emissions in self._decoder.emissions(self.table.matrix, words):
            best = self._decoder.best(emissions)
            tags = [self._decoder.in_iob2(row) for row in best]
            sure = self._sure(emissions, best, tags) if confidences else [[]] * len(tags)
            for k, row, numbers in zip(chosen, tags, sure, strict=True):
                found[filled[k]] = Tagged(row, numbers)
        return found

    def _sure(self, emissions: Any, best: list[list[str]], tags: list[list[str]]) -> list:
        """The probabilities of the entities of some sentences."""
        ids = {tag: number for number, tag in enumerate(self.tags)}
        entities = [(k, *span[1:]) for k, row in enumerate(tags) for span in spans(row, "IOB2")]
        sure: list[list[float]] = [[] for _ in tags]
        if not entities:
            return sure
        labels = np.full((len(entities), emissions.shape[1]), -1, "int32")
        for row, (k, start, end) in zip(labels, entities, strict=True):
            row[start:end] = [ids[tag] for tag in best[k][start:end]]
        sentences = np.array([k for k, *_ in entities])
        log_p = self._decoder.log_likelihood(emissions.numpy()[sentences], labels).numpy()
        for k, value in zip(sentences, np.exp(np.minimum(log_p, 0.0)), strict=True):
            sure[k].append(float(value))
        return sure

    def measure(self, split: str | None = None) -> Measured:
        """Tag a split that the run keeps and score it; without a name test, or else valid.

        Raises:
            UserError: The run has no such split.
        """
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
        found = [row.tags for row in self.tag([s.words for s in sentences])]
        scores = entity_scores([s.tags for s in sentences], found)
        rounded = {k: round(v, 2) if isinstance(v, float) else v for k, v in scores.items()}
        trainable = self.model.count_params() + self.table.trained * self.table.matrix.shape[1]
        return Measured({"split": split, "parameters": trainable} | rounded, sentences, found)


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
    """Sentences as text: a word and its tag a line, an empty line after each sentence."""
    blocks = (
        "".join(f"{w}\t{t}\n" for w, t in zip(s.words, s.tags, strict=True)) for s in sentences
    )
    return "".join(block + "\n" for block in blocks)
