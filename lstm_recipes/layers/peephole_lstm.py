"""The LSTM whose gates see the cell state through peepholes (2000/2002)."""

from collections.abc import Sequence
from typing import Any, Unpack

import keras
from keras import ops

from lstm_recipes.layers.forget_lstm import ForgetGateLSTMCell
from lstm_recipes.layers.recurrence import GatedLayer, PeepholeOptions


@keras.saving.register_keras_serializable("lstm_recipes")
class PeepholeLSTMCell(ForgetGateLSTMCell):
    """One step of :class:`PeepholeLSTM`, with the same arguments: ``cell(x_t, states)``.

    >>> import numpy as np
    >>> cell = PeepholeLSTMCell(5, kernel_initializer="ones", peephole_initializer="ones")
    >>> output, _ = cell(np.eye(3, 4, dtype="float32"), cell.get_initial_state(3))
    >>> f"{np.mean(output):.6f}"
    '0.417551'
    """

    def __init__(
        self,
        units: int,
        *,
        peephole_initializer: Any = "zeros",
        peephole_regularizer: Any = None,
        peephole_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        self.peephole_initializer = keras.initializers.get(peephole_initializer)
        self.peephole_regularizer = keras.regularizers.get(peephole_regularizer)
        self.peephole_constraint = keras.constraints.get(peephole_constraint)

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.peephole = self._add("peephole", (3, self.units), self.peephole_initializer)

    def vectors(self) -> list:
        """p_i, p_f and p_o."""
        return ops.unstack(ops.convert_to_tensor(self.peephole))

    def peep(self, p: Any, c: Any) -> Any:
        """p ⊙ c, summed over the cells of each block."""
        return self.gather(p * (ops.stop_gradient(c) if self.truncated_gradient else c))

    def pointwise(self, z: list, states: list, vectors: list) -> tuple[list, tuple]:
        c, (p_i, p_f, p_o) = states[1], vectors
        z_i, z_f, z_c, z_o = z
        i = self.recurrent_activation(z_i + self.peep(p_i, c))
        f = self.recurrent_activation(z_f + self.peep(p_f, c))
        g = self.activation(z_c)
        before, c = c, self.spread(f) * c + self.spread(i) * g
        o = self.recurrent_activation(z_o + self.peep(p_o, c))
        shown = self.output_activation(c)
        h = self.spread(o) * shown
        return self.new_states(h, c, [i, f, o]), (i, f, g, o, shown, before, c)

    def pointwise_vjp(self, d_states: list, kept: Sequence, vectors: list) -> tuple:
        dh, dc = d_states
        i, f, g, o, shown, before, c = kept
        p_i, p_f, p_o = vectors
        gate, cell, out = self.derivatives
        d_o = gate(o, self.gather(dh * shown))
        dc = dc + out(shown, dh * self.spread(o))
        if not self.truncated_gradient:
            dc = dc + p_o * self.spread(d_o)
        d_i = gate(i, self.gather(dc * g))
        d_f = gate(f, self.gather(dc * before))
        d_z = [d_i, d_f, cell(g, dc * self.spread(i)), d_o]
        dc = dc * self.spread(f)
        if not self.truncated_gradient:
            dc = dc + p_i * self.spread(d_i) + p_f * self.spread(d_f)
        d_p = [self.spread(d_i) * before, self.spread(d_f) * before, self.spread(d_o) * c]
        return d_z, [None, dc], d_p

    @property
    def kept_widths(self) -> list[int]:
        return [*super().kept_widths, self.units]  # and c_t, which the output gate sees


@keras.saving.register_keras_serializable("lstm_recipes")
class PeepholeLSTM(GatedLayer):
    """The LSTM with peephole connections, made for precise timing.

        i_t = σ(W_i x_t + U_i h_{t-1} + p_i ⊙ c_{t-1} + b_i)
        f_t = σ(W_f x_t + U_f h_{t-1} + p_f ⊙ c_{t-1} + b_f)
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g(W_c x_t + U_c h_{t-1} + b_c)
        o_t = σ(W_o x_t + U_o h_{t-1} + p_o ⊙ c_t + b_o)
        h_t = o_t ⊙ h(c_t)      g = h = tanh

    Source: Gers & Schmidhuber, *Recurrent Nets that Time and Count*, IJCNN 2000; Gers,
    Schraudolph & Schmidhuber, *Learning Precise Timing with LSTM Recurrent Networks*, JMLR 3,
    2002, section 2. A gate of a block sees each of its cells: the products are summed over the
    block. What differs from the paper: tanh for g and h, and the full gradient unless
    ``truncated_gradient``; then no error goes back through a peephole either, as published.

    The weight ``peephole`` is ``[3, units]`` in the order i, f, o, and starts at zero, where
    the layer equals :class:`~lstm_recipes.layers.ForgetGateLSTM`. Kernel columns stand in the
    order [i, f, c, o]. Inputs, output and states as in :class:`~lstm_recipes.layers.CECLSTM`.

    Args:
        units: Number of memory cells, the width of the output.
        peephole_initializer, peephole_regularizer, peephole_constraint: Of the peepholes.
        activation: g, on the cell's input; tanh by default.
        output_activation: h, on the cell state; None takes ``activation``.
        recurrent_activation: The gates' squashing function.
        use_bias: True, False, or ``"gates"`` for biases on the gates alone.
        kernel_initializer, recurrent_initializer, bias_initializer: As in Keras.
        unit_forget_bias: Start the forget gate's bias at 1 (Jozefowicz et al. 2015).
        forget_bias_initializer, input_bias_initializer, output_bias_initializer: For that
            gate's part of the bias: an initializer, or a list of numbers, one a block
            (2002: −2, 0 and +2 for the forget, input and output gates).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: As in Keras.
        kernel_constraint, recurrent_constraint, bias_constraint: As in Keras.
        dropout: Rate on the inputs; one mask for all time steps.
        recurrent_dropout: Rate on h_{t-1} alone, never on c; one mask for all time steps.
        seed: Of the dropout masks.
        block_size: Cells that share their gates; it divides ``units``.
        gate_feedback: The last step's gates feed back beside h.
        truncated_gradient: Only c_{t-1} → c_t carries error back in time (1997, appendix A.1).
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask:
            As in ``keras.layers.LSTM``; so are ``mask`` and ``initial_state`` of the call.

    Raises:
        ValueError: As :class:`~lstm_recipes.layers.CECLSTM`.

    The timing tasks' network, 17 weights in all:

    >>> import keras
    >>> inputs = keras.Input((None, 1))
    >>> hidden = PeepholeLSTM(1, return_sequences=True)(inputs)
    >>> keras.Model(inputs, keras.layers.Dense(1)(hidden)).count_params()
    17
    """

    cell_class = PeepholeLSTMCell

    def __init__(self, units: int, **options: Unpack[PeepholeOptions]):
        super().__init__(units, **options)
