"""Training a model whose layers stand on several devices, as one device would train it."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import keras
import tensorflow as tf

from lstm_recipes.models.seq2seq import Seq2Seq
from lstm_recipes.models.split_dense import WholeVariable, joined


def update_in_place(optimizer: keras.optimizers.Optimizer, clip_norm: float) -> None:
    """Have each weight clipped, decayed and changed on its own device.

    Keras does so only under a distribution strategy, and without one works out all updates on the
    first device. What it asks of the strategy is this one function.
    """
    optimizer.global_clipnorm = None

    def update(variable: tf.Variable, change: Callable, args: tuple = (), group: bool = False):
        with tf.device(variable.device):
            change(variable, *args)

    def clip(gradients: Sequence[Any]) -> list:
        norm = tf.linalg.global_norm(gradients)
        scale = clip_norm * tf.minimum(1 / norm, 1 / clip_norm)
        clipped = []
        for gradient, weight in zip(gradients, optimizer._trainable_variables, strict=True):
            with tf.device(weight.value.device):
                clipped.append(tf.convert_to_tensor(gradient) * scale)
        return clipped

    optimizer._clip_gradients = clip
    optimizer._distribution_strategy = SimpleNamespace(extended=SimpleNamespace(update=update))


def with_slots(model: Seq2Seq, optimizer: keras.optimizers.Optimizer) -> list:
    """The model's variables and the optimizer's, whole and in the order in which they are on one
    device."""
    own, slots = optimizer.variables[:2], optimizer.variables[2:]  # first the step and the rate
    weights = optimizer._trainable_variables
    each = len(slots) // len(weights)
    slots_of = {id(w): slots[k * each : (k + 1) * each] for k, w in enumerate(weights)}
    found = [*joined(model.variables, model.split_weights), *own]
    for weight in joined(weights, model.split_weights):
        if isinstance(weight, WholeVariable):
            same = zip(*(slots_of[id(part)] for part in weight.parts), strict=True)
            found += map(WholeVariable, same)
        else:
            found += slots_of[id(weight)]
    return found
