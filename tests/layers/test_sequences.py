"""What goes in and what comes out: sequences, directions, masks, shapes and dtypes."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import ForgetGateLSTM

from .helpers import (
    BACKEND,
    LAYERS,
    MASKS,
    array,
    assert_close,
    assert_same,
    built,
    dtype_of,
    every_layer,
    numpy,
)

X = array(3, 5, 4)
HARD_MASKS = ["gaps", "all of a row"]


def same(kind: str, **settings) -> keras.Layer:
    """A layer with the same weights every time."""
    return built(LAYERS[kind](6, **settings), 4)


@every_layer
def test_the_last_output_is_the_last_of_all_and_the_hidden_state(kind):
    outputs, h, *_ = numpy(same(kind, return_sequences=True, return_state=True)(X))
    assert outputs.shape == (3, 5, 6)
    assert_same(outputs[:, -1], h)
    assert_close(same(kind)(X), h, 1e-6)


@every_layer
def test_backwards_is_forwards_over_the_reversed_sequence(kind):
    """Outputs stand in the order of computing, as in Keras."""
    options = {"return_sequences": True, "return_state": True}
    backwards = same(kind, go_backwards=True, **options)(X)
    assert_close(backwards, same(kind, **options)(X[:, ::-1]), 1e-6)


@every_layer
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("mask", HARD_MASKS)
def test_unrolled_equals_the_loop(kind, backwards, mask):
    mask = np.array(MASKS[mask], bool)
    options = {"go_backwards": backwards, "return_sequences": True, "return_state": True}
    unrolled = same(kind, unroll=True, **options)
    assert_close(unrolled(X), same(kind, **options)(X), 1e-6)
    assert_close(unrolled(X, mask=mask), same(kind, **options)(X, mask=mask), 1e-6)


@every_layer
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("mask", HARD_MASKS)
def test_masked_outputs_can_be_zero(kind, sequences, backwards, unroll, mask):
    """The outputs of masked steps alone are zero, and the states held."""
    if unroll and BACKEND == "jax":
        pytest.skip("Keras' unrolled loop zeroes no outputs under JAX")
    mask = np.array(MASKS[mask], bool)
    options = {"go_backwards": backwards, "return_state": True, "unroll": unroll}
    layer = same(kind, return_sequences=sequences, zero_output_for_mask=True, **options)
    outputs, *states = numpy(layer(X, mask=mask))
    plain, *held = numpy(same(kind, return_sequences=True, **options)(X, mask=mask))
    assert_close(states, held, 1e-6)
    seen = (mask[:, ::-1] if backwards else mask)[..., None]
    expected = np.where(seen, plain, 0.0)
    assert_close(outputs, expected if sequences else expected[:, -1], 1e-6)


@every_layer
def test_a_masked_step_might_as_well_not_be_there(kind):
    """States hold, and the output is the previous one."""
    layer = same(kind, return_sequences=True, return_state=True)
    outputs, *states = numpy(layer(X, mask=np.array([[1, 0, 1, 0, 1]] * 3, bool)))
    short, *expected = numpy(layer(X[:, ::2]))
    assert_close(outputs[:, ::2], short, 1e-6)
    assert_same(outputs[:, 1::2], outputs[:, :-1:2])
    assert_close(states, expected, 1e-6)


@every_layer
def test_what_is_masked_has_no_say(kind):
    """Not even NaN, which padding may hold."""
    layer = same(kind, return_sequences=True)
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 0]], bool)
    broken = np.where(mask[..., None], X, np.nan)
    assert_same(layer(broken, mask=mask), layer(np.where(mask[..., None], X, 0.0), mask=mask))


@every_layer
def test_masks_of_any_dtype_and_rank(kind):
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 0]])
    layer = same(kind)
    expected = layer(X, mask=mask.astype(bool))
    assert_same(layer(X, mask=mask.astype("int32")), expected)
    assert_same(layer(X, mask=mask.astype("float32")), expected)
    assert_same(layer(X, mask=ops.convert_to_tensor(mask[..., None].astype(bool))), expected)


@every_layer
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("state", [False, True])
def test_symbolic_shapes_and_dtypes_are_the_real_ones(kind, sequences, state):
    layer = LAYERS[kind](6, return_sequences=sequences, return_state=state)
    symbolic = keras.tree.flatten(layer(keras.Input((5, 4), batch_size=3)))
    real = keras.tree.flatten(layer(X))
    assert [s.shape for s in symbolic] == [tuple(r.shape) for r in real]
    assert [s.dtype for s in symbolic] == [dtype_of(r) for r in real]
    shapes = layer.compute_output_shape((3, 5, 4))
    assert (list(shapes) if state else [shapes]) == [s.shape for s in symbolic]


@every_layer
def test_unknown_batch_and_time(kind):
    """One model serves every batch size and length; its shapes say None."""
    x = keras.Input((None, 4))
    outputs, *states = LAYERS[kind](6, return_sequences=True, return_state=True)(x)
    assert outputs.shape == (None, None, 6)
    assert all(s.shape == (None, 6) for s in states)
    model = keras.Model(x, [outputs, *states])
    for batch, time in ((1, 1), (3, 5), (2, 7)):
        outputs, *states = model.predict(array(batch, time, 4), verbose=0)
        assert outputs.shape == (batch, time, 6)
        assert all(s.shape == (batch, 6) for s in states)


@every_layer
def test_a_sequence_of_one_step(kind):
    """Which needs no loop, and gives what the first step of a longer one gives."""
    options = {"return_sequences": True, "return_state": True}
    layer = same(kind, **options)
    outputs, *states = numpy(layer(X[:, :1]))
    assert_close(outputs, numpy(layer(X)[0])[:, :1], 1e-6)
    start = [np.zeros((3, n), "float32") for n in layer.state_size]
    masked = numpy(layer(X[:, :1], mask=np.zeros((3, 1), bool)))
    assert_same(masked, [np.zeros((3, 1, 6)), *start])
    assert states[0].shape == (3, 6)


@every_layer
def test_inputs_of_other_dtypes(kind):
    """float64 arrays, as NumPy makes them, integers and lists of a tensor's kind."""
    layer = same(kind)
    assert_close(layer(X.astype("float64")), layer(X), 1e-6)
    whole = np.arange(60).reshape(3, 5, 4) % 3
    assert_same(layer(whole), layer(whole.astype("float32")))
    assert dtype_of(layer(whole)) == "float32"


def test_the_mask_goes_on_with_the_sequence_and_ends_with_the_last_output():
    x = keras.layers.Masking()(ops.convert_to_tensor(X * (np.arange(5) < 3)[None, :, None]))
    on = ForgetGateLSTM(6, return_sequences=True)(x)
    np.testing.assert_array_equal(numpy(on._keras_mask), [[True] * 3 + [False] * 2] * 3)
    assert getattr(ForgetGateLSTM(6)(x), "_keras_mask", None) is None


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow tensors alone have a shape of None")
@every_layer
def test_a_traced_call_with_unknown_shape(kind):
    import tensorflow as tf

    layer = same(kind, return_sequences=True, return_state=True)
    traced = tf.function(
        lambda x, m: layer(x, mask=m),
        input_signature=[tf.TensorSpec((None, None, 4)), tf.TensorSpec((None, None), tf.bool)],
    )
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 0]], bool)
    assert_close(traced(X, mask), layer(X, mask=mask), 1e-6)
    assert_close(traced(X[:, :1], mask[:, :1]), layer(X[:, :1], mask=mask[:, :1]), 1e-6)
