"""The LSTM of 1997: no forget gate, and a cell that is connected to itself by exactly 1.0."""

from collections.abc import Sequence
from typing import Any, Unpack

import keras

from lstm_recipes.layers.memory_cell import MemoryCell
from lstm_recipes.layers.recurrence import GatedLayer, MemoryOptions


@keras.saving.register_keras_serializable("lstm_recipes")
class CECLSTMCell(MemoryCell):
    """One step of :class:`CECLSTM`, with the same arguments: ``cell(x_t, states)``.

    >>> import numpy as np
    >>> cell = CECLSTMCell(4)
    >>> states = cell.get_initial_state(batch_size=2)
    >>> for x_t in np.zeros((3, 2, 5), "float32"):  # a stream, one step at a time
    ...     output, states = cell(x_t, states)
    >>> output.shape, len(states)
    (TensorShape([2, 4]), 2)
    """

    columns = ("i", "c", "o")

    def __init__(
        self,
        units: int,
        *,
        activation: Any = "cec_input",
        output_activation: Any = "cec_output",
        **kwargs: Any,
    ):
        super().__init__(
            units, activation=activation, output_activation=output_activation, **kwargs
        )

    def pointwise(self, z: list, states: list, vectors: list) -> tuple[list, tuple]:
        z_i, z_c, z_o = z
        i = self.recurrent_activation(z_i)
        g = self.activation(z_c)
        c = states[1] + self.spread(i) * g
        o = self.recurrent_activation(z_o)
        shown = self.output_activation(c)
        h = self.spread(o) * shown
        return self.new_states(h, c, [i, o]), (i, g, o, shown)

    def pointwise_vjp(self, d_states: list, kept: Sequence, vectors: list) -> tuple:
        dh, dc = d_states
        i, g, o, shown = kept
        gate, cell, out = self.derivatives
        d_o = gate(o, self.gather(dh * shown))
        dc = dc + out(shown, dh * self.spread(o))
        d_z = [gate(i, self.gather(dc * g)), cell(g, dc * self.spread(i)), d_o]
        return d_z, [None, dc], []

    @property
    def kept_widths(self) -> list[int]:
        return [*self.widths, self.units]


@keras.saving.register_keras_serializable("lstm_recipes")
class CECLSTM(GatedLayer):
    """The constant error carousel LSTM, as published in 1997.

        i_t = σ(W_i x_t + U_i h_{t-1} + b_i)
        o_t = σ(W_o x_t + U_o h_{t-1} + b_o)
        c_t = 1.0 · c_{t-1} + i_t ⊙ g(W_c x_t + U_c h_{t-1} + b_c)
        h_t = o_t ⊙ h(c_t)      g(x) = 2 tanh(x/2),  h(x) = tanh(x/2)

    Source: Hochreiter & Schmidhuber, *Long Short-Term Memory*, Neural Computation 9(8), 1997,
    section 4 and appendix A.1. What differs from the paper: gates do not feed back and the
    gradient is the full one unless asked for; h_{t-1} of one layer alone comes back.

    Kernel columns stand in the order [i, c, o]. Inputs ``[batch, time, features]``; output
    ``[batch, units]``, or ``[batch, time, units]`` with ``return_sequences``; states h and c,
    ``[batch, units]`` each (and the last gates with ``gate_feedback``). Under a mixed policy c
    is float32 wherever it is carried.

    Args:
        units: Number of memory cells, the width of the output.
        activation: g, on the cell's input; ``"cec_input"``, 2 tanh(x/2), by default.
        output_activation: h, on the cell state; ``"cec_output"``, tanh(x/2), by default; None
            takes ``activation``.
        recurrent_activation: The gates' squashing function.
        use_bias: True, False, or ``"gates"`` for biases on the gates alone.
        kernel_initializer, recurrent_initializer, bias_initializer: As in Keras.
        input_bias_initializer, output_bias_initializer: For that gate's part of the bias: an
            initializer, or a list of numbers, one a block (1997 used −3, −6, … for input gates:
            over long sequences a cell whose gate begins open drifts to where h is flat).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: As in Keras.
        kernel_constraint, recurrent_constraint, bias_constraint: As in Keras.
        dropout: Rate on the inputs; one mask for all time steps.
        recurrent_dropout: Rate on h_{t-1} alone, never on c; one mask for all time steps.
        seed: Of the dropout masks.
        block_size: Cells that share one input and one output gate; it divides ``units``.
        gate_feedback: The last step's gates feed back beside h, as in the paper's experiments.
        truncated_gradient: The paper's learning rule. Errors that reach a net input change the
            weights into it and go no further back in time; only c_{t-1} → c_t carries error
            back. The gradient to x_t is kept, so that layers stack.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask:
            As in ``keras.layers.LSTM``; so are ``mask`` and ``initial_state`` of the call.

    Raises:
        ValueError: For units below 1 or no multiple of ``block_size``, an unknown activation,
            states of the wrong number or shape, a stateful layer without a batch size.

    The paper's adding-problem network, 93 weights in all:

    >>> import keras
    >>> inputs = keras.Input((None, 2))
    >>> hidden = CECLSTM(4, block_size=2, gate_feedback=True, truncated_gradient=True,
    ...                  input_bias_initializer=[-3.0, -6.0])(inputs)
    >>> keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(hidden)).count_params()
    93
    """

    cell_class = CECLSTMCell

    def __init__(self, units: int, **options: Unpack[MemoryOptions]):
        super().__init__(units, **options)
