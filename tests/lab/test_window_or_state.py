"""Agreement, windows by hand, and what is said of them."""

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.lab import window_or_state
from lstm_recipes.lab.learner import Learner
from lstm_recipes.lab.window_or_state import PREPOSITION, VERB, agreement, judge, network


@pytest.mark.parametrize("distance", [1, 2, 3, 30])
def test_sentences(distance):
    x, plural = agreement(np.random.default_rng(0), 200, distance)
    ids = x.argmax(-1)
    assert ids.shape == (200, distance + 1) and (ids[:, -1] == VERB).all()
    assert ((ids[:, 0] >= 4) == plural).all() and (ids[:, 0] < 8).all()
    before, after = ids[:, 1:-2], ids[:, 2:-1]
    assert (after[before == PREPOSITION] < 8).all() and (after[before != PREPOSITION] >= 8).all()
    assert (ids[:, -2] != PREPOSITION).all()


def test_a_window_sees_no_further():
    model = network(4, 3)
    x, _ = agreement(np.random.default_rng(0), 2, 9)
    other = x.copy()
    other[:, :-4] = 0.0
    np.testing.assert_array_equal(model(x), model(other))
    other[:, -4] = 0.0
    assert not np.array_equal(model(x), model(other))


def test_a_window_learns_what_it_sees(monkeypatch):
    for name, value in {"STEPS": 150, "BOUND": 2, "DISTANCES": (2, 9), "TESTED": 200}.items():
        monkeypatch.setattr(window_or_state, name, value)
    near, far = window_or_state.by_distance(Learner(network(4, 16), 0.05), 0)
    assert near > 0.9 and far < 0.65


def about(distances, rows):
    return {"distances": distances, "windows": [4], "bound": 20, "steps": 4000, "rows": rows}


@pytest.mark.parametrize(
    "window, lstm, verdict",
    [
        ([1.0, 0.5, 0.55], [1.0, 0.95, 0.6], "holds"),
        ([1.0, 0.7, 0.5], [1.0, 0.95, 0.6], "holds in part"),
        ([1.0, 0.5, 0.5], [1.0, 0.6, 0.6], "holds in part"),
        ([0.5, 0.5, 0.5], [1.0, 0.6, 0.6], "does not hold"),
    ],
)
def test_verdicts(window, lstm, verdict):
    rows = {"window of 4": {"right": [window]}, "LSTM": {"right": [lstm]}}
    said, found = judge(about([3, 10, 40], rows))
    assert found == verdict and "windows of 4" in said and "after 4,000 steps" in said


@pytest.mark.parametrize("far_edge, verdict", [(0.86, "holds"), (0.6, "holds in part")])
def test_the_control_is_judged_on_average(far_edge, verdict):
    """A subject at the window's far edge is learnt last."""
    rows = {"window of 4": {"right": [[1.0, 1.0, far_edge, 0.5]]}, "LSTM": {"right": [[1.0] * 4]}}
    said, found = judge(about([1, 2, 3, 10], rows))
    assert found == verdict and f"(at the worst distance {far_edge:.0%})" in said


@pytest.mark.parametrize("distance", [0, -1])
def test_a_distance_that_cannot_be(distance):
    with pytest.raises(UserError, match=f"the distance is {distance}; give one of at least 1"):
        agreement(np.random.default_rng(0), 2, distance)
