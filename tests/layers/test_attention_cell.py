"""The cell with attention, and its loop: both wirings, stacks, masks, states, models, bad input."""

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
    ForgetGateLSTM,
    ForgetGateLSTMCell,
    GRUCell,
    LuongAttention,
    Recurrent,
    Residual,
    ResidualCell,
)

from .attention_reference import Decoder
from .helpers import (
    BACKEND,
    MASKS,
    array,
    assert_close,
    assert_same,
    dtype_of,
    gradients,
    masks,
    numpy,
    randomize,
    weighted_sum,
)
from .reference import Wiring, complex_step

EVERY = {"return_sequences": True, "return_state": True}
X, MEMORY = array(3, 5, 4), array(3, 6, 2, seed=1)
MEMORY_MASK = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]], bool)
TIME_MASK = np.array(MASKS["gaps"], bool)

WIRINGS = {
    "previous": {"query": "previous"},
    "current": {"query": "current"},
    "not fed": {"query": "current", "input_feeding": False},
    "other width": {"query": "current", "units": 5},
}
every_wiring = pytest.mark.parametrize("wiring", WIRINGS)
CELLS = {"forget": ForgetGateLSTMCell, "gru": GRUCell}


def cell_of(wiring: str, kind: str = "forget", **policy) -> AttentionCell:
    """Bahdanau's attention normalised for the first wiring, Luong's general for the others."""
    if wiring == "previous":
        attention = BahdanauAttention(4, normalize=True, **policy)
    else:
        attention = LuongAttention("general", **policy)
    return AttentionCell(CELLS[kind](3, **policy), attention, **WIRINGS[wiring], **policy)


def decoder_of(wiring: str, kind: str = "forget", seed: int = 0, **policy) -> AttentionRNN:
    layer = AttentionRNN(cell_of(wiring, kind, **policy), **EVERY, **policy)
    layer.build((None, None, 4), (None, None, 2))
    return randomize(layer, seed, scale=0.7)


def reference_of(layer: AttentionRNN, arrays: list | None = None) -> Decoder:
    """The same decoder in NumPy, with its own weights or with these."""
    cell = layer.cell
    values = [numpy(w.value).astype("float64") for w in layer.weights] if arrays is None else arrays
    by_id = dict(zip((id(w) for w in layer.weights), values, strict=True))
    attention, inner = (
        {w.name: by_id[id(w)] for w in part.weights if id(w) in by_id}
        for part in (cell.attention, cell.cell)
    )
    return Decoder(
        kind="normalized" if cell.query == "previous" else "general",
        attention=attention,
        wiring=Wiring("gru" if isinstance(cell.cell, GRUCell) else "forget", 3),
        cell=inner,
        query=cell.query,
        input_feeding=cell.input_feeding,
        kernel=by_id[id(cell.kernel)] if cell.query == "current" else None,
    )


def own_states(layer: AttentionRNN, batch: int) -> list:
    return [array(batch, n, seed=20 + k) for k, n in enumerate(layer.cell.state_size[1:])]


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
        draw(st.sampled_from(sorted(DECODERS))),
        array(batch, time, 4, seed=seed),
        array(batch, source, 2, seed=seed + 10),
        draw(masks(batch, source)),
        draw(masks(batch, time)),
    )


@given(problems())
@settings(max_examples=25 if BACKEND == "tensorflow" else 6, deadline=None)
def test_against_the_reference(problem):
    """Outputs, weights and states, over lengths and over masks of both sides."""
    which, x, memory, memory_mask, mask = problem
    layer = DECODERS[which]
    given = own_states(layer, len(x))
    outputs, weights, *ends = layer(
        x,
        memory,
        memory_mask=memory_mask,
        initial_state=given,
        mask=mask,
        return_weights=True,
    )
    expected = reference_of(layer).run(x, memory, memory_mask, given, mask)
    assert_close([outputs, weights, *ends], [*expected[:2], *expected[2]])
    seen = np.ones(memory.shape[:2], bool) if memory_mask is None else memory_mask
    assert not numpy(weights)[np.repeat(~seen[:, None], x.shape[1], axis=1)].any()


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


# Precision and dropout.


@pytest.mark.parametrize(
    ("kind", "policy"), [("forget", "mixed_bfloat16"), ("gru", "mixed_float16")]
)
@every_wiring
def test_mixed_precision(wiring, kind, policy):
    """c (a GRU's h) and the weights in float32, the rest in the compute dtype; near float32."""
    compute = policy.removeprefix("mixed_")
    layer, full = decoder_of(wiring, kind, dtype=policy), decoder_of(wiring, kind)
    call = {"memory_mask": MEMORY_MASK, "mask": TIME_MASK, "return_weights": True}
    found = layer(X, MEMORY, **call)
    own = {"forget": [compute, "float32"], "gru": ["float32"]}[kind]
    expected = [compute, "float32", compute, *own]
    assert [dtype_of(r) for r in found] == expected
    symbolic = layer(keras.Input((5, 4)), keras.Input((6, 2)), return_weights=True)
    assert [s.dtype for s in symbolic] == expected
    assert [tuple(s.shape[1:]) for s in symbolic] == [tuple(f.shape[1:]) for f in found]
    assert_close(found, full(X, MEMORY, **call), 0.1)
    states = layer.cell.initial_state(MEMORY, MEMORY_MASK)
    _, after = layer.cell(X[:, 0], states)
    assert [dtype_of(s) for s in after] == [dtype_of(s) for s in states]


def test_mixed_precision_in_keras_rnn():
    """With Keras' cells, whose states all have the compute dtype."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    cell = AttentionCell(keras.layers.LSTMCell(3), BahdanauAttention(4))
    states = cell.initial_state(MEMORY, MEMORY_MASK)
    mask = TIME_MASK if BACKEND == "tensorflow" else None
    output = keras.layers.RNN(cell)(X, initial_state=states, mask=mask)
    assert dtype_of(output) == "bfloat16"
    assert np.isfinite(numpy(output)).all()


@pytest.mark.parametrize("make", [ForgetGateLSTMCell, keras.layers.GRUCell])
@pytest.mark.parametrize("wiring", ["previous", "current"])
def test_dropout(make, wiring):
    """One mask a call, for the whole input of each cell, in both loops; none at inference."""
    cells = [make(3, dropout=0.5, recurrent_dropout=0.3, seed=k) for k in (1, 2)]
    cell = AttentionCell(cells, LuongAttention("general"), **WIRINGS[wiring])
    layer = AttentionRNN(cell, return_sequences=True)
    plain = layer(X, MEMORY)
    assert_same(layer(X, MEMORY, training=False), plain)
    first, second = (numpy(layer(X, MEMORY, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    states = cell.initial_state(MEMORY)
    rnn = keras.layers.RNN(cell, return_sequences=True)
    third = numpy(rnn(X, initial_state=states, training=True))
    assert np.abs(third - numpy(plain)).max() > 1e-3
    assert_close(rnn(X, initial_state=states), plain, 1e-6)


def test_one_dropout_mask_for_all_steps():
    """The reference with rows of the input kernel scaled by the mask, the context's among them."""
    cell = AttentionCell(GRUCell(3, dropout=0.5, seed=1), BahdanauAttention(4, normalize=True))
    layer = AttentionRNN(cell, return_sequences=True)
    layer.build((None, None, 4), (None, None, 2))
    randomize(layer)
    mask = numpy(GRUCell(3, dropout=0.5, seed=1).get_dropout_mask(ops.ones((1, 6))))
    decoder = reference_of(layer)
    decoder.cell["kernel"] = mask.T * decoder.cell["kernel"]
    outputs, *_ = decoder.run(X[:1], MEMORY[:1], None, [np.zeros((1, 3))])
    assert_close(layer(X[:1], MEMORY[:1], training=True), outputs)


# Models.


def translator(wiring: str) -> keras.Model:
    """Encoder and decoder over tokens, masks and the encoder's states handed on."""
    source, target = (keras.Input((None,), dtype="int32") for _ in range(2))
    embedding = keras.layers.Embedding(9, 4, mask_zero=True)
    memory, *states = ForgetGateLSTM(3, **EVERY)(embedding(source))
    decoder = AttentionRNN(cell_of(wiring), return_sequences=True, name="decoder")
    output, weights = decoder(embedding(target), memory, initial_state=states, return_weights=True)
    return keras.Model([source, target], [keras.layers.Dense(9)(output), weights])


SOURCE = np.array([[1, 2, 3, 4], [5, 6, 0, 0]])
TARGET = np.array([[1, 0, 2], [3, 4, 0]])


@pytest.mark.parametrize("wiring", ["previous", "current"])
def test_in_a_functional_model(wiring, tmp_path):
    """Both sides' own masks count; saved and loaded without being told of our classes."""
    model = randomize(translator(wiring))
    output, weights = numpy(model([SOURCE, TARGET]))
    alone = numpy(model([SOURCE[1:, :2], TARGET[1:, :2]]))
    assert_close([output[1:, :2], weights[1:, :2, :2]], alone)
    assert not weights[1, :, 2:].any()
    jumped = numpy(model([SOURCE[:1], TARGET[:1, [0, 2]]]))
    assert_close([output[:1, [0, 2]], weights[:1, [0, 2]]], jumped)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_same(loaded([SOURCE, TARGET]), [output, weights])
    assert_close(loaded.predict([SOURCE, TARGET], verbose=0), [output, weights], 1e-6)


@pytest.mark.parametrize(
    ("wiring", "jit_compile"), [("previous", True), ("current", BACKEND == "jax")]
)
def test_training(wiring, jit_compile):
    """A decoder learns to copy, compiled by XLA and not; all weights move."""
    source, target = (keras.Input((4,), dtype="int32") for _ in range(2))
    embedding = keras.layers.Embedding(9, 8, mask_zero=True)
    cell = AttentionCell(
        ForgetGateLSTMCell(8, dropout=0.05),
        BahdanauAttention(8) if wiring == "previous" else LuongAttention("general"),
        query=wiring,
    )
    output = AttentionRNN(cell, return_sequences=True)(embedding(target), embedding(source))
    model = keras.Model([source, target], keras.layers.Dense(9)(output))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, jit_compile=jit_compile)
    words = np.random.default_rng(0).integers(2, 9, (64, 4))
    given = np.concatenate([np.ones((64, 1), int), words[:, :-1]], axis=1)
    before = model.get_weights()
    losses = model.fit([words, given], words, 16, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < 0.95 * losses[0]
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_config():
    cell = AttentionCell(
        [GRUCell(3), ResidualCell(GRUCell(3), context=0)],
        LuongAttention("concat", 4, scale=True),
        query="current",
        input_feeding=False,
        units=7,
        kernel_initializer="ones",
        name="cell",
    )
    layer = AttentionRNN(cell, zero_output_for_mask=True, name="layer")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is AttentionRNN
    assert again.get_config() == layer.get_config()
    alone = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(cell))
    assert alone.get_config() == cell.get_config()
    assert alone.state_size == [7, [3], [3]]


def one(**options) -> AttentionCell:
    return AttentionCell(GRUCell(3), LuongAttention("general"), **options)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: AttentionCell(GRUCell(3), keras.layers.Attention()), "a BahdanauAttention or a"),
        (lambda: one(query="next"), "query='next' was given"),
        (lambda: one(units=4), "both are for query='current'"),
        (lambda: one(input_feeding=False), "both are for query='current'"),
        (lambda: one(query="current", units=0), "units=0 was given"),
        (lambda: AttentionRNN(GRUCell(3)), "an AttentionCell is needed"),
        (lambda: keras.layers.RNN(one())(X), "does not know its memory yet"),
        (lambda: one()(X[:, 0], [array(3, 5), array(3, 3)]), r"received 2 states; it needs 2 of"),
        (
            lambda: one().initial_state(MEMORY, states=[array(3, 4)]),
            r"received 2 state\(s\) of shape \[\(3, 5\), \(3, 4\)\]; it needs 2",
        ),
        (
            lambda: AttentionRNN(one())(X, MEMORY, initial_state=[array(3, 4)]),
            r"received 1 state\(s\) of shape \[\(3, 4\)\]",
        ),
        (
            lambda: AttentionRNN(one())(X, MEMORY, initial_state=[array(2, 3)]),
            r"received 1 state\(s\) of shape \[\(2, 3\)\]",
        ),
        (
            lambda: AttentionRNN(AttentionCell(GRUCell(3), LuongAttention()))(X, MEMORY),
            "a query of depth 3 and a memory of depth 2",
        ),
        (
            lambda: AttentionRNN(one(), unroll=True)(keras.Input((None, 4)), keras.Input((6, 2))),
            "unroll=True",
        ),
    ],
)
def test_errors(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
