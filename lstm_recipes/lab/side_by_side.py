"""Networks of several seeds as one Keras model whose recurrent kernel is block-diagonal.

A product with a kernel of forty columns takes as long as one of four, so ten small networks side by
side train in the time of one, by any layer that keeps its units in blocks of columns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.errors import UserError
from lstm_recipes.lab.forward_rule import initial_weights
from lstm_recipes.lab.wiring import Wiring
from lstm_recipes.layers import CECLSTM, ForgetGateLSTM

CLIP = 1.0  # A network's gradient that is longer is shortened to it.


@dataclass(frozen=True)
class Networks:
    """Several networks' layer, and what of its kernels belongs to which."""

    layer: keras.layers.RNN
    columns: np.ndarray
    """Whose each column of the layer's kernels is."""
    rows: np.ndarray
    """Whose each row of its recurrent kernel is."""
    biases: np.ndarray
    """Whose each of its biases is; empty if it has none."""
    weights: list[list[np.ndarray]]
    """Each network's own: kernel, recurrent kernel, bias; outputs' kernel and bias."""


def whose(sizes: Iterable[int], networks: int) -> np.ndarray:
    """Whose each of some columns is, if so many stand together of each network, then the next.

    >>> whose([1, 2], networks=2).tolist()  # a gate each, two cells each
    [0, 1, 0, 0, 1, 1]
    """
    return np.concatenate([np.repeat(np.arange(networks), size) for size in sizes])


def paper_networks(
    wiring: Wiring, seeds: Sequence[int], bound: float, biases: dict[str, list[float]]
) -> Networks:
    """Networks of a wiring, with the first weights that the seeds have by the rule of 1997, but the
    whole gradient."""
    widths = dict(wiring.columns)
    model = lambda seed: wiring.model(  # noqa: E731
        *(part[..., 0] for part in initial_weights(wiring, [seed], bound, biases))
    )
    weights = [model(seed).get_weights() for seed in seeds]
    options: dict[str, Any] = {"block_size": wiring.block_size, "use_bias": wiring.hidden_bias}
    if wiring.forget_gate:
        options |= {"activation": "cec_input", "output_activation": "cec_output"}
    layer = (ForgetGateLSTM if wiring.forget_gate else CECLSTM)(
        wiring.cells * len(seeds),
        return_sequences=True,
        gate_feedback=wiring.gate_feedback,
        **options,
    )
    gates = [width for name, width in widths.items() if name != "c"] * wiring.gate_feedback
    biased = [w for name, w in widths.items() if wiring.hidden_bias is True or name != "c"]
    biased = biased if wiring.hidden_bias else [0]
    places = (
        whose(sizes, len(seeds)) for sizes in (widths.values(), [wiring.cells, *gates], biased)
    )
    return Networks(layer, *places, weights)


def elman_networks(wiring: Wiring, seeds: Sequence[int]) -> Networks:
    """Elman networks (`keras.layers.SimpleRNN`) that have just as many units as give them no fewer
    weights than the wiring has."""
    inputs, outputs, units = wiring.inputs, wiring.outputs, 1
    while units * (inputs + units + 1 + outputs) + outputs < wiring.weights:
        units += 1
    weights = []
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        layer, dense = keras.layers.SimpleRNN(units), keras.layers.Dense(outputs)
        layer.build((None, None, inputs))
        dense.build((None, units))
        weights.append(layer.get_weights() + dense.get_weights())
    layer = keras.layers.SimpleRNN(units * len(seeds), return_sequences=True)
    own = whose([units], len(seeds))
    return Networks(layer, own, own, own, weights)


class SideBySide:
    """Trains networks with logistic outputs, all on the same sequences, each with its own weights,
    by Adam (Kingma & Ba 2015) on the cross-entropy with the whole gradient.

    Args:
        networks: Whose weights come first.
        inputs: How many the layer has.
        learning_rate: Adam's.
        every_step: Whether there is a target at every step; otherwise at the last one alone.
    """

    def __init__(
        self, networks: Networks, inputs: int, learning_rate: float, every_step: bool = False
    ):
        if not networks.weights:
            raise UserError("there are no networks; give at least one seed")
        self.networks, self.count = networks, len(networks.weights)
        self.every_step, self.inputs = every_step, inputs
        has_bias = len(networks.biases) > 0
        kernel, *output_bias = networks.weights[0][2 + has_bias :]
        units, outputs = whose([len(kernel)], self.count), whose([kernel.shape[1]], self.count)
        self.layer = networks.layer
        self.dense = keras.layers.Dense(len(outputs), use_bias=bool(output_bias))
        self.layer.build((None, None, inputs))
        self.dense.build((None, None, len(units)))
        places = [(None, networks.columns), (networks.rows, networks.columns)]
        places += [(None, networks.biases)] * has_bias
        places += [(units, outputs)] + [(None, outputs)] * len(output_bias)
        self.variables = self.layer.trainable_variables + self.dense.trainable_variables
        self.columns = [columns for _, columns in places]
        self.masks = [
            1.0 if rows is None else (rows[:, None] == columns).astype("float32")
            for rows, columns in places
        ]
        for k, (variable, (rows, columns)) in enumerate(zip(self.variables, places, strict=True)):
            variable.assign(_placed([own[k] for own in networks.weights], rows, columns))
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(self.variables)
        self.learn = tf.function(self._learn, autograph=False)
        self.outputs = tf.function(self._outputs, autograph=False)

    def _logits(self, x: Any, start: Any) -> Any:
        """``[sequences, (time,) outputs, networks]``"""
        steps = x.shape[1]
        if len(x.shape) == 2:
            x = tf.one_hot(x, self.inputs)
        mask = tf.range(steps)[None] >= start[:, None]
        h = self.layer(x, mask=mask, training=False)
        logits = self.dense(h if self.every_step else h[:, -1])
        shape = tf.concat([tf.shape(logits)[:-1], [self.count, logits.shape[-1] // self.count]], 0)
        return tf.linalg.matrix_transpose(tf.reshape(logits, shape))

    def _outputs(self, x: Any, start: Any) -> Any:
        return tf.sigmoid(self._logits(x, start))

    def _learn(self, x: Any, target: Any, start: Any) -> Any:
        """One step of Adam on a batch; the outputs before it."""
        with tf.GradientTape() as tape:
            logits = self._logits(x, start)
            wanted = tf.broadcast_to(target[..., None], tf.shape(logits))
            losses = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
            if self.every_step:
                begun = tf.range(x.shape[1])[None] >= start[:, None]
                losses *= tf.cast(begun, "float32")[:, :, None, None]
            loss = tf.reduce_sum(losses) / tf.cast(tf.shape(x)[0], "float32")
        gradients = tape.gradient(loss, [v.value for v in self.variables])
        gradients = [g * mask for g, mask in zip(gradients, self.masks, strict=True)]
        self.optimizer.apply(self._clipped(gradients))
        return tf.sigmoid(logits)

    def _clipped(self, gradients: list) -> list:
        """Each network's gradient no longer than `CLIP`."""
        squares = tf.add_n(
            [
                tf.math.unsorted_segment_sum(
                    tf.reduce_sum(tf.reshape(tf.square(g), (-1, len(columns))), 0),
                    columns,
                    self.count,
                )
                for g, columns in zip(gradients, self.columns, strict=True)
            ]
        )
        scale = tf.minimum(1.0, CLIP * tf.math.rsqrt(squares + 1e-12))
        return [
            g * tf.gather(scale, columns)
            for g, columns in zip(gradients, self.columns, strict=True)
        ]


def _placed(parts: list[np.ndarray], rows: np.ndarray | None, columns: np.ndarray) -> np.ndarray:
    """Each network's part of a kernel or bias in its rows and columns, and zeros between."""
    shape = parts[0].shape[:-1] if rows is None else (len(rows),)
    whole = np.zeros((*shape, len(columns)), "float32")
    for k, part in enumerate(parts):
        if rows is None:
            whole[..., columns == k] = part
        else:
            whole[np.ix_(rows == k, columns == k)] = part
    return whole
