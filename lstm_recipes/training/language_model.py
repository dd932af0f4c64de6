"""Training and measuring a character model: what the loop in fit.py drives."""

import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.data.streams import Streams
from lstm_recipes.models.char_lm import initial_state
from lstm_recipes.training.fit import Validation
from lstm_recipes.training.model_file import save_model
from lstm_recipes.training.replicas import Replicas, RowState

ESTIMATE_STREAMS = 64  # the quick estimate during training reads so many streams side by side
SLICE = 500  # characters that evaluation reads at a time


class LanguageModelTask:
    """A character model, its optimizer and the streams whose state it carries.

    Truncated backpropagation through time: each window of a stream starts from the state in
    which the window before it ended, so that no character is trained on without its past; the
    gradient ends at the window's start. Streams start anew, from the zero state, each epoch.

    Where there are several replicas each carries the state of its own streams.

    Args:
        model: Of `models.char_lm`, made in the replicas' scope, as the task is.
        train: The training text's windows; the batch is that of all replicas.
        validation: The validation text, int32 ``[n]``.
        weight_decay, clip_norm: AdamW's; biases do not decay.
        replicas: The model's; without it there is one.

    Raises:
        UserError: The replicas cannot share the streams evenly.
    """

    unit = "characters"
    gradient_norm = math.nan

    def __init__(
        self,
        model: keras.Model,
        train: Streams,
        validation: np.ndarray,
        *,
        weight_decay: float,
        clip_norm: float,
        replicas: Replicas | None = None,
    ):
        self.model, self.train, self.validation = model, train, validation
        self.replicas = replicas or Replicas()
        self.replicas.check_batch_size(train.batch_size)
        self.units_per_step = train.batch_size * train.time
        self.steps_per_epoch = train.steps_per_epoch
        self.optimizer = keras.optimizers.AdamW(
            weight_decay=weight_decay, beta_2=0.99, global_clipnorm=clip_norm
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias"])
        self.optimizer.build(model.trainable_variables)
        zeros = initial_state(model, train.batch_size)
        self.states = [RowState(self.replicas, zero) for zero in zeros]
        self._loss = CharacterLoss(model)
        window = tf.TensorSpec([train.batch_size, train.time], "int32")
        signature = [window, window, tf.TensorSpec([])]
        self._step = self.replicas.compiled(self._step, signature, model.variables)

    @property
    def variables(self) -> list[keras.Variable]:
        """Weights and random states, the optimizer's, and each stream's state."""
        return [*self.model.variables, *self.optimizer.variables, *self.states]

    def train_step(self, step: int, learning_rate: float) -> float:
        """One window of every stream; the mean loss in nats per character."""
        if self.train.starts_epoch(step):
            for state in self.states:
                state.assign(np.zeros(state.shape))
        inputs, targets = self.train.window(step)
        found = self._step(inputs, targets, np.float32(learning_rate))
        loss, self.gradient_norm = np.asarray(found).tolist()
        return loss

    def _step(self, inputs: tf.Tensor, targets: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
        inputs, targets = self.replicas.rows(inputs), self.replicas.rows(targets)
        with tf.GradientTape() as tape:
            states = [state.own() for state in self.states]
            logits, *new_states = self.model([inputs, *states], training=True)
            loss = tf.reduce_mean(_nats(targets, logits)) / self.replicas.number
        weights = self.model.trainable_variables
        gradients = self.replicas.summed(tape.gradient(loss, weights))
        self.replicas.apply(self.optimizer, gradients, weights, learning_rate)
        for state, new in zip(self.states, new_states, strict=True):
            state.keep(new)
        return tf.stack([loss, tf.linalg.global_norm(gradients) / self.replicas.number])

    def validate(self) -> Validation:
        """A quick estimate: parallel streams, each from the zero state."""
        streams = min(ESTIMATE_STREAMS, max(1, (len(self.validation) - 1) // SLICE))
        loss = self._loss(self.validation, streams)
        text = f"validation about {loss:.4f} nats per character"
        return Validation({"validation_loss": loss}, self.replicas.chiefs(loss), text)

    def save(self, path: Path) -> None:
        """Write the model in Keras' own format, whole or not at all."""
        save_model(self.model, path)


class CharacterLoss:
    """The mean loss of a model over a text, in nats per character, in order, from the zero
    state, with the state carried.

    ``CharacterLoss(model)(ids)`` measures ids, int32 ``[n]``, whole: n − 1 predictions. With
    ``streams`` the text is cut into so many pieces that are read side by side, each from the
    zero state: quicker, a little higher, and without the last (n − 1) mod streams characters.

    >>> from lstm_recipes.models.char_lm import char_lm
    >>> model = char_lm(4, units=2)
    >>> model.layers[-1].set_weights([np.zeros((2, 4)), np.zeros(4)])
    >>> round(CharacterLoss(model)(np.array([0, 1, 2, 3, 0])), 4)  # it knows nothing: ln 4
    1.3863
    """

    def __init__(self, model: keras.Model):
        self.model = model
        ids = tf.TensorSpec([None, None], "int32")
        states = [tf.TensorSpec(s.shape, s.dtype) for s in model.inputs[1:]]
        self._summed = tf.function(self._summed, autograph=False).get_concrete_function(
            ids, ids, states
        )

    def __call__(self, ids: np.ndarray, streams: int = 1) -> float:
        length = (len(ids) - 1) // streams
        inputs = ids[: streams * length].reshape(streams, length)
        targets = ids[1 : streams * length + 1].reshape(streams, length)
        states, total = initial_state(self.model, streams), 0.0
        for start in range(0, length, SLICE):
            window = slice(start, start + SLICE)
            pair = (tf.constant(x[:, window], "int32") for x in (inputs, targets))
            loss, states = self._summed(*pair, states)
            total += float(loss)
        return total / (streams * length)

    def _summed(self, inputs: tf.Tensor, targets: tf.Tensor, states: list) -> tuple:
        logits, *new_states = self.model([inputs, *states], training=False)
        return tf.reduce_sum(tf.cast(_nats(targets, logits), tf.float64)), new_states


def _nats(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
