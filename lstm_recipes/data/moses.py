"""Moses' rules for words: normalise the punctuation, cut a sentence into tokens, join them again.

A port of the Perl scripts that translation papers have used since 2007 (Koehn et al.), sacremoses.
Hyphens inside words stay (not "aggressive"), and nothing is escaped for XML, so that tokens are
what stands in the text. A language that Moses does not know is treated as its default, with the
English abbreviations.
"""

import re
from functools import lru_cache
from typing import Any

_SURROGATES = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    r"""Text that can be written as UTF-8: each half of a character becomes U+FFFD.

    >>> without_surrogates("a\ud800b")
    'a�b'
    """
    return _SURROGATES.sub("\ufffd", text)


def normalize(text: str, language: str) -> str:
    """Quotes, dashes and dots of all kinds as the plain ones.

    >>> normalize("„Ja“ – sagt er …", "de")
    '"Ja" - sagt er ...'
    """
    return _normalizer(language).normalize(without_surrogates(text))


def tokenize(text: str, language: str, lowercase: bool = False) -> list[str]:
    """The tokens of a text, with its punctuation normalised, in small letters if so wished.

    >>> tokenize("A well-known dog isn't here.", "en")
    ['A', 'well-known', 'dog', 'isn', "'t", 'here', '.']
    >>> tokenize("L'homme est là !", "fr", lowercase=True)
    ["l'", 'homme', 'est', 'là', '!']
    """
    tokens = _tokenizer(language).tokenize(normalize(text, language), escape=False)
    return [token.lower() for token in tokens] if lowercase else tokens


def detokenize(tokens: list[str], language: str) -> str:
    """The text of tokens: punctuation goes where the language puts it.

    >>> detokenize(["l'", "homme", "est", "là", "."], "fr")
    "l'homme est là."
    """
    return _detokenizer(language).detokenize(tokens, unescape=False)


# sacremoses compiles its rules for each language, and is loaded only when words are asked for.


@lru_cache(maxsize=16)
def _normalizer(language: str) -> Any:
    from sacremoses import MosesPunctNormalizer

    return MosesPunctNormalizer(language)


@lru_cache(maxsize=16)
def _tokenizer(language: str) -> Any:
    from sacremoses import MosesTokenizer

    return MosesTokenizer(language)


@lru_cache(maxsize=16)
def _detokenizer(language: str) -> Any:
    from sacremoses import MosesDetokenizer

    return MosesDetokenizer(language)
