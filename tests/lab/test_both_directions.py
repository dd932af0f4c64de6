"""The tagging task, what can be known from the left, and gradients to inputs by hand."""

import keras
import numpy as np
import pytest

from lstm_recipes.lab import both_directions
from lstm_recipes.lab.both_directions import KEYS, ceiling, input_gradient, judge, keys
from lstm_recipes.lab.learner import Learner


def test_labels_by_hand():
    x, following, before = keys(np.random.default_rng(5), 50)
    for ids, after, ago in zip(x.argmax(-1), following, before, strict=True):
        for t in range(len(ids)):
            assert after[t] == next((k for k in ids[t:] if k < KEYS), KEYS)
            assert ago[t] == next((k for k in ids[t::-1] if k < KEYS), KEYS)


def test_the_ceiling_is_what_the_best_guess_reaches():
    """A key where it stands; else key 0, or none in the last steps, where that is more likely."""
    x, following, _ = keys(np.random.default_rng(0), 20_000)
    ids, length = x.argmax(-1), x.shape[1]
    none = 0.8 ** np.arange(length - 1, -1, -1)
    guess = np.where(none > (1 - none) / 2, KEYS, 0)
    said = np.where(ids < KEYS, ids, guess)
    assert (said == following).mean() == pytest.approx(ceiling(), abs=0.005)


def test_a_linear_filter_by_hand():
    """y_t = 2 x_t + 3 x_{t+1}: the gradient at t is 2, at t + 1 it is 3."""
    layer = keras.layers.Conv1D(1, 2, use_bias=False)
    x = np.ones((2, 4, 1), "float32")
    layer(x)
    layer.set_weights([np.array([[[2.0]], [[3.0]]], "float32")])
    np.testing.assert_allclose(input_gradient(layer, x, 1), [0, 2, 3, 0], rtol=1e-6)


def test_a_net_is_trained(monkeypatch):
    monkeypatch.setattr(both_directions, "STEPS", 1)
    learner = Learner(both_directions.network(False, 2))
    found = both_directions.trained(learner, 0)
    assert set(found) == {"next", "last", "depends"} and not any(found["depends"][10:])


@pytest.mark.parametrize(
    "one, both, later, verdict",
    [
        (0.6, 1.0, 0.3, "holds"),
        (0.6, 0.9, 0.3, "holds in part"),
        (0.7, 1.0, 0.3, "holds in part"),
        (0.6, 1.0, 0.0, "holds in part"),
        (0.6, 0.6, 0.0, "does not hold"),
    ],
)
def test_verdicts(one, both, later, verdict):
    rows = {
        "one direction": {"next": [one], "depends": [[0.5, 1.0, 0.0]]},
        "both directions": {"next": [both], "depends": [[0.5, 1.0, later]]},
    }
    rows = {name: row | {"last": [1.0], "weights": 1000} for name, row in rows.items()}
    said, found = judge({"ceiling": 0.6, "watched": 1, "rows": rows})
    assert found == verdict and "later inputs are 0%" in said
