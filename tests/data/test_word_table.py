"""The table of word vectors: what it starts from, what it keeps, what its file holds."""

import numpy as np
import pytest

from lstm_recipes.data.vectors import WordVectors
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.errors import UserError

PRETRAINED = WordVectors(
    ["the", "bank", "0000", "river"], np.arange(8, dtype="float32").reshape(4, 2) + 1
)


def test_training_words_come_first_and_begin_with_their_pretrained_vector():
    words = ["The", "bank", "of", "1996", "the", "Nile"]
    table = WordTable.made(words, size=2, seed=0, vectors=PRETRAINED, commonest=2)
    assert table.words == ["the", "bank", "of", "1996", "nile", "0000", "river"]
    assert table.trained == 6
    assert table.matrix[[0, 1, 2, 4, 6, 7]].tolist() == [
        [0, 0],
        [1, 2],
        [3, 4],
        [5, 6],
        [5, 6],
        [7, 8],
    ]
    # "of" and "nile" have no vector, and that of "1996" is not among the commonest two.
    assert table.rare.tolist() == [False, False, False, True, True, True]


def test_without_pretrained_vectors_all_are_drawn():
    table = WordTable.made(map(str, range(2000)), size=50, seed=0)
    drawn = table.matrix[1:]
    assert np.abs(drawn).max() <= (3 / 50) ** 0.5
    assert drawn.var() * 50 == pytest.approx(1, rel=0.02)
    again, other = (WordTable.made(map(str, range(2000)), size=50, seed=s) for s in (0, 1))
    assert (again.matrix == table.matrix).all() and (other.matrix != table.matrix).any()


def test_a_cased_table_tells_bank_from_Bank():
    words = ["Bank", "bank", "1996"]
    table = WordTable.made(words, size=2, seed=0, vectors=PRETRAINED, cased=True)
    assert table.words == [*words, "the", "0000", "river"]
    assert table.matrix[1:4].tolist() == [[3, 4], [3, 4], [5, 6]]


def test_the_file_keeps_words_and_rounded_vectors(tmp_path):
    table = WordTable.made(["naïve", "the", "the", "日本"], size=2, seed=0, vectors=PRETRAINED)
    table.save(tmp_path / "vectors.npz")
    loaded = WordTable.load(tmp_path / "vectors.npz")
    assert loaded.words == table.words
    assert (loaded.matrix == table.halved).all()
    assert (loaded.trained, loaded.rare.tolist()) == (table.trained, table.rare.tolist())
    empty = WordTable.made([], size=2, seed=0)
    empty.save(tmp_path / "empty.npz")
    assert WordTable.load(tmp_path / "empty.npz").words == []


def packed_otherwise(zipped: bytes) -> bytes:
    """By a method that nobody has; a fuzzer found it."""
    place = zipped.index(b"PK\x01\x02") + 10
    return zipped[:place] + b"\x63\0" + zipped[place + 2 :]


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no zip", packed_otherwise],
)
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "vectors.npz"
    WordTable.made(["the"], size=2, seed=0).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"vectors\.npz is damaged .*; take it from an undamaged"):
        WordTable.load(path)


def test_more_vectors_add_rows_and_change_none():
    table = WordTable.made(["the", "nile"], size=2, seed=0)
    more = table.extended(PRETRAINED)
    assert more.words == ["the", "nile", "bank", "0000", "river"]
    assert (more.matrix[:3] == table.matrix).all()
    assert more.matrix[3:].tolist() == [[3, 4], [5, 6], [7, 8]]
    with pytest.raises(UserError, match="2 numbers a word and the model was trained with 3; give"):
        WordTable.made(["the"], size=3, seed=0).extended(PRETRAINED)


def test_trained_rows_are_replaced():
    table = WordTable.made(["the"], size=2, seed=0, vectors=PRETRAINED)
    new = table.with_trained(np.full((2, 2), 9, "float32"))
    assert new.matrix.tolist() == [[9, 9], [9, 9], [3, 4], [5, 6], [7, 8]]
