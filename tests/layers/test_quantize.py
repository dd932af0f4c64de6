"""Int8 kernels: what rounding does to them, and nothing else happens."""

import os

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras.layers import Bidirectional, Dense, StackedRNNCells

from lstm_recipes.layers import (
    GRU,
    AttentionCell,
    AttentionRNN,
    BahdanauAttention,
    CECLSTMCell,
    ForgetGateLSTM,
    ForgetGateLSTMCell,
    GRUCell,
    LuongAttention,
    PeepholeLSTMCell,
    Recurrent,
    Residual,
    ResidualCell,
)

from .helpers import (
    LAYERS,
    MASKS,
    array,
    assert_close,
    assert_same,
    built,
    dtype_of,
    every_layer,
    numpy,
    randomize,
)

pytestmark = pytest.mark.filterwarnings("ignore:Layer InputLayer does not have")  # Keras tells

EVERY = {"return_sequences": True, "return_state": True}
X, MASK = array(3, 5, 3), np.array(MASKS["gaps"], bool)


def weights(layer) -> dict[str, np.ndarray]:
    return {w.name: numpy(w.value) for w in layer.weights}


def floats(layer) -> dict[str, np.ndarray]:
    """The weights that an int8 layer stands for."""
    found = weights(layer)
    scales = {name: found.pop(name) for name in list(found) if name.endswith("kernel_scale")}
    for name, scale in scales.items():
        kernel = name.removesuffix("_scale")
        found[kernel] = (found[kernel] / scale.astype("float64")).astype("float32")
    return found


def int8_and_twin(layer, twin):
    """A built layer made int8, and a float layer of the rounded weights: the same function."""
    layer.quantize("int8")
    rounded = floats(layer)
    for weight in twin.weights:
        weight.assign(rounded[weight.name])
    return layer, twin


def recurrent(kind: str, units: int = 4, **options):
    """The same for a recurrent layer, whose cell is what is quantised."""
    layer, twin = (built(LAYERS[kind](units, **options), batch=3) for _ in range(2))
    int8_and_twin(layer.cell, twin.cell)
    return layer, twin


@every_layer
def test_kernels_move_by_half_a_step_and_nothing_else_moves(kind):
    layer = built(LAYERS[kind](4))
    before = weights(layer)
    layer.cell.quantize("int8")
    after, stored = floats(layer), weights(layer)
    assert after.keys() == before.keys()
    for name, value in before.items():
        if name in ("kernel", "recurrent_kernel"):
            assert stored[name].dtype == np.int8 and np.abs(stored[name]).max() == 127
            assert stored[f"{name}_scale"].dtype == np.float32
            half = (np.abs(value).max(0) + 1e-7) / 254
            assert (np.abs(after[name] - value) <= half * 1.001).all()
        else:
            assert_same(after[name], value)
    assert {w.name for w in layer.trainable_variables} == before.keys() - {
        "kernel",
        "recurrent_kernel",
    }


@every_layer
def test_an_output_moves_by_no_more_than_its_sums_can(kind):
    """One step from zero states. Each gate's sum z moves by at most Σ|x_i| half steps. A gate's
    slope is at most 1/4 and what it multiplies at most 1 (the cell's input), so h moves by
    (1/4 + 1/4 + 1) times as much, and the peephole of o adds a quarter of 5/4, with |p| ≤ 1; in the
    CEC g reaches 2 and h has the slope 1/2; in the GRU r adds a quarter of its |b|. So 2 is
    enough."""
    layer = built(LAYERS[kind](16), scale=0.3)
    x = X[:, :1]
    before, kernel = numpy(layer(x)), numpy(layer.cell.kernel.value)
    layer.cell.quantize("int8")
    most = np.abs(x[:, 0]).sum(1, keepdims=True) * np.abs(kernel).max() / 254
    moved = np.abs(numpy(layer(x)) - before)
    assert (moved <= 2 * most).all() and moved.max() > 0


FEEDBACK = {"block_size": 2, "gate_feedback": True}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("cec", {**FEEDBACK, "use_bias": "gates"}),
        ("forget", FEEDBACK),
        ("peephole", {"go_backwards": True}),
        ("gru", {"unroll": True}),
        ("gru", {"reset_after": False}),
    ],
)
def test_the_layer_is_that_of_the_rounded_kernels(kind, options):
    layer, twin = recurrent(kind, **EVERY, **options)
    states = [array(3, s.shape[1], seed=k) for k, s in enumerate(layer.get_initial_state(3))]
    assert_close(layer(X), twin(X), 1e-6)
    given = {"mask": MASK, "initial_state": states}
    assert_close(layer(X, **given), twin(X, **given), 1e-6)
    assert_close(layer.cell(X[:, 0], states), twin.cell(X[:, 0], states), 1e-6)


@every_layer
def test_a_stateful_layer_goes_on(kind):
    layer, twin = recurrent(kind, stateful=True)
    for _ in range(2):
        assert_close(layer(X), twin(X), 1e-6)
    assert_close(layer.states, twin.states, 1e-6)


@every_layer
def test_under_a_mixed_policy_products_alone_are_coarse(kind):
    layer, twin = recurrent(kind, **EVERY, dtype="mixed_bfloat16")
    assert layer.cell.dtype_policy.name == "int8_from_mixed_bfloat16"
    assert weights(layer)["kernel_scale"].dtype == np.float32
    output, *states = layer(X)
    assert dtype_of(output) == "bfloat16" and dtype_of(states[-1]) == "float32"
    assert_close([output, *states], twin(X), 0.02)  # one bfloat16 step; a sum may round otherwise


@every_layer
def test_one_unit_and_a_column_of_zeros(kind):
    layer = built(LAYERS[kind](1))
    kernel = numpy(layer.cell.kernel.value)
    kernel[:, 1] = 0
    layer.cell.kernel.assign(kernel)
    layer.cell.quantize("int8")
    assert (floats(layer)["kernel"][:, 1] == 0).all()
    assert np.isfinite(numpy(layer(X))).all()


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(
        "float32",
        (3, 8),
        elements=st.floats(-(2.0**60), 2.0**60, width=32, allow_subnormal=False),
    )
)
def test_any_kernel_is_rounded_to_the_nearest(kernel):
    cell = ForgetGateLSTMCell(2)
    cell.build((None, 3))
    cell.kernel.assign(kernel)
    cell.quantize("int8")
    step = (np.abs(kernel).max(0).astype("float64") + 1e-7) / 127
    assert (np.abs(numpy(cell.product_kernel("kernel")) - kernel) <= 0.5001 * step).all()


ATTENTIONS = {
    "bahdanau": lambda **policy: BahdanauAttention(4, normalize=True, **policy),
    "dot": lambda **policy: LuongAttention("dot", **policy),
    "general": lambda **policy: LuongAttention("general", scale=True, **policy),
    "concat": lambda **policy: LuongAttention("concat", units=4, **policy),
}


@pytest.mark.parametrize("kind", ATTENTIONS)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_attention_is_that_of_the_rounded_kernels(kind, policy):
    query, memory = array(3, 2, 6), array(3, 5, 6, seed=1)
    layer, twin = (ATTENTIONS[kind](dtype=policy) for _ in range(2))
    for one in (layer, twin):
        one.build(query.shape, memory.shape)
        randomize(one)
    int8_and_twin(layer, twin)
    assert ("int8" in {str(w.dtype) for w in layer.weights}) == (kind != "dot")
    tolerance = 1e-6 if policy == "float32" else 0.02
    given = {"memory_mask": MASK}
    assert_close(layer(query, memory, **given), twin(query, memory, **given), tolerance)


def every_part() -> keras.Model:
    """A functional model with all that holds cells."""
    x, memory = keras.Input((None, 16)), keras.Input((None, 8))
    sequences = {"return_sequences": True}
    y = Bidirectional(ForgetGateLSTM(8, **sequences))(x)
    y = Residual(GRU(16, **sequences))(y)
    stack = [CECLSTMCell(16), ResidualCell(GRUCell(16))]
    y = Recurrent(StackedRNNCells(stack), **sequences)(y)
    cell = AttentionCell(PeepholeLSTMCell(12), BahdanauAttention(9))
    y = AttentionRNN(cell, **sequences)(y, memory)
    cell = AttentionCell([GRUCell(12), GRUCell(12)], LuongAttention("general"), "current")
    y = AttentionRNN(cell, **sequences)(y, memory)
    return keras.Model([x, memory], Dense(5)(y))


INPUTS = [array(2, 4, 16), array(2, 3, 8, seed=1)]


def test_a_model_of_every_part_is_saved_and_loaded(tmp_path):
    model = every_part()
    before = numpy(model(INPUTS))
    model.quantize("int8")
    after = numpy(model(INPUTS))
    assert 0 < np.abs(after - before).max() < 0.05 * np.abs(before).max()
    left = [w.path for w in model.weights if w.name.endswith("kernel") and w.dtype != "int8"]
    assert sorted(path.rsplit("/", 1)[1] for path in left) == ["kernel", "score_kernel"]
    assert "attention_cell" in next(path for path in left if path.endswith("/kernel"))  # its W
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_same(loaded(INPUTS), after)


def test_an_int8_file_makes_float_layers_int8(tmp_path):
    def model():
        return keras.Sequential([keras.Input((None, 3)), Bidirectional(GRU(4))])

    small, other = model(), model()
    small.quantize("int8")
    small.save_weights(tmp_path / "it.weights.h5")
    other.load_weights(tmp_path / "it.weights.h5")
    assert_same(other(X), small(X))


@every_layer
def test_the_file_is_a_quarter(kind, tmp_path):
    model = keras.Sequential([keras.Input((None, 128)), LAYERS[kind](256)])
    model.save(tmp_path / "float.keras")
    model.quantize("int8")
    model.save(tmp_path / "int8.keras")
    whole, small = (os.path.getsize(tmp_path / f"{name}.keras") for name in ("float", "int8"))
    assert small < 0.3 * whole


@pytest.mark.parametrize("make", [lambda: GRUCell(4), lambda: LuongAttention("general")])
def test_the_config_says_int8(make):
    layer = make()
    shapes = [(None, 3)] if isinstance(layer, GRUCell) else [(None, 3), (None, 5, 3)]
    layer.build(*shapes)
    layer.dtype_policy = "int8_from_float32"  # is to quantise, as in Keras
    again = type(layer).from_config(layer.get_config())
    again.build(*shapes)
    again.set_weights(layer.get_weights())
    assert weights(again).keys() == weights(layer).keys()
    assert {w.dtype for w in again.weights} == {"int8", "float32"}


def test_a_quantizer_of_ones_own():
    cell = GRUCell(4)
    cell.build((None, 3))
    coarse = keras.quantizers.AbsMaxQuantizer(value_range=(-7, 7))
    cell.quantize(config=keras.quantizers.Int8QuantizationConfig(weight_quantizer=coarse))
    assert np.abs(weights(cell)["kernel"]).max() == 7


@pytest.mark.parametrize("mode", ["int4", "float8"])
def test_other_modes_are_refused_and_nothing_changes(mode):
    layer = built(ForgetGateLSTM(4))
    before = layer(X)
    with pytest.raises(NotImplementedError, match="can be quantized to 'int8'; mode="):
        layer.cell.quantize(mode)
    model = keras.Sequential([keras.Input((None, 3)), layer])
    with pytest.warns(UserWarning, match="can be quantized to 'int8'"):
        model.quantize(mode)
    assert_same(layer(X), before)
