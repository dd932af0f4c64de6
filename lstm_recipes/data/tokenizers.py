"""Three kinds of tokenizers with one interface: words, characters and wordpieces.

tokenizer = trained("words", sentences, language="en", size=10_000, lowercase=True)
ids = tokenizer.encode("Two dogs run.")        # int32, without start and end
tokenizer.decode(ids)                          # 'two dogs run.'
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from lstm_recipes.data.moses import detokenize, tokenize
from lstm_recipes.data.tokenizer import SPECIAL, UNKNOWN, Tokenizer, prepared
from lstm_recipes.data.wordpieces import WordPieces, learnt_vocabulary
from lstm_recipes.errors import UserError


class Words(Tokenizer):
    """Words and punctuation, by Moses' rules.

    >>> words = trained("words", ["A dog, a cat.", "A dog!"], language="en", size=8)
    >>> words.vocabulary
    ('<pad>', '<s>', '</s>', '<unk>', 'A', 'dog', '!', ',')
    >>> words.encode("A dog, a bird!")
    array([4, 5, 7, 3, 3, 6], dtype=int32)
    >>> words.decode([4, 5, 7, 3, 3, 6, 2, 0, 0])
    'A dog, <unk> <unk>!'
    """

    kind = "words"

    def pieces(self, text: str) -> list[str]:
        return tokenize(text, self.language, self.lowercase)

    def join(self, tokens: Iterable[str]) -> str:
        return detokenize(list(tokens), self.language)


class Characters(Tokenizer):
    """Characters, exactly as they are. An unknown one comes back as U+FFFD.

    >>> characters = trained("characters", ["abba"], language="en")
    >>> characters.encode("bad")
    array([5, 4, 3], dtype=int32)
    >>> characters.decode([5, 4, 3])
    'ba�'
    """

    kind = "characters"

    def pieces(self, text: str) -> list[str]:
        return list(prepared(text, self.lowercase))

    def join(self, tokens: Iterable[str]) -> str:
        return "".join("\ufffd" if token == SPECIAL[UNKNOWN] else token for token in tokens)


KINDS: dict[str, type[Tokenizer]] = {one.kind: one for one in (Words, Characters, WordPieces)}


def trained(
    kind: str,
    texts: Iterable[str],
    language: str,
    size: int = 10_000,
    lowercase: bool = False,
    minimum_count: int = 1,
) -> Tokenizer:
    """A tokenizer whose vocabulary is that of texts, which are to be the training split's alone.

    Words and characters are taken by their count, the commonest first; those of one count by code
    point. Wordpieces are learnt. For a joint vocabulary of source and target (Wu et al. 2016,
    section 4.1) give the texts of both, and use the one tokenizer for both.

    Args:
        kind: a key of `KINDS`: `words`, `characters` or `wordpiece`.
        texts: one sentence each.
        language: of the texts, by its two letters.
        size: how many ids there are at most, the four special ones included.
        lowercase: whether text is put into small letters first.
        minimum_count: how often a word or a character must occur.

    Raises:
        UserError: there is no such kind, or the vocabulary would be empty.
    """
    if kind not in KINDS:
        raise UserError(f"there is no tokenizer {kind!r}; give one of {', '.join(KINDS)}")
    if size <= len(SPECIAL):
        raise UserError(f"a vocabulary of {size} is too small; give a size above {len(SPECIAL)}")
    if kind == "wordpiece":
        return WordPieces(learnt_vocabulary(texts, size, lowercase), language, lowercase)
    empty = KINDS[kind](SPECIAL, language, lowercase)
    counts = Counter(piece for text in texts for piece in empty.pieces(text))
    found = sorted((-count, piece) for piece, count in counts.items() if count >= minimum_count)
    if not found:
        raise UserError(
            f"no {kind} occur {minimum_count:,} times in the texts; give more text, or a smaller "
            "minimum count"
        )
    chosen = [piece for _, piece in found[: size - len(SPECIAL)]]
    return KINDS[kind]([*SPECIAL, *chosen], language, lowercase)


def from_json(state: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer that `Tokenizer.to_json` wrote.

    Raises:
        UserError: it wrote something else.

    >>> from_json(trained("characters", ["abba"], language="en").to_json()).decode([4, 5])
    'ab'
    """
    try:
        kind, language, lowercase = KINDS[state["kind"]], state["language"], state["lowercase"]
        vocabulary = state["vocabulary"]
        right = isinstance(vocabulary, list) and all(isinstance(one, str) for one in vocabulary)
        if not (right and isinstance(language, str) and isinstance(lowercase, bool)):
            raise TypeError
    except (KeyError, TypeError):
        raise UserError(
            "the tokenizer is damaged (not what this package writes); take it from an undamaged "
            "copy of the run folder, or train again"
        ) from None
    return kind(vocabulary, language, lowercase)
