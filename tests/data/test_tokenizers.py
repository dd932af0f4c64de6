"""Tokenizers: one interface, three kinds, no text that they fall over."""

import json
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_recipes.data.moses import detokenize, normalize, tokenize
from lstm_recipes.data.tokenizer import END, PADDING, SPECIAL, START, UNKNOWN, replace_unknown
from lstm_recipes.data.tokenizers import KINDS, Characters, Words, from_json, trained
from lstm_recipes.data.wordpieces import words
from lstm_recipes.errors import UserError

TEXTS = [
    "Two dogs run after a third dog; isn't it well-known?",
    "The dogs' owner (42) says: “run, dogs!” - and they run.",
    "l'homme n° 7 est là, à 3,5 km #run",
    *("a running dog runs and ran", "jumps jumped jumping", "dog-days of the dogged dogs"),
] * 6
ODD = [
    "",
    " ",
    "\t \u00a0\n",
    "😀👩‍👩‍👧‍👦 🇫🇷",
    "مرحبا بالعالم שלום",
    "日本語の文章です。",
    "ⵣⵓⵔ ᚠᚢᚦ 𓀀𓀁",
    "\ud800 half \udfff a\udc00b",
    "nul \x00 and \x1b[0m",
    "<unk> <pad> </s> &amp; &#124; @-@ ## ▁▁",
    "İstanbul ß ǅ ﬃ",
    "word " * 500,
    "x" * 5_000,
    "!?." * 300,
    "e\u0301\u0300\u0323" * 20,
]


@pytest.fixture(scope="module")
def tokenizers():
    """One of each kind; wordpieces in small letters too."""
    made = {kind: trained(kind, TEXTS, "en", size=300) for kind in KINDS}
    return made | {"lower": trained("wordpiece", TEXTS, "en", size=300, lowercase=True)}


EACH = pytest.mark.parametrize("kind", [*KINDS, "lower"])


# --- all kinds ----------------------------------------------------------------------------------


@EACH
def test_the_first_ids_are_the_same_in_all(tokenizers, kind):
    assert (PADDING, START, END, UNKNOWN) == (0, 1, 2, 3)
    assert tokenizers[kind].vocabulary[:4] == SPECIAL
    assert len(SPECIAL) < len(tokenizers[kind]) <= 300


@EACH
@pytest.mark.parametrize("text", ODD)
def test_no_text_is_refused(tokenizers, kind, text):
    tokenizer = tokenizers[kind]
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int32 and ids.ndim == 1
    assert not {PADDING, START, END} & set(ids.tolist())
    pieces = tokenizer.pieces(text)
    assert len(pieces) == len(ids)
    for one, piece in zip(ids, pieces, strict=True):
        assert one == UNKNOWN or tokenizer.vocabulary[one] == piece
    for result in (tokenizer.decode(ids), tokenizer.join(pieces)):
        result.encode("utf-8")


@settings(deadline=None, max_examples=50)
@given(text=st.text(st.characters(), max_size=30))
def test_no_characters_are_refused(tokenizers, text):
    for tokenizer in tokenizers.values():
        ids = tokenizer.encode(text)
        assert len(ids) == len(tokenizer.pieces(text))
        tokenizer.decode(ids)


@EACH
def test_all_at_once_is_one_by_one(tokenizers, kind):
    fresh = from_json(tokenizers[kind].to_json())
    for one, other in zip(fresh.encode_all([*TEXTS, *ODD]), [*TEXTS, *ODD], strict=True):
        np.testing.assert_array_equal(one, tokenizers[kind].encode(other))
    assert fresh.encode_all([]) == []


@EACH
def test_a_tokenizer_comes_back_from_json(tokenizers, kind):
    tokenizer = tokenizers[kind]
    again = from_json(json.loads(json.dumps(tokenizer.to_json())))
    assert type(again) is type(tokenizer)
    assert again.to_json() == tokenizer.to_json()
    np.testing.assert_array_equal(again.encode(TEXTS[1]), tokenizer.encode(TEXTS[1]))


@EACH
def test_decoding_stops_at_the_end_and_skips_padding_and_start(tokenizers, kind):
    tokenizer = tokenizers[kind]
    ids = tokenizer.encode("dogs run").tolist()
    assert tokenizer.decode([START, *ids, END, *ids, PADDING]) == "dogs run"
    assert tokenizer.decode(np.array([*ids, PADDING, PADDING])) == "dogs run"
    assert tokenizer.decode([]) == tokenizer.decode([END, 10**9]) == ""
    for wrong in -1, len(tokenizer):
        with pytest.raises(ValueError, match="ids must lie in 0"):
            tokenizer.decode([*ids, wrong])


@EACH
def test_training_is_repeatable(tokenizers, kind):
    tokenizer = tokenizers[kind]
    again = trained(tokenizer.kind, TEXTS, "en", 300, tokenizer.lowercase)
    assert again.vocabulary == tokenizer.vocabulary


def test_small_letters(tokenizers):
    for kind in KINDS:
        tokenizer = trained(kind, TEXTS, "en", 300, lowercase=True)
        assert tokenizer.decode(tokenizer.encode("Two DOGS run")) == "two dogs run"
        assert not any(one.isupper() for one in "".join(tokenizer.vocabulary))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sentences", TEXTS, "en"), "no tokenizer 'sentences'; give one of words, characters"),
        (("words", TEXTS, "en", 4), "too small; give a size above 4"),
        (("words", [], "en"), "no words occur 1 times"),
        (("characters", [""], "en"), "no characters occur 1 times"),
        (("words", TEXTS, "en", 99, False, 10**6), "occur 1,000,000 times"),
        (("wordpiece", [" "], "en"), "there are no words"),
    ],
)
def test_what_cannot_be_trained_is_told(arguments, message):
    with pytest.raises(UserError, match=message):
        trained(*arguments)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "x"},
        {"kind": ["x"]},
        {"vocabulary": "abc"},
        {"vocabulary": [*SPECIAL, 3]},
        {"vocabulary": ["a", *SPECIAL]},
        {"vocabulary": [*SPECIAL, "a", "a"]},
        {"lowercase": "no"},
        {"language": None},
    ],
)
def test_damaged_json_is_told(tokenizers, change):
    state = tokenizers["words"].to_json()
    with pytest.raises(UserError):
        from_json(state | change)
    del state[next(iter(change))]
    with pytest.raises(UserError, match="damaged"):
        from_json(state)


# --- words --------------------------------------------------------------------------------------


def test_words_are_counted_cut_off_and_sorted():
    texts = ["b a a c", "c a b d", "b"]
    assert trained("words", texts, "en").vocabulary[4:] == ("a", "b", "c", "d")
    assert trained("words", texts, "en", size=6).vocabulary[4:] == ("a", "b")
    assert trained("words", texts, "en", minimum_count=3).vocabulary[4:] == ("a", "b")


WORDS = ["42", "a", "dog", "well-known", "Ω", ",", "!", "(", "'s"]


@given(tokens=st.lists(st.sampled_from(WORDS), max_size=9))
def test_known_words_come_back(tokens):
    known = Words([*SPECIAL, *WORDS], "en")
    ids = [known.vocabulary.index(token) for token in tokens]
    assert known.tokens(ids) == tokens
    words_alone = [token for token in tokens if token in WORDS[:5]]
    assert known.tokens(known.encode(" ".join(words_alone))) == words_alone
    assert known.decode(known.encode(" ".join(words_alone))) == " ".join(words_alone)


def test_moses_rules():
    """As tokenizer.perl does it, without -a and with -no-escape."""
    for language, text, tokens in [
        ("en", "He's a well-known M.D., isn't he?", "He 's a well-known M.D. , isn 't he ?"),
        ("en", "(3,000 & more...)", "( 3,000 & more ... )"),
        ("fr", "Qu'est-ce que c'est ?", "Qu' est-ce que c' est ?"),
        ("de", "Ein T-Shirt für 3,5 €.", "Ein T-Shirt für 3,5 € ."),
        ("xx", "an unknown language is no error", "an unknown language is no error"),
    ]:
        assert " ".join(tokenize(text, language)) == tokens
        assert tokenize(text, language, lowercase=True) == tokens.lower().split()
        assert detokenize(tokens.split(), language) == text
    assert normalize("“Yes”, she said…", "en") == '"Yes," she said...'


# --- characters ---------------------------------------------------------------------------------


@given(text=st.text(st.sampled_from("abc 😀é\u202f\n")))
def test_known_characters_come_back_exactly(text):
    known = Characters([*SPECIAL, *"abc 😀é\u202f\n"], "en")
    assert known.decode(known.encode(text)) == text


# --- wordpieces ---------------------------------------------------------------------------------

KNOWN = sorted(set("".join(TEXTS).lower()) - set(string.whitespace))


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from(KNOWN), min_size=1, max_size=40), max_size=6))
def test_text_of_known_characters_comes_back_exactly(tokenizers, parts):
    text = " ".join(parts)
    ids = tokenizers["lower"].encode(text)
    assert UNKNOWN not in ids
    assert tokenizers["lower"].decode(ids) == text


def test_words_of_wordpieces_have_their_spaces_and_fit():
    assert words("l'homme  (42)\u00a0a▁b") == ["▁l", "'", "homme", "▁(", "42", ")", "▁a_b"]
    assert all(len(word.encode()) <= 100 for word in words("𝔘" * 99 + " " + "日" * 99))


def test_common_words_are_whole_and_rare_ones_are_cut(tokenizers):
    assert tokenizers["wordpiece"].pieces("dogs") == ["▁dogs"]
    cut = tokenizers["wordpiece"].pieces("dogrun")
    assert len(cut) > 1 and "".join(piece.removeprefix("##") for piece in cut) == "▁dogrun"


def test_an_unknown_word_is_one_piece(tokenizers):
    tokenizer = tokenizers["wordpiece"]
    ids = tokenizer.encode("dogs 日本!")
    assert ids[1] == UNKNOWN and len(ids) == 3
    assert tokenizer.pieces("dogs 日本!")[1] == "▁日本"
    assert tokenizer.decode(ids) == "dogs <unk>!"


def test_a_joint_vocabulary_serves_both_languages():
    joint = trained("wordpiece", ["the dog"] * 9 + ["le chien"] * 9, "en", size=200)
    for text in "the dog", "le chien":
        assert joint.decode(joint.encode(text)) == text
        assert len(joint.encode(text)) == 2


# --- unknown words ------------------------------------------------------------------------------


def test_unknown_words_are_taken_from_where_the_attention_is():
    attention = np.array([[0.1, 0.8, 0.1, 0.0], [0.5, 0.2, 0.3, 0.0], [0.2, 0.1, 0.3, 0.4]])
    source = ["Kim", "meets", "Lee"]
    tokens = ["<unk>", "trifft", "<unk>"]
    # the last column, the end of the source, has the most and is not looked at
    assert replace_unknown(tokens, attention, source) == ["meets", "trifft", "Lee"]
    assert replace_unknown([], np.zeros((0, 3)), source) == []
    assert replace_unknown(["<unk>"], np.ones((1, 1)), []) == ["<unk>"]


@pytest.mark.parametrize("shape", [(2, 2), (1, 3), (3,), (2, 3, 1)])
def test_attention_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"give \(2, 3 or more\)"):
        replace_unknown(["a", "<unk>"], np.zeros(shape), ["x", "y", "z"])


def test_a_replaced_word_stands_in_the_text(tokenizers):
    for kind in "words", "wordpiece":
        tokenizer = tokenizers[kind]
        source = tokenizer.pieces("dogs Zürich run.")
        tokens = tokenizer.tokens(tokenizer.encode("dogs Zürich run."))
        assert "<unk>" in tokens
        copied = replace_unknown(tokens, np.eye(len(tokens)), source)
        assert tokenizer.join(copied) == "dogs Zürich run."
