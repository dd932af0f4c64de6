"""Plain text as sentences of tokens: nothing is lost, and the rule does what it says."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data.tokens import Token, tokenize

# What meets awkwardly: ends, spaces of all kinds, marks, joiners, emoji, other scripts.
AWKWARD = """
    . ! ? … 。 ، ؟ , : / - -- ' ’ " ” ( ) $ & @ + * = _ 1 23 .5 a A Ab J. U.S Mr. Inc. No. The
    's n't I'd've www. http:// नि 東京 שלום 👩 👍🏽 🇩🇪 🇩 \0 \ud800
    e\u0301 \u0301 \u200d \ufe0f 👩\u200d🚀 1\ufe0f\u20e3 \u200f \ufeff
"""
SPACES = (" ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u3000", "\u2028", "\x1c", "\v")
PIECES = (*AWKWARD.split(), *SPACES)
texts = st.one_of(
    st.text(), st.lists(st.one_of(st.sampled_from(PIECES), st.characters())).map("".join)
)


def words(text: str) -> list[list[str]]:
    return [[token.text for token in sentence] for sentence in tokenize(text)]


def lines(text: str) -> str:
    return "\n".join(" ".join(sentence) for sentence in words(text))


@given(texts)
def test_every_character_but_space_is_in_one_token_in_order(text):
    sentences = tokenize(text)
    assert all(sentences)
    place = 0
    for token in (token for sentence in sentences for token in sentence):
        assert type(token) is Token
        assert token.start < token.end
        assert text[token.start : token.end] == token.text
        assert text[place : token.start].strip() == "", "a character was lost, or read twice"
        assert not any(character.isspace() for character in token.text)
        place = token.end
    assert text[place:].strip() == ""


@given(texts)
def test_a_blank_line_ends_a_sentence_and_is_a_fresh_start(text):
    assert words(f"{text}\n\nEnd") == [*words(text), ["End"]]
    assert words(f"End\n \t\n{text}") == [["End"], *words(text)]


@pytest.mark.parametrize(
    "tokens",
    [
        "The well-known O'Brien of S&P rock'n'roll 1,000.50 6-4 1996-08-30 1996/97 7:30 half_way",
        "+44 -5 .500 -.5 10th 1980s 3-1/2 joe@x.org amazon.com cannot",
        "it 's IT 'S do n't wo n't do n’t I 'd 've we 're they 'll I 'm",
        "the players ' l'Homme o'clock gov't ' tis",
        "J. R. Smith met Mr. Lee and MR. LEE vs. St. Louis of the U.S. and U.N. at 5 p.m. today",
        "U.S.-led Iraq-U.N. talks in Aug. 1996 No. 5 of Vol. 2 , Ph.D. , Fla. police",
        "$ 5 US$ 5 C$ 3 € 4 5 %",
        'a ( b ) [ c ] " d " ; e : f / g',
        "https://example.com/a?b=c,d , www.example.org !",
        "wait ... what -- ** no ** == end ?!",
    ],
)
def test_tokens_set_apart_by_spaces_stay_as_they_are(tokens):
    assert lines(tokens) == tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He can't, won't (don't).", "He ca n't , wo n't ( do n't ) ."),
        ("I'd've said 'it’s John's'", "I 'd 've said ' it ’s John 's '"),
        ("$5, C$3.50 and 23%", "$ 5 , C$ 3.50 and 23 %"),
        ("and/or 1/2", "and / or 1/2"),
        ("a--b...c", "a -- b ... c"),
        ("1. Ajax 12 2. PSV", "1. Ajax 12 2 .\nPSV"),
        ("(https://example.com/x).", "( https://example.com/x ) ."),
        ("kick- off -kick", "kick - off - kick"),
    ],
)
def test_words_are_cut(text, expected):
    assert lines(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four… Five", "One .\nTwo !\nThree ?\nFour …\nFive"),
        ("It rose 3.5 percent. 12 fell.", "It rose 3.5 percent .\n12 fell ."),
        ("He (Lee) left.) Why?” “So.”", "He ( Lee ) left . )\nWhy ? ”\n“ So . ”"),
        ("“Go!” he said. “No...” and so", "“ Go ! ” he said .\n“ No ... ” and so"),
        ("wrapped\nin a\nparagraph\n\nNext", "wrapped in a paragraph\nNext"),
        ("one\r\n\r\ntwo", "one\ntwo"),
        ("Mr. Lee. J. Smith. Dr. The", "Mr. Lee .\nJ. Smith .\nDr. The"),
        ("at Apple Inc. She left.", "at Apple Inc .\nShe left ."),
        ("at Apple Inc. Cupertino left the U.S.", "at Apple Inc. Cupertino left the U.S ."),
        ("He said no. No. 5 left.", "He said no .\nNo. 5 left ."),
        ("他来了。我走了！“好。”他说", "他来了 。\n我走了 ！\n“ 好 。 ”\n他说"),
        ("مرحبا بك؟ نعم۔ هذا", "مرحبا بك ؟\nنعم ۔\nهذا"),
        ("הוא בא. היא הלכה.", "הוא בא .\nהיא הלכה ."),
        ("नमस्ते दुनिया। यह", "नमस्ते दुनिया ।\nयह"),
        ("Go.Now a.b .", "Go.Now a.b ."),
        ("1. Ajax\n2. PSV", "1. Ajax 2. PSV"),
    ],
)
def test_sentences_end(text, expected):
    assert lines(text) == expected


@pytest.mark.parametrize(
    "one",
    [
        "👩\u200d👩\u200d👧\u200d👦",
        "👍🏽",
        "🇩🇪",
        "1\ufe0f\u20e3",
        "#\ufe0f\u20e3",
        "❤\ufe0f\u200d🔥",
        "cafe\u0301",
        "می\u200cخواهم",
        "ضَرَبَ",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)
def test_what_looks_like_one_is_one_token(one):
    assert words(one) == [[one]]
    assert words(f"an {one}, {one}") == [["an", one, ",", one]]


def test_flags_side_by_side_are_two_tokens():
    assert words("🇩🇪🇫🇷") == [["🇩🇪", "🇫🇷"]]


def test_an_empty_text_has_no_sentences():
    assert tokenize("") == tokenize(" \n\n\t") == []


def test_a_sentence_of_2000_words_is_one():
    text = " ".join(f"word{i}" for i in range(2000))
    (sentence,) = tokenize(text)
    assert len(sentence) == 2000


REPEATED = "a . ' - a- a' 1, U. A$ .\" 's n't a's www. www.! http:// + 。 👩\u200d \u0301 \u200d"


@pytest.mark.parametrize("piece", [*REPEATED.split(), "\n", " ", ". "])
def test_no_text_takes_quadratic_time(piece):
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    tokenize(text)
    assert time.process_time() - start < 5, "linear time is below half a second"
