"""What the tests of the layers share."""

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from keras import ops

from lstm_recipes import layers

LAYERS = {
    "cec": layers.CECLSTM,
    "forget": layers.ForgetGateLSTM,
    "peephole": layers.PeepholeLSTM,
    "gru": layers.GRU,
}
LSTMS = ("cec", "forget", "peephole")
every_layer = pytest.mark.parametrize("kind", LAYERS)
every_lstm = pytest.mark.parametrize("kind", LSTMS)

BACKEND = keras.backend.backend()
tensorflow_only = pytest.mark.skipif(
    BACKEND != "tensorflow", reason=f"tests TensorFlow's graphs; the backend is {BACKEND}"
)


def array(*shape: int, seed: int = 0, dtype: str = "float32") -> np.ndarray:
    """Normal numbers, the same ones every time."""
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def numpy(values: Any) -> Any:
    """The same structure with NumPy arrays in it (bfloat16 as float32, which holds it)."""

    def one(value: Any) -> np.ndarray:
        dtype = keras.backend.standardize_dtype(value.dtype)
        return ops.convert_to_numpy(ops.cast(value, "float32") if dtype == "bfloat16" else value)

    return keras.tree.map_structure(one, values)


def dtype_of(value: Any) -> str:
    return keras.backend.standardize_dtype(value.dtype)


def randomize(layer: Any, seed: int = 0, scale: float = 0.5) -> Any:
    """The layer with normal weights, biases and peepholes among them."""
    rng = np.random.default_rng(seed)
    layer.set_weights([scale * rng.normal(size=w.shape) for w in layer.weights])
    return layer


def built(layer: Any, features: int = 3, batch: int | None = None, **options: Any) -> Any:
    layer.build((batch, None, features))
    return randomize(layer, **options)


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-5) -> None:
    """Two structures of arrays are equal to within the tolerance, absolute and relative."""
    actual = keras.tree.flatten(numpy(actual))
    expected = keras.tree.flatten(numpy(expected))
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def assert_same(actual: Any, expected: Any) -> None:
    """Two structures of arrays are equal bit for bit."""
    actual = keras.tree.flatten(numpy(actual))
    expected = keras.tree.flatten(numpy(expected))
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def gradients(loss: Any, variables: list, tensors: list) -> list[np.ndarray]:
    """The gradient of ``loss(*tensors)`` to the variables and then to the tensors."""
    tensors = [ops.convert_to_tensor(t) for t in tensors]
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = loss(*tensors)
        sources = [v.value for v in variables] + tensors
        return numpy(tape.gradient(value, sources, unconnected_gradients="zero"))

    import jax

    def stateless(values: list, tensors: list) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return loss(*tensors)

    values = [v.value for v in variables]
    by_values, by_tensors = jax.grad(stateless, argnums=(0, 1))(values, tensors)
    return numpy([*by_values, *by_tensors])


def weighted_sum(results: list, seed: int = 7) -> Any:
    """A number to which every output and state contributes, each with a weight of its own."""
    rng = np.random.default_rng(seed)
    total = 0.0
    for result in keras.tree.flatten(results):
        weights = rng.normal(size=result.shape)
        if isinstance(result, np.ndarray):  # the reference's, complex at times
            total = total + (result * weights).sum()
        else:
            part = ops.sum(result * ops.cast(weights, result.dtype))
            # Of a result in bfloat16 and a state in float32 as well.
            half = keras.backend.standardize_dtype(part.dtype) == "bfloat16"
            total = total + (ops.cast(part, "float32") if half else part)
    return total


MASKS = {
    "right": [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]],
    "left": [[0, 0, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]],
    "gaps": [[1, 0, 1, 0, 1], [0, 1, 1, 0, 0], [1, 1, 0, 0, 1]],
    "all of a row": [[0, 0, 0, 0, 0], [1, 1, 1, 1, 0], [0, 1, 0, 1, 1]],
    "all": [[0] * 5] * 3,
}
every_mask = pytest.mark.parametrize(
    "mask", [np.array(m, bool) for m in MASKS.values()], ids=list(MASKS)
)


@st.composite
def masks(draw: Any, batch: int, time: int) -> np.ndarray | None:
    """No mask, or rows that are padded left or right, have gaps, or are masked whole."""
    if draw(st.booleans()):
        return None
    length = st.integers(0, time)
    row = st.one_of(
        length.map(lambda n: [k < n for k in range(time)]),
        length.map(lambda n: [k >= time - n for k in range(time)]),
        st.lists(st.booleans(), min_size=time, max_size=time),
        st.just([False] * time),
    )
    return np.array(draw(st.lists(row, min_size=batch, max_size=batch)), bool)
