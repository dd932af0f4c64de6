"""AttentionRNN: the loop of an AttentionCell over time."""

from typing import Any

import keras
from keras import ops, tree

# The loop of keras.layers.RNN itself, as in recurrence.py; it has no public name.
from keras.src import backend

from lstm_recipes.layers.attention_cell import AttentionCell, Memory
from lstm_recipes.layers.gated_cell import check_states
from lstm_recipes.layers.recurrence import Recurrent


@keras.saving.register_keras_serializable("lstm_recipes")
class AttentionRNN(Recurrent):
    """The loop of an :class:`AttentionCell` over time: a decoder that asks a memory at each step.

    ``layer(sequences, memory)``, in functional models too; everything of ``keras.layers.RNN`` but
    for these:

    - sequences: float ``[batch, time, features]``; mask: bool ``[batch, time]``. A masked step
      changes no state, and repeats the last output.
    - memory: float ``[batch, source, depth]``; memory_mask: bool ``[batch, source]``. Where either
      mask is not given, the one counts that Keras carries along with the tensor.
    - initial_state: The cell's own states, an encoder's last ones say; or what ``return_state``
      gave, to go on where a call ended.
    - return_weights: Whether to return the attention's weights too, float32 (or float64)
      ``[batch, time, source]``, after the output.
    - ``return_state`` gives the last output and then the cell's own states, not the memory.

    The memory and its keys stay outside of the loop: they are neither copied nor masked step by
    step, as states would be.

    Args:
        cell: An ``AttentionCell``.
        options: Those of ``keras.layers.RNN``.

    Raises:
        ValueError: For another cell, or states of wrong widths.

    >>> import numpy as np
    >>> from lstm_recipes.layers import ForgetGateLSTMCell, LuongAttention
    >>> cell = AttentionCell(ForgetGateLSTMCell(4), LuongAttention("general"), query="current")
    >>> decoder = AttentionRNN(cell, return_sequences=True)
    >>> target, memory = np.ones((2, 5, 6), "float32"), np.ones((2, 7, 3), "float32")
    >>> output, weights = decoder(target, memory, return_weights=True)
    >>> output.shape, weights.shape
    (TensorShape([2, 5, 4]), TensorShape([2, 5, 7]))
    """

    def __init__(self, cell: AttentionCell, **options: Any):
        if not isinstance(cell, AttentionCell):
            raise ValueError(f"cell={cell!r} was given; an AttentionCell is needed.")
        super().__init__(cell, **options)

    def build(
        self,
        sequences_shape: tuple,
        memory_shape: tuple,
        memory_mask_shape: Any = None,
        initial_state_shape: Any = None,
    ) -> None:
        self.cell.build_attention(memory_shape)
        super().build(sequences_shape)
        self.state_size = self.cell.state_size  # all are known now

    def _check(self, sequences: Any, initial_state: Any) -> None:
        if initial_state is not None:
            given, sizes = tree.flatten(initial_state), tree.flatten(self.state_size)
            sizes = sizes[1:] if len(given) < len(sizes) else sizes
            check_states(self.name, given, sizes, sequences.shape[0])
        super()._check(sequences, None)

    def _starting_state(self, sequences: Any, initial_state: Any) -> list:
        if initial_state is not None:
            initial_state = self.cell.start(ops.shape(sequences)[0], initial_state)
        return super()._starting_state(sequences, initial_state)

    def call(
        self,
        sequences: Any,
        memory: Any,
        memory_mask: Any = None,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
        return_weights: bool = False,
    ) -> Any:
        self._check(sequences, initial_state)
        # Given more than one tensor, Keras looks for no mask of this name.
        mask = backend.get_keras_mask(sequences) if mask is None else mask
        sequences = ops.cast(sequences, self.compute_dtype)
        state = self._starting_state(sequences, initial_state)
        asked = self.cell.memory(memory, memory_mask)
        if training:
            self._maybe_config_dropout_masks(self.cell, sequences[:, 0, :], state)
        last, all_steps, states = self._loop(sequences, state, asked, mask, return_weights)
        self._maybe_reset_dropout_masks(self.cell)
        if self.stateful:
            new = tree.flatten(states)
            for variable, value in zip(tree.flatten(self.states), new, strict=True):
                variable.assign(value)
        results = self._parted(all_steps if self.return_sequences else last, return_weights)
        results += tuple(states) if self.return_state else ()
        return results if len(results) > 1 else results[0]

    def _loop(
        self, sequences: Any, state: list, memory: Memory, mask: Any, return_weights: bool
    ) -> tuple:
        """Keras' loop. The weights, when asked for, stand behind the output, and so in the first
        state as well: Keras' loop on JAX takes that for the last output, at a masked step."""
        width, dtype = self.cell.output_size, state[0].dtype
        if return_weights:
            nothing = ops.zeros(ops.shape(memory.mask), self.cell.attention.score_dtype)
            first = ops.concatenate([ops.cast(state[0], nothing.dtype), nothing], axis=-1)
            state = [first, *state[1:]]

        def step(x: Any, states: Any) -> tuple[Any, list]:
            last, *own = states
            output, (_, *own), weights = self.cell.step(x, [last[:, :width], *own], memory)
            if return_weights:
                output = ops.concatenate([ops.cast(output, weights.dtype), weights], axis=-1)
            return output, [output, *own]

        last, all_steps, (output, *own) = backend.rnn(
            step,
            sequences,
            state,
            go_backwards=self.go_backwards,
            mask=mask,
            unroll=self.unroll,
            input_length=sequences.shape[1],
            zero_output_for_mask=self.zero_output_for_mask,
            return_all_outputs=self.return_sequences,
        )
        return last, all_steps, [ops.cast(output[:, :width], dtype), *own]

    def _parted(self, results: Any, return_weights: bool) -> tuple:
        """The output, and the weights that stand behind it."""
        width = self.cell.output_size
        output = ops.cast(results[..., :width], self.compute_dtype)
        return (output, results[..., width:]) if return_weights else (output,)

    def compute_output_spec(
        self,
        sequences: Any,
        memory: Any,
        memory_mask: Any = None,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
        return_weights: bool = False,
    ) -> Any:
        without_weights = super().compute_output_spec(sequences, initial_state)
        if not return_weights:
            return without_weights
        output, *states = without_weights if self.return_state else [without_weights]
        weights = keras.KerasTensor(
            (*output.shape[:-1], memory.shape[1]), dtype=self.cell.attention.score_dtype
        )
        return (output, weights, *states)
