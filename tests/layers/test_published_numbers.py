"""Numbers that others published: known answers, and the weight counts of the papers."""

import keras
import numpy as np
import pytest

from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM, PeepholeLSTM

from .helpers import numpy

CONSTANTS = {
    "kernel_initializer": keras.initializers.Constant(0.01),
    "recurrent_initializer": keras.initializers.Constant(0.02),
    "bias_initializer": keras.initializers.Constant(0.03),
}
SEQUENCES = np.arange(72, dtype="float32").reshape(3, 6, 4)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (ForgetGateLSTM(3, **CONSTANTS), [0.6288687, 0.86899155, 0.9460773]),
        (
            ForgetGateLSTM(3, **CONSTANTS, go_backwards=True),
            [0.35622165, 0.74789524, 0.8872726],
        ),
        (GRU(3, **CONSTANTS), [0.5217289, 0.6371659, 0.39384964]),
        (GRU(3, **CONSTANTS, reset_after=False), [0.51447755, 0.6426879, 0.40208298]),
    ],
    ids=["lstm", "lstm, backwards", "gru", "gru, reset before"],
)
def test_known_answers_of_keras(layer, expected):
    """The answers that Keras' own tests hold; every unit of a row has the same."""
    np.testing.assert_allclose(numpy(layer(SEQUENCES)), np.repeat(expected, 3).reshape(3, 3), 1e-5)


def test_known_answer_of_tensorflow_addons_peephole_cell():
    ones = {"kernel_initializer": "ones", "peephole_initializer": "ones"}
    layer = PeepholeLSTM(5, **ones)
    one_hot = np.eye(4, dtype="float32")[1:, None]  # rows 1, 2 and 3, one step each
    np.testing.assert_allclose(numpy(layer(one_hot)), np.full((3, 5), 0.417551), atol=1e-6)


def weights(inputs: int, layer: keras.Layer, outputs: int, bias: bool, direct: bool = False) -> int:
    """All weights of a network with one hidden layer; ``direct``: inputs feed the outputs too."""
    x = keras.Input((None, inputs))
    hidden = layer(x)
    if direct:
        hidden = keras.layers.Concatenate()([x, hidden])
    return keras.Model(x, keras.layers.Dense(outputs, use_bias=bias)(hidden)).count_params()


def cec(cells: int, block_size: int, **options: object) -> CECLSTM:
    """The hidden layer of 1997, where gates feed back."""
    return CECLSTM(cells, block_size=block_size, gate_feedback=True, **options)


def test_weight_counts_of_1997():
    """Experiments 1 (two networks), 3, 4, 6a and 6b; history.md has the sums."""
    assert weights(7, cec(6, 2, use_bias="gates"), 7, bias=False) == 276
    assert weights(7, cec(4, 1, use_bias="gates"), 7, bias=False) == 264
    assert weights(1, cec(3, 1), 1, bias=False) == 102
    assert weights(2, cec(4, 2), 1, bias=True) == 93
    assert weights(8, cec(4, 2), 4, bias=True) == 156
    assert weights(8, cec(6, 2), 8, bias=True) == 308


def test_weight_count_of_2000():
    """Learning to forget, the continual embedded Reber grammar."""
    hidden = ForgetGateLSTM(8, block_size=2, use_bias="gates", return_sequences=True)
    assert weights(7, hidden, 7, bias=True, direct=True) == 424


def test_weight_count_of_2002():
    """Learning precise timing: one cell on one input."""
    assert weights(1, PeepholeLSTM(1, return_sequences=True), 1, bias=True) == 17
