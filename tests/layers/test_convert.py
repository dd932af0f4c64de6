"""Settings and weights from and to Keras' own layers."""

import keras
import numpy as np
import pytest

from lstm_recipes.layers import (
    CECLSTM,
    GRU,
    ForgetGateLSTM,
    PeepholeLSTM,
    cec_input,
    from_keras,
    to_keras,
)

from .helpers import MASKS, array, assert_close, assert_same, built, randomize

X = array(3, 5, 4)
SETTINGS = {
    "activation": "relu",
    "recurrent_activation": "hard_sigmoid",
    "kernel_initializer": "he_normal",
    "recurrent_regularizer": keras.regularizers.L2(0.5),
    "bias_constraint": "non_neg",
    "dropout": 0.1,
    "recurrent_dropout": 0.2,
    "seed": 3,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "zero_output_for_mask": True,
    "name": "kept",
}
SETTINGS_OF = {
    "lstm": (keras.layers.LSTM, ForgetGateLSTM, {**SETTINGS, "unit_forget_bias": False}),
    "lstm, no bias": (keras.layers.LSTM, ForgetGateLSTM, {"use_bias": False, "unroll": True}),
    "lstm, plain": (keras.layers.LSTM, ForgetGateLSTM, {}),
    "gru": (keras.layers.GRU, GRU, SETTINGS),
    "gru, reset before": (keras.layers.GRU, GRU, {**SETTINGS, "reset_after": False}),
    "gru, plain": (keras.layers.GRU, GRU, {}),
}
every_setting = pytest.mark.parametrize("name", SETTINGS_OF)


def assert_same_settings(one: keras.Layer, other: keras.Layer) -> None:
    """All that both layers have is equal."""
    one, other = one.get_config(), other.get_config()
    shared = one.keys() & other.keys()
    assert len(shared) > 25
    assert {k: one[k] for k in shared} == {k: other[k] for k in shared}


@every_setting
def test_from_keras(name):
    theirs, ours, settings = SETTINGS_OF[name]
    layer = theirs(6, **settings)
    layer.build((None, None, 4))
    randomize(layer)
    converted = from_keras(layer)
    assert type(converted) is ours
    assert_same_settings(converted, layer)
    mask = np.array(MASKS["gaps"], bool)
    assert_close(converted(X, mask=mask), layer(X, mask=mask))


@every_setting
def test_to_keras(name):
    theirs, ours, settings = SETTINGS_OF[name]
    layer = built(ours(6, **settings), 4)
    converted = to_keras(layer)
    assert type(converted) is theirs
    assert_same_settings(converted, layer)
    mask = np.array(MASKS["gaps"], bool)
    assert_close(converted(X, mask=mask), layer(X, mask=mask))


@every_setting
def test_there_and_back(name):
    _, ours, settings = SETTINGS_OF[name]
    layer = built(ours(6, **settings), 4)
    back = from_keras(to_keras(layer))
    assert back.get_config() == layer.get_config()
    assert_same(back.get_weights(), layer.get_weights())
    assert back.cell.kernel is not layer.cell.kernel  # a copy, not the same variable


@every_setting
def test_a_layer_that_is_not_built(name):
    theirs, ours, settings = SETTINGS_OF[name]
    for converted in (from_keras(theirs(6, **settings)), to_keras(ours(6, **settings))):
        assert not converted.built
        converted(X)
        assert converted.built


@pytest.mark.parametrize("convert", [from_keras, to_keras])
def test_a_stateful_layer(convert):
    """Converts, built for the batch of its first call, with or without having been called."""
    layer = (keras.layers.LSTM if convert is from_keras else ForgetGateLSTM)(6, stateful=True)
    assert convert(layer).stateful
    layer(X)
    converted = convert(layer)
    layer.reset_state()
    assert_close(converted(X), layer(X))


def test_the_policy_converts():
    assert from_keras(keras.layers.GRU(4, dtype="mixed_bfloat16")).compute_dtype == "bfloat16"
    assert to_keras(GRU(4, dtype="mixed_bfloat16")).compute_dtype == "bfloat16"


def test_a_trainable_false_converts():
    assert from_keras(keras.layers.LSTM(4, trainable=False)).trainable is False
    assert to_keras(ForgetGateLSTM(4, trainable=False)).trainable is False


@pytest.mark.parametrize(
    "setting",
    [
        {"block_size": 2},
        {"gate_feedback": True},
        {"truncated_gradient": True},
        {"use_bias": "gates"},
        {"output_activation": "relu"},
        {"activation": "relu", "output_activation": "tanh"},
        {"input_bias_initializer": "ones"},
        {"forget_bias_initializer": [1.0, 2.0, 3.0, 4.0]},
        {"output_bias_initializer": "zeros"},
    ],
)
def test_what_keras_cannot_have(setting):
    """The message names the layer and the setting."""
    *_, name = setting
    with pytest.raises(ValueError, match=f"mine.*{name}"):
        to_keras(ForgetGateLSTM(4, name="mine", **setting))


def test_an_output_activation_equal_to_the_activation_converts():
    layer = ForgetGateLSTM(4, activation=cec_input, output_activation="cec_input")
    assert to_keras(built(layer, 4)).activation is cec_input


@pytest.mark.parametrize(
    "layer", [keras.layers.Dense(2), keras.layers.SimpleRNN(2), ForgetGateLSTM(2), "LSTM"]
)
def test_layers_that_are_not_keras_lstm_or_gru(layer):
    with pytest.raises(TypeError, match=r"keras.layers.LSTM or GRU; received"):
        from_keras(layer)


@pytest.mark.parametrize("layer", [keras.layers.LSTM(2), CECLSTM(2), PeepholeLSTM(2), None])
def test_layers_that_have_no_equal(layer):
    with pytest.raises(TypeError, match=r"ForgetGateLSTM or GRU; received"):
        to_keras(layer)
