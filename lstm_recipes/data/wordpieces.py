"""Wordpieces: common words whole, rare ones in pieces, and the text restored exactly.

Schuster and Nakajima (2012); Wu et al. (2016), section 4.1. The vocabulary is learnt, and words are
cut, by keras-nlp; what stands here is how a sentence becomes words and is put together again, for
keras-nlp's own way loses which words had a space between them.

    Jet makers' feud    ▁Jet ▁makers ' ▁fe ##ud

A word begins at a space, which `▁` stands for, as in the paper; and at a punctuation mark, which is
a word of its own without a space before it. `##` goes on with the word. So `world.` and `world`
share their pieces, and putting together is taking away the marks.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, repeat
from typing import Any

import numpy as np

from lstm_recipes.data.tokenizer import SPECIAL, UNKNOWN, Tokenizer, prepared
from lstm_recipes.errors import UserError

SPACE = "▁"
CONTINUED = "##"
# keras-nlp knows no word of more than 100 bytes: 24 characters have 96, and the mark has 3.
_WORD = re.compile(r"\w{1,24}|\W")


class WordPieces(Tokenizer):
    """Pieces of words. Decoding restores the text, except that spaces in a row become one.

    A word with a character that the vocabulary lacks is unknown as a whole.

    >>> vocabulary = [*SPECIAL, "▁fe", "##ud", "'", "▁a"]
    >>> pieces = WordPieces(vocabulary, language="en")
    >>> pieces.encode("a feud' ?")
    array([7, 4, 5, 6, 3], dtype=int32)
    >>> pieces.pieces("a feud' ?")
    ['▁a', '▁fe', '##ud', "'", '▁?']
    >>> pieces.decode([7, 4, 5, 6, 3])
    "a feud' <unk>"
    """

    kind = "wordpiece"

    def encode(self, text: str) -> np.ndarray:
        return self.encode_all([text])[0]

    def encode_all(self, texts: Iterable[str]) -> list[np.ndarray]:
        rows = [words(prepared(text, self.lowercase)) for text in texts]
        self._learn_words(chain.from_iterable(rows))
        return [
            np.fromiter(chain.from_iterable(self._known[word] for word in row), np.int32)
            for row in rows
        ]

    def pieces(self, text: str) -> list[str]:
        row = words(prepared(text, self.lowercase))
        self._learn_words(row)
        return [
            word if one == UNKNOWN else self.vocabulary[one]
            for word in row
            for one in self._known[word]
        ]

    def join(self, tokens: Iterable[str]) -> str:
        text = "".join(
            SPACE + token if token == SPECIAL[UNKNOWN] else token.removeprefix(CONTINUED)
            for token in tokens
        )
        return text.replace(SPACE, " ").removeprefix(" ")

    def _learn_words(self, found: Iterable[str]) -> None:
        """Cut the words that have not been met before, all at once."""
        new = [word for word in dict.fromkeys(found) if word not in self._known]
        if new:
            cut = self._cutter.tokenize([[word] for word in new])
            cut = cut.to_list() if hasattr(cut, "to_list") else cut
            self._known.update(zip(new, cut, strict=True))

    @cached_property
    def _known(self) -> dict[str, list[int]]:
        return {}

    @cached_property
    def _cutter(self) -> Any:
        import keras_nlp  # it brings TensorFlow along

        return keras_nlp.tokenizers.WordPieceTokenizer(
            list(self.vocabulary), split=False, oov_token=SPECIAL[UNKNOWN]
        )


def words(text: str) -> list[str]:
    """The words that are cut into pieces.

    >>> words("l'homme  (42)")
    ['▁l', "'", 'homme', '▁(', '42', ')']
    """
    found = []
    for word in text.replace(SPACE, "_").split():
        first, *others = _WORD.findall(word)
        found += [SPACE + first, *others]
    return found


def learnt_vocabulary(texts: Iterable[str], size: int, lowercase: bool) -> list[str]:
    """Special tokens and wordpieces of texts, at most `size` together, and about that many.

    Every character is in it, at a word's beginning and inside, so that no word of these
    characters is unknown; of a script with very many characters, the commonest, up to half of the
    vocabulary.

    Raises:
        UserError: there are no words in the texts.
    """
    import keras_nlp  # it brings TensorFlow along
    import tensorflow as tf

    counts = Counter(word for text in texts for word in words(prepared(text, lowercase)))
    if not counts:
        raise UserError("there are no words in the texts; give more text")
    characters: Counter[str] = Counter()
    for word, count in counts.items():
        characters.update(dict.fromkeys(word, count))
    common = [one for one, _ in characters.most_common((size - len(SPECIAL)) // 4)]
    return keras_nlp.tokenizers.compute_word_piece_vocabulary(
        tf.data.Dataset.from_tensor_slices(list(_sample(counts, size))).batch(100_000),
        size,
        split=False,
        suffix_indicator=CONTINUED,
        reserved_tokens=[*SPECIAL, *(mark + one for one in common for mark in ("", CONTINUED))],
    )


def _sample(counts: Counter[str], size: int) -> Iterator[str]:
    """Words to learn a vocabulary of this size from in seconds rather than minutes.

    keras-nlp looks for the count from which on a piece is taken, by halves, from that of the
    commonest word down to 10, and each trial takes time for every different word. So

    - the commonest words do, twice as many as there will be pieces;
    - no word counts for much more than twice a piece's share: it is taken anyway;
    - each stands five times, so that a piece need not be found ten times but twice.
    """
    most = 2 + 2 * counts.total() // size
    for word, count in counts.most_common(2 * size):
        yield from repeat(word, 5 * min(count, most))
