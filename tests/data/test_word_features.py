"""What a tagger sees of a word."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data.word_features import LONGEST, EncodedSentences, WordFeatures, case_of, padded

FEATURES = WordFeatures(["the", "bank", "00", "0,000"], "abhknt")
words = st.text(min_size=1, max_size=40)


def test_rows_are_lower_cased_then_with_zeros_then_unknown():
    assert [FEATURES.row(w) for w in ("The", "BANK", "42", "1,024", "9", "river")] == [
        1,
        2,
        3,
        4,
        0,
        0,
    ]
    cased = WordFeatures(["the", "Bank"], "ab", cased=True)
    assert [cased.row(w) for w in ("the", "The", "Bank", "bank", "BANK")] == [1, 1, 2, 0, 0]


def test_a_batch_is_padded_with_zeros():
    found = FEATURES.encode([["bank", "The", "zebra!"], ["Than"]])
    assert found.rows.tolist() == [[2, 1, 0], [0, 0, 0]]
    assert found.case.tolist() == [[1, 2, 1], [2, 0, 0]]
    assert found.characters.shape == (2, 3, 6)
    assert found.characters[0, 0].tolist() == [3, 2, 6, 5, 0, 0]  # b a n k: ids from 2 on
    assert found.characters[0, 1].tolist() == [1, 4, 1, 0, 0, 0]  # T and e are not known
    assert not found.characters[1, 1:].any()


def test_of_a_long_word_both_ends_are_read():
    word = "a" * 30 + "b" * 30
    spelled = FEATURES.encode([[word]]).characters[0, 0]
    assert spelled.tolist() == [2] * (LONGEST // 2) + [3] * (LONGEST // 2)


def test_cases():
    found = {w: case_of(w) for w in ("a", "A", "Ab", "AB", "aB", "AbC", "U.S.", "'s", "3D", "…")}
    assert found == {
        "a": 1,
        "A": 2,
        "Ab": 2,
        "AB": 3,
        "aB": 4,
        "AbC": 4,
        "U.S.": 3,
        "'s": 1,
        "3D": 2,
        "…": 5,
    }


@given(st.lists(st.lists(words, max_size=6), min_size=1, max_size=5))
def test_any_words_keep_their_number_and_their_place(sentences):
    encoded = EncodedSentences(FEATURES, sentences)
    assert [len(ids) for ids in encoded.ids] == [len(s) for s in sentences]
    batch = encoded.batch()
    for k, sentence in enumerate(sentences):
        assert np.count_nonzero(batch.case[k]) == len(sentence)
        assert batch.rows[k, : len(sentence)].tolist() == [FEATURES.row(w) for w in sentence]
        assert (batch.characters[k, : len(sentence), 0] > 0).all()  # no word is empty
    chosen = encoded.batch([len(sentences) - 1])
    assert chosen.rows.shape == (1, max(1, len(sentences[-1])))


def test_padded_rows():
    assert padded([np.array([1, 2]), np.array([], int)]).tolist() == [[1, 2], [0, 0]]
    assert padded([np.array([], int)]).shape == (1, 1)
