"""Decoders with attention in use: precision, dropout, models, training, saving, bad input."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import (
    AttentionCell,
    AttentionRNN,
    BahdanauAttention,
    ForgetGateLSTM,
    ForgetGateLSTMCell,
    GRUCell,
    LuongAttention,
    ResidualCell,
)

from .decoders import (
    EVERY,
    MEMORY,
    MEMORY_MASK,
    TIME_MASK,
    WIRINGS,
    X,
    cell_of,
    decoder_of,
    every_wiring,
    reference_of,
)
from .helpers import (
    BACKEND,
    array,
    assert_close,
    assert_same,
    dtype_of,
    numpy,
    randomize,
)


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
