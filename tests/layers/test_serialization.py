"""Config there and back, and .keras files that load without being told of our classes."""

import json

import keras
import numpy as np
import pytest

from lstm_recipes.layers import (
    CECLSTM,
    CECLSTMCell,
    ForgetGateLSTM,
    ForgetGateLSTMCell,
    GRUCell,
    PeepholeLSTMCell,
    Recurrent,
    cec_input,
)

from .helpers import LAYERS, array, assert_close, assert_same, every_layer, randomize

X = array(2, 5, 3)
COMMON = {
    "activation": "relu",
    "recurrent_activation": "hard_sigmoid",
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.2, seed=4),
    "recurrent_initializer": "glorot_normal",
    "bias_initializer": keras.initializers.Constant(0.5),
    "kernel_regularizer": keras.regularizers.L2(0.25),
    "recurrent_regularizer": "l1",
    "bias_regularizer": keras.regularizers.L1L2(0.5, 0.25),
    "kernel_constraint": keras.constraints.MaxNorm(3, axis=1),
    "recurrent_constraint": "unit_norm",
    "bias_constraint": "non_neg",
    "activity_regularizer": keras.regularizers.L2(0.125),
    "dropout": 0.25,
    "recurrent_dropout": 0.5,
    "seed": 11,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "unroll": True,
    "zero_output_for_mask": True,
    "name": "all_of_it",
    "trainable": False,
    "dtype": "mixed_bfloat16",
}
MEMORY = {
    "output_activation": "softsign",
    "use_bias": "gates",
    "block_size": 2,
    "gate_feedback": True,
    "truncated_gradient": True,
    "input_bias_initializer": [-1.0, -2.0],
    "output_bias_initializer": "ones",
}
FORGET = {**MEMORY, "unit_forget_bias": False, "forget_bias_initializer": [0.5, 1.5]}
EVERYTHING = {
    "cec": {**COMMON, **MEMORY},
    "forget": {**COMMON, **FORGET},
    "peephole": {
        **COMMON,
        **FORGET,
        "peephole_initializer": "ones",
        "peephole_regularizer": "l2",
        "peephole_constraint": "non_neg",
    },
    "gru": {**COMMON, "reset_after": False},
}


@every_layer
def test_every_argument_goes_through_the_config(kind):
    """None is left out, and each is worth something other than its default."""
    layer, default = LAYERS[kind](4, **EVERYTHING[kind]), LAYERS[kind](4)
    config = layer.get_config()
    json.dumps(config)
    arguments = set(layer.cell_class.arguments()) - {"units", "use_bias"}
    assert arguments <= set(EVERYTHING[kind]) | {"use_bias"}
    for name in arguments:
        assert config[name] != default.get_config()[name], name
    again = LAYERS[kind].from_config(config)
    assert again.get_config() == config
    assert again.cell.get_config() == layer.cell.get_config() or again.cell.name != layer.cell.name
    assert again.dtype_policy.name == again.cell.dtype_policy.name == "mixed_bfloat16"


@every_layer
def test_the_config_is_flat_and_not_shared(kind):
    """Bidirectional writes into it; from_config must not eat what it was given."""
    config = LAYERS[kind](4).get_config()
    assert "cell" not in config
    copy = json.loads(json.dumps(config))
    LAYERS[kind].from_config(config)
    assert config == copy
    config["go_backwards"] = True
    assert LAYERS[kind].from_config(config).go_backwards


@every_layer
def test_defaults_survive(kind):
    layer = LAYERS[kind](4)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is LAYERS[kind]
    assert again.get_config() == layer.get_config()
    assert again.cell.activation is layer.cell.activation


def saved_and_loaded(model: keras.Model, path) -> keras.Model:
    """Through a .keras file, without custom objects; predictions are the same."""
    randomize(model)
    model.save(path / "model.keras")
    loaded = keras.saving.load_model(path / "model.keras")
    assert_same(loaded.get_weights(), model.get_weights())
    return loaded


@every_layer
@pytest.mark.parametrize("all_options", [False, True])
def test_saving_a_layer(kind, all_options, tmp_path):
    options = EVERYTHING[kind] if all_options else {}
    x = keras.Input((5, 3))
    model = keras.Model(x, LAYERS[kind](4, **options)(x))
    loaded = saved_and_loaded(model, tmp_path)
    assert_same(loaded(X), model(X))
    assert loaded.layers[1].get_config() == model.layers[1].get_config()


@every_layer
def test_saving_in_bidirectional(kind, tmp_path):
    options = {} if kind == "gru" else {"input_bias_initializer": [1.0, 2.0], "block_size": 2}
    layer = LAYERS[kind](4, return_sequences=True, **options)
    model = keras.Sequential([keras.Input((None, 3)), keras.layers.Bidirectional(layer)])
    assert_same(saved_and_loaded(model, tmp_path)(X), model(X))


@pytest.mark.parametrize("rnn", [Recurrent, keras.layers.RNN])
def test_saving_stacked_cells(rnn, tmp_path):
    cells = [
        CECLSTMCell(4, block_size=2, input_bias_initializer=[-3.0, -6.0]),
        ForgetGateLSTMCell(3, activation="cec_input", output_activation="cec_output"),
        PeepholeLSTMCell(2, output_activation=cec_input),
        GRUCell(5, reset_after=False),
    ]
    model = keras.Sequential([keras.Input((None, 3)), rnn(keras.layers.StackedRNNCells(cells))])
    assert_same(saved_and_loaded(model, tmp_path)(X), model(X))


def test_saving_a_stateful_layer(tmp_path):
    """Its states are no weights: the loaded one starts from zero."""
    x = keras.Input(batch_shape=(2, None, 3))
    model = keras.Model(x, ForgetGateLSTM(4, stateful=True)(x))
    model(X)
    loaded = saved_and_loaded(model, tmp_path)
    model.layers[1].reset_state()
    assert_same(loaded(X), model(X))


def test_saving_after_training_goes_on_training(tmp_path):
    """The optimizer's state is saved with the layer's weights: the next step is the same."""
    x, y = array(8, 5, 3), array(8, 4)
    model = keras.Sequential([keras.Input((None, 3)), CECLSTM(4, block_size=2)])
    model.compile("adam", "mse", jit_compile=False)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(x, y, verbose=0)
    assert_close(loaded.get_weights(), model.get_weights(), 1e-6)


@every_layer
def test_saving_weights_alone(kind, tmp_path):
    def model() -> keras.Model:
        return keras.Sequential([keras.Input((None, 3)), LAYERS[kind](4)])

    one, other = randomize(model()), model()
    one.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same(other.get_weights(), one.get_weights())


@every_layer
def test_cloning_a_model(kind):
    x = keras.Input((None, 3))
    layer = LAYERS[kind](4, return_sequences=True)
    model = keras.Model(x, keras.layers.Bidirectional(layer)(layer(x)))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert_same(clone(X), model(X))
    assert clone.layers[1] is not model.layers[1]


@every_layer
def test_the_cell_alone(kind):
    """As an object of its own, with every argument."""
    options = {
        k: v for k, v in EVERYTHING[kind].items() if k in LAYERS[kind].cell_class.arguments()
    }
    cell = LAYERS[kind].cell_class(4, **options)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(cell))
    assert type(again) is type(cell)
    assert again.get_config() == cell.get_config()


def test_bias_lists_are_plain_numbers_in_the_config():
    """NumPy numbers and tuples too, for a file is JSON."""
    layer = CECLSTM(4, input_bias_initializer=tuple(np.array([1.0, 2.0, 3.0, 4.0])))
    assert json.loads(json.dumps(layer.get_config()))["input_bias_initializer"]["config"] == {
        "value": [1.0, 2.0, 3.0, 4.0]
    }
