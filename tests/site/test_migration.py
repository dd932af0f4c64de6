"""The conversions on the migration page give what the old cells gave.

The references are written from the old sources: tensorflow_addons/rnn/peephole_lstm_cell.py,
tensorflow/python/ops/rnn_cell_impl.py of TensorFlow 1, keras_contrib/layers/crf.py, and cuDNN's
equations with the layout that Keras 2's CuDNNLSTM and CuDNNGRU kept.
"""

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from lstm_recipes.layers import CRF, GRU, ForgetGateLSTM, PeepholeLSTM

from .page_blocks import blocks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "migration.md"
UNITS, FEATURES, STEPS = 4, 3, 7


@pytest.fixture(scope="module")
def page():
    """What the page's Python defines."""
    namespace = {}
    for _, reason, code in blocks(PAGE.read_text("utf-8")):
        if reason is None:
            exec(code, namespace)
    return namespace


@pytest.fixture
def draw():
    return np.random.default_rng(3).normal


@pytest.fixture
def x(draw):
    return draw(size=(2, STEPS, FEATURES))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def outputs_of(layer, weights, x):
    layer.build((None, None, FEATURES))
    layer.set_weights(weights)
    return np.array(layer(x.astype("float32")))


def run(step, x, states):
    """The outputs of a cell over time: ``step(x_t, states)`` gives the output and the states."""
    found = []
    for t in range(x.shape[1]):
        output, states = step(x[:, t], states)
        found.append(output)
    return np.stack(found, 1)


def addons_peephole(weights):
    kernel, recurrent_kernel, bias, p_i, p_f, p_o = weights

    def step(x, states):
        h, c = states
        z_0, z_1, z_2, z_3 = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
        i, f = sigmoid(z_0 + p_i * c), sigmoid(z_1 + p_f * c)
        c = f * c + i * np.tanh(z_2)
        h = sigmoid(z_3 + p_o * c) * np.tanh(c)
        return h, (h, c)

    return step


def tensorflow_1_lstm(kernel, bias, forget_bias, diagonals=None):
    w_i, w_f, w_o = np.zeros((3, UNITS)) if diagonals is None else diagonals

    def step(x, states):
        c, h = states
        i, j, f, o = np.split(np.concatenate([x, h], 1) @ kernel + bias, 4, axis=1)
        c = sigmoid(f + forget_bias + w_f * c) * c + sigmoid(i + w_i * c) * np.tanh(j)
        h = sigmoid(o + w_o * c) * np.tanh(c)
        return h, (c, h)

    return step


def tensorflow_1_gru(gates_kernel, gates_bias, candidate_kernel, candidate_bias):
    def step(x, h):
        gates = sigmoid(np.concatenate([x, h], 1) @ gates_kernel + gates_bias)
        r, u = np.split(gates, 2, axis=1)
        candidate = np.concatenate([x, r * h], 1) @ candidate_kernel + candidate_bias
        h = u * h + (1 - u) * np.tanh(candidate)
        return h, h

    return step


def test_peepholes_of_tensorflow_addons(page, draw, x):
    shapes = [(FEATURES, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,), *[(UNITS,)] * 3]
    old = [draw(size=shape) for shape in shapes]
    expected = run(addons_peephole(old), x, (np.zeros((2, UNITS)),) * 2)
    layer = PeepholeLSTM(UNITS, return_sequences=True)
    found = outputs_of(layer, page["from_addons"](old), x)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("forget_bias", [1.0, 0.0, 2.5])
@pytest.mark.parametrize("peepholes", [True, False])
def test_lstm_cells_of_tensorflow_1(page, draw, x, forget_bias, peepholes):
    kernel, bias = draw(size=(FEATURES + UNITS, 4 * UNITS)), draw(size=4 * UNITS)
    kept = kernel.copy(), bias.copy()
    diagonals = draw(size=(3, UNITS)) if peepholes else None
    expected = run(
        tensorflow_1_lstm(kernel, bias, forget_bias, diagonals), x, (np.zeros((2, UNITS)),) * 2
    )
    layer = (PeepholeLSTM if peepholes else ForgetGateLSTM)(UNITS, return_sequences=True)
    weights = page["from_tensorflow_1"](
        kernel, bias, UNITS, forget_bias, *(diagonals if peepholes else ())
    )
    np.testing.assert_allclose(outputs_of(layer, weights, x), expected, atol=1e-5)
    np.testing.assert_array_equal(kernel, kept[0])  # the caller's arrays are as they were
    np.testing.assert_array_equal(bias, kept[1])


def test_gru_cell_of_tensorflow_1(page, draw, x):
    rows = FEATURES + UNITS
    shapes = [(rows, 2 * UNITS), (2 * UNITS,), (rows, UNITS), (UNITS,)]
    old = [draw(size=shape) for shape in shapes]
    expected = run(tensorflow_1_gru(*old), x, np.zeros((2, UNITS)))
    layer = GRU(UNITS, reset_after=False, return_sequences=True)
    found = outputs_of(layer, page["gru_from_tensorflow_1"](*old, UNITS), x)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def cudnn_layout(kernels, recurrent):
    """Kernels of each gate, as a CuDNNLSTM keeps what cuDNN's W x + R h multiplies by W and R.

    cuDNN has W as [units, features], row by row; Keras 2 keeps those numbers, in that order, in an
    array of the shape [features, units], and R as its transpose.
    """
    kept = [k.T.reshape(-1).reshape(FEATURES, UNITS) for k in kernels]
    return np.hstack(kept), np.hstack([r.T for r in recurrent])


@pytest.mark.parametrize("gates", [4, 3])
def test_cudnn_layers_of_keras_2(page, draw, x, gates):
    kernels = draw(size=(gates, FEATURES, UNITS))
    recurrent, bias = draw(size=(gates, UNITS, UNITS)), draw(size=2 * gates * UNITS)
    weights = page["from_cudnn"](*cudnn_layout(kernels, recurrent), bias, gates)
    np.testing.assert_array_equal(weights[0], np.hstack(list(kernels)))
    np.testing.assert_array_equal(weights[1], np.hstack(list(recurrent)))
    layer = (ForgetGateLSTM if gates == 4 else GRU)(UNITS, return_sequences=True)
    assert outputs_of(layer, weights, x).shape == (2, STEPS, UNITS)
    input_bias, recurrent_bias = np.split(bias, 2)
    both = input_bias + recurrent_bias if gates == 4 else np.stack([input_bias, recurrent_bias])
    np.testing.assert_allclose(weights[2], both)


def test_crf_of_keras_contrib(page, draw, x):
    tags = 3
    shapes = [(FEATURES, tags), (tags, tags), (tags,), (tags,), (tags,)]
    kernel, chain, bias, left, right = old = [draw(size=shape) for shape in shapes]
    (kernel_here, bias_here), for_crf = page["crf_from_keras_contrib"](*old)
    x = x[:1, :4]
    energies = x[0] @ kernel + bias

    def energy(y):  # get_energy, after add_boundary_energy
        own = sum(energies[t, k] for t, k in enumerate(y)) + left[y[0]] + right[y[-1]]
        return own + sum(chain[j, k] for j, k in pairwise(y))

    ways = list(product(range(tags), repeat=4))
    log_z = np.log(sum(np.exp(-energy(y)) for y in ways))
    crf = CRF()
    crf.build((None, None, tags))
    crf.set_weights(for_crf)
    emissions = (x @ kernel_here + bias_here).astype("float32")
    for y in ways[::10]:
        found = crf.log_likelihood(emissions, np.array([y]))
        np.testing.assert_allclose(found, [-energy(y) - log_z], atol=1e-4)
    assert tuple(crf.decode(emissions)[0]) == min(ways, key=energy)


def test_crf_of_tensorflow_addons(page, draw):
    """Potentials with the boundaries added to the first and last step, then the chain."""
    tags = 3
    chain, left, right = draw(size=(tags, tags)), draw(size=tags), draw(size=tags)
    e = draw(size=(4, tags))
    potentials = e.copy()
    potentials[0] += left
    potentials[-1] += right

    def score(y):
        own = sum(potentials[t, k] for t, k in enumerate(y))
        return own + sum(chain[j, k] for j, k in pairwise(y))

    ways = list(product(range(tags), repeat=4))
    log_z = np.log(sum(np.exp(score(y)) for y in ways))
    crf = CRF()
    crf.build((None, None, tags))
    crf.set_weights(page["crf_from_addons"](chain, left, right))
    found = crf.log_likelihood(e[None].astype("float32"), np.array([ways[17]]))
    np.testing.assert_allclose(found, [score(ways[17]) - log_z], atol=1e-4)


def test_keras_3_has_another_hard_sigmoid():
    import keras

    x = np.array([-2.0, 0.5, 1.0], "float32")
    assert not np.allclose(keras.activations.hard_sigmoid(x), np.clip(0.2 * x + 0.5, 0, 1))
    np.testing.assert_allclose(
        keras.activations.hard_sigmoid(x), np.clip(x / 6 + 0.5, 0, 1), atol=1e-6
    )
