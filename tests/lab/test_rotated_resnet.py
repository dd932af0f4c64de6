"""Time and depth, by hand; gradients at layers, by hand."""

import keras
import numpy as np
import pytest

from lstm_recipes.lab import rotated_resnet
from lstm_recipes.lab.rotated_resnet import gradient_norms, judge, open_gates, residual_stack
from lstm_recipes.layers import CECLSTM, ForgetGateLSTM


@pytest.mark.parametrize("kind", [CECLSTM, ForgetGateLSTM])
def test_one_block_by_hand(kind):
    layer = open_gates(kind, 1, kernel_initializer="ones", recurrent_initializer="ones")
    x = np.array([[[0.5], [-0.25]]], "float32")
    layer(x)
    first = np.tanh(0.5)
    second = first + np.tanh(first - 0.25)
    np.testing.assert_allclose(residual_stack(layer, x)[0, :, 0], [first, second], rtol=1e-6)
    np.testing.assert_allclose(layer(x)[0][0, :, 0], [first, second], rtol=1e-6)
    alone = residual_stack(layer, x, first_alone=True)[0, :, 0]
    np.testing.assert_allclose(alone, [first, first + np.tanh(first)], rtol=1e-6)


def test_what_makes_them_differ(monkeypatch):
    monkeypatch.setattr(rotated_resnet, "BLOCKS", 3)
    found = list(rotated_resnet.turned(0).values())
    assert max(found[:2]) < 1e-5 and min(found[2:]) > 0.05


def test_gradients_by_hand():
    """Logits are 0, so of the two classes' probabilities each is a half."""
    dense = keras.layers.Dense(2, kernel_initializer="zeros", use_bias=False)
    net = keras.Sequential([keras.Input((1,)), dense])
    found = gradient_norms(net, np.full((4, 1), 3.0, "float32"), np.zeros(4, "int32"))
    assert found == pytest.approx([3.0 * np.hypot(0.5, 0.5)])


@pytest.mark.parametrize(
    "cec, gates, verdict",
    [(1e-6, 0.5, "holds in part"), (1e-6, 1e-6, "holds"), (0.1, 0.5, "does not hold")],
)
def test_verdicts(cec, gates, verdict):
    rows = {"CEC, gates open": cec, "forget gate, all open": 0.0, "gates as first drawn": gates}
    lowest = {"plain": [1.0, 1e-3], "residual": [1.0, 0.9]}
    numbers = {"blocks": 50, "differences": rows, "depths": [2, 16], "lowest": lowest}
    said, found = judge(numbers)
    assert found == verdict and "1 to 0.001 plain" in said
