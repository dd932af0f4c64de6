"""Recurrent: the loop over time, with Keras' whole contract and states that keep their dtype."""

import inspect
from typing import Any, TypedDict

import keras
from keras import ops, tree

# The loop of keras.layers.RNN itself, so that masks, directions, unrolling and zeroed outputs
# are Keras' own on every backend. Neither name is public.
from keras.src import backend
from keras.src.utils.tracking import no_automatic_dependency_tracking

from lstm_recipes.layers.gated_cell import GatedCell, check_states
from lstm_recipes.layers.time_loop import time_loop


class LoopOptions(TypedDict, total=False):
    """What every recurrent layer takes beside its cell's arguments, as keras.layers.RNN does."""

    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool
    zero_output_for_mask: bool
    name: str
    dtype: Any
    trainable: bool
    activity_regularizer: Any


class CellOptions(LoopOptions, total=False):
    """What every gated cell takes."""

    activation: Any
    recurrent_activation: Any
    use_bias: bool | str
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    dropout: float
    recurrent_dropout: float
    seed: int | None


class MemoryOptions(CellOptions, total=False):
    """What the three LSTMs take."""

    output_activation: Any
    input_bias_initializer: Any
    output_bias_initializer: Any
    block_size: int
    gate_feedback: bool
    truncated_gradient: bool


class ForgetOptions(MemoryOptions, total=False):
    """What the LSTMs with a forget gate take."""

    unit_forget_bias: bool
    forget_bias_initializer: Any


class PeepholeOptions(ForgetOptions, total=False):
    """What the LSTM with peepholes takes."""

    peephole_initializer: Any
    peephole_regularizer: Any
    peephole_constraint: Any


class GRUOptions(CellOptions, total=False):
    """What the GRU takes."""

    reset_after: bool


@keras.saving.register_keras_serializable("lstm_recipes")
class Recurrent(keras.layers.RNN):
    """``keras.layers.RNN`` over a gated cell, or over ``StackedRNNCells`` of them.

    It differs from ``keras.layers.RNN`` in three things. States keep the dtype in which the
    cell carries them (a cell state stays float32 under ``mixed_bfloat16``: in the loop, in
    ``initial_state``, in what ``return_state`` gives, and between stateful calls).
    ``reset_state`` takes states, nested ones too. And a single gated cell runs in a loop of its
    own where it can, or else has its input products taken out of Keras' (`inner_loop`).

    >>> import keras, numpy as np
    >>> from lstm_recipes.layers import CECLSTMCell, ForgetGateLSTMCell
    >>> stack = keras.layers.StackedRNNCells([CECLSTMCell(4), ForgetGateLSTMCell(3)])
    >>> layer = Recurrent(stack, return_sequences=True)
    >>> layer(np.zeros((2, 5, 6), "float32")).shape
    TensorShape([2, 5, 3])
    """

    def __init__(self, cell: Any, **options: Any):
        super().__init__(cell, autocast=False, **options)
        if isinstance(self.cell, keras.layers.StackedRNNCells):
            self.cell.autocast = False  # or it would round the states that it hands on

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("autocast", None)
        return config

    # States.

    @no_automatic_dependency_tracking  # as in Keras: states are no weights of the layer
    def _create_state_variables(self, batch_size: int) -> None:
        """The states of a stateful layer, each in its own dtype and never autocast."""

        def variable(value: Any) -> keras.Variable:
            return keras.Variable(
                value, trainable=False, dtype=value.dtype, autocast=False, name="rnn_state"
            )

        with backend.name_scope(self.name, caller=self):
            self.states = tree.map_structure(variable, self.get_initial_state(batch_size))

    def reset_state(self, states: Any = None) -> None:
        """Set the states of a stateful layer to ``states`` (arrays nested as the layer's own
        states are), or to zero.

        >>> import numpy as np
        >>> from lstm_recipes.layers import ForgetGateLSTM
        >>> layer = ForgetGateLSTM(2, stateful=True)
        >>> _ = layer(np.ones((1, 3, 2), "float32"))
        >>> layer.reset_state([np.ones((1, 2)), np.zeros((1, 2))])
        >>> layer.states[0].numpy()
        array([[1., 1.]], dtype=float32)
        """
        if self.states is None:
            if states is not None:
                raise ValueError(
                    f"{self.name} has no states to set: it must be made with stateful=True and "
                    "called once, or built, first."
                )
            return
        variables = tree.flatten(self.states)
        if states is None:
            values = [ops.zeros(v.shape, dtype=v.dtype) for v in variables]
        else:
            values = [ops.convert_to_tensor(s) for s in tree.flatten(states)]
            shapes, wanted = [tuple(v.shape) for v in values], [tuple(v.shape) for v in variables]
            if shapes != wanted:
                raise ValueError(
                    f"{self.name}.reset_state received states of shapes {shapes}; it needs "
                    f"{wanted}."
                )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(ops.cast(value, variable.dtype))

    def _starting_state(self, sequences: Any, initial_state: Any) -> list:
        batch_size = ops.shape(sequences)[0]
        if self.stateful and isinstance(batch_size, int):
            expected = tree.flatten(self.states)[0].shape[0]
            if batch_size != expected:
                raise ValueError(
                    f"{self.name} is stateful and keeps states for a batch of {expected}; it "
                    f"received a batch of {batch_size}. Give batches of one size, or build "
                    "another layer for this one."
                )
        zeros = self.get_initial_state(batch_size)
        if initial_state is None:
            initial_state = self.states if self.stateful else zeros
        given = [ops.convert_to_tensor(s) for s in tree.flatten(initial_state)]
        dtypes = [z.dtype for z in tree.flatten(zeros)]
        cast = [ops.cast(s, d) for s, d in zip(given, dtypes, strict=True)]
        return tree.pack_sequence_as(zeros, cast)

    def _check(self, sequences: Any, initial_state: Any) -> None:
        """Raise for arguments of a call, symbolic ones too, that the loop cannot run on."""
        if initial_state is not None:
            states = list(initial_state) if tree.is_nested(initial_state) else [initial_state]
            check_states(self.name, states, self.state_size, sequences.shape[0])
        if self.unroll and sequences.shape[1] is None:
            raise ValueError(
                f"{self.name} has unroll=True and received inputs of shape "
                f"{tuple(sequences.shape)}; unrolling needs a known number of time steps."
            )

    # The loop.

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        self._check(sequences, initial_state)
        sequences = ops.cast(sequences, self.compute_dtype)
        state = self._starting_state(sequences, initial_state)
        if training:
            self._maybe_config_dropout_masks(self.cell, sequences[:, 0, :], state)
        last_output, outputs, states = self.inner_loop(sequences, state, mask, training=training)
        self._maybe_reset_dropout_masks(self.cell)
        if self.stateful:
            new = tree.flatten(states)
            for variable, value in zip(tree.flatten(self.states), new, strict=True):
                variable.assign(value)
        output = outputs if self.return_sequences else last_output
        return (output, *states) if self.return_state else output

    def inner_loop(
        self, sequences: Any, initial_state: list, mask: Any, training: bool = False
    ) -> tuple:
        """Run the cell over time. The one place where a road is chosen: a cell that brings its
        derivative runs in our own loop on TensorFlow; another single gated cell has its input
        products taken out of Keras' loop, unless that is slower; anything else is called step by
        step."""
        cell = self.cell
        if not isinstance(cell, GatedCell):
            return super().inner_loop(sequences, initial_state, mask, training)
        one_by_one = self.unroll or sequences.shape[1] == 1  # one step needs no loop
        if keras.backend.backend() == "tensorflow" and cell.has_derivative and not one_by_one:
            return self._time_loop(sequences, initial_state, mask, training)
        kernel = cell.recurrent_product_kernel()
        at_once = training or one_by_one or not xla_on_processor()

        def step(x: Any, states: tuple) -> tuple[Any, list]:
            projected = x if at_once else cell.project(x)
            return cell.step(projected, list(states), kernel, training)

        inputs = cell.project(sequences, training) if at_once else sequences
        if self.go_backwards:  # turned here, for Keras' unrolled loop zeroes by the mask unturned
            inputs = ops.flip(inputs, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        last_output, outputs, states = backend.rnn(
            step,
            inputs,
            initial_state,
            mask=mask,
            unroll=one_by_one,
            input_length=sequences.shape[1],
            zero_output_for_mask=self.zero_output_for_mask,
            return_all_outputs=self.return_sequences,
        )
        # Over a mask, Keras' loop on JAX mixes the GRU's outputs with its float32 states.
        dtype = self.compute_dtype
        return ops.cast(last_output, dtype), ops.cast(outputs, dtype), states

    def _time_loop(self, sequences: Any, initial_state: list, mask: Any, training: bool) -> tuple:
        """Our own loop, with the outputs as Keras' has them: at a masked step the last one again,
        zeros before the first, or zeros at all of them."""
        cell = self.cell
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        if mask is not None:
            mask = mask if len(mask.shape) == 3 else ops.expand_dims(mask, -1)
            mask = ops.transpose(ops.cast(mask, "bool"), (1, 0, 2))
        outputs, states = time_loop(
            cell,
            ops.transpose(cell.dropped(sequences, training), (1, 0, 2)),
            cell.weights_by_gate(),
            initial_state,
            mask,
            cell.feed_mask(initial_state[0], training),
            all_steps=self.return_sequences,
            keep=training,
        )
        last = states[0]
        if mask is not None:
            shown = mask
            if not self.zero_output_for_mask:
                shown = ops.cast(ops.cumsum(ops.cast(mask, "int32"), axis=0), "bool")
            last = ops.where(shown[-1], last, 0.0)
            outputs = None if outputs is None else ops.where(shown, outputs, 0.0)
        last = ops.cast(last, self.compute_dtype)
        if outputs is None:
            return last, last[:, None], states
        return last, ops.cast(ops.transpose(outputs, (1, 0, 2)), self.compute_dtype), states

    def compute_output_spec(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        self._check(sequences, initial_state)
        shapes = self.compute_output_shape(tuple(sequences.shape))
        if not self.return_state:
            return keras.KerasTensor(shapes, dtype=self.compute_dtype)
        states = tree.map_structure(
            lambda zero: keras.KerasTensor(
                (sequences.shape[0], *zero.shape[1:]), dtype=backend.standardize_dtype(zero.dtype)
            ),
            self.get_initial_state(1),
        )
        return (keras.KerasTensor(shapes[0], dtype=self.compute_dtype), *states)


def xla_on_processor() -> bool:
    """Whether XLA compiles Keras' loop for a processor. There a forward pass spends more time on
    memory for the input products of all steps than it saves by multiplying at once: at
    64/100/64/256 (batch, time, features, units) an LSTM takes 1.6 times as long."""
    on_jax = keras.backend.backend() == "jax"
    return on_jax and keras.distribution.list_devices()[0].startswith("cpu")


class Arguments:
    """The signature of a layer class, its cell's arguments and the loop's, for help() and editors.

    Its layers have none of it, or ``tf.function(layer)`` would take it for that of their call.
    """

    def __get__(self, layer: Any, layer_class: type) -> inspect.Signature | None:
        if layer is not None or not hasattr(layer_class, "cell_class"):
            return None
        loop = inspect.signature(keras.layers.RNN.__init__).parameters.values()
        loop = [p for p in loop if p.name not in ("self", "cell", "kwargs")]
        loop = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in loop]
        units, *others = layer_class.cell_class.arguments().values()
        rest = inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)
        return inspect.Signature([units, *others, *loop, rest])


class GatedLayer(Recurrent):
    """A ``Recurrent`` made from one cell class, with all arguments in one flat config."""

    cell_class: type[GatedCell]
    __signature__ = Arguments()

    def __init__(self, units: int, **options: Any):
        names = self.cell_class.arguments()
        cell_options = {k: options.pop(k) for k in list(options) if k in names}
        shared = {k: options[k] for k in ("dtype", "trainable") if k in options}
        super().__init__(self.cell_class(units, **cell_options, **shared), **options)
        self.input_spec = keras.InputSpec(ndim=3)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        super().build(sequences_shape)
        self.input_spec = keras.InputSpec(ndim=3, axes={-1: sequences_shape[-1]})

    @property
    def units(self) -> int:
        """The number of units, which is the width of the output."""
        return self.cell.units

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        return {**config, **{name: self.cell.get_config()[name] for name in self.cell.arguments()}}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GatedLayer":
        return cls(**config)
