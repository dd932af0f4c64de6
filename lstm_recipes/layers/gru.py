"""The gated recurrent unit (2014), in both of its published forms."""

from collections.abc import Sequence
from typing import Any, Unpack

import keras
from keras import ops

from lstm_recipes.layers.activations import DERIVATIVES
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
    columns_apart = ("h",)

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
        if not self.reset_after:
            return self.bias
        # The candidate's part of the second one is reset, and so added in `pointwise`.
        gates = ops.arange(3 * self.units) < 2 * self.units
        return self.bias[0] + ops.where(gates, self.bias[1], 0.0)

    def vectors(self) -> list:
        """b'_h, if there is one."""
        biased = self.reset_after and self.bias is not None
        return [self.bias[1][2 * self.units :]] if biased else []

    def step(self, x: Any, states: list, kernel: Any, training: bool = False) -> tuple[Any, list]:
        if self.reset_after:
            return super().step(x, states, kernel, training)
        # What is reset goes through the kernel: two products, one after the other.
        (h,), fed = states, self.feed(states, training)
        x_z, x_r, x_h = self.split(x)
        u_z, u_r = ops.split(self._times(fed, kernel[:, : 2 * self.units]), 2, axis=-1)
        z = self.recurrent_activation(x_z + u_z)
        r = self.recurrent_activation(x_r + u_r)
        reset = ops.cast(ops.cast(r, fed.dtype) * fed, fed.dtype)
        candidate = self.activation(x_h + self._times(reset, kernel[:, 2 * self.units :]))
        h = z * h + (1.0 - z) * candidate
        return ops.cast(h, self.compute_dtype), [h]

    def _times(self, fed: Any, kernel: Any) -> Any:
        return ops.cast(ops.matmul(fed, kernel), self.variable_dtype)

    def pointwise(self, z: list, states: list, vectors: list) -> tuple[list, tuple]:
        (h,), (z_z, z_r, x_h, u_h) = states, z
        z = self.recurrent_activation(z_z)
        r = self.recurrent_activation(z_r)
        u_h = u_h + vectors[0] if vectors else u_h
        candidate = self.activation(x_h + r * u_h)
        return [z * h + (1.0 - z) * candidate], (z, r, candidate, u_h, h)

    def pointwise_vjp(self, d_states: list, kept: Sequence, vectors: list) -> tuple:
        [dh], (z, r, candidate, u_h, h) = d_states, kept
        gate, cell = DERIVATIVES[self.recurrent_activation], DERIVATIVES[self.activation]
        d_z = gate(z, dh * (h - candidate))
        passed = dh * z
        d_h = cell(candidate, dh - passed)
        d_r = gate(r, d_h * u_h)
        d_u = d_h * r
        return [d_z, d_r, d_h, d_u], [passed], [d_u] if vectors else []

    @property
    def kept_widths(self) -> list[int]:
        return 5 * [self.units]

    @property
    def has_derivative(self) -> bool:
        functions = self.recurrent_activation, self.activation
        return self.reset_after and all(f in DERIVATIVES for f in functions)


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
