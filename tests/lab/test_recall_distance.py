"""How well a state tells classes apart, by hand, and what is said of distances."""

import numpy as np
import pytest

from lstm_recipes.lab import recall_distance
from lstm_recipes.lab.learner import Learner
from lstm_recipes.lab.recall_distance import (
    dilution_or_gradient,
    distances,
    judge,
    told_apart,
)


def test_told_apart_by_hand():
    """Means −1 and 1, and each time 1 around them: half of the variance is the class."""
    states = np.array([[-2.0], [0.0], [0.0], [2.0]])
    assert told_apart(states, [0, 0, 1, 1]) == pytest.approx(0.5)
    wide = np.concatenate([states, 2 * states], axis=1)  # of all units together
    assert told_apart(wide, [0, 0, 1, 1]) == pytest.approx(0.5)


def test_distances_rise_to_the_bound(monkeypatch):
    monkeypatch.setattr(recall_distance, "STEPS", 400)
    found = list(distances(np.random.default_rng(0)))
    assert len(found) == 400 and max(found[:10]) <= 10
    assert min(found) >= recall_distance.SHORTEST and 150 < max(found) <= recall_distance.BOUND


def test_a_net_is_trained_and_looked_into(monkeypatch):
    for name, value in {"STEPS": 2, "DISTANCES": (3, 6), "TESTED": 8, "TRACED": 2}.items():
        monkeypatch.setattr(recall_distance, name, value)
    found = recall_distance.trained(Learner(recall_distance.network("GRU")), 0)
    assert {key: len(row) for key, row in found.items()} == {"right": 2, "told": 2, "left": 2}


@pytest.mark.parametrize(
    "right, verdict",
    [
        ([1.0, 0.5, 0.2, 0.1], "holds"),
        ([1.0, 1.0, 0.5, 0.1], "holds in part"),
        ([0.5, 0.5, 0.5, 0.5], "holds in part"),
        ([1.0, 1.0, 0.9, 0.1], "does not hold"),
    ],
)
def test_verdicts(right, verdict):
    row = {"right": [right, right], "left": [0.5] * 4, "told": [0.9] * 4}
    numbers = {"distances": [200, 500, 1000, 2000], "bound": 200, "rows": {"LSTM": row}}
    said, found = judge(numbers)
    assert found == verdict and "(0.5, 0.1)" in said
    assert "Dilution or gradient? For the LSTM at 2,000 steps neither: it recalls" in said


def test_it_is_the_farthest_distance_that_is_explained():
    row = {"right": [[1.0] * 4] * 2, "left": [1.0, 0.1, 0.1, 1e-6], "told": [0.9] * 4}
    numbers = {"distances": [200, 500, 1000, 2000], "bound": 200, "rows": {"LSTM": row}}
    said, _ = judge(numbers)
    assert "at 2,000 steps neither: it recalls 100%, though only 1e-06 of an error is left" in said


@pytest.mark.parametrize(
    "right, left, noise, cause",
    [
        (1.0, 3e-5, 1e-4, "neither: "),  # nothing is forgotten where hardly an error is left
        (0.95, 1.0, 0.5, "neither: "),
        (0.5, 1e-5, 0.01, "the gradient: "),
        (0.5, 1.0, 0.5, "dilution: "),
        (0.5, 1e-5, 0.5, "dilution and the gradient: "),
        (0.5, 1.0, 0.01, "neither: "),
    ],
)
def test_dilution_or_gradient(right, left, noise, cause):
    said = dilution_or_gradient(right, left, noise)
    assert said.startswith(cause) and ("though" in said) == (right >= 0.9 and left < 0.01)
