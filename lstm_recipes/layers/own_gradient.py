"""A function with a gradient of its own, which leaves nothing behind.

``keras.ops.custom_gradient`` is TensorFlow's there, and TensorFlow keeps the gradient of every
trace of such a function, and by it the whole traced graph, in a registry that nobody empties: each
trace of one small layer left 17,000 Python objects and some megabytes for the life of the process
(tensorflow/python/ops/custom_gradient.py, ``internal_grad_fn``). Here the graph keeps its gradient
and the registry only knows where it is, so that both go when the graph goes.
"""

import functools
import weakref
from collections.abc import Callable
from typing import Any

import keras


def own_gradient(function: Callable) -> Callable:
    """Make a function that returns its results and their gradient function differentiable so.

    Args:
        function: Takes tensors; returns ``(results, gradient)``. The gradient takes the gradients
            of the results and returns those of the arguments.

    Returns:
        A function of the same tensors that returns the results.
    """
    run = keras.ops.custom_gradient(function)
    if keras.backend.backend() != "tensorflow":
        return run

    @functools.wraps(function)
    def forgetting(*arguments: Any) -> Any:
        results = run(*arguments)
        _let_go(keras.tree.flatten(results)[0])
        return results

    return forgetting


def _let_go(result: Any) -> None:
    """Leave in TensorFlow's registry a weak reference to the gradient; the graph has the other."""
    import tensorflow as tf
    from tensorflow.python.framework import ops

    if tf.is_symbolic_tensor(result):
        entries = ops.gradient_registry._registry
        name = result.op.get_attr("_gradient_op_type").decode()
        gradient = entries[name]["type"]
        result.graph.add_to_collection("own_gradients", gradient)
        known = weakref.ref(gradient, lambda _: entries.pop(name))
        entries[name]["type"] = lambda *arguments: known()(*arguments)
