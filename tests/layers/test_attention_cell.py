"""The cell with attention, and its loop: both wirings, masks, states, directions, stacks."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops, tree

from lstm_recipes.layers import (
    GRU,
    AttentionCell,
    AttentionRNN,
    BahdanauAttention,
    ForgetGateLSTMCell,
    GRUCell,
    LuongAttention,
    Recurrent,
    Residual,
    ResidualCell,
)

from .decoders import (
    CELLS,
    EVERY,
    MEMORY,
    MEMORY_MASK,
    TIME_MASK,
    WIRINGS,
    X,
    decoder_of,
    every_wiring,
    own_states,
    reference_of,
)
from .helpers import (
    BACKEND,
    MASKS,
    array,
    assert_close,
    assert_same,
    gradients,
    masks,
    numpy,
    randomize,
    weighted_sum,
)
from .reference import (
    complex_step,
)


def test_the_last_state_asks_by_hand():
    """A linear unit that adds up what it sees: h_0 = 0 finds all alike, h_1 = 3 hardly the first
    place, for its scores are 3 and 9."""
    unit = keras.layers.SimpleRNNCell(1, activation=None, kernel_initializer="ones")
    cell = AttentionCell(unit, LuongAttention())
    states = cell.initial_state(np.array([[[1.0], [3.0]]], "float32"))
    x = np.ones((1, 1), "float32")
    cell.build((1, 1))
    unit.set_weights([np.ones((2, 1)), np.zeros((1, 1)), np.zeros(1)])
    output, own, weights = cell.step(x, states[:-3], states[-3:])
    assert_same(output, np.array([[3.0, 2.0]]))
    assert_same(own, [output, np.array([[3.0]])])
    assert_same(weights, np.array([[0.5, 0.5]]))
    output, _, weights = cell.step(x, own, states[-3:])
    first = 1 / (1 + np.exp(6.0))
    assert_close(weights, np.array([[first, 1 - first]]), 1e-6)
    assert_close(output, np.array([[4 - 2 * first, 3 - 2 * first]]), 1e-6)


def test_this_steps_state_asks_by_hand():
    """h_1 = x = 1 asks with scores 1 and 3; a_1 is fed to the second step."""
    unit = keras.layers.SimpleRNNCell(1, activation=None)
    cell = AttentionCell(unit, LuongAttention(), query="current")
    states = cell.initial_state(np.array([[[1.0], [3.0]]], "float32"))
    x = np.ones((1, 1), "float32")
    cell.build((1, 1))
    unit.set_weights([np.ones((2, 1)), np.zeros((1, 1)), np.zeros(1)])
    cell.kernel.assign([[0.1], [0.2]])
    first = 1 / (1 + np.exp(2.0))
    a = np.tanh(0.1 * (3 - 2 * first) + 0.2)
    output, own, weights = cell.step(x, states[:-3], states[-3:])
    assert_close([output, *own], [np.array([[a]]), np.array([[a]]), np.array([[1.0]])], 1e-6)
    assert_close(weights, np.array([[first, 1 - first]]), 1e-6)
    _, (_, h), _ = cell.step(x, own, states[-3:])
    assert_close(h, np.array([[1 + a]]), 1e-6)


DECODERS = {
    (wiring, kind): decoder_of(wiring, kind) for wiring, kind in itertools.product(WIRINGS, CELLS)
}


@st.composite
def problems(draw):
    batch, time, source = (draw(st.integers(1, n)) for n in (3, 4, 5))
    seed = draw(st.integers(0, 9))
    return (
        array(batch, time, 4, seed=seed),
        array(batch, source, 2, seed=seed + 10),
        draw(masks(batch, source)),
        draw(masks(batch, time)),
    )


def check(layer, x, memory, memory_mask, mask):
    """Outputs, weights and states, against the reference."""
    given = own_states(layer, len(x))
    call = {"memory_mask": memory_mask, "initial_state": given, "mask": mask}
    outputs, weights, *ends = layer(x, memory, return_weights=True, **call)
    expected = reference_of(layer).run(x, memory, memory_mask, given, mask)
    assert_close([outputs, weights, *ends], [*expected[:2], *expected[2]])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("which", DECODERS)
def test_against_the_reference(which, masked):
    check(DECODERS[which], X, MEMORY, *((MEMORY_MASK, TIME_MASK) if masked else (None, None)))


@given(st.sampled_from(sorted(DECODERS)), problems())
@settings(max_examples=25 if BACKEND == "tensorflow" else 6, deadline=None)
def test_over_lengths_and_masks(which, problem):
    check(DECODERS[which], *problem)


@pytest.mark.parametrize(("kind", "masked"), [("forget", True), ("gru", False)])
@every_wiring
def test_gradients(wiring, kind, masked):
    """To every weight, the inputs, the memory and the first states; through the keys too."""
    double = BACKEND == "tensorflow"
    layer = decoder_of(wiring, kind, dtype="float64" if double else "float32")
    memory_mask, mask = (MEMORY_MASK, TIME_MASK) if masked else (None, None)
    given = [s.astype("float64") for s in own_states(layer, 3)]
    x, memory = X.astype("float64"), MEMORY.astype("float64")

    def loss(x, memory, *states):
        results = layer(x, memory, memory_mask=memory_mask, initial_state=list(states), mask=mask)
        return weighted_sum(list(results))

    def reference(arrays):
        x, memory, *rest = arrays
        states, weights = rest[: len(given)], rest[len(given) :]
        decoder = reference_of(layer, weights)
        outputs, _, ends = decoder.run(x, memory, memory_mask, states, mask)
        return weighted_sum([outputs, *ends])

    weights = [numpy(w.value).astype("float64") for w in layer.weights]
    found = gradients(loss, layer.weights, [x, memory, *given])
    exact = complex_step(reference, [x, memory, *given, *weights])
    found = [*found[len(weights) :], *found[: len(weights)]]
    assert_close(found, exact, 1e-9 if double else 2e-4)
    assert all(np.abs(g).max() > 1e-6 for g in found)


@pytest.mark.parametrize("mask", [None, "gaps", "left"])
@pytest.mark.parametrize("kind", CELLS)
@every_wiring
def test_three_roads(wiring, kind, mask):
    """AttentionRNN, keras.layers.RNN over the cell, and the cell step by step."""
    layer = decoder_of(wiring, kind)
    mask = None if mask is None else np.array(MASKS[mask], bool)
    given = own_states(layer, 3)
    states = layer.cell.initial_state(MEMORY, MEMORY_MASK, given)
    outputs, *ends = layer(X, MEMORY, memory_mask=MEMORY_MASK, initial_state=given, mask=mask)
    if mask is None or BACKEND == "tensorflow":  # Keras' loop on JAX masks no states like a memory
        rnn = keras.layers.RNN(layer.cell, **EVERY)
        found = rnn(X, initial_state=states, mask=mask)
        assert_close(list(found), [outputs, *ends, *states[-3:]], 1e-6)
    if mask is None:
        steps = []
        for t in range(5):
            output, states = layer.cell(X[:, t], states)
            steps.append(output)
        assert_close([ops.stack(steps, axis=1), *states[:-3]], [outputs, *ends], 1e-6)
        assert_same(states[-3:], layer.cell.memory(MEMORY, MEMORY_MASK))


@every_wiring
def test_weights_only_when_asked(wiring):
    """They change nothing else; each step's are the ones that the cell's step gives."""
    layer = decoder_of(wiring)
    call = {"memory_mask": MEMORY_MASK, "mask": TIME_MASK}
    plain = layer(X, MEMORY, **call)
    output, weights, *states = layer(X, MEMORY, return_weights=True, **call)
    assert_close([output, *states], plain, 1e-6)
    seen = TIME_MASK.cumsum(axis=1) > 0  # before the first step that runs there are none
    assert_close(numpy(weights).sum(axis=2), seen * MEMORY_MASK.any(axis=1)[:, None] * 1.0)
    states, memory = layer.cell.start(3), layer.cell.memory(MEMORY, MEMORY_MASK)
    whole = layer(X, MEMORY, memory_mask=MEMORY_MASK, return_weights=True)[1]
    for t in range(5):
        _, states, step_weights = layer.cell.step(X[:, t], states, memory)
        assert_close(step_weights, whole[:, t], 1e-6)
    last = AttentionRNN(layer.cell)(X, MEMORY, memory_mask=MEMORY_MASK, return_weights=True)
    assert_close(last[1], whole[:, -1], 1e-6)


@every_wiring
def test_a_masked_step_freezes_the_states(wiring):
    layer = decoder_of(wiring)
    given = [array(3, n, seed=5) for n in layer.cell.state_size]
    nothing = np.zeros((3, 5), bool)
    outputs, *ends = layer(X, MEMORY, initial_state=given, mask=nothing)
    assert_same(ends, given)
    zeroed = AttentionRNN(layer.cell, zero_output_for_mask=True, **EVERY)
    outputs, weights, *_ = zeroed(X, MEMORY, mask=TIME_MASK, return_weights=True)
    assert not numpy(outputs)[~TIME_MASK].any()
    assert not numpy(weights)[~TIME_MASK].any()


@every_wiring
def test_going_on_where_a_call_ended(wiring):
    """All that return_state gave, and a stateful layer, make two halves one whole."""
    layer = decoder_of(wiring)
    whole, *ends = layer(X, MEMORY)
    first, *states = layer(X[:, :2], MEMORY)
    second, *last = layer(X[:, 2:], MEMORY, initial_state=states)
    assert_close([ops.concatenate([first, second], axis=1), *last], [whole, *ends], 1e-6)
    stateful = AttentionRNN(layer.cell, stateful=True, return_sequences=True)
    halves = [stateful(X[:, :2], MEMORY), stateful(X[:, 2:], MEMORY)]
    assert_close(ops.concatenate(halves, axis=1), whole, 1e-6)
    stateful.reset_state()
    assert_close(stateful(X, MEMORY), whole, 1e-6)


@every_wiring
def test_rows_can_be_gathered(wiring):
    """As a beam search does, the memory among the states or held apart."""
    cell = decoder_of(wiring).cell
    parents = np.array([2, 0, 0, 1])
    _, states = cell(X[:, 0], cell.initial_state(MEMORY, MEMORY_MASK))
    gathered = tree.map_structure(lambda s: ops.take(s, parents, axis=0), states)
    output, _ = cell(X[:, 1], states)
    chosen, after = cell(X[parents, 1], gathered)
    assert_close(chosen, ops.take(output, parents, axis=0), 1e-6)
    apart, own, _ = cell.step(X[parents, 1], gathered[:-3], gathered[-3:])
    assert_same([apart, *own], [chosen, *after[:-3]])


@pytest.mark.parametrize("direction", [{"go_backwards": True}, {"unroll": True}])
@every_wiring
def test_directions_and_unrolling(wiring, direction):
    layer = decoder_of(wiring)
    other = AttentionRNN(layer.cell, **EVERY, **direction)
    x, mask = (X[:, ::-1], TIME_MASK[:, ::-1]) if "go_backwards" in direction else (X, TIME_MASK)
    call = {"memory_mask": MEMORY_MASK, "return_weights": True}
    expected = layer(x, MEMORY, mask=mask, **call)
    assert_close(other(X, MEMORY, mask=TIME_MASK, **call), expected, 1e-6)


# Stacks.


def test_the_context_goes_to_all_layers():
    """A stack whose lowest state asks is a layer with attention, and above it layers that see the
    context beside their input, residual from the third (Wu et al. 2016)."""
    cells = [ForgetGateLSTMCell(3), GRUCell(4), ResidualCell(GRUCell(4), context=2)]
    stack = AttentionRNN(AttentionCell(cells, BahdanauAttention(4)), return_sequences=True)
    stack.build((None, None, 4), (None, None, 2))
    randomize(stack)
    outputs, weights = stack(X, MEMORY, memory_mask=MEMORY_MASK, return_weights=True)

    lowest = AttentionCell(cells[0], stack.cell.attention)
    layer = AttentionRNN(lowest, return_sequences=True)
    both, known = layer(X, MEMORY, memory_mask=MEMORY_MASK, return_weights=True)
    context = both[..., 3:]
    above = Recurrent(cells[1], return_sequences=True)(both)
    top = Residual(GRU(4, return_sequences=True), context=2)
    seen = ops.concatenate([above, context], axis=-1)
    top.build(seen.shape)
    top.set_weights(cells[2].get_weights())
    assert_close(outputs, ops.concatenate([top(seen), context], axis=-1), 1e-6)
    assert_close(weights, known, 1e-6)
    assert len(layer.weights) == 3 + 3


def test_the_highest_layer_asks():
    """Without input feeding, attention comes after a stack of layers; with it, only the lowest cell
    has a wider input."""
    cells = [ForgetGateLSTMCell(3), GRUCell(4)]
    cell = AttentionCell(cells, LuongAttention("general"), query="current", input_feeding=False)
    layer = AttentionRNN(cell, return_sequences=True)
    layer.build((None, None, 4), (None, None, 2))
    randomize(layer)
    h = Recurrent(cells, return_sequences=True)(X)
    context, weights = cell.attention(h, MEMORY, memory_mask=MEMORY_MASK)
    a = ops.tanh(ops.matmul(ops.concatenate([context, h], axis=-1), cell.kernel))
    found = layer(X, MEMORY, memory_mask=MEMORY_MASK, return_weights=True)
    assert_close(found, [a, weights], 1e-6)
    fed = [ForgetGateLSTMCell(3), GRUCell(4)]
    AttentionRNN(AttentionCell(fed, LuongAttention("general"), query="current"))(X, MEMORY)
    assert [c.kernel.shape[0] for c in fed] == [4 + 4, 3]


@pytest.mark.parametrize("query", ["previous", "current"])
def test_the_states_of_a_stack(query):
    """One list a cell, in the loop, at its end, given and step by step, Keras' cells too."""
    cells = [keras.layers.LSTMCell(3), keras.layers.GRUCell(3), ForgetGateLSTMCell(3)]
    cell = AttentionCell(cells, LuongAttention("general"), query=query)
    layer = AttentionRNN(cell, **EVERY)
    given = [[array(3, 3), array(3, 3)], [array(3, 3)], [array(3, 3), array(3, 3)]]
    outputs, last, *ends = layer(X, MEMORY, initial_state=given)
    assert [len(state) for state in ends] == [2, 1, 2]
    assert_same(last, outputs[:, -1])
    states = cell.initial_state(MEMORY, states=given)
    for t in range(5):
        _, states = cell(X[:, t], states)
    assert_close(states[:-3], [last, *ends], 1e-6)
    symbolic = layer(keras.Input((5, 4), batch_size=3), keras.Input((6, 2), batch_size=3))
    shapes = [tuple(s.shape) for s in tree.flatten(symbolic)]
    assert shapes == [tuple(s.shape) for s in tree.flatten([outputs, last, *ends])]
    found = keras.layers.RNN(cell, **EVERY)(
        X, initial_state=cell.initial_state(MEMORY, None, given)
    )
    assert_close(list(found[:-3]), [outputs, last, *ends], 1e-6)
