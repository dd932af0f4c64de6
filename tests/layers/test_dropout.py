"""Dropout on the inputs and on h: one mask for all steps, and never on the cell state."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import CECLSTMCell, GRUCell, Recurrent

from .helpers import LAYERS, array, assert_close, assert_same, built, every_layer, numpy
from .reference import Wiring, run

X = array(1, 5, 3)
RATES = {"dropout": 0.4, "recurrent_dropout": 0.5}


def masks_of(layer: keras.Layer) -> tuple:
    """The masks that a layer draws first, from one made and seeded like it."""
    twin = built(type(layer).from_config(layer.get_config()))
    mask = twin.cell.get_dropout_mask(ops.convert_to_tensor(X[:, 0]))
    h = ops.convert_to_tensor(np.ones((1, layer.units), "float32"))
    recurrent = twin.cell.get_recurrent_dropout_mask(h)
    return tuple(None if m is None else numpy(m) for m in (mask, recurrent))


@every_layer
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_mask_for_all_steps_and_none_on_the_cell_state(kind, seed):
    """The reference, its inputs and the rows of its recurrent kernel scaled by the masks."""
    options = {} if kind == "gru" else {"block_size": 2, "gate_feedback": True}
    wiring = Wiring(kind, 6, **options)
    both = {"return_sequences": True, "return_state": True}
    layer = built(LAYERS[kind](6, seed=seed, **RATES, **options, **both))
    mask, recurrent = masks_of(layer)
    weights = {w.name: numpy(w.value) for w in layer.weights}
    rows = np.ones((len(weights["recurrent_kernel"]), 1))
    rows[:6, 0] = recurrent[0]  # h alone: gates that feed back keep all
    weights["recurrent_kernel"] = rows * weights["recurrent_kernel"]
    states = [array(1, n, seed=n) for n in layer.state_size]

    outputs, ends = run(wiring, weights, X * mask[:, None], states)
    assert_close(layer(X, initial_state=states, training=True), [outputs, *ends])


def test_the_masks_keep_the_mean():
    """A share of 1 − rate is kept and scaled by 1 / (1 − rate)."""
    cell = CECLSTMCell(4, dropout=0.25, seed=1)
    mask = numpy(cell.get_dropout_mask(ops.ones((100, 100))))
    np.testing.assert_allclose(np.unique(mask), [0.0, 4 / 3], rtol=1e-6)
    assert abs((mask == 0).mean() - 0.25) < 0.02


@every_layer
def test_inactive_unless_training(kind):
    layer, plain = built(LAYERS[kind](4, **RATES)), built(LAYERS[kind](4))
    assert_same(layer(X), plain(X))
    assert_same(layer(X, training=False), plain(X))
    assert np.abs(numpy(layer(X, training=True)) - numpy(plain(X))).max() > 1e-3


@every_layer
def test_seeds(kind):
    """The same seed draws the same masks, call by call; each call draws new ones."""
    one, other, third = (
        built(LAYERS[kind](8, seed=s, **RATES), seed=0, features=3) for s in (1, 1, 2)
    )
    first, second = numpy(one(X, training=True)), numpy(one(X, training=True))
    assert_same([other(X, training=True), other(X, training=True)], [first, second])
    assert np.abs(first - second).max() > 1e-3
    assert np.abs(first - numpy(third(X, training=True))).max() > 1e-3


@every_layer
def test_rows_of_a_batch_have_masks_of_their_own(kind):
    layer = built(LAYERS[kind](8, seed=1, **RATES))
    outputs = numpy(layer(np.repeat(X, 8, axis=0), training=True))
    assert len(np.unique(outputs.round(6), axis=0)) > 4


@every_layer
def test_the_cell_step_by_step_draws_the_same_masks(kind):
    """keras.layers.RNN over the cell, the readable road, in training."""
    layer = built(LAYERS[kind](4, seed=1, return_sequences=True, **RATES))
    cell = LAYERS[kind].cell_class(4, seed=1, **RATES)
    rnn = keras.layers.RNN(cell, return_sequences=True)
    rnn.build((None, None, 3))
    rnn.set_weights(layer.get_weights())
    assert_close(layer(X, training=True), rnn(X, training=True), 1e-6)


@pytest.mark.parametrize("rnn", [Recurrent, keras.layers.RNN])
def test_stacked_cells(rnn):
    """Active in training alone, new masks for every call."""
    cells = [CECLSTMCell(4, seed=1, **RATES), GRUCell(4, seed=2, **RATES)]
    layer = built(rnn(keras.layers.StackedRNNCells(cells), return_sequences=True))
    still = numpy(layer(X))
    assert_same(layer(X), still)
    one, two = numpy(layer(X, training=True)), numpy(layer(X, training=True))
    assert np.abs(one - still).max() > 1e-3
    assert np.abs(one - two).max() > 1e-3
    assert_same(layer(X), still)


@every_layer
def test_gradients_flow_through_dropout_in_fit(kind):
    model = keras.Sequential([keras.Input((None, 3)), LAYERS[kind](4, **RATES)])
    before = model.get_weights()
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(array(4, 5, 3), array(4, 4), verbose=0)
    after = model.get_weights()
    assert all(np.isfinite(w).all() for w in after)
    assert np.abs(after[1] - before[1]).max() > 0
