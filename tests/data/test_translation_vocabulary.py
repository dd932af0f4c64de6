"""Each side of a translator has the tokens of its own training sentences."""

from lstm_recipes.data.pairs import pairs_of
from lstm_recipes.data.tokenizer import SPECIAL
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary

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
