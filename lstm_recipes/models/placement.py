"""The parts of a model on several devices, each with its backward pass.

A device scope alone places what is computed forward: the operations of the backward pass are made
later, outside of it, and TensorFlow would run them all on one device, with all that they read. So
a part is a function with a gradient of its own, which is made in the same scope.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from lstm_recipes.layers.own_gradient import own_gradient


class Placement:
    """Where each layer of a stack runs, and the encoder's and the decoder's of the same depth
    together, for the one hands its states to the other (Sutskever, Vinyals & Le 2014, section 3.5).

    Args:
        devices: Their names; without any, everything is where TensorFlow puts it.
        layers: How many there are of each stack; neighbours share a device if it is more than one
            each.

    >>> Placement(["GPU:0", "GPU:1"], layers=4).of_layer(3)
    'GPU:1'
    """

    def __init__(self, devices: Sequence[str], layers: int):
        self.devices, self.layers = tuple(devices), layers

    def of_layer(self, depth: int) -> str | None:
        """The device of the layers of a depth, from 1."""
        if not self.devices:
            return None
        return self.devices[(depth - 1) * len(self.devices) // self.layers]

    def layer(self, depth: int, function: Callable) -> Callable:
        """The function, on the device of the layers of a depth."""
        return on_device(self.of_layer(depth), function)


def on_device(device: str | None, function: Callable) -> Callable:
    """The function, it and its backward pass on a device; the function itself for None.

    It may take and return nests of tensors. Its gradient is that of the floats among them that it
    is given, and of the weights that it uses.
    """
    if device is None:
        return function
    import tensorflow as tf

    def placed(*args: Any, **kwargs: Any) -> Any:
        given = keras.tree.flatten((args, kwargs))
        floats = [k for k, part in enumerate(given) if _is_float(part)]
        found: list = []

        @own_gradient
        def run(*tensors: Any) -> tuple:
            changed = dict(zip(floats, tensors, strict=True))
            whole = [changed.get(k, part) for k, part in enumerate(given)]
            args_, kwargs_ = keras.tree.pack_sequence_as((args, kwargs), whole)
            found.append(function(*args_, **kwargs_))
            results = [part for part in keras.tree.flatten(found[0]) if _is_float(part)]

            def gradient(*upstream: Any, variables: Sequence[Any] = ()) -> Any:
                sources = [*tensors, *variables]
                # One argument may come from another, and its gradient is not to go on to it here.
                options = {"stop_gradients": tensors, "unconnected_gradients": "zero"}
                with tf.device(device):
                    d = tf.gradients(results, sources, upstream, **options)
                inputs, weights = d[: len(tensors)], d[len(tensors) :]
                return (inputs, weights) if variables else inputs

            return results, gradient

        with tf.device(device):
            results = iter(run(*(given[k] for k in floats)))
        parts = [next(results) if _is_float(p) else p for p in keras.tree.flatten(found[0])]
        return keras.tree.pack_sequence_as(found[0], parts)

    return placed


def _is_float(part: Any) -> bool:
    return keras.ops.is_tensor(part) and part.dtype.is_floating
