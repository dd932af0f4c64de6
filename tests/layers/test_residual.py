"""Residual layers and cells: sums of one time step, widths, masks, states, stacks, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import (
    ForgetGateLSTM,
    ForgetGateLSTMCell,
    GRUCell,
    Recurrent,
    Residual,
    ResidualCell,
)

from .helpers import (
    BACKEND,
    LAYERS,
    MASKS,
    array,
    assert_close,
    assert_same,
    dtype_of,
    every_layer,
    gradients,
    numpy,
    randomize,
    weighted_sum,
)
from .reference import Wiring, complex_step, run

X = array(3, 5, 4)
EVERY = {"return_sequences": True, "return_state": True}
LSTM = Wiring("forget", 4)


def test_by_hand():
    """A layer that puts out zeros leaves its input; σ(10) tanh(tanh(10)) = 0.7616 is added once a
    step, not summed over the steps."""
    layer = Residual(ForgetGateLSTM(4, return_sequences=True, kernel_initializer="zeros"))
    assert_same(layer(X), X)
    unit = Residual(ForgetGateLSTM(1, return_sequences=True))
    unit.build((1, 3, 1))
    bias = np.array([10.0, -10.0, 10.0, 10.0])  # i open, f shut, c at 1, o open
    unit.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), bias])
    x = np.array([[[1.0], [2.0], [3.0]]], "float32")
    assert_close(unit(x), x + 0.76155, 1e-4)


def reference_stack(x, w: list, mask, context: int = 0) -> list:
    """Two layers over each other, both residual: the sums of every step, and their states."""
    states = []
    for weights in w:
        outputs, ends = run(LSTM, weights, x, [np.zeros((len(x), 4))] * 2, mask)
        extra = x[..., 4:]
        x, states = outputs + x[..., :4], [*states, *ends]
        x = np.concatenate([x, extra], axis=2)
    return [x[..., :4], *states]


@pytest.mark.parametrize("context", [0, 2])
@pytest.mark.parametrize("mask", [None, np.array(MASKS["gaps"], bool)], ids=["whole", "gaps"])
def test_against_the_reference(mask, context):
    """Outputs, states and every gradient of a stack, with and without context behind its input."""
    dtype = "float64" if BACKEND == "tensorflow" else "float32"
    stack = [Residual(ForgetGateLSTM(4, dtype=dtype, **EVERY), context) for _ in range(2)]
    for seed, layer in enumerate(stack):
        layer.build((None, None, 4 + context))
        randomize(layer, seed)
    x = array(3, 5, 4 + context, dtype="float64")
    names = ("kernel", "recurrent_kernel", "bias")

    def results(x):
        below, states = x, []
        for layer in stack:
            output, *ends = layer(below, mask=mask)
            below = ops.concatenate([output, x[..., 4:]], axis=-1)
            states += ends
        return [output, *states]

    def loss(arrays):
        x, *weights = arrays
        pairs = [dict(zip(names, weights[k : k + 3], strict=True)) for k in (0, 3)]
        return weighted_sum(reference_stack(x, pairs, mask, context))

    variables = [w for layer in stack for w in layer.weights]
    values = [numpy(v.value).astype("float64") for v in variables]
    pairs = [dict(zip(names, values[k : k + 3], strict=True)) for k in (0, 3)]
    tolerance = 1e-10 if BACKEND == "tensorflow" else 1e-4
    given = ops.convert_to_tensor(x.astype(dtype))
    assert_close(results(given), reference_stack(x, pairs, mask, context), tolerance)
    found = gradients(lambda x: weighted_sum(results(x)), variables, [x.astype(dtype)])
    exact = complex_step(loss, [x, *values])
    assert_close([found[-1], *found[:-1]], exact, tolerance)


def recurrent_layers() -> dict:
    """Layers four wide: ours, Keras', both ways, over cells."""
    return {
        **{kind: layer(4, **EVERY) for kind, layer in LAYERS.items()},
        "keras lstm": keras.layers.LSTM(4, **EVERY),
        "keras gru": keras.layers.GRU(4, **EVERY),
        "bidirectional": keras.layers.Bidirectional(ForgetGateLSTM(2, **EVERY)),
        "stack": Recurrent([ForgetGateLSTMCell(3), GRUCell(4)], **EVERY),
    }


@pytest.mark.parametrize("kind", recurrent_layers())
@pytest.mark.parametrize("mask", [None, "gaps"])
def test_the_layer_and_its_input(kind, mask):
    """States and masks go through as they are, given ones too."""
    layer = recurrent_layers()[kind]
    residual = Residual(layer)
    residual.build((None, None, 4))
    randomize(residual)
    mask = None if mask is None else np.array(MASKS[mask], bool)
    output, *states = layer(X, mask=mask)
    assert_same(residual(X, mask=mask), [output + X, *states])
    output, *ends = layer(X, initial_state=states, mask=mask)
    assert_same(residual(X, initial_state=states, mask=mask), [output + X, *ends])
    symbolic = residual(keras.Input((5, 4), batch_size=3))
    shapes = [tuple(s.shape) for s in keras.tree.flatten(symbolic)]
    assert shapes == [tuple(s.shape) for s in keras.tree.flatten([output, *ends])]


@every_layer
def test_the_cell(kind):
    """In a loop, in a stack, and step by step: the sums and the states of the layer."""
    layer = Residual(LAYERS[kind](4, **EVERY))
    whole, *ends = layer(X)
    looped = Recurrent(layer.cell, **EVERY)
    assert_close(looped(X), [whole, *ends], 1e-6)
    above = Residual(ForgetGateLSTM(4, **EVERY))
    expected = above(whole)[0]
    stacked = Recurrent([layer.cell, above.cell], return_sequences=True)
    assert_close(stacked(X), expected, 1e-6)
    cell = layer.cell
    states, outputs = cell.get_initial_state(3), []
    for t in range(5):
        output, states = cell(X[:, t], states)
        outputs.append(output)
    assert_close([ops.stack(outputs, axis=1), *states], [whole, *ends], 1e-6)
    assert cell.weights[0] is layer.weights[0]


def test_a_cell_with_context():
    """The context is seen, and not added."""
    layer = Residual(ForgetGateLSTM(4, return_sequences=True), context=3)
    x = array(3, 5, 7)
    assert_close(Recurrent(layer.cell, return_sequences=True)(x), layer(x), 1e-6)
    changed = np.concatenate([x[..., :4], 2 * x[..., 4:]], axis=2)
    assert np.abs(numpy(layer(x)) - numpy(layer(changed))).max() > 1e-3


@pytest.mark.parametrize("make", [ForgetGateLSTMCell, keras.layers.LSTMCell, GRUCell])
@pytest.mark.parametrize("loop", [Recurrent, keras.layers.RNN])
def test_dropout_in_a_cell(make, loop):
    """Each call draws its masks, only when training; the input that is added keeps all."""
    layer = loop(ResidualCell(make(4, dropout=0.5, recurrent_dropout=0.5, seed=1)))
    assert_same(layer(X), layer(X))
    first, second = (numpy(layer(X, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    layer.cell.cell.set_weights([np.zeros(w.shape) for w in layer.weights])
    assert_close(layer(X, training=True), X[:, -1], 1e-6)


def test_one_dropout_mask_for_all_steps():
    dropping = Recurrent(ResidualCell(GRUCell(4, dropout=0.5, seed=1)), return_sequences=True)
    plain = Recurrent(GRUCell(4), return_sequences=True)
    for layer in (dropping, plain):
        layer.build((None, None, 4))
        randomize(layer)
    mask = numpy(GRUCell(4, dropout=0.5, seed=1).get_dropout_mask(ops.ones((3, 4))))
    assert_close(dropping(X, training=True), numpy(plain(X * mask[:, None])) + X, 1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    """The sum in the compute dtype, c in float32, in the layer and in the cell."""
    compute = policy.removeprefix("mixed_")
    layer = Residual(ForgetGateLSTM(4, dtype=policy, **EVERY), dtype=policy)
    cell = ResidualCell(ForgetGateLSTMCell(4, dtype=policy), dtype=policy)
    for road in (layer, Recurrent(cell, dtype=policy, **EVERY)):
        assert [dtype_of(r) for r in road(X)] == [compute, compute, "float32"]
        symbolic = road(keras.Input((5, 4)))
        assert [s.dtype for s in symbolic] == [compute, compute, "float32"]


def encoder_and_decoder() -> keras.Model:
    """An encoder as of 2016, whose last states begin a residual decoder; both sides masked."""
    source, target = (keras.Input((None,), dtype="int32") for _ in range(2))
    embedding = keras.layers.Embedding(9, 4, mask_zero=True)
    both_ways = keras.layers.Bidirectional(ForgetGateLSTM(3, return_sequences=True))
    x = ForgetGateLSTM(4, return_sequences=True)(both_ways(embedding(source)))
    _, *states = Residual(ForgetGateLSTM(4, **EVERY))(x)
    y = Residual(ForgetGateLSTM(4, return_sequences=True), name="top")(
        embedding(target), initial_state=states
    )
    return keras.Model([source, target], y)


def test_masks_and_states_in_a_functional_model(tmp_path):
    """A mask counts beside given states too; saved and loaded without being told of our classes."""
    model = randomize(encoder_and_decoder())
    source, target = np.array([[1, 2, 3], [4, 5, 0]]), np.array([[5, 0, 6, 7], [8, 1, 2, 3]])
    output = model([source, target])
    without = model([source[:1], np.array([[5, 6, 7]])])
    assert_close(numpy(output)[:1, [0, 2, 3]], without)
    if BACKEND == "tensorflow":
        assert_same(output._keras_mask, target != 0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_same(loaded([source, target]), output)


def test_config():
    cell = ResidualCell(ForgetGateLSTMCell(4, dropout=0.5), context=2, name="cell")
    layer = Residual(Recurrent(cell, return_sequences=True), context=2, name="layer")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert (again.context, again.layer.cell.context, again.layer.cell.cell.dropout) == (2, 2, 0.5)


def test_saving_a_stack_of_cells(tmp_path):
    cells = [ForgetGateLSTMCell(4), ResidualCell(ForgetGateLSTMCell(4)), ResidualCell(GRUCell(4))]
    model = keras.Sequential([keras.Input((None, 3)), Recurrent(cells)])
    randomize(model).save(tmp_path / "model.keras")
    x = array(2, 5, 3)
    assert_same(keras.saving.load_model(tmp_path / "model.keras")(x), model(x))


def test_saving_a_deep_stack_finds_every_cell(tmp_path):
    """Keras' saving knows by ids what it has written, and must meet the same cell at each look."""
    layers = [Residual(ForgetGateLSTM(4, return_sequences=True)) for _ in range(12)]
    assert all(layer.cell is layer.cell for layer in layers)
    model = keras.Sequential([keras.Input((None, 4)), *layers])
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(x), model(x))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Residual(ForgetGateLSTM(4)), "return_sequences=True"),
        (lambda: Residual(keras.layers.Dense(4)), "return_sequences=True"),
        (
            lambda: Residual(ForgetGateLSTM(4, return_sequences=True, go_backwards=True)),
            "without go_backwards",
        ),
        (
            lambda: Residual(ForgetGateLSTM(3, return_sequences=True))(X),
            "received 4 features, 0 of them context; 3 are needed",
        ),
        (
            lambda: Residual(ForgetGateLSTM(4, return_sequences=True), context=2)(X),
            "received 4 features, 2 of them context; 6 are needed",
        ),
        (lambda: Recurrent(ResidualCell(ForgetGateLSTMCell(3)))(X), "received 4 features"),
        (lambda: ResidualCell(ForgetGateLSTMCell(3), context=-1), "context=-1 was given"),
        (lambda: ResidualCell(ForgetGateLSTMCell(3), context=True), "context=True was given"),
    ],
)
def test_errors(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
