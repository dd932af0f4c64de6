"""GatedCell: what one step of every gated recurrent network shares.

A cell multiplies its input and its last state by one kernel each, and everything else is
elementwise. The products, weights, dropout masks and config live here, so that a cell's own
file is its equations.
"""

import inspect
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import keras
from keras import ops, tree

# Keras' RNN makes and clears the dropout masks of the cells that are instances of this class,
# and of no others; it has no public name.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from lstm_recipes.layers.activations import get_activation
from lstm_recipes.layers.quantized import Int8Kernels
from lstm_recipes.layers.time_loop import Weights

KERAS_OBJECTS = {
    "activation": keras.activations,
    "initializer": keras.initializers,
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
}


class GatedCell(Int8Kernels, DropoutRNNCell, keras.layers.Layer):
    """The weights and products of a gated cell; a subclass adds ``pointwise``, its equations.

    One step is ``pointwise(project(x) + recur(states), states)``, split by gate, where ``project``
    is x W + b and ``recur`` is (what feeds back) U. The columns of W, U and b stand in the order
    that ``columns`` names.

    Products run in the compute dtype. What is elementwise, and the state that is carried from
    step to step, keeps the variable dtype (float32 under a mixed policy): a cell state in
    bfloat16 forgets what it was made to keep.
    """

    columns: tuple[str, ...]
    """The names of the column blocks, in their order in the kernels and the bias."""
    columns_apart: tuple[str, ...] = ()
    """Those where x W + b and the recurrent product are not just added: `pointwise` gets both."""
    truncates = False
    """Whether no error goes back in time through the recurrent kernel."""
    int8_kernels = ("kernel", "recurrent_kernel")

    def __init__(
        self,
        units: int,
        *,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool | str = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(autocast=False, **kwargs)
        if isinstance(units, bool) or not isinstance(units, Integral) or units < 1:
            raise ValueError(f"units={units!r} was given; a whole number of at least 1 is needed.")
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not isinstance(rate, Real) or not 0.0 <= rate < 1.0:
                raise ValueError(f"{name}={rate!r} was given; a rate from 0 to below 1 is needed.")
        self.units = self.output_size = int(units)
        self.activation = get_activation("activation", activation)
        self.recurrent_activation = get_activation("recurrent_activation", recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    # What a subclass says of itself.

    @property
    def widths(self) -> list[int]:
        """The width of each block of columns."""
        return [self.units] * len(self.columns)

    @property
    def state_size(self) -> Any:
        """The width of each state, as ``keras.layers.RNN`` wants it."""
        raise NotImplementedError

    @property
    def state_dtypes(self) -> list[str]:
        """The dtype in which each state is carried from step to step."""
        raise NotImplementedError

    def pointwise(self, z: list, states: list, vectors: list) -> tuple[list, tuple]:
        """The equations: what ``gates`` gives in; out come the new states, h first, and what the
        derivative needs of the step."""
        raise NotImplementedError

    def pointwise_vjp(
        self, d_states: list, kept: Sequence, vectors: list
    ) -> tuple[list, list, list]:
        """The derivative of ``pointwise``: gradients of the new states in; out come those of z, of
        the states before (None for one that only the products see), and of the vectors, for every
        sequence of the batch."""
        raise NotImplementedError

    def gates(self, x: list, r: list) -> list:
        """z: of each column the sum of x W + b and the recurrent product, or both where they stand
        apart."""
        z = []
        for name, one, two in zip(self.columns, x, r, strict=True):
            z += [one, two] if name in self.columns_apart else [one + two]
        return z

    def vectors(self) -> list:
        """Weights that the equations see elementwise, ``[units]`` each."""
        return []

    @property
    def kept_widths(self) -> list[int]:
        """The width of each thing that ``pointwise`` gives for the derivative."""
        raise NotImplementedError

    @property
    def has_derivative(self) -> bool:
        """Whether ``pointwise_vjp`` is the derivative with this cell's options, so that
        time_loop.py can run it."""
        return False

    # Weights.

    def build(self, input_shape: tuple) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"{self.name} received inputs of shape {tuple(input_shape)}; the last dimension, "
                "the number of features, must be known."
            )
        self.kernel = self._add("kernel", (features, sum(self.widths)), self.kernel_initializer)
        self.recurrent_kernel = self._add(
            "recurrent_kernel", (self.feed_width, sum(self.widths)), self.recurrent_initializer
        )
        self.bias = None
        if self.use_bias:
            self.bias = self._add("bias", *self._bias_shape_and_initializer())

    @property
    def feed_width(self) -> int:
        """How many numbers feed back into the recurrent kernel."""
        return self.units

    def _bias_shape_and_initializer(self) -> tuple[tuple, Any]:
        return (sum(self.widths),), self.bias_initializer

    def _add(self, name: str, shape: tuple, initializer: Any) -> keras.Variable:
        """A weight, with the regularizer and constraint of its name, never autocast in the dark."""
        if self.quantization_mode == "int8" and name in self.int8_kernels:
            return self.add_int8(name, shape)
        prefix = {"recurrent_kernel": "recurrent"}.get(name, name)
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            regularizer=getattr(self, f"{prefix}_regularizer"),
            constraint=getattr(self, f"{prefix}_constraint"),
            autocast=False,
        )

    # One step.

    def project(self, inputs: Any, training: bool = False) -> Any:
        """x W + b, for one step ``[batch, features]`` or all ``[batch, time, features]`` at once.

        Dropout on the inputs uses one mask for all steps (Gal & Ghahramani 2016).
        """
        inputs = self.dropped(inputs, training)
        product = ops.matmul(inputs, self.product_kernel("kernel"))
        product = ops.cast(product, self.variable_dtype)
        return product if self.bias is None else product + self._input_bias()

    def dropped(self, inputs: Any, training: bool) -> Any:
        """The inputs as they are multiplied: in the compute dtype, with dropout when training."""
        inputs = ops.cast(inputs, self.compute_dtype)
        if not (training and self.dropout):
            return inputs
        one_step = inputs[:, 0] if len(inputs.shape) == 3 else inputs
        mask = ops.cast(self.get_dropout_mask(one_step), self.compute_dtype)
        return inputs * (mask[:, None] if len(inputs.shape) == 3 else mask)

    def weights_by_gate(self) -> Weights:
        """W, b and U of each gate, tensors of their own; for time_loop.py."""
        return Weights(
            kernels=self.split(self.product_kernel("kernel")),
            biases=[] if self.bias is None else self.split(self._input_bias()),
            recurrent_kernels=self.split(self.recurrent_product_kernel()),
            vectors=self.vectors(),
        )

    def split(self, z: Any) -> list:
        """The columns of z by gate, in the order of ``columns``."""
        ends = [sum(self.widths[: k + 1]) for k in range(len(self.widths) - 1)]
        return ops.split(z, ends, axis=-1)

    def _input_bias(self) -> Any:
        """The bias that is added to the projected input, one number a column."""
        return self.bias

    def feed(self, states: list, training: bool = False) -> Any:
        """What the recurrent kernel multiplies: h, with its dropout mask when training."""
        return self.as_feed(states[0], self.feed_mask(states[0], training))

    def as_feed(self, h: Any, mask: Any) -> Any:
        """h as it is multiplied: in the compute dtype, with its dropout mask if there is one."""
        h = ops.cast(h, self.compute_dtype)
        return h if mask is None else h * mask

    def feed_mask(self, h: Any, training: bool) -> Any:
        """The dropout mask of h, the same for all steps of a call, or None."""
        if not (training and self.recurrent_dropout):
            return None
        h = ops.cast(h, self.compute_dtype)
        return ops.cast(self.get_recurrent_dropout_mask(h), self.compute_dtype)

    def recur(self, states: list, kernel: Any, training: bool = False) -> Any:
        """(What feeds back) U; ``kernel`` is U in the compute dtype, cast once for all steps."""
        return ops.cast(ops.matmul(self.feed(states, training), kernel), self.variable_dtype)

    def recurrent_product_kernel(self) -> Any:
        """U in the dtype of the products."""
        return self.product_kernel("recurrent_kernel")

    def step(self, x: Any, states: list, kernel: Any, training: bool = False) -> tuple[Any, list]:
        """One step from an already projected input: the output and the new states."""
        r = self.recur(states, kernel, training)
        # Splitting copies: once, if it will do.
        apart = bool(self.columns_apart)
        z = self.gates(self.split(x), self.split(r)) if apart else self.split(x + r)
        new_states, _ = self.pointwise(z, states, self.vectors())
        output = ops.cast(new_states[0], self.compute_dtype)
        return output, [ops.cast(s, d) for s, d in zip(new_states, self.state_dtypes, strict=True)]

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        """One step of the recurrence: ``[batch, features]`` and the states in, the output and
        the new states out. This is the reference for every faster road."""
        states_list = self._checked(states)
        output, new_states = self.step(
            self.project(inputs, training), states_list, self.recurrent_product_kernel(), training
        )
        return output, new_states if tree.is_nested(states) else new_states[0]

    def _checked(self, states: Any) -> list:
        """The states as a list, in the dtypes in which they are carried."""
        states = list(states) if tree.is_nested(states) else [states]
        check_states(self.name, states, self.state_size)
        return [ops.cast(s, d) for s, d in zip(states, self.state_dtypes, strict=True)]

    def get_initial_state(self, batch_size: int | None = None) -> list:
        """Zero states, ``[batch, width]`` each."""
        return [
            ops.zeros((batch_size, width), dtype=dtype)
            for width, dtype in zip(tree.flatten(self.state_size), self.state_dtypes, strict=True)
        ]

    # Config.

    @classmethod
    def arguments(cls) -> dict[str, inspect.Parameter]:
        """Every argument of the cell, its own and those it inherits."""
        found = {}
        for base in cls.__mro__:
            if issubclass(base, GatedCell) and "__init__" in vars(base):
                for name, parameter in inspect.signature(base.__init__).parameters.items():
                    if name != "self" and parameter.kind is not parameter.VAR_KEYWORD:
                        found.setdefault(name, parameter)
        return found

    def get_config(self) -> dict[str, Any]:
        config = {name: self._to_config(name) for name in self.arguments()}
        return {**super().get_config(), **config}

    def _to_config(self, name: str) -> Any:
        value = getattr(self, name)
        kind = KERAS_OBJECTS.get(name.rsplit("_", 1)[-1])
        return kind.serialize(value) if kind and value is not None else value


def check_states(name: str, states: list, state_size: Any, batch: int | None = None) -> None:
    """Raise unless there are as many states as ``state_size`` has widths, each of its width and,
    where both are known, for the batch."""
    wanted = [(batch or "batch", width) for width in tree.flatten(state_size)]
    received = [tuple(s.shape) for s in tree.flatten(states)]
    if len(received) != len(wanted) or any(
        len(shape) != 2 or shape[1] != width or (batch and shape[0] not in (None, batch))
        for shape, (_, width) in zip(received, wanted, strict=True)
    ):
        raise ValueError(
            f"{name} received {len(received)} state(s) of shape {received}; it needs "
            f"{len(wanted)} of shape {wanted}, the hidden state first."
        )
