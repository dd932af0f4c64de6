"""The LSTM with forget gates (2000), which today is called the LSTM."""

from collections.abc import Sequence
from typing import Any, Unpack

import keras

from lstm_recipes.layers.memory_cell import MemoryCell, bias_initializer
from lstm_recipes.layers.recurrence import ForgetOptions, GatedLayer


@keras.saving.register_keras_serializable("lstm_recipes")
class ForgetGateLSTMCell(MemoryCell):
    """One step of :class:`ForgetGateLSTM`, with the same arguments: ``cell(x_t, states)``.

    >>> import numpy as np
    >>> cell = ForgetGateLSTMCell(4)
    >>> output, (h, c) = cell(np.ones((2, 3), "float32"), cell.get_initial_state(2))
    >>> output.shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        units: int,
        *,
        unit_forget_bias: bool = True,
        forget_bias_initializer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        self.unit_forget_bias = unit_forget_bias
        self.forget_bias_initializer = bias_initializer(forget_bias_initializer)

    def _initializer_of(self, column: str) -> Any:
        if column != "f":
            return super()._initializer_of(column)
        if self.forget_bias_initializer is not None:
            return self.forget_bias_initializer
        return keras.initializers.Ones() if self.unit_forget_bias else self.bias_initializer

    def pointwise(self, z: list, states: list, vectors: list) -> tuple[list, tuple]:
        c = states[1]
        z_i, z_f, z_c, z_o = z
        i = self.recurrent_activation(z_i)
        f = self.recurrent_activation(z_f)
        g = self.activation(z_c)
        before, c = c, self.spread(f) * c + self.spread(i) * g
        o = self.recurrent_activation(z_o)
        shown = self.output_activation(c)
        h = self.spread(o) * shown
        return self.new_states(h, c, [i, f, o]), (i, f, g, o, shown, before)

    def pointwise_vjp(self, d_states: list, kept: Sequence, vectors: list) -> tuple:
        dh, dc = d_states
        i, f, g, o, shown, before = kept
        gate, cell, out = self.derivatives
        d_o = gate(o, self.gather(dh * shown))
        dc = dc + out(shown, dh * self.spread(o))
        d_i = gate(i, self.gather(dc * g))
        d_f = gate(f, self.gather(dc * before))
        d_c = cell(g, dc * self.spread(i))
        d_z = [d_i, d_f, d_c, d_o]
        return d_z, [None, dc * self.spread(f)], []


@keras.saving.register_keras_serializable("lstm_recipes")
class ForgetGateLSTM(GatedLayer):
    """The LSTM that can forget; with its defaults the same function as ``keras.layers.LSTM``.

        i_t = σ(W_i x_t + U_i h_{t-1} + b_i)
        f_t = σ(W_f x_t + U_f h_{t-1} + b_f)
        o_t = σ(W_o x_t + U_o h_{t-1} + b_o)
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g(W_c x_t + U_c h_{t-1} + b_c)
        h_t = o_t ⊙ h(c_t)      g = h = tanh

    Source: Gers, Schmidhuber & Cummins, *Learning to Forget: Continual Prediction with LSTM*,
    Neural Computation 12(10), 2000, section 3. What differs from the paper: tanh for g and h
    (``activation="cec_input", output_activation="cec_output"`` are the paper's), and the full
    gradient unless ``truncated_gradient``.

    Kernel columns stand in the order [i, f, c, o], as in Keras; weights move unchanged by
    :func:`lstm_recipes.layers.from_keras` and :func:`~lstm_recipes.layers.to_keras`. Inputs,
    output and states as in :class:`~lstm_recipes.layers.CECLSTM`.

    Args:
        units: Number of memory cells, the width of the output.
        activation: g, on the cell's input; tanh by default.
        output_activation: h, on the cell state; None takes ``activation``.
        recurrent_activation: The gates' squashing function.
        use_bias: True, False, or ``"gates"`` for biases on the gates alone.
        kernel_initializer, recurrent_initializer, bias_initializer: As in Keras.
        unit_forget_bias: Start the forget gate's bias at 1 (Jozefowicz et al. 2015).
        forget_bias_initializer, input_bias_initializer, output_bias_initializer: For that
            gate's part of the bias, before ``unit_forget_bias``: an initializer, or a list of
            numbers, one a block (2000: 0.5, 1, 1.5, 2 for the forget gates).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: As in Keras.
        kernel_constraint, recurrent_constraint, bias_constraint: As in Keras.
        dropout: Rate on the inputs; one mask for all time steps.
        recurrent_dropout: Rate on h_{t-1} alone, never on c; one mask for all time steps and
            gates (Keras' own LSTM draws one a gate).
        seed: Of the dropout masks.
        block_size: Cells that share their gates; it divides ``units``.
        gate_feedback: The last step's gates feed back beside h.
        truncated_gradient: Only c_{t-1} → c_t carries error back in time (1997, appendix A.1).
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask:
            As in ``keras.layers.LSTM``; so are ``mask`` and ``initial_state`` of the call.

    Raises:
        ValueError: As :class:`~lstm_recipes.layers.CECLSTM`.

    >>> import keras, numpy as np
    >>> ours, theirs = ForgetGateLSTM(3), keras.layers.LSTM(3)
    >>> x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    >>> _ = ours(x), theirs(x)
    >>> theirs.set_weights(ours.get_weights())
    >>> bool(np.allclose(ours(x), theirs(x), atol=1e-6))
    True
    """

    cell_class = ForgetGateLSTMCell

    def __init__(self, units: int, **options: Unpack[ForgetOptions]):
        super().__init__(units, **options)
