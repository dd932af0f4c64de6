"""A trained translator as a run folder holds it."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lstm_recipes.data.pairs import Pair, Pairs, cleaned
from lstm_recipes.data.tokenizer import replace_unknown
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary
from lstm_recipes.errors import UserError
from lstm_recipes.metrics.translation import (
    bleu,
    bleu_by_length,
    chrf,
    exact_match,
    multi30k_bleu,
    multi30k_text,
    paired_bootstrap,
)
from lstm_recipes.training.model_file import load_model
from lstm_recipes.training.run_folder import RunFolder

if TYPE_CHECKING:
    from lstm_recipes.models.seq2seq import Seq2Seq


class Translation(NamedTuple):
    """One translation of a sentence."""

    text: str
    score: float
    """What translations of a sentence are ranked by."""
    log_probability: float
    """Of the whole, in nats."""
    source: list[str]
    """The source's tokens, from left to right."""
    tokens: list[str]
    """The translation's."""
    attention: np.ndarray | None
    """float32 ``[tokens, source]``, or None where the model has no attention."""


class TrainedTranslator:
    """The best model of a run, or of several runs, which then translate together.

    Args:
        path: The run's folder.
        others: Those of runs with the same vocabulary (Sutskever et al. 2014: an ensemble).
        int8: Make the kernels of the models int8 (Wu et al. 2016, section 6).

    Raises:
        UserError: There is no such run, or no model in it yet, or a file is damaged; the runs have
            different vocabularies.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        others: Sequence[str | os.PathLike] = (),
        int8: bool = False,
    ):
        self.folder, self.int8 = RunFolder(path), int8
        self._folders = [self.folder, *map(RunFolder, others)]
        self._files = [folder.require("best.keras") for folder in self._folders]
        for folder in self._folders:
            folder.check_version()
        found = [folder.read_json("vocabulary") for folder in self._folders]
        for folder, vocabulary in zip(self._folders, found, strict=True):
            if vocabulary != found[0]:
                raise UserError(
                    f"{folder.path} has another vocabulary than {self.folder.path}; an ensemble's "
                    "runs are trained on the same data with the same tokens, with other seeds say"
                )
        self.vocabulary = TranslationVocabulary.from_json(found[0])

    @cached_property
    def models(self) -> "list[Seq2Seq]":
        """The models, loaded when they are first needed."""
        from lstm_recipes.models.seq2seq import to_int8

        models = [load_model(file, self._wrong) for file in self._files]
        return [to_int8(model) for model in models] if self.int8 else models

    @property
    def has_attention(self) -> bool:
        """Whether any of the models has."""
        return any(model.options["attention"] != "none" for model in self.models)

    def _wrong(self, model: Any) -> str | None:
        sizes = [getattr(model, "options", {}).get(f"{side}_size") for side in ("source", "target")]
        wanted = [len(self.vocabulary.source), len(self.vocabulary.target)]
        return None if sizes == wanted else f"it is not for {wanted[0]} and {wanted[1]} tokens"

    def translate(self, sentences: Sequence[str], **options: Any) -> list[list[Translation]]:
        """The translations of sentences, best first.

        An unknown word is replaced by the source's word that got the most attention, where there
        is attention (Luong et al. 2015, section 3).

        Args:
            sentences: Any number of them, as text.
            options: Those of `decoding.translation.Translator`.

        Raises:
            UserError: There is a penalty for what was not attended to, and no attention.
        """
        from lstm_recipes.decoding.translation import Translator

        if options.get("coverage_penalty") and not self.has_attention:
            raise UserError(
                f"{self.folder.path} has no attention, whose coverage a penalty could measure; "
                "leave out --coverage-penalty"
            )
        sentences = list(map(cleaned, sentences))  # as those were that it has learnt from
        sources = [self.vocabulary.source.pieces(sentence) for sentence in sentences]
        translator = Translator(self.models, longer=self.vocabulary.longer, **options)
        found = translator.translate(self.vocabulary.read_all(sentences))
        return [
            [self._text(source, hypothesis) for hypothesis in hypotheses]
            for source, hypotheses in zip(sources, found, strict=True)
        ]

    def _text(self, source: list[str], hypothesis: Any) -> Translation:
        target = self.vocabulary.target
        tokens, attention = target.tokens(hypothesis.tokens), hypothesis.attention
        if attention is not None:
            attention = self.vocabulary.in_order(attention)
            tokens = replace_unknown(tokens, attention, source)
        text = target.join(tokens)
        return Translation(
            text, hypothesis.score, hypothesis.log_probability, source, tokens, attention
        )

    def split(self, name: str | None = None) -> tuple[str, list[Pair]]:
        """The pairs of a split that the run keeps; without a name test, or else valid.

        Raises:
            UserError: The run has no such split.
        """
        if name is None:
            name = "test" if (self.folder / "test.tsv").exists() else "valid"
        if not (self.folder / f"{name}.tsv").exists():
            raise UserError(
                f"{self.folder.path} has no {name}.tsv, because the data that it was trained on "
                f"had no {name} split; leave out --split"
            )
        lines = self.folder.read_text(f"{name}.tsv").removesuffix("\n").split("\n")
        pairs = [tuple(line.split("\t")) for line in lines]
        if any(len(pair) != 2 for pair in pairs):
            raise UserError(
                f"{self.folder / name}.tsv is damaged; take it from an undamaged copy, or train "
                "again"
            )
        return name, pairs

    def measure(self, split: str | None = None, **options: Any) -> "Measured":
        """Translate a split that the run keeps and score it; without a name test, or else valid.

        Args:
            split: Its name.
            options: Those of `decoding.translation.Translator`.

        Raises:
            UserError: The run has no such split.
        """
        from lstm_recipes.training.translation import TokenLoss, TokenPairs

        split, pairs = self.split(split)
        sources, references = (list(side) for side in zip(*pairs, strict=True))
        found = [best[0].text for best in self.translate(sources, **options)]
        scores = scored(found, references, self.vocabulary.target.language)
        parameters = sum(model.count_params() for model in self.models)
        about = {"split": split, "sentences": len(pairs), "parameters": parameters}
        if len(self.models) == 1:  # an ensemble has no loss of its own
            nats = TokenLoss(self.models[0]).of(TokenPairs.of(pairs, self.vocabulary))
            about["nats_per_token"] = round(nats, 4)
        return Measured(about | options | scores, sources, references, found)

    def by_position(self, split: str | None = None) -> list[dict[str, float]]:
        """How well each fifth of the targets is said, the right beginning given, by the first
        model: does the end pay for the beginning (Sutskever et al. 2014, section 3.3)?

        Raises:
            UserError: The run has no such split.
        """
        from lstm_recipes.training.translation import TokenLoss, TokenPairs

        _, pairs = self.split(split)
        return TokenLoss(self.models[0]).by_position(TokenPairs.of(pairs, self.vocabulary))


class Measured(NamedTuple):
    """What a translator makes of a split."""

    scores: dict[str, Any]
    """BLEU of text as people write it, and of tokens in small letters as papers on Multi30k have
    it; chrF; the share that is right to the letter. With sacreBLEU's signatures."""
    sources: list[str]
    references: list[str]
    found: list[str]

    def beside(self, other: "Measured", language: str | None = None) -> dict[str, Any]:
        """The other's BLEU and loss, by how much these differ, and whether BLEU does by more than
        chance: the p-value of sacreBLEU's paired bootstrap (Koehn 2004). BLEU is that of tokens in
        small letters if ``language``, the targets', is given."""
        texts, tokenize = _as_measured([other.found, self.found, self.references], language)
        test = paired_bootstrap(*texts, tokenize=tokenize)
        found = {"bleu_before": round(test.baseline, 2), "bleu_change": round(test.difference, 2)}
        found["bleu_change_p"] = round(test.p_value, 4)
        found["bleu_change_signature"] = test.signature
        if "nats_per_token" in other.scores:  # an ensemble has none
            before, after = other.scores["nats_per_token"], self.scores["nats_per_token"]
            found["nats_per_token_before"] = before
            found["nats_per_token_change"] = round(after - before, 4)
        return found

    def by_length(self, language: str | None = None) -> list[dict[str, Any]]:
        """BLEU of sentences by how many words the source has (Bahdanau et al. 2014, figure 2).

        With the targets' ``language`` it is that of tokens in small letters, the only one that
        means something of a translator that has learnt small letters alone.
        """
        lengths = [len(source.split()) for source in self.sources]
        sides, tokenize = _as_measured([self.found, self.references], language)
        return [
            {
                "words": f"{g.shortest} to {g.longest}" if g.longest else f"{g.shortest} and more",
                "sentences": g.sentences,
                "bleu": g.bleu,
            }
            for g in bleu_by_length(lengths, *sides, tokenize=tokenize)
            if g.sentences
        ]

    def samples(self, number: int = 20) -> list[dict[str, Any]]:
        """The best and the worst translations, half each, by chrF of the sentence."""
        by_score = sorted(
            (
                {"chrf": chrf([text], [reference]).value, "source": source, "right": reference}
                | {"found": text}
                for source, reference, text in zip(*self[1:], strict=True)
            ),
            key=lambda row: -row["chrf"],
        )
        return by_score[: number // 2] + by_score[number // 2 :][-(number // 2) :]


def _as_measured(
    sides: list[Sequence[str]], language: str | None
) -> tuple[list[Sequence[str]], str]:
    """Texts, and how sacreBLEU is to cut them into tokens: as people write them, or of a language
    their tokens in small letters."""
    if language is None:
        return sides, "13a"
    return [[multi30k_text(text, language) for text in side] for side in sides], "none"


def scored(found: Sequence[str], references: Sequence[str], language: str) -> dict[str, Any]:
    """All scores of translations, with signatures."""
    cased, lower = bleu(found, references), multi30k_bleu(found, references, language)
    characters = chrf(found, references)
    return {
        "bleu": round(cased.value, 2),
        "bleu_signature": cased.signature,
        "bleu_of_lower_case_tokens": round(lower.value, 2),
        "bleu_of_lower_case_tokens_signature": lower.signature,
        "chrf": round(characters.value, 2),
        "chrf_signature": characters.signature,
        "exact": round(exact_match(found, references), 2),
    }


def keep(folder: RunFolder, pairs: Pairs, vocabulary: TranslationVocabulary) -> None:
    """Write what a `TrainedTranslator` needs beside its model: vocabulary.json, and the splits that
    it is measured on."""
    folder.write_json("vocabulary", vocabulary.to_json())
    folder.write_text("valid.tsv", _lines(pairs.valid))
    if pairs.test:
        folder.write_text("test.tsv", _lines(pairs.test))


def _lines(pairs: Sequence[Pair]) -> str:
    """Pairs as text, a line each: source, tab, target."""
    return "".join(f"{source}\t{target}\n" for source, target in pairs)
