"""What a tagger knows beside its words: the tags that it gives, the characters that it reads."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from lstm_recipes.data.conll import Sentence
from lstm_recipes.data.tag_schemes import convert, spans, split_tag
from lstm_recipes.data.word_features import WordFeatures


@dataclass(frozen=True)
class TaggerVocabulary:
    """The tags and characters of a tagger, in the order in which its model numbers them.

    >>> sentence = Sentence(("Ada", "slept"), ("B-PER", "O"))
    >>> vocabulary = TaggerVocabulary.of([sentence], "IOBES", cased=False)
    >>> vocabulary.tags, vocabulary.characters
    (['B-PER', 'E-PER', 'I-PER', 'O', 'S-PER'], 'Aadelpst')
    """

    tags: list[str]
    scheme: str
    """That of the tags."""
    cased: bool
    """Whether a word is looked up as it is written before it is in lower case."""
    characters: str
    window: int = 0
    """How many sentences before and after are searched for a word's other occurrences."""

    @classmethod
    def of(
        cls, sentences: Sequence[Sentence], scheme: str, cased: bool, window: int = 0
    ) -> "TaggerVocabulary":
        """That of training sentences, which have IOB2 tags.

        It has all tags of the scheme for their types of entities; an entity that is longer than
        any of theirs needs one that none of them has.
        """
        types = {split_tag(tag)[1] for sentence in sentences for tag in sentence.tags} - {""}
        shapes = (convert([f"B-{t}", f"I-{t}", f"I-{t}", f"B-{t}"], "IOB2", scheme) for t in types)
        characters = {c for sentence in sentences for word in sentence.words for c in word}
        tags = sorted({"O"}.union(*shapes))
        return cls(tags, scheme, cased, "".join(sorted(characters)), window)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "TaggerVocabulary":
        """That which was kept as JSON.

        Raises:
            KeyError, TypeError: A part is missing, or is something else.
            UserError: A tag is none of the scheme's, or there is no such scheme.
        """
        found = {"window": 0} | found  # a run of a version that knew no window
        parts = [found[field.name] for field in fields(cls)]
        for field, part, kind in zip(fields(cls), parts, (list, str, bool, str, int), strict=True):
            if type(part) is not kind:
                raise TypeError(f"{field.name} as {kind.__name__}")
        tags, scheme, _, characters, window = parts
        if not all(isinstance(tag, str) for tag in tags) or window < 0:
            raise TypeError("tags that are text, and a window of at least 0")
        if "O" not in tags or any(len({*one}) < len(one) for one in (tags, characters)):
            raise TypeError("the tag O, and each tag and character once")
        spans(tags, scheme)  # which refuses what is no tag of the scheme
        return cls(*parts)

    def features(self, words: Sequence[str]) -> WordFeatures:
        """What the tagger sees of a word, where these words have vectors."""
        return WordFeatures(words, self.characters, self.cased)
