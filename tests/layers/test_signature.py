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


@every_layer
def test_a_layer_has_the_signature_of_its_call(kind):
    """The instance, which tf.function asks; and making one leaves the class's as it was."""
    assert "units" not in inspect.signature(LAYERS[kind](4)).parameters
    assert "units" in inspect.signature(LAYERS[kind]).parameters


def test_a_subclass_does_not_change_its_parent():
    """One with a cell of its own, as the laboratory makes them."""
    before = inspect.signature(CECLSTM)

    class Cell(CECLSTM.cell_class):
        def __init__(self, units: int, *, extra: int = 3, **kwargs: object):
            super().__init__(units, **kwargs)
            self.extra = extra

    class Layer(CECLSTM):
        cell_class = Cell

    assert inspect.signature(CECLSTM) == before
    assert set(inspect.signature(Layer).parameters) - set(before.parameters) == {"extra"}
    assert Layer(4, extra=5).get_config()["extra"] == 5


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
