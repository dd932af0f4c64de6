"""The gated recurrent unit (2014), in both of its published forms."""

from typing import Any, Unpack

import keras
from keras import ops

from lstm_recipes.layers.gated_cell import GatedCell
from lstm_recipes.layers.recurrence import GatedLayer, GRUOptions


@keras.saving.register_keras_serializable("lstm_recipes")
class GRUCell(GatedCell):
    """One step of :class:`GRU`, with the same arguments: ``cell(x_t, h)``.

    >>> import numpy as np
    >>> cell = GRUCell(4)
    >>> output, [h] = cell(np.ones((2, 3), "float32"), cell.get_initial_state(2))
    >>> output.shape
    TensorShape([2, 4])
    """

    columns = ("z", "r", "h")

    def __init__(self, units: int, *, reset_after: bool = True, **kwargs: Any):
        super().__init__(units, **kwargs)
        if self.use_bias not in (True, False):
            raise ValueError(f"use_bias={self.use_bias!r} was given; True or False is needed.")
        self.reset_after = reset_after

    @property
    def state_size(self) -> int:
        return self.units

    @property
    def state_dtypes(self) -> list[str]:
        return [self.variable_dtype]  # h is the GRU's carousel: it is what must not be rounded

    def _bias_shape_and_initializer(self) -> tuple[tuple, Any]:
        columns = 3 * self.units
        return ((2, columns) if self.reset_after else (columns,)), self.bias_initializer

    def _input_bias(self) -> Any:
        return self.bias[0] if self.reset_after else self.bias

    def recur(self, states: list, kernel: Any, training: bool = False) -> Any:
        """U h + its bias; with ``reset_after=False`` for z and r alone, and h beside it."""
        if self.reset_after:
            product = super().recur(states, kernel, training)
            return product if self.bias is None else product + self.bias[1]
        h = self.feed(states, training)
        gates = ops.cast(ops.matmul(h, kernel[:, : 2 * self.units]), self.variable_dtype)
        return gates, h, kernel[:, 2 * self.units :]

    def pointwise(self, x: Any, r: Any, states: list) -> list:
        h = states[0]
        x_z, x_r, x_h = ops.split(x, 3, axis=-1)
        if self.reset_after:
            u_z, u_r, u_h = ops.split(r, 3, axis=-1)
        else:
            (u_z, u_r), fed, kernel = ops.split(r[0], 2, axis=-1), r[1], r[2]
        z = self.recurrent_activation(x_z + u_z)
        r = self.recurrent_activation(x_r + u_r)
        if self.reset_after:
            candidate = self.activation(x_h + r * u_h)
        else:
            reset = ops.cast(ops.cast(r, fed.dtype) * fed, fed.dtype)
            candidate = self.activation(x_h + ops.cast(ops.matmul(reset, kernel), h.dtype))
        return [z * h + (1.0 - z) * candidate]


@keras.saving.register_keras_serializable("lstm_recipes")
class GRU(GatedLayer):
    """The gated recurrent unit; the same function as ``keras.layers.GRU``.

        z_t = σ(W_z x_t + U_z h_{t-1} + b_z)
        r_t = σ(W_r x_t + U_r h_{t-1} + b_r)
        h̃_t = φ(W_h x_t + b_h + r_t ⊙ (U_h h_{t-1} + b'_h))     reset_after=True
        h̃_t = φ(W_h x_t + b_h + U_h (r_t ⊙ h_{t-1}))            reset_after=False
        h_t = z_t ⊙ h_{t-1} + (1 − z_t) ⊙ h̃_t                   φ = tanh

    Source: Cho et al., *Learning Phrase Representations using RNN Encoder–Decoder*, EMNLP 2014,
    section 2.3: ``reset_after=False`` is its third arXiv version, ``True`` its first, and
    cuDNN's. What differs from the paper: biases, and with ``reset_after`` a second bias vector
    for the recurrent products, as in Keras and cuDNN.

    Kernel columns stand in the order [z, r, h], as in Keras. Inputs ``[batch, time, features]``;
    output ``[batch, units]``, or ``[batch, time, units]`` with ``return_sequences``; one state,
    h ``[batch, units]``, which under a mixed policy is carried in float32 (the outputs have the
    compute dtype).

    Args:
        units: Width of the state and the output.
        reset_after: Reset after the recurrent product (True) or before it.
        activation: φ, of the candidate.
        recurrent_activation: The gates' squashing function.
        use_bias: True or False.
        kernel_initializer, recurrent_initializer, bias_initializer: As in Keras.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: As in Keras.
        kernel_constraint, recurrent_constraint, bias_constraint: As in Keras.
        dropout: Rate on the inputs; one mask for all time steps.
        recurrent_dropout: Rate on h_{t-1} in the products alone; one mask for all time steps.
        seed: Of the dropout masks.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask:
            As in ``keras.layers.GRU``; so are ``mask`` and ``initial_state`` of the call.

    Raises:
        ValueError: For units below 1, an unknown activation, a state of the wrong shape, a
            stateful layer without a batch size.

    >>> import numpy as np
    >>> GRU(4, return_sequences=True)(np.zeros((2, 5, 3), "float32")).shape
    TensorShape([2, 5, 4])
    """

    cell_class = GRUCell

    def __init__(self, units: int, **options: Unpack[GRUOptions]):
        super().__init__(units, **options)
