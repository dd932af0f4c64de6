"""Attention: a query asks a memory, and gets the mean of what it finds alike.

    α_j = softmax_j(e_j),  e_j = score(q, m_j)        c = Σ_j α_j m_j

The two layers differ in the score alone.
"""

from numbers import Integral
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_recipes.layers.quantized import Int8Kernels

LOWEST = float(np.finfo("float32").min)
"""The score of a masked place: exp of its distance to any other score is 0."""


class MemoryAttention(Int8Kernels, keras.layers.Layer):
    """What the attentions share; a subclass adds ``scores``, and ``keys`` if it projects them.

    Products with weights run in the compute dtype; scores and softmax are float32 at least.
    """

    int8_kernels = ("query_kernel", "memory_kernel", "kernel")

    def __init__(self, kernel_initializer: Any = "glorot_uniform", **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True  # the context has the mask of the query
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    @property
    def score_dtype(self) -> str:
        """The dtype of the scores and the weights."""
        return keras.backend.result_type(self.variable_dtype, "float32")

    # What a subclass says of itself.

    def scores(self, query: Any, keys: Any) -> Any:
        """e, ``[batch, steps, source]``, from queries ``[batch, steps, depth]`` and the keys."""
        raise NotImplementedError

    def project(self, memory: Any) -> Any:
        """The keys of a memory of the compute dtype."""
        raise NotImplementedError

    # Weights.

    def build(self, query_shape: tuple, memory_shape: tuple) -> None:
        if len(query_shape) not in (2, 3) or len(memory_shape) != 3:
            raise ValueError(
                f"{self.name} received a query of shape {tuple(query_shape)} and a memory of shape "
                f"{tuple(memory_shape)}; it needs [batch, depth] or [batch, steps, depth], and "
                "[batch, source, depth]."
            )
        if query_shape[-1] is None or memory_shape[-1] is None:
            raise ValueError(
                f"{self.name} received a query of shape {tuple(query_shape)} and a memory of shape "
                f"{tuple(memory_shape)}; the last dimension of both must be known."
            )
        self.query_depth, self.memory_depth = query_shape[-1], memory_shape[-1]

    def _add(self, name: str, shape: tuple, initializer: Any = None) -> Any:
        """A weight, never autocast in the dark."""
        if self.quantization_mode == "int8" and name in self.int8_kernels:
            return self.add_int8(name, shape)
        initializer = keras.initializers.get(initializer or self.kernel_initializer)
        return self.add_weight(name=name, shape=shape, initializer=initializer, autocast=False)

    def _times(self, x: Any, kernel: Any) -> Any:
        """x times a kernel, in the compute dtype."""
        return ops.matmul(ops.cast(x, self.compute_dtype), ops.cast(kernel, self.compute_dtype))

    # The layer.

    def keys(self, memory: Any) -> Any:
        """What a call makes of the memory before it sees the query, ``[batch, source, ...]``.

        A loop that asks one memory many times makes it once and hands it to each call. The layer
        must have been built, by a call or by ``build(query_shape, memory_shape)``.
        """
        if not self.built:
            raise ValueError(
                f"{self.name} has no weights yet; call it once, or its "
                "build(query_shape, memory_shape), before keys(memory)."
            )
        return self.project(ops.cast(memory, self.compute_dtype))

    def call(self, query: Any, memory: Any, memory_mask: Any = None, keys: Any = None) -> tuple:
        steps = query if len(query.shape) == 3 else query[:, None]
        scores = self.scores(steps, self.keys(memory) if keys is None else keys)
        weights = masked_softmax(scores, memory_mask)
        context = self._times(weights, memory)
        return (context, weights) if steps is query else (context[:, 0], weights[:, 0])

    def get_config(self) -> dict[str, Any]:
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return super().get_config() | {"kernel_initializer": initializer}


@keras.saving.register_keras_serializable("lstm_recipes")
class BahdanauAttention(MemoryAttention):
    """Additive attention (Bahdanau, Cho & Bengio 2014, appendix A.1.2).

        e_j = vᵀ tanh(W q + U m_j)
        e_j = g vᵀ/‖v‖ tanh(W q + U m_j + b)        normalize=True

    ``layer(query, memory, memory_mask=None, keys=None)`` gives the context and the weights.

    - query: float ``[batch, depth]``, or ``[batch, steps, depth]`` for many at once.
    - memory: float ``[batch, source, depth]``, of any depth.
    - memory_mask: ``[batch, source]``, False where a place is to be left out. Without it the mask
      counts that Keras carries along with the memory.
    - keys: What ``keys(memory)`` gave, float ``[batch, source, units]``, that is U m; for a loop.
    - context: Σ_j α_j m_j, ``[batch, (steps,) depth of the memory]`` in the compute dtype.
    - weights: α, ``[batch, (steps,) source]``, float32 under every mixed policy. Exactly 0 where
      the mask leaves out; their sum is 1. Where all is masked, weights and context are zeros.

    The scores of many queries take batch · steps · source · units numbers at once.

    Args:
        units: Width of the sum W q + U m_j.
        normalize: Whether v has a learnt length g, as in weight normalisation (Salimans & Kingma
            2016, equation 2), and there is a bias b, zero at first; g begins at 1/√units.
        kernel_initializer: Of W, U and v.

    Raises:
        ValueError: For units below 1, or a query or a memory of another rank.

    With v = 0 all places weigh the same:

    >>> import numpy as np
    >>> layer = BahdanauAttention(4, kernel_initializer="zeros")
    >>> memory = np.array([[[1.0], [3.0], [100.0]]], "float32")
    >>> mask = np.array([[True, True, False]])
    >>> context, weights = layer(np.ones((1, 5), "float32"), memory, memory_mask=mask)
    >>> context.numpy(), weights.numpy()
    (array([[2.]], dtype=float32), array([[0.5, 0.5, 0. ]], dtype=float32))
    """

    def __init__(self, units: int, normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = checked_units(units)
        self.normalize = normalize

    def build(self, query_shape: tuple, memory_shape: tuple) -> None:
        super().build(query_shape, memory_shape)
        self.query_kernel = self._add("query_kernel", (self.query_depth, self.units))
        self.memory_kernel = self._add("memory_kernel", (self.memory_depth, self.units))
        self.score_kernel = self._add("score_kernel", (self.units, 1))
        if self.normalize:
            start = keras.initializers.Constant(self.units**-0.5)
            self.score_length = self._add("score_length", (), start)
            self.bias = self._add("bias", (self.units,), "zeros")

    def project(self, memory: Any) -> Any:
        return self._times(memory, self.product_kernel("memory_kernel"))

    def scores(self, query: Any, keys: Any) -> Any:
        query, v = self._times(query, self.product_kernel("query_kernel")), self.score_kernel
        if self.normalize:
            query = ops.cast(query, self.score_dtype) + self.bias
            v = self.score_length * v / ops.norm(v)
        return additive_scores(query, keys, ops.cast(v, self.score_dtype))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"units": self.units, "normalize": self.normalize}


@keras.saving.register_keras_serializable("lstm_recipes")
class LuongAttention(MemoryAttention):
    """Multiplicative attention, and its sisters (Luong, Pham & Manning 2015, section 3.1).

        e_j = qᵀ m_j                    "dot"
        e_j = qᵀ W m_j                  "general"
        e_j = vᵀ tanh(W [q ; m_j])      "concat"

    Called as :class:`BahdanauAttention`, with the same results. The keys are m, W m, and the
    memory's part of W [q ; m].

    Args:
        score: ``"dot"``, ``"general"`` or ``"concat"``.
        units: Rows of W, for ``"concat"`` alone.
        scale: Whether a learnt number, 1 at first, multiplies the scores.
        kernel_initializer: Of W and v.

    Raises:
        ValueError: For another score, units where there are none or none where there are some, a
            query and a memory of different depths for ``"dot"``, or of another rank.

    >>> import numpy as np
    >>> query = np.log([[2.0, 3.0]]).astype("float32")
    >>> context, weights = LuongAttention()(query, np.eye(2, dtype="float32")[None])
    >>> weights.numpy().round(6)
    array([[0.4, 0.6]], dtype=float32)
    """

    def __init__(
        self, score: str = "dot", units: int | None = None, scale: bool = False, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if score not in ("dot", "general", "concat"):
            raise ValueError(f"score={score!r} was given; 'dot', 'general' or 'concat' is needed.")
        if (units is not None) != (score == "concat"):
            raise ValueError(
                f"score={score!r} and units={units!r} were given; 'concat' needs units, the rows "
                "of its W, and the others have none."
            )
        self.score = score
        self.units = None if units is None else checked_units(units)
        self.scale = scale

    def build(self, query_shape: tuple, memory_shape: tuple) -> None:
        super().build(query_shape, memory_shape)
        if self.score == "dot" and self.query_depth != self.memory_depth:
            raise ValueError(
                f"{self.name} received a query of depth {self.query_depth} and a memory of depth "
                f"{self.memory_depth}; score='dot' needs equal depths, and 'general' any."
            )
        if self.score == "general":
            self.memory_kernel = self._add("memory_kernel", (self.memory_depth, self.query_depth))
        if self.score == "concat":
            depth = self.query_depth + self.memory_depth
            self.kernel = self._add("kernel", (depth, self.units))
            self.score_kernel = self._add("score_kernel", (self.units, 1))
        if self.scale:
            self.score_scale = self._add("score_scale", (), "ones")

    def project(self, memory: Any) -> Any:
        if self.score == "dot":
            return memory
        if self.score == "general":
            return self._times(memory, self.product_kernel("memory_kernel"))
        return self._times(memory, self.product_kernel("kernel")[self.query_depth :])

    def scores(self, query: Any, keys: Any) -> Any:
        if self.score == "concat":
            query = self._times(query, self.product_kernel("kernel")[: self.query_depth])
            scores = additive_scores(query, keys, ops.cast(self.score_kernel, self.score_dtype))
        else:
            query, keys = ops.cast(query, self.score_dtype), ops.cast(keys, self.score_dtype)
            scores = ops.matmul(query, ops.swapaxes(keys, 1, 2))
        return scores * ops.cast(self.score_scale, scores.dtype) if self.scale else scores

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "score": self.score,
            "units": self.units,
            "scale": self.scale,
        }


def additive_scores(query: Any, keys: Any, v: Any) -> Any:
    """vᵀ tanh(q + k_j), ``[batch, steps, source]``, in the dtype of v; both are of its width."""
    query, keys = ops.cast(query, v.dtype), ops.cast(keys, v.dtype)
    return ops.matmul(ops.tanh(query[:, :, None] + keys[:, None]), v)[..., 0]


def masked_softmax(scores: Any, mask: Any = None) -> Any:
    """The softmax of ``[batch, steps, source]`` over the places that the mask ``[batch, source]``
    leaves: 0 at all others, and everywhere if it leaves none."""
    seen = ops.ones_like(scores, "bool") if mask is None else ops.cast(mask, "bool")[:, None]
    # Not ops.softmax, which warns of a memory of one place.
    scores = ops.where(seen, scores, LOWEST)
    highest = ops.stop_gradient(ops.max(scores, axis=-1, keepdims=True))
    powers = ops.where(seen, ops.exp(scores - highest), 0.0)
    total = ops.sum(powers, axis=-1, keepdims=True)
    return powers / ops.where(total > 0, total, 1.0)


def checked_units(units: Any) -> int:
    """``units``, if it is a width."""
    if isinstance(units, bool) or not isinstance(units, Integral) or units < 1:
        raise ValueError(f"units={units!r} was given; a whole number of at least 1 is needed.")
    return int(units)
