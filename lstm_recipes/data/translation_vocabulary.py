"""The two tokenizers of a translator, and the order in which it reads a source."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np

from lstm_recipes.data.pairs import Pair, Pairs
from lstm_recipes.data.tokenizer import Tokenizer
from lstm_recipes.data.tokenizers import from_json, trained
from lstm_recipes.errors import UserError

LONGER, MORE = 1.5, 10  # a translation may have so many times its source's tokens, and MORE
SEEN = 10_000  # training pairs, the first ones, that say whether it needs more


@dataclass(frozen=True)
class TranslationVocabulary:
    """What a translator makes of text, and text of what it says.

    >>> from lstm_recipes.data.pairs import pairs_of
    >>> few = [("ab", "ba"), ("b", "b")]
    >>> pairs = pairs_of("few", ("en", "fr"), {"train": few, "valid": few})
    >>> vocabulary = TranslationVocabulary.of(pairs, "characters", reverse=True)
    >>> vocabulary.read("ab"), vocabulary.target.encode("ab")
    (array([4, 5], dtype=int32), array([5, 4], dtype=int32))
    """

    source: Tokenizer
    target: Tokenizer
    reverse: bool
    """Whether a source is read from its end (Sutskever, Vinyals & Le 2014, section 3.3)."""
    longer: float = LONGER
    """A translation may have so many times its source's tokens, and MORE."""

    @classmethod
    def of(
        cls,
        pairs: Pairs,
        kind: str,
        size: int = 10_000,
        lowercase: bool = False,
        minimum_count: int = 1,
        reverse: bool = False,
    ) -> "TranslationVocabulary":
        """That of training pairs: `tokenizers.trained` on either side, wordpieces on both together
        (Wu et al. 2016, section 4.1)."""
        texts = (source for source, _ in pairs.train), (target for _, target in pairs.train)
        if kind == "wordpiece":
            one = trained(kind, chain(*texts), pairs.languages[1], size, lowercase, minimum_count)
            source, target = one, one
        else:
            source, target = (
                trained(kind, text, language, size, lowercase, minimum_count)
                for text, language in zip(texts, pairs.languages, strict=True)
            )
        return cls(source, target, reverse, longer_of(pairs.train, source, target))

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "TranslationVocabulary":
        """That which `to_json` gave.

        Raises:
            UserError: It is something else.
        """
        try:
            source, reverse = from_json(found["source"]), found["reverse"]
            longer = found.get("longer", LONGER)  # older runs have none
            target = source if found["target"] is None else from_json(found["target"])
            if not isinstance(reverse, bool):
                raise TypeError("reverse as true or false")
            if not isinstance(longer, (int, float)):
                raise TypeError("longer as a number")
            return cls(source, target, reverse, longer)
        except (KeyError, TypeError) as error:
            raise UserError(
                f"vocabulary.json is not that of a translator (it lacks {error}); give the folder "
                "that translate train wrote"
            ) from None

    def to_json(self) -> dict[str, Any]:
        """All that `from_json` needs."""
        target = None if self.target is self.source else self.target.to_json()
        about = {"reverse": self.reverse, "longer": self.longer}
        return {"source": self.source.to_json(), "target": target} | about

    def read(self, text: str) -> np.ndarray:
        """A source's ids in the order in which the model reads them, int32 ``[tokens]``."""
        ids = self.source.encode(text)
        return ids[::-1] if self.reverse else ids

    def read_all(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Those of many sources."""
        return [self.read(text) for text in texts]

    def in_order(self, attention: np.ndarray) -> np.ndarray:
        """Attention ``[said, read]``, END the last that was read, with the source's tokens from
        left to right and without END."""
        tokens = attention[:, :-1]
        return tokens[:, ::-1] if self.reverse else tokens


def longer_of(pairs: Iterable[Pair], source: Tokenizer, target: Tokenizer) -> float:
    """How many times its source's tokens, and MORE, a translation may have: as many as all but one
    in a thousand of the training pairs need, and at least `LONGER`."""
    seen = list(islice(pairs, SEEN))
    sides = ([text for text, _ in seen], source), ([text for _, text in seen], target)
    read, said = (np.array(list(map(len, side.encode_all(texts)))) for texts, side in sides)
    ratio = np.quantile((said - MORE) / np.maximum(read, 1), 0.999)
    return round(max(LONGER, float(ratio)), 2)
