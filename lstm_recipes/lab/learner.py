"""A small classifier that learns by Adam, compiled once and begun anew for each seed."""

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


class Learner:
    """Adam, with the gradient's norm clipped at 1, on the cross-entropy of a model's logits.

    Compiling takes longer than some hundred small steps, so one compiled step serves all seeds.

    Args:
        model: Gives logits ``[..., classes]``; anyone's.
        rate: Adam's learning rate.

    >>> net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    >>> learner = Learner(net, 0.1).begin(0)
    >>> x, y = np.array([[0.0, 1.0], [1.0, 0.0]], "float32"), np.array([0, 1])
    >>> _ = learner.learn((x, y) for _ in range(50))
    >>> learner.right(x, y)
    1.0
    """

    def __init__(self, model: keras.Model, rate: float = 0.01):
        self.model = model
        self.optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0)
        self.optimizer.build(model.trainable_variables)
        self._start = [v.numpy() for v in self.optimizer.variables]
        of = model.inputs[0]
        x = tf.TensorSpec(of.shape, of.dtype)
        y = tf.TensorSpec(model.outputs[0].shape[:-1], "int32")
        self._step = tf.function(self._one_step, input_signature=[x, y], autograph=False)
        self.logits: Callable[[Any], Any] = tf.function(self.model, input_signature=[x])

    def begin(self, seed: int, prepare: Callable[[keras.Model], None] | None = None) -> "Learner":
        """New first weights, which ``prepare`` may change, and a new Adam."""
        keras.utils.set_random_seed(seed)
        self.model.set_weights(keras.models.clone_model(self.model).get_weights())
        if prepare is not None:
            prepare(self.model)
        for variable, value in zip(self.optimizer.variables, self._start, strict=True):
            variable.assign(value)
        return self

    def _one_step(self, x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = self._loss(y, self.model(x, training=True))
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    @staticmethod
    def _loss(y: Any, logits: Any) -> Any:
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))

    def learn(self, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> list[float]:
        """One step of Adam a batch; the loss of each, before its step, in nats."""
        return [float(self._step(x, y.astype("int32"))) for x, y in batches]

    def loss(self, x: np.ndarray, y: np.ndarray) -> float:
        """The mean cross-entropy in nats."""
        return float(self._loss(y.astype("int32"), self.logits(x)))

    def right(self, x: np.ndarray, y: np.ndarray) -> float:
        """The share of targets that have the largest logit."""
        return float((self.logits(x).numpy().argmax(-1) == y).mean())
