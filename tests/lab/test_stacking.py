"""Windows of a text, stacks of equal size, and what is said of them."""

import numpy as np
import pytest

from lstm_recipes.lab import characters, stacking
from lstm_recipes.lab.argument import Parts
from lstm_recipes.lab.characters import Characters
from lstm_recipes.lab.equal_size import units_for
from lstm_recipes.lab.stacking import judge, stack


def test_windows_of_a_text():
    text = Characters("abcdefghij" * 30)
    x, y = next(text.batches(np.random.default_rng(0), 1, 8, 7))
    assert x.shape == y.shape == (8, 7) and ((x + 1) % 10 == y).all()
    x, y = text.validation(3, 7)
    assert len(text.rest) == 30 and x[0, 0] == text.rest[0] and y[-1, -1] == text.rest[-1]


@pytest.mark.parametrize("depth", [1, 6])
def test_equal_sizes_by_hand(depth):
    """65 vectors, 4 u (2 u + 1) a layer, and 65 (u + 1) of the logits."""
    units = units_for(lambda u: stack(depth, False, u), 40_000, 128)
    sizes = {u: 65 * u + depth * 4 * u * (2 * u + 1) + 65 * (u + 1) for u in range(1, 129)}
    assert units == min(sizes, key=lambda u: abs(sizes[u] - 40_000))
    assert stack(depth, True, units).count_params() == sizes[units]


def test_one_depth_is_measured(monkeypatch):
    text = "to be or not to be " * 60
    monkeypatch.setattr(characters, "load_tiny_shakespeare", lambda: text)
    small = {"DEPTHS": (1,), "STEPS": 2, "BATCH": 2, "TIME": 5, "WEIGHTS": 2000}
    for name, value in small.items():
        monkeypatch.setattr(stacking, name, value)
    found = stacking.measure(Parts(None, notify=lambda line: None), 1)
    for row in found["rows"].values():
        assert 5.0 < row["bits"][0][0] < 7.0  # of 65 characters as likely as each other 6.02
    assert found["bigram"] < 2.0 and found["steps"] == 2


def test_a_bigram_by_hand():
    """Behind each of ten letters comes one that is always the same, seen 26 times or 27; what
    never came has one kind's share, a tenth of it this letter's (Witten & Bell)."""
    text = Characters("abcdefghij" * 30)
    seen = np.bincount(text.train[1:], minlength=10)  # 27 but for the first letter, which has 26
    unigram = (np.bincount(text.train, minlength=10) + 10 * 0.1) / (270 + 10)
    _, y = text.validation(128, 7)
    by_hand = -np.log2((seen[y] + unigram[y]) / (seen[y] + 1)).mean()
    assert stacking.bigram_bits(text, 7) == pytest.approx(by_hand)


def test_each_depth_learns_for_long_enough_and_the_claim_says_how_long():
    assert stacking.STEPS >= 2000 and "after 2,000 steps" in stacking.STACKING.says


def numbers(plain, residual, bigram=3.5):
    rows = {
        name: {"bits": [[b, b] for b in bits], "weights": [40_000], "units": [9]}
        for name, bits in (("plain", plain), ("residual", residual))
    }
    return {"depths": [1, 2, 6], "steps": 2000, "bigram": bigram, "rows": rows}


@pytest.mark.parametrize(
    "plain, residual, verdict",
    [
        ([3.0, 2.9, 3.2], [3.0, 2.9, 2.9], "holds"),
        ([3.0, 3.1, 3.2], [3.0, 2.9, 2.9], "holds in part"),
        ([3.0, 2.9, 2.8], [3.0, 2.9, 2.9], "holds in part"),
        ([3.0, 2.99, 2.8], [3.0, 2.9, 2.9], "does not hold"),
    ],
)
def test_verdicts(plain, residual, verdict):
    said, found = judge(numbers(plain, residual))
    assert found == verdict and "40,000" in said and "2,000 steps" in said
    assert "Not judged" not in said


@pytest.mark.parametrize(
    "plain, verdict, left_out",
    [
        ([3.0, 2.9, 4.8], "holds in part", "residuals"),
        ([3.0, 3.6, 4.8], "does not hold", "two layers and residuals"),
    ],
)
def test_who_has_not_begun_to_learn_is_not_judged(plain, verdict, left_out):
    said, found = judge(numbers(plain, [3.0, 2.9, 2.9]))
    assert found == verdict
    assert said.endswith(f"Not judged, for a net is not past the bigram: {left_out}")


def test_one_net_that_has_not_begun_is_enough_for_that():
    given = numbers([3.0, 2.9, 3.2], [3.0, 2.9, 2.9])
    given["rows"]["plain"]["bits"][2][1] = 3.6
    assert judge(given)[1] == "holds in part"
