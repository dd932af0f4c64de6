"""Residual connections between recurrent layers: a layer adds its input to its output."""

from functools import cached_property
from numbers import Integral
from typing import Any

import keras
from keras import ops, tree
from keras.src import backend

# Keras' RNN makes and clears the dropout masks of the cells that are instances of this class,
# and of no others; it has no public name.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell


@keras.saving.register_keras_serializable("lstm_recipes")
class Residual(keras.layers.Wrapper):
    """A recurrent layer whose output is added to its input (Wu et al. 2016, section 3.1).

        h^k_t, s^k_t = layer_k(x^{k-1}_t, s^k_{t-1})
        x^k_t        = h^k_t + x^{k-1}_t

    The sum is of one and the same time step, and goes up alone: to its own next step the layer
    hands its states, without the input.

    Called as the layer is: ``[batch, time, width]``, a mask, ``initial_state``, ``training`` in;
    the sum ``[batch, time, width]`` out, and the states if the layer returns them. ``.layer`` is
    the layer, ``.cell`` one step of this (a `ResidualCell` with the same weights).

    Args:
        layer: A recurrent layer with ``return_sequences=True``, or `Bidirectional` over one.
        context: How many features stand in the input behind the ``width`` of them that are added.
            The layer sees them, and the sum leaves them out: the attention's context, which Wu et
            al. hand to every layer.

    Raises:
        ValueError: The layer returns no sequences or returns them in reverse, or its output is not
            as wide as its input less the context.

    The encoder of Wu et al.: both ways in the lowest layer, residual from the third.

    >>> import numpy as np
    >>> from keras.layers import Bidirectional
    >>> from lstm_recipes.layers import ForgetGateLSTM
    >>> def lstm():
    ...     return ForgetGateLSTM(8, return_sequences=True)
    >>> layers = [Bidirectional(lstm()), lstm(), Residual(lstm()), Residual(lstm())]
    >>> encoder = keras.Sequential(layers)
    >>> encoder(np.zeros((2, 5, 3), "float32")).shape
    TensorShape([2, 5, 8])
    """

    def __init__(self, layer: Any, context: int = 0, **kwargs: Any):
        super().__init__(layer, autocast=False, **kwargs)
        if not getattr(layer, "return_sequences", False) or getattr(layer, "go_backwards", False):
            raise ValueError(
                f"Residual received {layer}; it needs a recurrent layer with return_sequences=True "
                "and without go_backwards, for it adds the input of each step to the output of the "
                "same step."
            )
        self.supports_masking = True
        self.context = checked_context(context)

    # Kept, because Keras' saving looks at every attribute and knows by their ids what it has seen:
    # a cell that was new at each look could get the id of one that was gone, and be passed over.
    @cached_property
    def cell(self) -> "ResidualCell":
        """One step of this, with the same weights; for layers over one cell."""
        return ResidualCell(self.layer.cell, self.context)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        super().build(sequences_shape)
        output = self.layer.compute_output_shape(sequences_shape)
        output = output[0] if self.layer.return_state else output
        check_widths(self.name, sequences_shape[-1], self.context, output[-1])

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        # Given states, Keras looks for no mask.
        mask = backend.get_keras_mask(sequences) if mask is None else mask
        results = self.layer(sequences, initial_state=initial_state, mask=mask, training=training)
        output, *states = results if self.layer.return_state else [results]
        total = output + ops.cast(without_context(sequences, self.context), output.dtype)
        return (total, *states) if self.layer.return_state else total

    def compute_output_spec(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        return self.layer.compute_output_spec(
            sequences, initial_state=initial_state, mask=mask, training=training
        )

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        return self.layer.compute_mask(sequences, mask)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"context": self.context}


@keras.saving.register_keras_serializable("lstm_recipes")
class ResidualCell(DropoutRNNCell, keras.layers.Layer):
    """One step of :class:`Residual`: a recurrent cell whose output is added to its input.

    ``cell(x_t, states)`` gives x_t plus the cell's output, and the cell's states, which are as they
    would be without. For stacks that run one step at a time: in ``StackedRNNCells``, an
    ``AttentionCell``, or a beam search.

    Args:
        cell: A recurrent cell.
        context: As in :class:`Residual`.

    Raises:
        ValueError: The cell's output is not as wide as its input less the context.

    >>> import numpy as np
    >>> from lstm_recipes.layers import ForgetGateLSTMCell
    >>> cell = ResidualCell(ForgetGateLSTMCell(4, kernel_initializer="zeros"))
    >>> output, (h, c) = cell(np.ones((1, 4), "float32"), cell.get_initial_state(1))
    >>> output.numpy()
    array([[1., 1., 1., 1.]], dtype=float32)
    """

    def __init__(self, cell: Any, context: int = 0, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)  # or it would round a float32 cell state
        self.cell = cell
        self.context = checked_context(context)

    @property
    def state_size(self) -> Any:
        """The cell's."""
        return self.cell.state_size

    @property
    def output_size(self) -> int:
        """The cell's."""
        return output_width(self.cell)

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        """The cell's."""
        return self.cell.get_initial_state(batch_size)

    def build(self, input_shape: tuple) -> None:
        check_widths(self.name, input_shape[-1], self.context, self.output_size)
        if not self.cell.built:
            self.cell.build(input_shape)

    def call(self, inputs: Any, states: Any) -> tuple[Any, Any]:
        output, states = self.cell(inputs, states)
        return output + ops.cast(without_context(inputs, self.context), output.dtype), states

    # One dropout mask for all steps: the loop makes them before its first step.

    def get_dropout_mask(self, step_input: Any) -> None:
        make_dropout_masks(self.cell, step_input)

    def get_recurrent_dropout_mask(self, step_input: Any) -> None:
        """The cell's has been made together with the other."""

    def reset_dropout_mask(self) -> None:
        clear_dropout_masks(self.cell)

    def reset_recurrent_dropout_mask(self) -> None:
        """The cell's has been cleared together with the other."""

    def get_config(self) -> dict[str, Any]:
        cell = keras.saving.serialize_keras_object(self.cell)
        return super().get_config() | {"cell": cell, "context": self.context}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ResidualCell":
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**config | {"cell": cell})


# What cells that hold other cells share.


def output_width(cell: Any) -> int:
    """The width of a cell's output: what it says, or its first state's, as Keras has it."""
    width = getattr(cell, "output_size", None)
    return tree.flatten(cell.state_size)[0] if width is None else width


def make_dropout_masks(cell: Any, step_input: Any) -> None:
    """Draw a cell's masks for all steps, from one step's input."""
    if isinstance(cell, DropoutRNNCell):
        h = ops.ones((ops.shape(step_input)[0], tree.flatten(cell.state_size)[0]), step_input.dtype)
        cell.get_dropout_mask(step_input)
        cell.get_recurrent_dropout_mask(h)


def clear_dropout_masks(cell: Any) -> None:
    """Forget the masks, so that the next call draws others."""
    if isinstance(cell, DropoutRNNCell):
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()


def without_context(inputs: Any, context: int) -> Any:
    """The features before the context."""
    return inputs[..., : inputs.shape[-1] - context]


def checked_context(context: Any) -> int:
    """``context``, if it is a number of features."""
    if isinstance(context, bool) or not isinstance(context, Integral) or context < 0:
        raise ValueError(f"context={context!r} was given; a whole number of at least 0 is needed.")
    return int(context)


def check_widths(name: str, features: int | None, context: int, units: int) -> None:
    """Raise unless the input, less the context, is as wide as the output."""
    if features is None or features - context != units:
        raise ValueError(
            f"{name} received {features} features, {context} of them context; {units + context} "
            f"are needed, for the output that they are added to has {units}."
        )
