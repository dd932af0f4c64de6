"""AttentionCell: a recurrent cell that asks a memory at each step."""

from typing import Any, NamedTuple

import keras
from keras import ops, tree

# Keras' RNN makes and clears the dropout masks of the cells that are instances of this class,
# and of no others; it has no public name.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from lstm_recipes.layers.attention import MemoryAttention, checked_units
from lstm_recipes.layers.gated_cell import check_states
from lstm_recipes.layers.residual import clear_dropout_masks, make_dropout_masks, output_width


class Memory(NamedTuple):
    """What a cell asks, the same at every step; `AttentionCell.memory` makes it."""

    values: Any
    """``[batch, source, depth]``, in the compute dtype."""
    keys: Any
    """What the attention made of them, ``[batch, source, ...]``."""
    mask: Any
    """``[batch, source]``, 1.0 and 0.0 in the compute dtype, as a loop's states must be."""


@keras.saving.register_keras_serializable("lstm_recipes")
class AttentionCell(DropoutRNNCell, keras.layers.Layer):
    """A recurrent cell, or a stack of them, with attention: one step of :class:`AttentionRNN`.

    ``query="previous"``: the last step's state asks (Bahdanau, Cho & Bengio 2014, appendix A.2.2).
    In a stack the lowest cell's state asks, and every cell sees the context (Wu et al. 2016,
    section 3)::

        c_t      = attention(h_{t-1}, m)
        h_t, s_t = cell([x_t ; c_t], s_{t-1})
        output   = [h_t ; c_t]

    ``query="current"``: this step's output asks (Luong, Pham & Manning 2015, sections 3 and 3.3).
    In a stack the highest cell's output asks, and the lowest cell is fed::

        h_t, s_t = cell([x_t ; a_{t-1}], s_{t-1})     cell(x_t, s_{t-1}) without input feeding
        c_t      = attention(h_t, m)
        output   = a_t = tanh(W [c_t ; h_t])

    States: the last output ``[batch, output_size]``, the cell's own states (of a stack one list a
    cell), and then what the cell asks: the memory, its keys and its mask, `Memory`, which come out
    as they went in. All stand with the batch first, so that a beam search can gather them.
    `initial_state` makes them.

    Args:
        cell: A recurrent cell, ``StackedRNNCells``, or a list of cells.
        attention: A ``BahdanauAttention`` or a ``LuongAttention``.
        query: ``"previous"`` or ``"current"``.
        input_feeding: Whether the cell sees a_{t-1}; for ``"current"`` alone.
        units: Width of a_t, for ``"current"`` alone; None is that of h_t.
        kernel_initializer: Of W.

    Raises:
        ValueError: For another query, options that it has not, no attention; states without a
            memory.

    >>> import numpy as np
    >>> from lstm_recipes.layers import BahdanauAttention, ForgetGateLSTMCell
    >>> cell = AttentionCell(ForgetGateLSTMCell(4), BahdanauAttention(5))
    >>> memory = np.ones((2, 7, 3), "float32")
    >>> states = cell.initial_state(memory)
    >>> output, states = cell(np.ones((2, 6), "float32"), states)
    >>> output.shape
    TensorShape([2, 7])

    One step with the weights, the memory held apart from the states:

    >>> output, states, weights = cell.step(np.ones((2, 6), "float32"), states[:-3], states[-3:])
    >>> weights.shape
    TensorShape([2, 7])
    """

    def __init__(
        self,
        cell: Any,
        attention: MemoryAttention,
        query: str = "previous",
        input_feeding: bool = True,
        units: int | None = None,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ):
        super().__init__(autocast=False, **kwargs)  # or it would round a float32 cell state
        if not isinstance(attention, MemoryAttention):
            raise ValueError(
                f"attention={attention!r} was given; a BahdanauAttention or a LuongAttention is "
                "needed."
            )
        if query not in ("previous", "current"):
            raise ValueError(
                f"query={query!r} was given; 'previous' (the last step's h asks) or 'current' "
                "(this step's does) is needed."
            )
        if query == "previous" and (units is not None or not input_feeding):
            raise ValueError(
                f"query='previous' was given with units={units!r} and input_feeding="
                f"{input_feeding!r}; both are for query='current'."
            )
        if isinstance(cell, list | tuple):
            cell = keras.layers.StackedRNNCells(cell)
        self.cell = cell
        self.attention = attention
        self.query = query
        self.input_feeding = input_feeding
        self.units = None if units is None else checked_units(units)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    # The cells and their widths.

    @property
    def stacked(self) -> bool:
        """Whether the states stand in one list a cell."""
        return isinstance(self.cell, keras.layers.StackedRNNCells)

    @property
    def cells(self) -> list:
        """The cells, the lowest first."""
        return list(self.cell.cells) if self.stacked else [self.cell]

    @property
    def output_size(self) -> int | None:
        """The width of the output; with ``"previous"``, known once the memory's depth is."""
        if self.query == "current":
            return self.units or output_width(self.cells[-1])
        depth = getattr(self.attention, "memory_depth", None)
        return None if depth is None else output_width(self.cells[-1]) + depth

    @property
    def state_size(self) -> list:
        """The widths of the states, without the memory's."""
        sizes = [tree.flatten(cell.state_size) for cell in self.cells]
        return [self.output_size, *(sizes if self.stacked else sizes[0])]

    def _input_widths(self, features: int) -> list[int]:
        """The width of each cell's input."""
        widths = [features, *(output_width(cell) for cell in self.cells[:-1])]
        if self.query == "previous":
            return [width + self.attention.memory_depth for width in widths]
        widths[0] += self.output_size if self.input_feeding else 0
        return widths

    # Weights.

    def build_attention(self, memory_shape: tuple) -> None:
        """Make the attention's weights, for a memory of this shape."""
        if not self.attention.built:
            lowest, highest = self.cells[0], self.cells[-1]
            previous = self.query == "previous"
            width = tree.flatten(lowest.state_size)[0] if previous else output_width(highest)
            self.attention.build((None, width), tuple(memory_shape))

    def build(self, inputs_shape: tuple, states_shape: Any = None) -> None:
        if states_shape is not None:
            self._check_memory(states_shape)
            self.build_attention(states_shape[-3])
        if not self.attention.built:
            raise ValueError(
                f"{self.name} does not know its memory yet; make the states by "
                "initial_state(memory) first, or use AttentionRNN, which takes the memory."
            )
        for cell, width in zip(self.cells, self._input_widths(inputs_shape[-1]), strict=True):
            if not cell.built:
                cell.build((inputs_shape[0], width))
        self.cell.built = True  # a stack does not build its cells itself, for it feeds them alike
        if self.query == "current":
            self.kernel = self.add_weight(
                name="kernel",
                shape=(
                    self.attention.memory_depth + output_width(self.cells[-1]),
                    self.output_size,
                ),
                initializer=self.kernel_initializer,
                autocast=False,
            )

    # States.

    def get_initial_state(self, batch_size: int | None = None) -> list:
        """Zeros for the last output and the cell's own states: the states without the memory."""
        output = ops.zeros((batch_size, self.output_size), dtype=self.compute_dtype)
        states = [tree.flatten(cell.get_initial_state(batch_size)) for cell in self.cells]
        return [output, *(states if self.stacked else states[0])]

    def start(self, batch_size: Any, states: Any = None) -> list:
        """The states before the first step, without the memory.

        ``states`` are the cell's own, then the last output is zero; or also that, before them; None
        is zeros.
        """
        zeros = self.get_initial_state(batch_size)
        if states is None:
            return zeros
        given = tree.flatten(states)
        if len(given) < len(tree.flatten(zeros)):
            given = [zeros[0], *given]
        check_states(self.name, given, self.state_size)
        dtypes = [zero.dtype for zero in tree.flatten(zeros)]
        cast = [ops.cast(s, dtype) for s, dtype in zip(given, dtypes, strict=True)]
        return tree.pack_sequence_as(zeros, cast)

    def memory(self, values: Any, mask: Any = None) -> Memory:
        """What the cell asks, from ``[batch, source, depth]`` and ``[batch, source]``, False or 0
        where a place is to be left out. The keys are made here, once."""
        values = ops.cast(values, self.compute_dtype)
        self.build_attention(values.shape)
        mask = ops.ones_like(values[:, :, 0]) if mask is None else mask
        keys = ops.cast(self.attention.keys(values), self.compute_dtype)
        return Memory(values, keys, ops.cast(mask, self.compute_dtype))

    def initial_state(self, memory: Any, mask: Any = None, states: Any = None) -> list:
        """The states before the first step: those of `start`, and the memory with its keys."""
        asked = self.memory(memory, mask)
        return [*self.start(ops.shape(asked.values)[0], states), *asked]

    # One step.

    def call(self, inputs: Any, states: Any) -> tuple[Any, list]:
        self._check_memory(states)
        output, new, _ = self.step(inputs, states[:-3], states[-3:])
        return output, [*new, *states[-3:]]

    def step(self, inputs: Any, states: Any, memory: Any) -> tuple[Any, list, Any]:
        """One step with the memory apart: for loops that need not carry it along.

        From ``[batch, features]``, the states without the memory's three, and those three: the
        output, the new states, and the attention's weights ``[batch, source]``.
        """
        last, *own = states
        own = own if self.stacked else [own]
        inputs = ops.cast(inputs, self.compute_dtype)
        wiring = self._ask_first if self.query == "previous" else self._ask_last
        output, own, weights = wiring(inputs, last, own, Memory(*memory))
        return output, [output, *(own if self.stacked else own[0])], weights

    def _ask_first(self, x: Any, last: Any, states: list, memory: Memory) -> tuple:
        """With h_{t-1}, before the cells' step."""
        context, weights = self._ask(tree.flatten(states[0])[0], memory)
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            x, state = self._run(cell, ops.concatenate([x, context], axis=-1), state)
            new.append(state)
        return ops.concatenate([x, context], axis=-1), new, weights

    def _ask_last(self, x: Any, last: Any, states: list, memory: Memory) -> tuple:
        """With h_t, after the cells' step."""
        if self.input_feeding:
            x = ops.concatenate([x, ops.cast(last, x.dtype)], axis=-1)
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            x, state = self._run(cell, x, state)
            new.append(state)
        context, weights = self._ask(x, memory)
        both = ops.concatenate([context, x], axis=-1)
        return ops.tanh(ops.matmul(both, ops.cast(self.kernel, both.dtype))), new, weights

    def _ask(self, query: Any, memory: Memory) -> tuple[Any, Any]:
        """The context, and the weights."""
        context, weights = self.attention(
            ops.cast(query, self.compute_dtype),
            memory.values,
            memory_mask=memory.mask,
            keys=memory.keys,
        )
        return ops.cast(context, self.compute_dtype), weights

    def _run(self, cell: Any, x: Any, state: Any) -> tuple[Any, list]:
        """One cell's step, the states in a list whether it has one or more."""
        output, state = cell(x, tree.flatten(state))
        return ops.cast(output, self.compute_dtype), tree.flatten(state)

    def _check_memory(self, states: Any) -> None:
        """Raise for states (or their shapes) that lack the memory's three."""
        if len(states) != len(self.state_size) + 3:
            raise ValueError(
                f"{self.name} received {len(states)} states; it needs {len(self.state_size)} of "
                "its own, and the memory's three: make them by initial_state(memory)."
            )

    # One dropout mask for all steps: the loop makes them before its first step.

    def get_dropout_mask(self, step_input: Any) -> None:
        for cell, width in zip(self.cells, self._input_widths(step_input.shape[-1]), strict=True):
            shape = (ops.shape(step_input)[0], width)
            make_dropout_masks(cell, ops.ones(shape, step_input.dtype))

    def get_recurrent_dropout_mask(self, step_input: Any) -> None:
        """The cells' have been made together with the others."""

    def reset_dropout_mask(self) -> None:
        for cell in self.cells:
            clear_dropout_masks(cell)

    def reset_recurrent_dropout_mask(self) -> None:
        """The cells' have been cleared together with the others."""

    # Config.

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "query": self.query,
            "input_feeding": self.input_feeding,
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AttentionCell":
        parts = {k: keras.saving.deserialize_keras_object(config[k]) for k in ("cell", "attention")}
        return cls(**config | parts)
