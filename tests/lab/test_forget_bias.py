"""Half-lives by hand, the tasks of small nets, and what is said of them."""

import keras
import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.lab import forget_bias
from lstm_recipes.lab.forget_bias import half_life, judge, theory
from lstm_recipes.lab.learner import Learner
from lstm_recipes.lab.recall import recall
from lstm_recipes.layers import CECLSTM, ForgetGateLSTM


@pytest.mark.parametrize("bias", [-1.0, 2.0])
def test_a_half_life_by_hand(bias):
    """Nothing but the bias: σ(bias)^k."""
    layer = ForgetGateLSTM(
        3, forget_bias_initializer=keras.initializers.Constant(bias), return_state=True,
        kernel_initializer="zeros", recurrent_initializer="zeros",
    )  # fmt: skip
    x = np.zeros((2, 8, 2), "float32")
    assert half_life(layer, x) == pytest.approx(theory(bias), rel=1e-4)


def test_the_carousel_has_none():
    layer = CECLSTM(3, truncated_gradient=True, return_state=True)
    assert half_life(layer, np.ones((2, 16, 2), "float32")) == float("inf")


def test_recall_without_noise():
    x, y = recall(np.random.default_rng(0), 4, 9, blank=True)
    assert x[:, 1:-1].sum() == 0 and (x[:, 0].argmax(-1) == y).all() and x[:, -1, -1].all()


def test_a_distance_that_cannot_be():
    for distance in (0, -3):
        with pytest.raises(UserError, match=f"the distance is {distance}; give one of at least 1"):
            recall(np.random.default_rng(0), 2, distance)


def test_one_seed_gives_the_same_again():
    net = keras.Sequential([keras.Input((None, 17)), ForgetGateLSTM(4), keras.layers.Dense(8)])
    learner = Learner(net)
    batch = recall(np.random.default_rng(0), 8, 3)
    first = [learner.begin(seed).learn([batch] * 3) for seed in (0, 1, 0)]
    assert first[0] == pytest.approx(first[2]) and first[0] != pytest.approx(first[1])
    assert learner.loss(*batch) < first[2][0]


def test_the_bias_is_set():
    learner = Learner(forget_bias.network())
    learner.begin(0, lambda model: forget_bias.with_bias(model, 4.0))
    bias = learner.model.layers[0].cell.bias.numpy()
    assert bias.sum() == 4.0 * forget_bias.UNITS


def numbers(**others):
    found = {"biases": [-1.0, 0.0, 1.0, 4.0], "theory": [0.5, 1.0, 2.2, 38.0]}
    found["half_lives"] = [[0.5], [1.0], [2.0], [40.0]]
    found["half_lives_c_alone"] = [[0.5], [1.0], [2.0], [38.0]]
    found["right"] = [[0.1, 0.1], [0.2, 0.1], [0.5, 0.4], [1.0, 0.95]]
    return found | others


@pytest.mark.parametrize(
    "others, verdict",
    [
        ({}, "holds"),
        ({"half_lives": [[0.5], [1.0], [4.0], [None]]}, "holds"),  # in all: said, not judged
        ({"half_lives_c_alone": [[0.5], [1.0], [2.0], [None]]}, "holds in part"),
        ({"right": [[0.1, 0.1], [0.2, 0.1], [0.5, 0.4], [1.0, 0.85]]}, "holds"),  # on average
        ({"right": [[0.1], [0.95], [1.0], [1.0]]}, "holds in part"),
        ({"right": [[0.1], [0.1], [1.0], [0.9]]}, "holds in part"),
        ({"half_lives_c_alone": [[9.0]] * 4, "right": [[0.1]] * 4}, "does not hold"),
    ],
)
def test_verdicts(others, verdict):
    said, found = judge(numbers(**others))
    assert found == verdict and "38.0" in said
    worst, best = min(numbers(**others)["right"][-1]), max(numbers(**others)["right"][-1])
    assert f"({worst:.0%} to {best:.0%})" in said
