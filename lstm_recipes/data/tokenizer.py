"""What all tokenizers have in common: sentences become rows of numbers, and sentences again.

The first four ids are the same in all: 0 pads, 1 starts a sentence, 2 ends it, and 3 is anything
unknown. A tokenizer never refuses a text: what it does not know becomes `<unk>`, and half a
character (a lone surrogate) U+FFFD.
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any, ClassVar

import numpy as np

from lstm_recipes.data.moses import without_surrogates
from lstm_recipes.errors import UserError

PADDING, START, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")


class Tokenizer:
    """A vocabulary, and the way from text to its tokens and back, which each kind has its own of.

    Args:
        vocabulary: the tokens, one for each id; the first four are `SPECIAL`.
        language: of the text; only words depend on it.
        lowercase: whether text is put into small letters first.

    Raises:
        UserError: the vocabulary is not one.
    """

    kind: ClassVar[str]

    def __init__(self, vocabulary: Sequence[str], language: str, lowercase: bool = False) -> None:
        self.vocabulary = tuple(vocabulary)
        self.language = language
        self.lowercase = lowercase
        if self.vocabulary[: len(SPECIAL)] != SPECIAL:
            raise UserError(f"a vocabulary begins with {', '.join(SPECIAL)}, and this one does not")
        self._ids = {token: place for place, token in enumerate(self.vocabulary)}
        if len(self._ids) < len(self.vocabulary):
            raise UserError("a vocabulary has each token once, and this one repeats some")

    def __len__(self) -> int:
        return len(self.vocabulary)

    def pieces(self, text: str) -> list[str]:
        """The pieces of a text, one for each id of `encode`, those that are unknown included.

        They are what an attention map is labelled with, and what `replace_unknown` takes words
        from.
        """
        raise NotImplementedError

    def join(self, tokens: Iterable[str]) -> str:
        """The text of tokens, such as `tokens` and `replace_unknown` give."""
        raise NotImplementedError

    def encode(self, text: str) -> np.ndarray:
        """The ids of a text, int32 of shape (pieces,), without start and end."""
        ids = [self._ids.get(piece, UNKNOWN) for piece in self.pieces(text)]
        return np.array(ids, np.int32)

    def encode_all(self, texts: Iterable[str]) -> list[np.ndarray]:
        """The ids of each text."""
        return [self.encode(text) for text in texts]

    def tokens(self, ids: Iterable[int] | np.ndarray) -> list[str]:
        """The tokens of ids up to the first end, without padding and start.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        ids = list(takewhile(lambda one: one != END, (int(one) for one in ids)))
        if ids and not 0 <= min(ids) <= max(ids) < len(self):
            raise ValueError(
                f"ids must lie in 0..{len(self) - 1}; these reach from {min(ids)} to {max(ids)}"
            )
        return [self.vocabulary[one] for one in ids if one not in (PADDING, START)]

    def decode(self, ids: Iterable[int] | np.ndarray) -> str:
        """The text of ids up to the first end."""
        return self.join(self.tokens(ids))

    def to_json(self) -> dict[str, Any]:
        """All that `from_json` needs, of strings, lists and booleans."""
        return {
            "kind": self.kind,
            "language": self.language,
            "lowercase": self.lowercase,
            "vocabulary": list(self.vocabulary),
        }


def prepared(text: str, lowercase: bool) -> str:
    """Text that can be written as UTF-8, in small letters if so wished."""
    text = without_surrogates(text)
    return text.lower() if lowercase else text


def replace_unknown(
    tokens: Sequence[str], attention: np.ndarray, source: Sequence[str]
) -> list[str]:
    """Tokens in which each `<unk>` is the source's token that got the most attention.

    A name or a number that neither vocabulary has is then copied (Luong et al. 2015, section 3;
    without a dictionary).

    Args:
        tokens: of the translation, as `Tokenizer.tokens` gives them.
        attention: for each token its weights over the source, of shape (tokens, source or more):
            what stands behind the source's tokens, such as its end and padding, is not looked at.
        source: `Tokenizer.pieces` of the source.

    Raises:
        ValueError: the attention is of another shape.

    >>> attention = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])
    >>> replace_unknown(["bonjour", "<unk>"], attention, ["hello", "Xyz"])
    ['bonjour', 'Xyz']
    """
    attention = np.asarray(attention)
    if attention.ndim != 2 or len(attention) != len(tokens) or attention.shape[1] < len(source):
        raise ValueError(
            f"the attention of {len(tokens)} tokens over {len(source)} has the shape "
            f"{attention.shape}; give ({len(tokens)}, {len(source)} or more)"
        )
    if not source:
        return list(tokens)
    best = attention[:, : len(source)].argmax(axis=1)
    return [
        source[place] if token == SPECIAL[UNKNOWN] else token
        for token, place in zip(tokens, best, strict=True)
    ]
