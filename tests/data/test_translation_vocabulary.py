"""Each side of a translator has the tokens of its own training sentences."""

from lstm_recipes.data.pairs import Limits, pairs_of
from lstm_recipes.data.tokenizer import SPECIAL
from lstm_recipes.data.translation_vocabulary import LONGER, MORE, TranslationVocabulary

FEW = [("abc", "xyz"), ("ab", "xy"), ("a", "x")] * 5
PAIRS = pairs_of("few", ("en", "fr"), {"train": FEW, "valid": FEW})


def test_each_side_has_its_own_tokens():
    vocabulary = TranslationVocabulary.of(PAIRS, "characters")
    assert vocabulary.source.vocabulary == (*SPECIAL, *"abc")
    assert vocabulary.target.vocabulary == (*SPECIAL, *"xyz")


def test_wordpieces_are_those_of_both_sides():
    vocabulary = TranslationVocabulary.of(PAIRS, "wordpiece", size=40)
    assert vocabulary.source is vocabulary.target
    for text in "abc", "xyz":
        assert vocabulary.source.decode(vocabulary.source.encode(text)) == text


def test_a_translation_may_be_as_long_as_the_training_pairs_need():
    """Characters of Chinese are few, and their translation has many."""
    pairs = [("\u65e5", "x" * 20), *[("ab", "xy")] * 9] * 5
    few = pairs_of("few", ("zh", "en"), {"train": pairs, "valid": FEW}, Limits(ratio=30))
    assert TranslationVocabulary.of(PAIRS, "characters").longer == LONGER
    vocabulary = TranslationVocabulary.of(few, "characters")
    assert 1 * vocabulary.longer + MORE >= 20
    assert TranslationVocabulary.from_json(vocabulary.to_json()).longer == vocabulary.longer
    older = vocabulary.to_json()
    del older["longer"]
    assert TranslationVocabulary.from_json(older).longer == LONGER
