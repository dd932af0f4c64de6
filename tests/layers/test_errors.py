"""Bad arguments say what was received and what is needed."""

import keras
import numpy as np
import pytest

from lstm_recipes.layers import CECLSTM, GRU, CECLSTMCell, ForgetGateLSTM, GRUCell, Recurrent

from .helpers import LAYERS, array, built, every_layer, every_lstm

X = array(2, 5, 3)


@every_layer
@pytest.mark.parametrize("units", [0, -3, 2.0, 2.5, "4", None, True])
def test_units(kind, units):
    for make in (LAYERS[kind], LAYERS[kind].cell_class):
        with pytest.raises(ValueError, match=rf"units={units!r}.*at least 1") as error:
            make(units)
        assert "whole number" in str(error.value)


@every_layer
def test_units_may_be_any_whole_number(kind):
    assert LAYERS[kind](np.int64(4)).get_config()["units"] == 4


@every_lstm
@pytest.mark.parametrize("block_size", [3, 0, -2, 1.5, 8, "2"])
def test_block_size(kind, block_size):
    with pytest.raises(ValueError, match=rf"units=4 and block_size={block_size!r}.*multiple"):
        LAYERS[kind](4, block_size=block_size)


@every_layer
@pytest.mark.parametrize("argument", ["activation", "recurrent_activation", "output_activation"])
@pytest.mark.parametrize("value", ["tanhh", 3])
def test_activations(kind, argument, value):
    if (kind, argument) == ("gru", "output_activation"):
        pytest.skip("a GRU has no output activation")
    with pytest.raises(ValueError, match=rf"{argument}={value!r}.*'tanh'"):
        LAYERS[kind](4, **{argument: value})


@every_lstm
@pytest.mark.parametrize("value", ["gate", "cells", 2, None])
def test_use_bias(kind, value):
    with pytest.raises(ValueError, match=rf"use_bias={value!r}.*True, False or 'gates'"):
        LAYERS[kind](4, use_bias=value)


def test_use_bias_of_a_gru():
    with pytest.raises(ValueError, match=r"use_bias='gates'.*True or False"):
        GRU(4, use_bias="gates")


@every_layer
@pytest.mark.parametrize("argument", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, "0.5", None])
def test_dropout(kind, argument, rate):
    with pytest.raises(ValueError, match=rf"{argument}={rate!r}.*0 to below 1"):
        LAYERS[kind](4, **{argument: rate})


@pytest.mark.parametrize("gate", ["input", "forget", "output"])
@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0]])
def test_bias_lists(gate, values):
    """A number a block: two blocks here."""
    layer = ForgetGateLSTM(4, block_size=2, **{f"{gate}_bias_initializer": values})
    with pytest.raises(ValueError, match=rf"gate {gate[0]}.*{len(values)} values.*needs 2"):
        layer(X)


@every_layer
def test_unknown_arguments(kind):
    for make in (LAYERS[kind], LAYERS[kind].cell_class):
        with pytest.raises((TypeError, ValueError), match="blok_size"):
            make(4, blok_size=2)


def test_arguments_of_another_layer():
    with pytest.raises((TypeError, ValueError), match="unit_forget_bias"):
        CECLSTM(4, unit_forget_bias=True)
    with pytest.raises((TypeError, ValueError), match="reset_after"):
        ForgetGateLSTM(4, reset_after=True)
    with pytest.raises((TypeError, ValueError), match="block_size"):
        GRU(4, block_size=2)


def states(*widths: int, batch: int = 2) -> list:
    return [np.zeros((batch, w), "float32") for w in widths]


@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize(
    ("layer", "given"),
    [
        (lambda: CECLSTM(4), states(4)),
        (lambda: CECLSTM(4), states(4, 4, 4)),
        (lambda: CECLSTM(4), states(4, 3)),
        (lambda: CECLSTM(4), states(5, 4)),
        (lambda: CECLSTM(4, gate_feedback=True), states(4, 4)),
        (lambda: CECLSTM(4, gate_feedback=True), states(4, 4, 4)),
        (lambda: GRU(4), states(4, 4)),
        (lambda: GRU(4), states(3)),
        (lambda: Recurrent(stack()), [states(4, 4), states(2)]),
        (lambda: Recurrent(stack()), [states(4, 4)]),
    ],
)
def test_initial_states(layer, given, symbolic):
    """Of the wrong number or width, at the call that is given them, eager or symbolic."""
    x = keras.Input((5, 3)) if symbolic else X
    if symbolic:
        given = keras.tree.map_structure(lambda s: keras.Input(s.shape[1:]), given)
    with pytest.raises(ValueError, match=r"state.*it needs") as error:
        layer()(x, initial_state=given)
    for state in keras.tree.flatten(given):
        assert str(state.shape[1]) in str(error.value)


def stack() -> keras.layers.StackedRNNCells:
    return keras.layers.StackedRNNCells([CECLSTMCell(4), GRUCell(3)])


def test_initial_states_of_another_batch():
    with pytest.raises(ValueError, match=r"\(3, 4\).*it needs.*\(2, 4\)"):
        CECLSTM(4)(X, initial_state=states(4, 4, batch=3))


@pytest.mark.parametrize(
    ("cell", "given"),
    [
        (CECLSTMCell(4), states(4)),
        (CECLSTMCell(4), states(4, 5)),
        (CECLSTMCell(4, gate_feedback=True), states(4, 4)),
        (GRUCell(4), states(4, 4)),
        (GRUCell(4), states(2)[0]),
    ],
)
def test_states_of_a_cell(cell, given):
    with pytest.raises(ValueError, match=r"received.*state.*it needs"):
        cell(X[:, 0], given)


@every_layer
def test_stateful_needs_a_batch_size(kind):
    with pytest.raises(ValueError, match="batch size") as error:
        LAYERS[kind](4, stateful=True)(keras.Input((5, 3)))
    assert "stateful" in str(error.value)
    assert "None" in str(error.value)


@every_layer
def test_a_stateful_layer_keeps_to_its_batch_size(kind):
    layer = built(LAYERS[kind](4, stateful=True), batch=3)
    with pytest.raises(ValueError, match=r"batch of 3.*batch of 2"):
        layer(X)


@every_layer
def test_reset_state(kind):
    layer = built(LAYERS[kind](4, stateful=True), batch=2)
    widths = [4] * len(layer.state_size)
    for wrong in (states(*widths, 4), states(*widths[1:], 5), states(*widths, batch=3)):
        with pytest.raises(ValueError, match=r"reset_state received.*it needs.*\(2, 4\)"):
            layer.reset_state(wrong)
    with pytest.raises(ValueError, match="stateful=True"):
        LAYERS[kind](4).reset_state(states(*widths))
    LAYERS[kind](4).reset_state()  # nothing to reset, as in Keras


@every_layer
@pytest.mark.parametrize("called", [True, False])
def test_unroll_needs_a_known_length(kind, called):
    """Said when the model is built, not when it is fitted."""
    with pytest.raises(ValueError, match=r"unroll=True.*known number of time steps"):
        LAYERS[kind](4, unroll=True, return_state=called)(keras.Input((None, 3)))


@every_layer
def test_unknown_features(kind):
    with pytest.raises(ValueError, match="number of features"):
        LAYERS[kind](4)(keras.Input((5, None)))


@every_layer
@pytest.mark.parametrize("shape", [(2, 3), (2, 5, 3, 1)])
def test_inputs_of_another_rank(kind, shape):
    with pytest.raises(ValueError, match=r"\[?batch, time, features|ndim=3|rank"):
        LAYERS[kind](4)(array(*shape))


@every_layer
def test_other_features_than_it_was_built_for(kind):
    layer = built(LAYERS[kind](4), 3)
    with pytest.raises(ValueError, match="3"):
        layer(array(2, 5, 7))
