"""Where a layer starts, what it keeps between calls, and how it is reset."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import CECLSTM, CECLSTMCell, ForgetGateLSTM, GRUCell, Recurrent

from .helpers import LAYERS, array, assert_close, assert_same, built, every_layer, numpy, randomize

X = array(2, 6, 3)
FEEDBACK = {"block_size": 2, "gate_feedback": True}


def options_of(kind: str) -> dict:
    return {} if kind == "gru" else FEEDBACK


@every_layer
def test_states_carry_a_sequence_on(kind):
    """Three steps, and three more from where they ended, are six."""
    layer = built(LAYERS[kind](4, return_sequences=True, return_state=True, **options_of(kind)))
    first, *states = layer(X[:, :3])
    second, *ends = layer(X[:, 3:], initial_state=states)
    whole, *expected = layer(X)
    assert_close(ops.concatenate([first, second], axis=1), whole, 1e-6)
    assert_close(ends, expected, 1e-6)


@every_layer
def test_initial_states_of_a_model(kind):
    """As inputs of a functional model: an encoder's states start a decoder."""
    options = {"return_state": True, **options_of(kind)}
    encoder, decoder = (built(LAYERS[kind](4, **options), seed=k) for k in (1, 2))
    x, y = keras.Input((None, 3)), keras.Input((None, 3))
    _, *states = encoder(x)
    output, *_ = decoder(y, initial_state=states)
    model = keras.Model([x, y], output)
    expected = decoder(X[:, :2], initial_state=list(encoder(X)[1:]))[0]
    assert_close(model.predict([X, X[:, :2]], verbose=0), expected)


@every_layer
def test_initial_states_may_be_arrays_of_any_float(kind):
    layer = built(LAYERS[kind](4, return_state=True))
    states = [array(2, 4, seed=n, dtype="float64") for n in range(len(layer.state_size))]
    expected = layer(X, initial_state=[ops.convert_to_tensor(s.astype("float32")) for s in states])
    assert_close(layer(X, initial_state=states), expected, 1e-6)
    assert_close(layer(X, initial_state=tuple(states)), expected, 1e-6)


def test_the_one_state_of_a_gru_needs_no_list():
    layer = built(LAYERS["gru"](4))
    h = ops.convert_to_tensor(array(2, 4))
    assert_same(layer(X, initial_state=h), layer(X, initial_state=[h]))


@every_layer
def test_a_stateful_layer_goes_on(kind):
    options = options_of(kind)
    layer = built(LAYERS[kind](4, stateful=True, return_sequences=True, **options), batch=2)
    whole, *ends = built(LAYERS[kind](4, return_sequences=True, return_state=True, **options))(X)
    for _ in range(2):
        parts = [layer(X[:, :2]), layer(X[:, 2:5]), layer(X[:, 5:])]
        assert_close(ops.concatenate(parts, axis=1), whole, 1e-6)
        assert_close([v.value for v in layer.states], ends, 1e-6)
        layer.reset_state()
        assert all((numpy(v.value) == 0).all() for v in layer.states)


@every_layer
def test_given_states_come_before_kept_ones(kind):
    layer = built(LAYERS[kind](4, stateful=True), batch=2)
    layer(X)
    zeros = [np.zeros((2, n), "float32") for n in layer.state_size]
    expected = built(LAYERS[kind](4))(X)
    assert_close(layer(X, initial_state=zeros), expected, 1e-6)


@every_layer
def test_reset_to_given_states(kind):
    options = options_of(kind)
    layer = built(LAYERS[kind](4, stateful=True, **options), batch=2)
    states = [array(2, n, seed=n) for n in layer.state_size]
    for given in (states, tuple(states), [s.astype("float64") for s in states]):
        layer.reset_state(given)
        assert_same([v.value for v in layer.states], states)
    assert_close(layer(X), built(LAYERS[kind](4, **options))(X, initial_state=states), 1e-6)
    layer.reset_states()  # Keras' other name
    assert all((numpy(v.value) == 0).all() for v in layer.states)


def test_a_stateful_layer_in_a_model_with_a_known_batch():
    x = keras.Input(batch_shape=(2, None, 3))
    layer = ForgetGateLSTM(4, stateful=True)
    model = keras.Model(x, layer(x))
    whole = ForgetGateLSTM(4)
    whole.build((None, None, 3))
    whole.set_weights(layer.get_weights())
    model(X[:, :3])
    assert_close(model(X[:, 3:]), whole(X), 1e-6)
    assert len(model.weights) == 3  # states are no weights: get_weights stays portable


def test_states_are_not_trainable_nor_saved():
    layer = built(CECLSTM(4, stateful=True), batch=2)
    assert len(layer.weights) == len(layer.trainable_weights) == 3


def stack() -> keras.layers.StackedRNNCells:
    return keras.layers.StackedRNNCells([CECLSTMCell(4, **FEEDBACK), GRUCell(3), CECLSTMCell(2)])


def test_nested_states_of_stacked_cells():
    """Kept, reset to zero, and reset to what is given, in the nesting that they have."""
    layer = built(Recurrent(stack(), stateful=True, return_state=True), batch=2)
    plain = built(Recurrent(stack(), return_state=True))
    layer(X[:, :3])
    output, *ends = layer(X[:, 3:])
    expected, *expected_ends = plain(X)
    assert_close(output, expected, 1e-6)
    assert_close(ends, expected_ends, 1e-6)

    given = keras.tree.map_structure(lambda v: array(*v.shape, seed=v.shape[1]), layer.states)
    layer.reset_state(given)
    assert_close(layer(X), plain(X, initial_state=given), 1e-6)
    layer.reset_state()
    assert_close(layer(X), plain(X), 1e-6)


def test_nested_states_outside_a_list_of_lists_still_fit():
    """keras.layers.RNN over the same cells takes and gives the same states."""
    ours = built(Recurrent(stack(), return_state=True))
    theirs = keras.layers.RNN(stack(), return_state=True)
    theirs.build((None, None, 3))
    theirs.set_weights(ours.get_weights())
    _, *states = theirs(X)
    assert_close(ours(X)[1:], states, 1e-6)
    assert_close(ours(X, initial_state=states), theirs(X, initial_state=states), 1e-6)


@every_layer
def test_a_stateful_layer_inside_bidirectional(kind):
    layer = keras.layers.Bidirectional(LAYERS[kind](4, stateful=True))
    layer.build((2, 6, 3))
    randomize(layer)
    one, two = numpy(layer(X)), numpy(layer(X))
    assert np.abs(one - two).max() > 1e-3
    layer.reset_state()
    assert_close(layer(X), one, 1e-6)


def test_a_stateful_layer_is_built_again_from_zero():
    """As in Keras, where build resets what is kept."""
    layer = built(ForgetGateLSTM(4, stateful=True), batch=2)
    layer(X)
    layer.build((2, None, 3))
    assert all((numpy(v.value) == 0).all() for v in layer.states)


@pytest.mark.parametrize("batch", [1, 5])
def test_the_initial_state_is_zero(batch):
    for kind, layer in LAYERS.items():
        for state in layer(4, **options_of(kind)).get_initial_state(batch):
            assert state.shape[0] == batch
            assert not numpy(state).any()
