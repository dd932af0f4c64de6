"""Where the maths is Keras' own, the numbers are: outputs, states, gradients and training."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import GRU, ForgetGateLSTM, PeepholeLSTM

from .helpers import (
    MASKS,
    array,
    assert_close,
    built,
    every_mask,
    gradients,
    numpy,
    randomize,
    weighted_sum,
)

PAIRS = {
    "lstm": (ForgetGateLSTM, keras.layers.LSTM, {}),
    "gru, reset after": (GRU, keras.layers.GRU, {"reset_after": True}),
    "gru, reset before": (GRU, keras.layers.GRU, {"reset_after": False}),
}
every_pair = pytest.mark.parametrize("name", PAIRS)
X = array(3, 5, 4)


def pair(name: str, batch: int | None = None, **options: Any) -> tuple:
    """Our layer and Keras', with the same settings and weights."""
    ours, theirs, own = PAIRS[name]
    ours, theirs = ours(6, **own, **options), theirs(6, **own, **options)
    built(ours, 4, batch)
    theirs.build((batch, None, 4))
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def assert_equal_in_all(ours: Any, theirs: Any, states: list, mask: Any, shared: int = 9) -> None:
    """Results, and the gradients to the first weights, the inputs and the initial states."""

    def all_of(layer: Any) -> list:
        def results(x, *states):
            return list(layer(x, initial_state=list(states), mask=mask))

        derivatives = gradients(
            lambda *tensors: weighted_sum(results(*tensors)), layer.weights[:shared], [X, *states]
        )
        return [*numpy(results(X, *states)), *derivatives]

    assert_close(all_of(ours), all_of(theirs))


@every_pair
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("mask", [None, *MASKS])
def test_results_and_gradients(name, backwards, mask):
    """All outputs and states, from given states, under every kind of mask."""
    ours, theirs = pair(name, return_sequences=True, return_state=True, go_backwards=backwards)
    states = [array(3, 6, seed=k) for k in range(len(ours.state_size))]
    mask = None if mask is None else np.array(MASKS[mask], bool)
    assert_equal_in_all(ours, theirs, states, mask)


@every_pair
@every_mask
def test_the_last_output_and_zeroed_outputs(name, mask):
    """Without initial states; outputs of masked steps are zero."""
    for sequences in (False, True):
        ours, theirs = pair(name, return_sequences=sequences, zero_output_for_mask=True)
        assert_close(ours(X, mask=mask), theirs(X, mask=mask))


@every_pair
def test_settings_that_change_the_maths(name):
    settings = {"use_bias": False, "activation": "relu", "recurrent_activation": "hard_sigmoid"}
    ours, theirs = pair(name, **settings)
    assert_close(ours(X), theirs(X))


@every_pair
def test_unrolled(name):
    ours, theirs = pair(name, unroll=True, return_sequences=True)
    mask = np.array(MASKS["gaps"], bool)
    assert_close(ours(X, mask=mask), theirs(X, mask=mask))


@every_pair
def test_stateful(name):
    ours, theirs = pair(name, batch=3, stateful=True)
    for reset in (False, False, True, False):
        if reset:
            ours.reset_state()
            theirs.reset_state()
        assert_close(ours(X), theirs(X))
        assert_close([v.value for v in ours.states], [v.value for v in theirs.states])


@every_pair
@pytest.mark.parametrize("merge_mode", ["concat", "sum", None])
def test_bidirectional(name, merge_mode):
    """Both directions, a mask with gaps, all outputs and states, and states to start from."""
    options = {"return_sequences": True, "return_state": True}
    ours, theirs = (
        keras.layers.Bidirectional(layer, merge_mode=merge_mode) for layer in pair(name, **options)
    )
    for layer in (ours, theirs):
        layer.build(X.shape)
    randomize(ours)
    theirs.set_weights(ours.get_weights())
    mask = np.array(MASKS["gaps"], bool)
    assert_close(ours(X, mask=mask), theirs(X, mask=mask))
    states = [array(3, 6, seed=k) for k in range(2 * len(ours.forward_layer.state_size))]
    assert_close(ours(X, initial_state=states), theirs(X, initial_state=states))


@every_pair
def test_two_epochs_of_training(name):
    """The same weights after the same steps; the mask comes from a Masking layer."""
    x, y = array(8, 5, 4), array(8, 1, seed=1)
    x[:3, 3:] = 0.0
    after = []
    for layer in pair(name):
        model = keras.Sequential([keras.Input((None, 4)), keras.layers.Masking(), layer])
        model.add(keras.layers.Dense(1, kernel_initializer="ones"))
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        after.append([*model.get_weights(), model.predict(x, verbose=0)])
    assert_close(*after)


@every_pair
def test_the_same_seeds_initialize_the_same(name):
    seeds = {
        "kernel_initializer": keras.initializers.GlorotUniform(seed=1),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=2),
        "bias_initializer": keras.initializers.RandomNormal(seed=3),
    }
    ours, theirs, own = PAIRS[name]
    unit_bias = {"unit_forget_bias": False} if name == "lstm" else {}
    if name == "lstm":  # a bias initializer fills each gate's part by itself
        seeds["bias_initializer"] = "ones"
    weights = []
    for layer in (ours, theirs):
        layer = layer(6, **own, **unit_bias, **seeds)
        layer.build((None, None, 4))
        weights.append(layer.get_weights())
    assert_close(*weights, tolerance=0)


def test_default_weights_are_keras_default_weights():
    """Same shapes, zero biases and a forget bias of one."""
    ours, theirs = ForgetGateLSTM(6), keras.layers.LSTM(6)
    for layer in (ours, theirs):
        layer.build((None, None, 4))
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    assert_close(ours.get_weights()[2], theirs.get_weights()[2], tolerance=0)
    kernel = ours.get_weights()[1]
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(6), atol=1e-5)  # orthogonal


@every_mask
def test_zero_peepholes_make_a_forget_gate_lstm(mask):
    """With blocks and gate feedback too; gradients of all that the two share."""
    options = {"block_size": 2, "gate_feedback": True, "return_sequences": True}
    with_peepholes = PeepholeLSTM(6, return_state=True, **options)
    without = built(ForgetGateLSTM(6, return_state=True, **options), 4)
    with_peepholes.build((None, None, 4))
    with_peepholes.set_weights([*without.get_weights(), np.zeros((3, 6))])
    states = [array(3, n, seed=n) for n in without.state_size]

    assert_equal_in_all(with_peepholes, without, states, mask, shared=3)


def test_a_peephole_that_is_not_zero_matters():
    layer = built(PeepholeLSTM(6), 4)
    before = layer(X)
    layer.cell.peephole.assign(ops.zeros((3, 6)))
    assert np.abs(ops.convert_to_numpy(before - layer(X))).max() > 0.01
