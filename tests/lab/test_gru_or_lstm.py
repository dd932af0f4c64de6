"""Equal sizes, times that leave no trace, and what is said of two layers."""

import time

import keras
import pytest

from lstm_recipes.lab import gru_or_lstm
from lstm_recipes.lab.argument import Parts
from lstm_recipes.lab.equal_size import units_for
from lstm_recipes.lab.gru_or_lstm import GRU_OR_LSTM, judge, milliseconds, network
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


def test_times_are_taken_in_turns(monkeypatch):
    """A step of each in every turn, so that what else the machine does falls on both."""
    order = []

    class Timed:
        def __init__(self, kind, seconds):
            self.kind, self.seconds = kind, seconds

        def learn(self, batches):
            order.append(self.kind)
            assert len(batches) == 1 and batches[0][0].shape[:2] == (gru_or_lstm.BATCH, 5)
            time.sleep(self.seconds)

    found = milliseconds({"LSTM": Timed("LSTM", 0.2), "GRU": Timed("GRU", 0.1)}, 4, turns=2)
    assert order[-4:] == ["LSTM", "GRU"] * 2
    assert found["LSTM"] >= 200 and 100 <= found["GRU"] < found["LSTM"]


def test_distances_are_learnt_one_after_the_other(monkeypatch):
    for name, value in {"STEPS": 1, "DISTANCES": (2, 4), "COMPARED": (4,), "TESTED": 4}.items():
        monkeypatch.setattr(gru_or_lstm, name, value)
    monkeypatch.setattr(gru_or_lstm, "WEIGHTS", 300)
    found = gru_or_lstm.measure(Parts(None, notify=lambda line: None), 1)
    for row in found["rows"].values():
        assert len(row["right"]) == 1 and len(row["right"][0]) == 2 and row["milliseconds"][0] > 0


def test_after_a_time_is_taken_a_net_begins_anew(monkeypatch):
    for name, value in {"STEPS": 2, "DISTANCES": (2,), "TESTED": 64}.items():
        monkeypatch.setattr(gru_or_lstm, name, value)
    learner = Learner(network("GRU", 3))
    first = gru_or_lstm.trained(learner, 0)
    milliseconds({"GRU": learner}, 2, turns=1)
    assert gru_or_lstm.trained(learner, 0) == first


def test_five_nets_each():
    assert GRU_OR_LSTM.seeds >= 5


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
    rows["GRU"]["right"] = [[r - 0.02 for r in gru], [r + 0.02 for r in gru]]
    about = {"distances": [64, 512], "compared": [64, 512], "steps": 80}
    said, found = judge(about | {"rows": rows})
    assert found == verdict and "1,234 weights" in said and "9 ms" in said
    assert f"worst net {gru[1] - 0.02:.0%}" in said and "after 80 steps of Adam" in said
