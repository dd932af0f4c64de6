"""The loop with its own backward pass: each derivative, and the whole against Keras' loop."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_recipes.layers import recurrence
from lstm_recipes.layers.time_loop import STEPS_FORWARD

from .helpers import (
    LAYERS,
    array,
    assert_close,
    built,
    every_layer,
    gradients,
    masks,
    numpy,
    tensorflow_only,
    weighted_sum,
)

pytestmark = tensorflow_only

OPTIONS = {
    "cec": [{}, {"block_size": 2}],
    "forget": [{}, {"block_size": 3, "use_bias": "gates"}, {"activation": "cec_input"}],
    "peephole": [{}, {"block_size": 2}, {"truncated_gradient": True}],
    "gru": [{}, {"use_bias": False}, {"activation": "linear"}],
}
CASES = [(kind, options) for kind, several in OPTIONS.items() for options in several]
every_case = pytest.mark.parametrize(("kind", "options"), CASES)
TOLERANCE = {"float64": 1e-10, "mixed_bfloat16": 0.05}


@st.composite
def wirings(draw, kind):
    """Options of a layer that leave it on the fast road, in any combination."""
    if kind == "gru":
        return {
            "use_bias": draw(st.booleans()),
            "activation": draw(st.sampled_from(["tanh", "linear"])),
        }
    return {
        "block_size": draw(st.sampled_from([1, 2, 3])),
        "use_bias": draw(st.sampled_from([True, False, "gates"])),
        "truncated_gradient": draw(st.booleans()),
        "activation": draw(st.sampled_from(["tanh", "cec_input"])),
    }


def by_keras_loop(layer, monkeypatch, call):
    """What ``call`` gives where the layer runs in Keras' loop."""
    with monkeypatch.context() as patch:
        patch.setattr(type(layer.cell), "has_derivative", False)
        return call()


@every_case
def test_each_derivative_is_that_of_its_equations(kind, options):
    """Of one step, to what automatic differentiation gives."""
    import tensorflow as tf

    cell = built(LAYERS[kind](6, dtype="float64", **options)).cell
    draw = np.random.default_rng(1)
    ones = [np.ones((3, w)) for w in cell.widths]
    z = [draw.normal(size=part.shape) for part in cell.gates(ones, ones)]
    states = [draw.normal(size=(3, 6)) for _ in keras.tree.flatten(cell.state_size)]
    z, states, vectors = keras.tree.map_structure(
        lambda a: tf.constant(np.asarray(a), "float64"), (z, states, cell.vectors())
    )
    with tf.GradientTape() as tape:
        tape.watch((z, states, vectors))
        new, kept = cell.pointwise(z, states, vectors)
        d_new = [tf.constant(draw.normal(size=(3, 6))) for _ in new]
        total = sum(tf.reduce_sum(one * d) for one, d in zip(new, d_new, strict=True))
    expected = tape.gradient(total, (z, states, vectors), unconnected_gradients="zero")
    assert [part.shape[-1] for part in kept] == cell.kept_widths
    dz, before, d_vectors = cell.pointwise_vjp(d_new, kept, vectors)
    before = [tf.zeros_like(s) if b is None else b for b, s in zip(before, states, strict=True)]
    d_vectors = [tf.reduce_sum(part, axis=0) for part in d_vectors]
    assert_close((dz, before, d_vectors), expected, 1e-12)


@every_layer
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_it_agrees_with_keras_loop(kind, data):
    """In training: outputs, states and gradients, over wirings, precisions, lengths, masks,
    dropout, directions and first states."""
    options = data.draw(wirings(kind))
    dtype = data.draw(st.sampled_from(list(TOLERANCE)))
    batch, time = data.draw(st.integers(1, 3)), data.draw(st.integers(2, 2 * STEPS_FORWARD + 1))
    mask = data.draw(masks(batch, time))
    rate = data.draw(st.sampled_from([0.0, 0.5]))
    loop = {
        "return_sequences": data.draw(st.booleans()),
        "go_backwards": data.draw(st.booleans()),
        "zero_output_for_mask": data.draw(st.booleans()),
    }
    layer = LAYERS[kind](
        6,
        dtype=dtype,
        dropout=rate,
        recurrent_dropout=rate,
        return_state=True,
        **options,
        **loop,
    )
    built(layer)
    floats = layer.variable_dtype
    x, *states = (array(batch, *shape, dtype=floats) for shape in ((time, 3), (6,), (6,)))
    given_states = data.draw(st.booleans())
    states = states[: len(keras.tree.flatten(layer.cell.state_size)) if given_states else 0]

    def ours(x, *states):
        return layer(x, initial_state=list(states) or None, mask=mask, training=True)

    def everything():
        layer.cell.seed_generator.state.assign([1, 2])
        results = numpy(ours(x, *states))
        layer.cell.seed_generator.state.assign([1, 2])
        changes = gradients(
            lambda *a: weighted_sum(ours(*a)), layer.trainable_weights, [x, *states]
        )
        return results, changes

    with pytest.MonkeyPatch.context() as patch:
        assert_close(everything(), by_keras_loop(layer, patch, everything), TOLERANCE[dtype])


def change(layer, x, mask):
    """The gradients of a step of training."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(tf.cast(layer(x, mask=mask, training=True), "float32") ** 2)
    return tape.gradient(total, [x, *layer.trainable_weights])


@every_layer
def test_it_agrees_when_compiled(kind):
    """By TensorFlow's graphs, and by XLA."""
    import tensorflow as tf

    layer = built(LAYERS[kind](8, return_sequences=True))
    x, mask = tf.constant(array(3, 6, 3)), tf.sequence_mask([6, 3, 1], 6)
    for jit_compile in (False, True):
        compiled = tf.function(change, jit_compile=jit_compile)
        assert_close(compiled(layer, x, mask), change(layer, x, mask))


@every_layer
def test_any_length_is_as_one_that_is_known(kind):
    """Where the length is known, loops that would have no turn are left out."""
    import tensorflow as tf

    layer = built(LAYERS[kind](4, return_sequences=True))
    of_any = tf.function(lambda x: change(layer, x, None))
    of_any = of_any.get_concrete_function(tf.TensorSpec([2, None, 3]))
    for time, loops in ((STEPS_FORWARD - 1, 3), (STEPS_FORWARD, 2), (STEPS_FORWARD + 1, 4)):
        x = tf.constant(array(2, time, 3))
        known = tf.function(lambda x: change(layer, x, None)).get_concrete_function(x)
        assert count(known, "While") == loops and count(of_any, "While") == 4
        assert_close(of_any(x), known(x))


def count(function, kind):
    """How many operations of a kind a function's graph has."""
    return sum(kind in op.type for op in function.graph.get_operations())


def test_where_it_is_taken(monkeypatch):
    """By default; not where a cell has no derivative, nor for one step, nor unrolled."""

    class Taken(Exception):
        pass

    def taken(*_, **__):
        raise Taken

    monkeypatch.setattr(recurrence, "time_loop", taken)
    x = array(2, 5, 3)
    for layer in LAYERS.values():
        with pytest.raises(Taken):
            layer(4)(x)
    keras_loop = [
        LAYERS["cec"](4, gate_feedback=True),
        LAYERS["forget"](4, activation="softsign"),
        LAYERS["peephole"](4, unroll=True),
        LAYERS["gru"](4, reset_after=False),
    ]
    for layer in keras_loop:
        assert layer(x).shape == (2, 4)
    assert LAYERS["forget"](4)(x[:, :1]).shape == (2, 4)


def test_inference_keeps_nothing():
    """Its graph has no stack; in training there is one for each thing kept."""
    import tensorflow as tf

    layer = built(LAYERS["forget"](4, return_sequences=True))

    def stacks(training):
        function = tf.function(lambda x: layer(x, training=training))
        return count(function.get_concrete_function(tf.TensorSpec([2, 9, 3])), "EmptyTensorList")

    assert stacks(False) == 0
    assert stacks(True) == len(layer.cell.kept_widths)


@every_layer
def test_a_gradient_may_be_asked_for_twice(kind):
    """What the backward pass takes from the stacks is still there for the next one."""
    import tensorflow as tf

    layer, x = built(LAYERS[kind](4, return_sequences=True)), tf.constant(array(2, 11, 3))

    def twice(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            total = tf.reduce_sum(layer(x, training=True) ** 2)
        sources = [x, *layer.trainable_weights]
        return tape.gradient(total, sources), tape.gradient(total, sources)

    for call in (twice, tf.function(twice)):
        first, second = call(x)
        assert_close(second, first)
