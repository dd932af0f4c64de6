"""What is left of an error, against products of Jacobians by hand."""

import keras
import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.lab.gradient_flow import gradient_flow
from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM


def inputs(steps: int, features: int = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, steps, features)).astype("float32")


def test_a_linear_network_by_hand():
    """s_T = U s_{T-1} + …: the error times U to the power of k."""
    layer = keras.layers.SimpleRNN(3, activation="linear", return_state=True)
    x = inputs(6)
    layer(x)
    u = np.array([[0.5, 0.2, 0.0], [0.0, 0.9, 0.1], [0.3, 0.0, 1.2]], "float32")
    layer.set_weights([layer.get_weights()[0], u, layer.get_weights()[2]])
    found = gradient_flow(layer, x, [1, 2, 6])
    # The error is the same at every lag; its share after k steps lies between U^k's extremes.
    for share, k in zip(found, (1, 2, 6), strict=True):
        least, most = np.linalg.svd(np.linalg.matrix_power(u, k), compute_uv=False)[[-1, 0]]
        assert (least - 1e-6 <= share).all() and (share <= most + 1e-6).all()
    assert found.shape == (3, 2)


def test_the_carousel_keeps_all_of_it_and_a_forget_gate_its_product():
    x = inputs(1000)
    carousel = CECLSTM(4, truncated_gradient=True, return_state=True)
    np.testing.assert_allclose(gradient_flow(carousel, x, [1, 10, 1000]), 1.0, rtol=1e-5)
    half = ForgetGateLSTM(
        4, truncated_gradient=True, return_state=True, kernel_initializer="zeros",
        recurrent_initializer="zeros", unit_forget_bias=False,
    )  # fmt: skip
    found = gradient_flow(half, x, [1, 3, 10])
    np.testing.assert_allclose(found, [[0.5] * 2, [0.125] * 2, [2.0**-10] * 2], rtol=1e-5)


@pytest.mark.parametrize("make", [GRU, keras.layers.GRU, keras.layers.LSTM])
def test_any_recurrent_layer(make):
    found = gradient_flow(make(4, return_state=True), inputs(20), [1, 20], state=0)
    assert (found > 0).all() and (found[1] < found[0]).all()


def test_errors():
    with pytest.raises(ValueError, match="does not return its states"):
        gradient_flow(GRU(2), inputs(5), [1])
    with pytest.raises(ValueError, match="a lag of 9 was given and the inputs have 5 steps"):
        gradient_flow(GRU(2, return_state=True), inputs(5), [1, 9])


@pytest.mark.parametrize("lags", [[], [0], [3, -1]])
def test_lags_that_cannot_be(lags):
    """inputs[:, -0:] are all of them."""
    with pytest.raises(UserError, match=r"the lags are \[.*give some, each of at least 1"):
        gradient_flow(GRU(2, return_state=True), inputs(5), lags)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.Dense(2),
        lambda: keras.layers.Bidirectional(keras.layers.GRU(2, return_state=True)),
        lambda: keras.Sequential([keras.Input((None, 3)), GRU(2, return_state=True)]),
    ],
)
def test_what_is_no_recurrent_layer(make):
    layer = make()
    with pytest.raises(UserError, match=f"a {type(layer).__name__} was given; give one recurrent"):
        gradient_flow(layer, inputs(5), [1])


@pytest.mark.parametrize("state", [2, -3])
def test_a_state_that_there_is_not(state):
    layer = ForgetGateLSTM(2, return_state=True)
    with pytest.raises(UserError, match=f"state {state} was asked for.*give from -2 to 1"):
        gradient_flow(layer, inputs(5), [1], state)
    assert gradient_flow(layer, inputs(5), [1], -2).shape == (1, 2)
