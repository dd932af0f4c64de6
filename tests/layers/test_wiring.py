"""The wiring of the papers: squashing functions, blocks, gates that feed back, biases."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import CECLSTM, ForgetGateLSTM, PeepholeLSTM, cec_input, cec_output

from .helpers import LAYERS, array, assert_close, built, dtype_of, every_lstm, numpy
from .reference import sigmoid

X = np.linspace(-9, 9, 37, dtype="float32")


def test_the_squashing_functions_of_1997():
    """g is logistic in [−2, 2], h in [−1, 1] (appendix A.1)."""
    np.testing.assert_allclose(cec_input(X), 4 * sigmoid(X) - 2, atol=1e-6)
    np.testing.assert_allclose(cec_output(X), 2 * sigmoid(X) - 1, atol=1e-6)


@pytest.mark.parametrize("function", [cec_input, cec_output])
def test_the_squashing_functions_keep_the_dtype(function):
    for dtype in ("float32", "bfloat16", "float16"):
        assert dtype_of(function(ops.cast(X, dtype))) == dtype


def test_they_are_the_defaults_of_the_cec_lstm_alone():
    cell = CECLSTM(2).cell
    assert (cell.activation, cell.output_activation) == (cec_input, cec_output)
    tanh = keras.activations.tanh
    for layer in (ForgetGateLSTM(2), PeepholeLSTM(2)):
        assert (layer.cell.activation, layer.cell.output_activation) == (tanh, tanh)
    assert ForgetGateLSTM(2, activation="relu").cell.output_activation is keras.activations.relu


@pytest.mark.parametrize(
    ("kind", "options", "shapes"),
    [
        ("cec", {}, [(3, 18), (6, 18), (18,)]),
        ("cec", {"block_size": 2}, [(3, 12), (6, 12), (12,)]),
        ("cec", {"block_size": 2, "gate_feedback": True}, [(3, 12), (12, 12), (12,)]),
        ("cec", {"block_size": 2, "use_bias": "gates"}, [(3, 12), (6, 12), (6,)]),
        ("cec", {"use_bias": False}, [(3, 18), (6, 18)]),
        ("forget", {}, [(3, 24), (6, 24), (24,)]),
        ("forget", {"block_size": 3, "gate_feedback": True}, [(3, 12), (12, 12), (12,)]),
        ("forget", {"block_size": 6, "use_bias": "gates"}, [(3, 9), (6, 9), (3,)]),
        ("peephole", {}, [(3, 24), (6, 24), (24,), (3, 6)]),
        ("peephole", {"block_size": 3}, [(3, 12), (6, 12), (12,), (3, 6)]),
        ("gru", {}, [(3, 18), (6, 18), (2, 18)]),
        ("gru", {"reset_after": False}, [(3, 18), (6, 18), (18,)]),
        ("gru", {"use_bias": False}, [(3, 18), (6, 18)]),
    ],
)
def test_weight_shapes(kind, options, shapes):
    layer = LAYERS[kind](6, **options)
    layer.build((None, None, 3))
    assert [w.shape for w in layer.weights] == shapes
    names = ["kernel", "recurrent_kernel", "bias", "peephole"]
    assert [w.name for w in layer.weights] == [
        n for n in names if getattr(layer.cell, n, None) is not None
    ]


def bias_of(kind: str, **options) -> list:
    layer = LAYERS[kind](4, block_size=2, **options)
    layer.build((None, None, 3))
    return layer.get_weights()[2].tolist()


def test_each_part_of_the_bias_has_its_own_start():
    """Columns [i, f, c, o], two blocks: gates have two, the cells four."""
    assert bias_of("forget") == [0, 0, 1, 1, 0, 0, 0, 0, 0, 0]
    assert bias_of("forget", unit_forget_bias=False) == [0] * 10
    assert bias_of("forget", bias_initializer="ones", unit_forget_bias=False) == [1] * 10
    assert bias_of(
        "peephole",
        input_bias_initializer=[-0.5, -1],
        forget_bias_initializer=[0.5, 2],
        output_bias_initializer=keras.initializers.Constant(3),
        bias_initializer=keras.initializers.Constant(7),
    ) == [-0.5, -1, 0.5, 2, 7, 7, 7, 7, 3, 3]
    assert bias_of("cec", input_bias_initializer=(-3, -6)) == [-3, -6, 0, 0, 0, 0, 0, 0]


def test_a_forget_bias_of_its_own_comes_before_the_unit_bias():
    assert bias_of("forget", forget_bias_initializer="zeros") == [0] * 10


def test_biases_on_the_gates_alone():
    assert bias_of("forget", use_bias="gates", output_bias_initializer=[5, 6]) == [0, 0, 1, 1, 5, 6]
    assert bias_of("cec", use_bias="gates", input_bias_initializer=[5, 6]) == [5, 6, 0, 0]


def test_gate_biases_are_a_whole_bias_with_zeros_for_the_cells():
    x = array(2, 5, 3)
    gates = built(ForgetGateLSTM(4, block_size=2, use_bias="gates"))
    whole = ForgetGateLSTM(4, block_size=2)
    whole.build((None, None, 3))
    kernel, recurrent, bias = gates.get_weights()
    whole.set_weights([kernel, recurrent, np.insert(bias, [4] * 4, 0)])
    assert_close(gates(x), whole(x), 1e-6)


@every_lstm
def test_cells_of_a_block_share_its_gates(kind):
    """A blocked layer equals one without blocks whose gates have each weight repeated."""
    x = array(2, 5, 3)
    blocked = built(LAYERS[kind](4, block_size=2, return_sequences=True, return_state=True))
    single = LAYERS[kind](4, return_sequences=True, return_state=True)
    single.build((None, None, 3))
    gates_before = 2 if kind == "cec" else 4
    cells = range(gates_before, gates_before + 4)
    columns = [
        c for c in range(blocked.cell.kernel.shape[1]) for _ in range(1 if c in cells else 2)
    ]
    weights = [w[..., columns] for w in blocked.get_weights()[:3]]
    if kind == "peephole":  # a gate sees each cell of its block; without blocks, its own alone
        blocked.cell.peephole.assign(np.zeros((3, 4)))
        weights.append(np.zeros((3, 4)))
    single.set_weights(weights)
    assert_close(blocked(x), single(x), 1e-6)


@every_lstm
def test_the_state_of_feedback_is_the_gates_of_the_last_step(kind):
    """In the order of their columns, between 0 and 1, and of the width that the kernel has rows."""
    layer = built(LAYERS[kind](4, block_size=2, gate_feedback=True, return_state=True))
    x = array(2, 1, 3)
    output, h, c, gates = numpy(layer(x))
    assert gates.shape == (2, 4 if kind == "cec" else 6)
    assert layer.cell.recurrent_kernel.shape[0] == 4 + gates.shape[1]
    kernel, _, bias, *_ = layer.get_weights()
    z = x[:, 0] @ kernel + bias
    np.testing.assert_allclose(gates[:, :2], sigmoid(z[:, :2]), rtol=1e-5)  # the input gates
    squash = np.tanh(c / 2) if kind == "cec" else np.tanh(c)
    np.testing.assert_allclose(h, np.repeat(gates[:, -2:], 2, axis=1) * squash, rtol=1e-5)
    assert_close(output, h, 0)
    later = layer(x, initial_state=[h, c, gates])
    other = layer(x, initial_state=[h, c, 0 * gates])
    assert np.abs(numpy(later)[0] - numpy(other)[0]).max() > 1e-3
