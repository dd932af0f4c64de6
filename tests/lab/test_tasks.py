"""The tasks are the papers'."""

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.lab import reber
from lstm_recipes.lab.adding import adding, multiplication
from lstm_recipes.lab.long_lag import distractors, irregular, noise_free
from lstm_recipes.lab.temporal_order import temporal_order
from lstm_recipes.lab.two_sequence import two_sequence


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("sample", [adding, multiplication])
@pytest.mark.parametrize("length", [10, 30, 100])
def test_adding_and_multiplication(sample, length):
    x, target, start = sample(draw(), 2000, length)
    lengths = x.shape[1] - start
    assert lengths.min() == length and lengths.max() == length + length // 10 == x.shape[1]
    for sequence, wanted, first in zip(x, target, start, strict=True):
        assert not sequence[:first].any()
        values, marks = sequence[first:].T
        low = -1.0 if sample is adding else 0.0
        assert low <= values.min() and values.max() <= 1.0
        one, two = sorted(np.flatnonzero(marks == 1.0))
        assert one < 10 and two < max(length // 2 - 1, 10)
        assert marks[-1] == -1.0 and (marks[0] == -1.0 or one == 0)
        assert set(marks[1:-1]) <= {0.0, 1.0}
        if one == 0:  # "in the rare case where the first pair gets marked"
            assert values[0] == (0.0 if sample is adding else 1.0)
        total, product = values[one] + values[two], values[one] * values[two]
        assert wanted == pytest.approx(0.5 + total / 4 if sample is adding else product, abs=1e-6)


@pytest.mark.parametrize("marks", [2, 3])
def test_temporal_order(marks):
    x, target, start = temporal_order(draw(), 3000, marks)
    assert (110 - start).min() == 100 and (110 - start).max() == 110
    places = []
    for symbols, wanted, first in zip(x, target, start, strict=True):
        text = symbols[first:]
        assert text[0] == 0 and text[-1] == 1  # E and B
        found = np.flatnonzero(text >= 6)
        places.append(found + 1)
        assert wanted.argmax() == int("".join(str(k - 6) for k in text[found]), 2)
        assert set(np.delete(text, [0, -1, *found])) == {2, 3, 4, 5}
    low, high = np.min(places, 0), np.max(places, 0)
    expected = {2: ([10, 50], [20, 60]), 3: ([10, 33, 66], [20, 43, 76])}[marks]
    assert (low.tolist(), high.tolist()) == expected
    assert np.allclose(target.mean(0), 0.5**marks, atol=0.05)


def test_long_lag():
    x, target, start = distractors(draw(), 5000, lag=20, symbols=7)
    for symbols, wanted, first in zip(x, target, start, strict=True):
        text = symbols[first:]
        assert text[0] == 8 and text[-1] == 7 and text[1] == 9 + wanted.argmax()
        assert len(text) >= 23 and text[2:-1].max() < 7
    assert np.mean(x.shape[1] - start) == pytest.approx(20 + 9 + 3, abs=0.5)  # nine more on average


def test_noise_free():
    x, target, start = noise_free(draw(), 200, lag=10)
    assert x.shape == (200, 10) and target.shape == (200, 10, 11) and not start.any()
    assert (x[:, 1:] == np.arange(9)).all() and set(x[:, 0]) == {9, 10}
    following = target.argmax(-1)
    assert (following[:, :-1] == x[:, 1:]).all() and (following[:, -1] == x[:, 0]).all()


def test_irregular():
    x, target, start = irregular(draw(), 200, lag=10)
    assert x.shape == (200, 10) and target.shape == (200, 10, 11) and not start.any()
    following = target.argmax(-1)
    assert (following[:, :-1] == x[:, 1:]).all() and (following[:, -1] == x[:, 0]).all()
    assert set(x[:, 0]) == {9, 10} and (target.sum(-1) == 1.0).all()
    assert np.bincount(x[:, 1:].ravel(), minlength=9) == pytest.approx(200, abs=60)


def test_two_sequence_with_more_noise():
    x, target, start = two_sequence(draw(), 2000, 100, 3, noise_on_all=True)
    told = np.concatenate([row[k : k + 3, 0] for row, k in zip(x, start, strict=True)])
    noise = told - np.repeat(2 * target[:, 0] - 1, 3)
    assert np.var(noise) == pytest.approx(0.2, abs=0.01)
    x, noisy, start, clean = two_sequence(draw(), 2000, 100, 3, noisy_targets=True)
    assert np.unique(clean) == pytest.approx([0.2, 0.8])
    assert np.std(noisy - clean) == pytest.approx(0.32, abs=0.02)
    assert x[np.arange(2000), start, 0] == pytest.approx(np.where(clean[:, 0] < 0.5, 1.0, -1.0))


def test_two_sequence():
    x, target, start = two_sequence(draw(), 2000, 100, 3)
    assert (110 - start).min() == 100 and (110 - start).max() == 110
    noise = []
    for sequence, wanted, first in zip(x[..., 0], target, start, strict=True):
        assert not sequence[:first].any()
        assert (sequence[first : first + 3] == 2 * wanted - 1).all()
        noise += [*sequence[first + 3 :]]
    assert np.mean(noise) == pytest.approx(0.0, abs=0.01)
    assert np.var(noise) == pytest.approx(0.2, abs=0.01)


def test_the_grammar_accepts_what_it_generates_and_nothing_else():
    rng = draw()
    texts = [reber.embedded_reber(rng) for _ in range(500)]
    for text in texts:
        found = reber.successors(text)
        assert all(symbol in ways for symbol, ways in zip(text[1:], found, strict=True))
        assert found[-2] == text[1]  # what only the second symbol tells
    for text in ("", "BTBPVVEPE", "BTBPVVET", "BTBPTTETE", "BTBPVPTVETE"):
        with pytest.raises(ValueError, match="no string of the embedded Reber grammar"):
            reber.successors(text)
    assert np.mean([len(text) for text in texts]) == pytest.approx(11.5, abs=0.5)


def test_encoded_strings():
    x, target, start, legal = reber.encoded(["BTBPVVETE", "BPBTXSEPE"], steps=10)
    assert start.tolist() == [2, 2]
    assert x[0, 2:].tolist() == [reber.SYMBOLS.index(s) for s in "BTBPVVET"]
    assert (target.argmax(-1)[0, 2:] == [reber.SYMBOLS.index(s) for s in "TBPVVETE"]).all()
    assert (legal & (target > 0)).sum() == 16 and legal[0, 2].sum() == 2


def test_what_cannot_be_is_said():
    for call, message in (
        (lambda: adding(draw(), 1, 9), "length is 9; give one of at least 10"),
        (lambda: distractors(draw(), 1, 0, 5), "lag is 0"),
        (lambda: noise_free(draw(), 1, 1), "lag is 1"),
        (lambda: two_sequence(draw(), 1, 10, 10), "give from 1 to 9"),
        (lambda: two_sequence(draw(), 1, 5, 3), "length is 5; give one of at least 10"),
        (lambda: two_sequence(draw(), 1, 0, 1), "length is 0; give one of at least 10"),
        (lambda: temporal_order(draw(), 1, 1), "marks is 1; give 2 or 3"),
        (lambda: temporal_order(draw(), 1, 4), "marks is 4; give 2 or 3"),
    ):
        with pytest.raises(UserError, match=message):
            call()
