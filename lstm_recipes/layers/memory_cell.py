"""MemoryCell: the wiring that the three LSTMs share, with all that the 1997 paper allows."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from lstm_recipes.layers.activations import DERIVATIVES, get_activation
from lstm_recipes.layers.gated_cell import GatedCell


class MemoryCell(GatedCell):
    """Memory cells in blocks that share their gates; gates that may feed back.

    Gates have ``units / block_size`` columns, one a block; the cell input has ``units``.
    The recurrent kernel's rows are h, then, when the gates feed back, the last step's gates
    in the order of their columns. States: h ``[batch, units]`` in the compute dtype, c
    ``[batch, units]`` in the variable dtype, and with feedback the gates.
    """

    columns = ("i", "f", "c", "o")

    def __init__(
        self,
        units: int,
        *,
        output_activation: Any = None,
        use_bias: bool | str = True,
        input_bias_initializer: Any = None,
        output_bias_initializer: Any = None,
        block_size: int = 1,
        gate_feedback: bool = False,
        truncated_gradient: bool = False,
        **kwargs: Any,
    ):
        super().__init__(units, use_bias=use_bias, **kwargs)
        if use_bias not in (True, False, "gates"):
            raise ValueError(
                f"use_bias={use_bias!r} was given; True, False or 'gates' (biases on the gates "
                "alone) is needed."
            )
        if not isinstance(block_size, int) or block_size < 1 or units % block_size:
            raise ValueError(
                f"units={units} and block_size={block_size!r} were given; units must be a "
                "multiple of block_size, for every block has block_size cells."
            )
        self.output_activation = (
            self.activation
            if output_activation is None
            else get_activation("output_activation", output_activation)
        )
        self.input_bias_initializer = bias_initializer(input_bias_initializer)
        self.output_bias_initializer = bias_initializer(output_bias_initializer)
        self.block_size = block_size
        self.gate_feedback = gate_feedback
        self.truncated_gradient = truncated_gradient

    @property
    def blocks(self) -> int:
        """How many blocks there are: the width of every gate."""
        return self.units // self.block_size

    @property
    def widths(self) -> list[int]:
        return [self.units if name == "c" else self.blocks for name in self.columns]

    @property
    def gates_width(self) -> int:
        return self.blocks * (len(self.columns) - 1)

    @property
    def feed_width(self) -> int:
        return self.units + (self.gates_width if self.gate_feedback else 0)

    @property
    def state_size(self) -> list[int]:
        return [self.units, self.units] + ([self.gates_width] if self.gate_feedback else [])

    @property
    def state_dtypes(self) -> list[str]:
        gates = [self.compute_dtype] if self.gate_feedback else []
        return [self.compute_dtype, self.variable_dtype, *gates]

    # The bias: each gate's part has an initializer of its own.

    def _initializer_of(self, column: str) -> Any:
        own = {"i": self.input_bias_initializer, "o": self.output_bias_initializer}.get(column)
        return self.bias_initializer if own is None else own

    def _bias_shape_and_initializer(self) -> tuple[tuple, Any]:
        parts = [
            (name, width)
            for name, width in zip(self.columns, self.widths, strict=True)
            if name != "c" or self.use_bias is True
        ]

        def initialize(shape: tuple, dtype: Any = None) -> Any:
            return ops.concatenate([self._bias_part(n, w, dtype) for n, w in parts])

        return (sum(width for _, width in parts),), initialize

    def _bias_part(self, name: str, width: int, dtype: Any) -> Any:
        initializer = self._initializer_of(name)
        value = getattr(initializer, "value", None)
        if isinstance(value, Sequence) and len(value) != width:
            raise ValueError(
                f"the bias of gate {name} was given {len(value)} values, {list(value)}; it needs "
                f"{width}, one a block."
            )
        return initializer((width,), dtype=dtype)

    def _input_bias(self) -> Any:
        if self.use_bias is True:
            return self.bias
        before = sum(self.widths[: self.columns.index("c")])
        cells = ops.zeros((self.units,), dtype=self.variable_dtype)
        return ops.concatenate([self.bias[:before], cells, self.bias[before:]])

    # What time_loop.py asks.

    @property
    def truncates(self) -> bool:
        return self.truncated_gradient

    @property
    def has_derivative(self) -> bool:
        functions = self.recurrent_activation, self.activation, self.output_activation
        return not self.gate_feedback and all(f in DERIVATIVES for f in functions)

    @property
    def derivatives(self) -> list:
        """Of the gates, of what goes into the cell, and of what comes out of it."""
        functions = self.recurrent_activation, self.activation, self.output_activation
        return [DERIVATIVES[f] for f in functions]

    @property
    def kept_widths(self) -> list[int]:
        return [*self.widths, self.units, self.units]  # the gates, h(c_t) and c_{t-1}

    # What the equations are written in.

    def feed(self, states: list, training: bool = False) -> Any:
        """h, and the last step's gates with feedback. With the truncated gradient no error goes
        back through either: it ends at the net input that it reached (1997, appendix A.1)."""
        feed = super().feed(states, training)
        if self.gate_feedback:
            feed = ops.concatenate([feed, ops.cast(states[2], self.compute_dtype)], axis=-1)
        return ops.stop_gradient(feed) if self.truncated_gradient else feed

    def spread(self, gate: Any) -> Any:
        """A gate ``[batch, blocks]`` for each cell of its block: ``[batch, units]``."""
        if self.block_size == 1:
            return gate
        # Not ops.repeat: XLA cannot compile its gradient inside the loop over time.
        return ops.reshape(ops.stack([gate] * self.block_size, axis=-1), (-1, self.units))

    def gather(self, cells: Any) -> Any:
        """What each cell gives to its block's gate, summed: ``[batch, units]`` to ``[batch,
        blocks]``; the derivative of ``spread``."""
        if self.block_size == 1:
            return cells
        return ops.sum(ops.reshape(cells, (-1, self.blocks, self.block_size)), axis=-1)

    def new_states(self, h: Any, c: Any, gates: list) -> list:
        """The states after a step, the gates among them where they feed back."""
        return [h, c, ops.concatenate(gates, axis=-1)] if self.gate_feedback else [h, c]


def bias_initializer(value: Any) -> Any:
    """An initializer from what Keras takes, or from a list of constants, one a block."""
    if isinstance(value, (list, tuple)):
        return keras.initializers.Constant([float(v) for v in value])
    return keras.initializers.get(value)
