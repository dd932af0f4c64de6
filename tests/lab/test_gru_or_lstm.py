"""Equal sizes, times that leave no trace, and what is said of two layers."""

import keras
import numpy as np
import pytest

from lstm_recipes.lab import gru_or_lstm
from lstm_recipes.lab.equal_size import units_for
from lstm_recipes.lab.gru_or_lstm import judge, milliseconds, network
from lstm_recipes.lab.learner import Learner


def test_units_by_hand():
    """Of u units: 4 · (u (17 + u) + u) weights, and 8 (u + 1) of the logits."""
    units = units_for(lambda u: network("LSTM", u), 5000, 64)
    sizes = {u: 4 * (u * (17 + u) + u) + 8 * (u + 1) for u in range(1, 65)}
    assert units == min(sizes, key=lambda u: abs(sizes[u] - 5000))
    assert network("LSTM", units).count_params() == sizes[units]


def test_the_most_units_there_may_be():
    def make(units):
        return keras.Sequential([keras.Input((1,)), keras.layers.Dense(units)])

    assert units_for(make, 1000, most=7) == 7


def test_a_time_leaves_the_net_as_it_was():
    learner = Learner(network("GRU", 3)).begin(0)
    before = [*learner.model.get_weights(), *(v.numpy() for v in learner.optimizer.variables)]
    assert milliseconds(learner, 4, steps=2) > 0
    after = [*learner.model.get_weights(), *(v.numpy() for v in learner.optimizer.variables)]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_distances_are_learnt_one_after_the_other(monkeypatch):
    for name, value in {"STEPS": 1, "DISTANCES": (2, 4), "COMPARED": (4,), "TESTED": 4}.items():
        monkeypatch.setattr(gru_or_lstm, name, value)
    found = gru_or_lstm.trained(Learner(network("GRU", 3)), 0)
    assert len(found["right"]) == 2 and len(found["milliseconds"]) == 1


@pytest.mark.parametrize(
    "lstm, gru, verdict",
    [
        ([1.0, 0.9], [0.96, 0.94], "holds"),
        ([1.0, 0.2], [1.0, 0.9], "holds in part"),
        ([1.0, 0.1], [1.0, 0.1], "holds in part"),
        ([0.9, 0.9], [0.5, 1.0], "does not hold"),
    ],
)
def test_verdicts(lstm, gru, verdict):
    about = {"units": 9, "weights": 1234, "milliseconds": [2.0, 9.0]}
    rows = {kind: about | {"right": [r, r]} for kind, r in (("LSTM", lstm), ("GRU", gru))}
    said, found = judge({"distances": [64, 512], "compared": [64, 512], "rows": rows})
    assert found == verdict and "1,234 weights" in said and "9 ms" in said
