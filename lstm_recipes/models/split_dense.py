"""A softmax's product that several devices share."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_recipes.models.placement import on_device


class SplitDense(keras.layers.Layer):
    """``keras.layers.Dense`` whose outputs are shared out among devices: each has the kernel's
    columns of its outputs, and works out those (Sutskever, Vinyals & Le 2014, section 3.5; Wu et
    al. 2016, section 3.4).

    Its weights are drawn as those of the one ``Dense``, which `on_one_device` saves in its place.

    Args:
        units: How many outputs.
        devices: Their names.

    >>> split = SplitDense(5, ["CPU:0", "CPU:0"])
    >>> [part.shape[-1] for part in split.parts(ops.ones((2, 3)))]
    [2, 3]
    """

    def __init__(self, units: int, devices: Sequence[str], **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.devices = units, tuple(devices)
        self.bounds = split_bounds(units, len(devices))
        self.kernel_initializer = keras.initializers.GlorotUniform()

    def build(self, input_shape: tuple[int, ...]) -> None:
        whole = self.kernel_initializer((input_shape[-1], self.units))
        self.kernels = self._split(np.array(whole), "kernel")
        self.biases = self._split(np.zeros(self.units), "bias")

    def _split(self, whole: np.ndarray, name: str) -> list[keras.Variable]:
        parts = []
        shares = np.split(whole, self.bounds[1:-1], axis=-1)
        for device, part in zip(self.devices, shares, strict=True):
            with keras.device(device):
                parts.append(self.add_weight(part.shape, _constant(part), name=name))
        return parts

    @property
    def split_weights(self) -> "list[WholeVariable]":
        """The kernel and the bias."""
        return [WholeVariable(self.kernels), WholeVariable(self.biases)]

    def parts(self, x: Any) -> list:
        """The outputs that each device has, float ``[..., part of units]``."""
        if not self.built:
            self.build(x.shape)
            self.built = True
        x = ops.cast(x, self.compute_dtype)

        def product(kernel: keras.Variable, bias: keras.Variable) -> Any:
            return lambda x: ops.matmul(x, kernel) + bias

        weights = zip(self.devices, self.kernels, self.biases, strict=True)
        return [on_device(device, product(kernel, bias))(x) for device, kernel, bias in weights]


class WholeVariable:
    """Parts of a weight that are on several devices, as the one that they are: a checkpoint knows
    no devices.

    Args:
        parts: The parts; the last axis is the one that is cut.

    >>> whole = WholeVariable([keras.Variable([1.0, 2.0]), keras.Variable([3.0])])
    >>> whole.value.tolist()
    [1.0, 2.0, 3.0]
    """

    def __init__(self, parts: Sequence[keras.Variable]):
        self.parts, self.dtype = list(parts), parts[0].dtype
        self.shape = (*parts[0].shape[:-1], sum(part.shape[-1] for part in parts))

    @property
    def value(self) -> np.ndarray:
        """All of it, in the parts' dtype."""
        return np.concatenate([ops.convert_to_numpy(part.value) for part in self.parts], axis=-1)

    def assign(self, value: Any) -> None:
        """Share it out among the parts."""
        bounds = np.cumsum([part.shape[-1] for part in self.parts])[:-1]
        for part, share in zip(self.parts, np.split(np.array(value), bounds, -1), strict=True):
            part.assign(share)


def joined(variables: Sequence[keras.Variable], split: Sequence[WholeVariable]) -> list:
    """Variables, those that are parts of a split weight replaced by the whole."""
    whole = {id(weight.parts[0]): weight for weight in split}
    others = {id(part) for weight in split for part in weight.parts[1:]}
    return [whole.get(id(v), v) for v in variables if id(v) not in others]


def split_bounds(units: int, parts: int) -> list[int]:
    """The first output of each part, and the end of the last."""
    return [units * k // parts for k in range(parts + 1)]


def _constant(value: np.ndarray) -> Any:
    return lambda shape, dtype: ops.convert_to_tensor(value, dtype)
