"""Mixed precision: products in the compute dtype, and in float32 what is carried over time."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import CECLSTM, CECLSTMCell, ForgetGateLSTMCell, GRUCell, Recurrent
from lstm_recipes.layers.time_loop import STEPS_FORWARD

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
    every_lstm,
    numpy,
)

X = array(3, 5, 4)
POLICIES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}
every_policy = pytest.mark.parametrize("policy", POLICIES)
FEEDBACK = {"block_size": 2, "gate_feedback": True}


def traced(function: Callable) -> Callable:
    """The function as a graph where that is faster: one trace for every length."""
    if BACKEND != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function, reduce_retracing=True)


def state_dtypes(kind: str, compute: str) -> list[str]:
    return ["float32"] if kind == "gru" else [compute, "float32"]


@every_policy
@every_layer
def test_dtypes_of_outputs_and_states(kind, policy):
    """Eager and symbolic; masked and not; unrolled and not; forwards and backwards."""
    compute = POLICIES[policy]
    mask = np.array(MASKS["gaps"], bool)
    expected = [compute, *state_dtypes(kind, compute)]
    for options in ({}, {"unroll": True}, {"go_backwards": True, "return_sequences": True}):
        layer = LAYERS[kind](6, dtype=policy, return_state=True, **options)
        assert [dtype_of(r) for r in layer(X)] == expected
        assert [dtype_of(r) for r in layer(X, mask=mask)] == expected
        assert [r.dtype for r in layer(keras.Input((5, 4)))] == expected
        assert dtype_of(LAYERS[kind](6, dtype=policy, **options)(X, mask=mask)) == compute
    assert {w.dtype for w in layer.weights} == {"float32"}


@every_policy
@every_lstm
def test_gates_that_feed_back_have_the_compute_dtype(kind, policy):
    layer = LAYERS[kind](6, dtype=policy, return_state=True, **FEEDBACK)
    compute = POLICIES[policy]
    assert [dtype_of(r) for r in layer(X)] == [compute, compute, "float32", compute]


@every_policy
@every_layer
def test_near_the_float32_layer(kind, policy):
    options = {"return_sequences": True, "return_state": True}
    mixed, full = (built(LAYERS[kind](6, dtype=d, **options), 4) for d in (policy, "float32"))
    mask = np.array(MASKS["gaps"], bool)
    tolerance = 0.06 if policy == "mixed_bfloat16" else 0.008
    assert_close(mixed(X, mask=mask), full(X, mask=mask), tolerance)


def finer_than_half(*shape: int) -> np.ndarray:
    """Numbers around 1 that neither bfloat16 nor float16 can hold."""
    return (1 + 2.0**-15 * (1 + np.arange(np.prod(shape)))).reshape(shape).astype("float32")


@every_policy
@every_layer
def test_a_given_state_keeps_its_bits(kind, policy):
    """Through a call in which all is masked, and so nothing changes."""
    layer = built(LAYERS[kind](6, dtype=policy, return_state=True), 4)
    states = [finer_than_half(3, 6) for _ in layer.state_size]
    ends = layer(X, initial_state=states, mask=np.zeros((3, 5), bool))
    assert_same(ends[-1], states[-1])  # c, or a GRU's h


@every_policy
@pytest.mark.parametrize("rnn", [CECLSTM, "stacked"])
def test_the_carousel_keeps_its_bits_in_the_loop(rnn, policy):
    """Input gates closed: after a thousand steps, or twenty of a stack, c is what it was. Open a
    little: it still adds."""
    steps = 20 if rnn == "stacked" else 1000
    options = {"dtype": policy, "return_state": True}
    if rnn == "stacked":
        cells = [CECLSTMCell(6, dtype=policy), CECLSTMCell(6, dtype=policy)]
        layer = Recurrent(keras.layers.StackedRNNCells(cells, dtype=policy), **options)
    else:
        layer, cells = CECLSTM(6, **options), None
    layer.build((3, None, 4))
    x = np.zeros((3, steps, 4), "float32")
    for z_c, added in ((0.0, 0.0), (20.0, 2 * 2.0**-13)):
        for cell in cells or [layer.cell]:
            gates = float(np.log(2.0**-13))  # σ of it is 2^−13, too little for half a bit at 1
            bias = np.repeat([gates if added else -1e4, z_c, 0.0], 6)
            cell.set_weights([np.zeros(w.shape) for w in cell.weights[:2]] + [bias])
        c = finer_than_half(3, 6)
        given = [np.zeros_like(c), c]
        _, *ends = layer(x, initial_state=[given, given] if cells else given)
        for end in [e[1] for e in ends] if cells else [ends[1]]:
            np.testing.assert_allclose(numpy(end), c + steps * added, rtol=0 if not added else 1e-5)


@every_policy
@every_layer
def test_stateful_variables_keep_their_dtype_in_a_model(kind, policy):
    """Under the global policy, inside a functional model's autocast scope."""
    keras.config.set_dtype_policy(policy)
    layer = LAYERS[kind](6, stateful=True)
    x = keras.Input(batch_shape=(3, None, 4))
    model = keras.Model(x, keras.layers.Dense(2)(layer(x)))
    compute = POLICIES[policy]
    for call in (model, layer, model):
        call(X)
        assert [dtype_of(v.value) for v in layer.states] == state_dtypes(kind, compute)
    carried = numpy(layer.states[-1].value)
    rounded = numpy(ops.cast(ops.cast(carried, compute), "float32"))
    assert (carried != rounded).any()
    plain = built(LAYERS[kind](6, return_state=True), 4)
    plain.set_weights(layer.get_weights())
    expected = plain(np.concatenate([X, X, X], axis=1))[1:]
    assert_close([v.value for v in layer.states], expected, 1e-6)


@every_policy
def test_nested_states_keep_their_dtypes(policy):
    """Stacked cells: each state as its cell carries it; kept, given and symbolic."""
    compute = POLICIES[policy]

    def layer(**options: Any) -> Recurrent:
        cells = [CECLSTMCell(4, **FEEDBACK), GRUCell(3), ForgetGateLSTMCell(2)]
        cells = [type(c).from_config({**c.get_config(), "dtype": policy}) for c in cells]
        stack = keras.layers.StackedRNNCells(cells, dtype=policy)
        return built(Recurrent(stack, dtype=policy, return_state=True, **options), 4, batch=3)

    expected = [compute, compute, "float32", compute, "float32", compute, "float32"]
    kept, plain = layer(stateful=True), layer()
    assert [dtype_of(r) for r in keras.tree.flatten(plain(X))] == expected
    assert [r.dtype for r in keras.tree.flatten(plain(keras.Input((5, 4))))] == expected
    kept(X)
    assert [v.dtype for v in keras.tree.flatten(kept.states)] == expected[1:]
    kept(X)
    whole = plain(np.concatenate([X, X], axis=1))[1:]
    assert_same(keras.tree.map_structure(lambda v: v.value, kept.states), list(whole))


@pytest.mark.parametrize("policy", ["float32", *POLICIES])
@pytest.mark.parametrize(("units", "batch", "features"), [(7, 1, 3), (32, 4, 65), (64, 9, 16)])
@every_layer
def test_a_thousand_steps_in_two_calls_are_a_thousand(kind, units, batch, features, policy):
    """Bit for bit in every state, where the first call ends with a turn of the loop: the steps of
    a turn are multiplied together, and one row alone is rounded otherwise than among others."""
    layer = LAYERS[kind](units, dtype=policy, stateful=True)
    built(layer, features, batch, scale=0.2)
    call, x = traced(layer), ops.convert_to_tensor(array(batch, 1000, features))
    call(x)
    whole = numpy([v.value for v in layer.states])
    layer.reset_state()
    call(x[:, : 62 * STEPS_FORWARD])
    call(x[:, 62 * STEPS_FORWARD :])
    assert_same([v.value for v in layer.states], whole)


@every_policy
@every_layer
def test_training(kind, policy):
    """A model under the global policy learns, with the loss scaled where float16 needs it."""
    keras.config.set_dtype_policy(policy)
    x = np.random.default_rng(0).uniform(-1, 1, (32, 5, 1)).astype("float32")
    model = keras.Sequential([keras.Input((None, 1)), LAYERS[kind](8, dropout=0.1)])
    model.add(keras.layers.Dense(1, dtype="float32"))
    model.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=False)
    losses = model.fit(x, x[:, -1], batch_size=16, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert {w.dtype for w in model.trainable_weights} == {"float32"}


@every_policy
@every_layer
def test_a_cell_alone(kind, policy):
    """Streaming under a mixed policy: outputs in the compute dtype, c in float32.

    The same bits on TensorFlow; JAX compiles the loop as a whole, and rounds h otherwise.
    """
    layer = built(LAYERS[kind](6, dtype=policy, return_sequences=True, return_state=True), 4)
    states, outputs = layer.cell.get_initial_state(3), []
    assert [dtype_of(s) for s in states] == state_dtypes(kind, POLICIES[policy])
    for t in range(5):
        output, states = layer.cell(X[:, t], states)
        outputs.append(output)
    assert [dtype_of(s) for s in states] == state_dtypes(kind, POLICIES[policy])
    whole, *ends = layer(X)
    if BACKEND == "tensorflow":
        assert_same(ops.stack(outputs, axis=1), whole)
        assert_same(states, ends)
    else:
        digits = {"mixed_bfloat16": 8, "mixed_float16": 11}[policy]
        assert_close([ops.stack(outputs, axis=1), *states], [whole, *ends], 2.0 ** (2 - digits))


@every_layer
def test_float64(kind):
    layer = LAYERS[kind](6, dtype="float64", return_state=True)
    expected = "float64" if BACKEND == "tensorflow" else "float32"  # JAX has 32 bits by default
    assert {dtype_of(r) for r in layer(X)} == {expected}
