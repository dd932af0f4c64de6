"""What help() and editors see: the real arguments, in the signature and in the types."""

import inspect
from typing import get_type_hints

import keras
import pytest

from lstm_recipes.layers import CECLSTM
from lstm_recipes.layers.recurrence import (
    CellOptions,
    ForgetOptions,
    GRUOptions,
    LoopOptions,
    MemoryOptions,
    PeepholeOptions,
)

from .helpers import LAYERS, every_layer

OPTIONS = {
    "cec": MemoryOptions,
    "forget": ForgetOptions,
    "peephole": PeepholeOptions,
    "gru": GRUOptions,
}


@every_layer
def test_the_signature_lists_every_argument(kind):
    parameters = inspect.signature(LAYERS[kind]).parameters
    arguments = LAYERS[kind].cell_class.arguments()
    assert next(iter(parameters)) == "units"
    assert set(arguments) <= set(parameters)
    for name, parameter in arguments.items():
        assert parameters[name].default == parameter.default
    loop = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
    assert all(parameters[name].default is False for name in (*loop, "zero_output_for_mask"))


def test_the_defaults_of_1997():
    parameters = inspect.signature(CECLSTM).parameters
    assert parameters["activation"].default == "cec_input"
    assert parameters["output_activation"].default == "cec_output"
    assert parameters["block_size"].default == 1
    assert parameters["use_bias"].default is True
    assert "unit_forget_bias" not in parameters


@every_layer
def test_arguments_after_units_are_by_name_alone(kind):
    with pytest.raises(TypeError):
        LAYERS[kind](4, "tanh")


@every_layer
def test_the_types_know_the_same_arguments(kind):
    """The TypedDict of a layer's options against what its cell and the loop take."""
    options = set(get_type_hints(OPTIONS[kind]))
    loop = set(get_type_hints(LoopOptions))
    assert options - loop == set(LAYERS[kind].cell_class.arguments()) - {"units"}
    assert OPTIONS[kind].__name__ in str(LAYERS[kind].__init__.__annotations__["options"])


def test_the_types_of_the_loop():
    """What keras.layers.RNN takes, and what every Keras layer does."""
    rnn = set(inspect.signature(keras.layers.RNN.__init__).parameters) - {"self", "cell", "kwargs"}
    of_every_layer = {"name", "dtype", "trainable", "activity_regularizer"}
    assert set(get_type_hints(LoopOptions)) == rnn | of_every_layer
    assert set(get_type_hints(CellOptions)) > rnn


@every_layer
def test_every_argument_is_documented(kind):
    """In the class docstring, before its Raises."""
    arguments = LAYERS[kind].__doc__.split("Args:")[1].split("Raises:")[0]
    for name in inspect.signature(LAYERS[kind]).parameters:
        if name != "kwargs":
            assert name in arguments


@every_layer
def test_the_arguments_are_the_class_s_and_not_the_layer_s(kind):
    """Whoever asks a layer itself, as tf.function does, is told what its call takes."""
    assert "units" in inspect.signature(LAYERS[kind]).parameters
    assert "units" not in inspect.signature(LAYERS[kind](4)).parameters
