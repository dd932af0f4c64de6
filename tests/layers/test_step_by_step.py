"""The cell alone, step by step: the readable road, which the layer's hoisted one must equal."""

import keras
import numpy as np
import pytest

from lstm_recipes.layers import (
    CECLSTMCell,
    ForgetGateLSTMCell,
    GRUCell,
    PeepholeLSTMCell,
    Recurrent,
)

from .helpers import (
    BACKEND,
    LAYERS,
    MASKS,
    array,
    assert_close,
    assert_same,
    built,
    every_layer,
    gradients,
    numpy,
    weighted_sum,
)

X = array(3, 5, 4)
# Every option that changes the equations once.
OPTIONS = {
    "cec": [{}, {"block_size": 3, "gate_feedback": True, "use_bias": "gates"}],
    "forget": [{}, {"block_size": 2, "gate_feedback": True, "truncated_gradient": True}],
    "peephole": [{}, {"block_size": 2, "truncated_gradient": True, "use_bias": False}],
    "gru": [{}, {"reset_after": False}],
}
every_option = pytest.mark.parametrize(
    ("kind", "options"), [(kind, options) for kind in OPTIONS for options in OPTIONS[kind]]
)


@every_option
def test_streaming(kind, options):
    """``cell(x_t, states)`` gives what the layer gives, one step at a time."""
    layer = built(LAYERS[kind](6, return_sequences=True, return_state=True, **options), 4)
    cell = LAYERS[kind].cell_class(6, **options)
    states, outputs = cell.get_initial_state(batch_size=3), []
    for t in range(5):
        if t == 1:  # the first step has built it
            cell.set_weights(layer.get_weights())
            states, outputs = cell.get_initial_state(batch_size=3), []
            output, states = cell(X[:, 0], states)
            outputs.append(output)
        output, states = cell(X[:, t], states)
        outputs.append(output)
    whole, *ends = layer(X)
    assert_close(np.stack(numpy(outputs), axis=1), whole, 1e-6)
    assert_close(states, ends, 1e-6)


@every_option
@pytest.mark.parametrize("mask", [None, "gaps", "all of a row"])
def test_keras_rnn_over_the_cell(kind, options, mask):
    """keras.layers.RNN calls the cell at every step: results and gradients are the layer's."""
    mask = None if mask is None else np.array(MASKS[mask], bool)
    loop = {"return_sequences": True, "return_state": True, "go_backwards": mask is not None}
    layer = built(LAYERS[kind](6, **loop, **options), 4)
    rnn = keras.layers.RNN(LAYERS[kind].cell_class(6, **options), **loop)
    rnn.build((None, None, 4))
    rnn.set_weights(layer.get_weights())
    states = [array(3, n, seed=n) for n in layer.state_size]

    def all_of(road):
        def results(x, *states):
            return list(road(x, initial_state=list(states), mask=mask))

        derivatives = gradients(
            lambda *tensors: weighted_sum(results(*tensors)), road.weights, [X, *states]
        )
        return [*numpy(results(X, *states)), *derivatives]

    assert_close(all_of(layer), all_of(rnn), 2e-6)


@pytest.mark.parametrize("rnn", [Recurrent, keras.layers.RNN])
@pytest.mark.parametrize("mask", [None, "right"])
def test_stacked_cells_are_a_stack_of_layers(rnn, mask):
    mask = None if mask is None else np.array(MASKS[mask], bool)
    feedback = {"block_size": 2, "gate_feedback": True}
    cells = [CECLSTMCell(4, **feedback), ForgetGateLSTMCell(3), PeepholeLSTMCell(2), GRUCell(5)]
    stacked = built(rnn(keras.layers.StackedRNNCells(cells), return_sequences=True), 4)
    layers = [
        LAYERS["cec"](4, return_sequences=True, **feedback),
        LAYERS["forget"](3, return_sequences=True),
        LAYERS["peephole"](2, return_sequences=True),
        LAYERS["gru"](5, return_sequences=True),
    ]
    x = X
    for layer, cell in zip(layers, cells, strict=True):
        layer.build(x.shape)
        layer.set_weights(cell.get_weights())
        x = layer(x, mask=mask)
    seen = np.ones((3, 5), bool) if mask is None else mask
    assert_close(numpy(stacked(X, mask=mask))[seen], numpy(x)[seen], 1e-6)


def test_the_state_of_a_gru_cell_goes_in_and_out_as_it_came():
    """Bare, or in a list, as StackedRNNCells and RNN hand it over."""
    cell = GRUCell(4)
    x, h = array(2, 3), array(2, 4, seed=1)
    output, bare = cell(x, h)
    same, [listed] = cell(x, [h])
    assert_same([output, bare], [same, listed])
    assert bare.shape == (2, 4)


@every_layer
def test_a_cell_takes_arrays_and_tuples(kind):
    """float64 states, as NumPy makes them, and a tuple of them."""
    cell = LAYERS[kind].cell_class(4)
    states = [np.zeros((2, 4)) for _ in cell.get_initial_state(2)]
    expected = cell(array(2, 3), cell.get_initial_state(2))
    assert_close(cell(array(2, 3), states), expected, 1e-6)
    assert_close(cell(array(2, 3, dtype="float64"), tuple(states)), expected, 1e-6)


@every_layer
def test_a_cell_is_pure(kind):
    """A step changes neither the cell nor the states that it was given."""
    cell = LAYERS[kind].cell_class(4)
    x, states = array(2, 3), cell.get_initial_state(2)
    first = numpy(cell(x, states))
    assert_same(cell(x, states), first)
    assert not any(s.any() for s in numpy(states))


@pytest.mark.skipif(BACKEND != "jax", reason="where XLA compiles Keras' loop")
@every_layer
def test_on_a_processor_jax_projects_at_once_in_training_alone(kind, monkeypatch):
    """All steps at once, ``[batch, time, features]``, or one by one; the results are the same."""
    layer = built(LAYERS[kind](6, return_sequences=True), 4)
    seen, project = [], type(layer.cell).project

    def noting(cell, inputs, training=False):
        seen.append(len(inputs.shape))
        return project(cell, inputs, training)

    monkeypatch.setattr(type(layer.cell), "project", noting)
    results = [layer(X, training=training) for training in (True, False)]
    assert seen == [3, 2]
    assert_close(*results, 1e-6)
