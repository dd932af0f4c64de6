"""Networks of several seeds as one Keras model whose recurrent kernel is block-diagonal.

A product with a kernel of forty columns takes as long as one of four, so ten small networks side by
side train in the time of one, by any layer that keeps its units in blocks of columns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.errors import UserError
from lstm_recipes.lab.forward_rule import initial_weights
from lstm_recipes.lab.wiring import Wiring

CLIP = 1.0  # A network's gradient that is longer is shortened to it.
EVERYONES = -1  # Whose a row is that all networks have: an input's.


@dataclass(frozen=True)
class Networks:
    """Several networks' layer, and what of its weights belongs to which."""

    layer: keras.layers.RNN
    """It gives every step's h, and its states after the last one."""
    weights: list[list[np.ndarray]]
    """Each network's own: the layer's weights, then the outputs' kernel and bias."""
    places: list[tuple[np.ndarray | None, np.ndarray]]
    """Of each of those arrays whose its rows and its columns are; None: all rows are everyone's, or
    there are none."""
    direct: bool = False
    """Whether the outputs see the inputs too, behind h."""

    def with_inputs_of_their_own(self) -> "Networks":
        """The same networks, each of which sees inputs of its own; those of all stand one behind
        the other."""
        (_, columns), *places = self.places
        own = whose([len(self.weights[0][0])], len(self.weights))
        places = [
            (rows, columns)
            if rows is None or EVERYONES not in rows
            else (np.append(rows[rows != EVERYONES], own), columns)
            for rows, columns in places
        ]
        return replace(self, places=[(own, columns), *places])


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
    model = lambda seed: wiring.model(  # noqa: E731
        *(part[..., 0] for part in initial_weights(wiring, [seed], bound, biases))
    )
    weights = [model(seed).get_weights() for seed in seeds]
    layer = wiring.layer(len(seeds), return_state=True)
    own = lambda *sizes: whose(sizes, len(seeds))  # noqa: E731
    widths = dict(wiring.columns)
    gates = [width for name, width in widths.items() if name != "c"]
    columns, cells, outputs = own(*widths.values()), own(wiring.cells), own(wiring.outputs)
    places = [(None, columns), (own(wiring.cells, *gates * wiring.gate_feedback), columns)]
    if wiring.hidden_bias:
        places.append((None, columns if wiring.hidden_bias is True else own(*gates)))
    if wiring.peepholes:
        places.append((None, cells))
    seen = np.append(cells, [EVERYONES] * wiring.inputs * wiring.direct)
    places += [(seen, outputs), *[(None, outputs)] * wiring.output_bias]
    return Networks(layer, weights, places, wiring.direct)


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
    layer = keras.layers.SimpleRNN(units * len(seeds), return_sequences=True, return_state=True)
    own, said = whose([units], len(seeds)), whose([outputs], len(seeds))
    return Networks(
        layer, weights, [(None, own), (own, own), (None, own), (own, said), (None, said)]
    )


class SideBySide:
    """Trains networks with logistic outputs, all on the same sequences, each with its own weights,
    by Adam (Kingma & Ba 2015) on the cross-entropy with the whole gradient.

    Args:
        networks: Whose weights come first.
        inputs: How many the layer has, those of all networks where each has its own.
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
        width = networks.layer.cell.units + inputs * networks.direct
        self.dense = keras.layers.Dense(
            len(networks.places[-1][1]), use_bias=networks.places[-1][0] is None
        )
        networks.layer.build((None, None, inputs))
        self.dense.build((None, None, width))
        self.variables = networks.layer.trainable_variables + self.dense.trainable_variables
        self.masks = [_mask(rows, columns) for rows, columns in networks.places]
        for k, (variable, place) in enumerate(zip(self.variables, networks.places, strict=True)):
            variable.assign(_placed([own[k] for own in networks.weights], *place))
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(self.variables)
        self.learn = tf.function(self._learn, autograph=False)
        self.outputs = tf.function(self._outputs, autograph=False)

    def _read(self, x: Any, **options: Any) -> tuple[Any, list]:
        """What the outputs see at each step, and the layer's states after the last one."""
        if len(x.shape) == 2:
            x = tf.one_hot(x, self.inputs)
        h, *states = self.networks.layer(x, training=False, **options)
        return tf.concat([h, x], axis=-1) if self.networks.direct else h, states

    def _logits(self, seen: Any) -> Any:
        """``[sequences, (time,) outputs, networks]``"""
        logits = self.dense(seen)
        shape = tf.concat([tf.shape(logits)[:-1], [self.count, logits.shape[-1] // self.count]], 0)
        return tf.linalg.matrix_transpose(tf.reshape(logits, shape))

    def _of_sequences(self, x: Any, start: Any) -> Any:
        mask = tf.range(x.shape[1])[None] >= start[:, None]
        seen, _ = self._read(x, mask=mask)
        return self._logits(seen if self.every_step else seen[:, -1])

    def _outputs(self, x: Any, start: Any) -> Any:
        return tf.sigmoid(self._of_sequences(x, start))

    def _learn(self, x: Any, target: Any, start: Any) -> Any:
        """One step of Adam on a batch; the outputs before it."""
        with tf.GradientTape() as tape:
            logits = self._of_sequences(x, start)
            wanted = tf.broadcast_to(target[..., None], tf.shape(logits))
            losses = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
            if self.every_step:
                begun = tf.range(x.shape[1])[None] >= start[:, None]
                losses *= tf.cast(begun, "float32")[:, :, None, None]
            loss = tf.reduce_sum(losses) / tf.cast(tf.shape(x)[0], "float32")
        self._descend(tape, loss)
        return tf.sigmoid(logits)

    def _descend(self, tape: tf.GradientTape, loss: Any) -> None:
        """Adam's step; what is of two networks stays zero, and so does an error that has exploded
        beyond all numbers."""
        gradients = tape.gradient(loss, [v.value for v in self.variables])
        gradients = [
            tf.where((mask > 0) & tf.math.is_finite(g), g, 0.0)
            for g, mask in zip(gradients, self.masks, strict=True)
        ]
        self.optimizer.apply(self._clipped(gradients))

    def _clipped(self, gradients: list) -> list:
        """Each network's gradient no longer than `CLIP`."""
        columns = [columns for _, columns in self.networks.places]
        squares = tf.add_n(
            [
                tf.math.unsorted_segment_sum(
                    tf.reduce_sum(tf.reshape(tf.square(g), (-1, len(own))), 0), own, self.count
                )
                for g, own in zip(gradients, columns, strict=True)
            ]
        )
        scale = tf.minimum(1.0, CLIP * tf.math.rsqrt(squares + 1e-12))
        return [g * tf.gather(scale, own) for g, own in zip(gradients, columns, strict=True)]


def _mask(rows: np.ndarray | None, columns: np.ndarray) -> Any:
    """1 where a weight is of one network, and 0 between two."""
    if rows is None:
        return np.ones(len(columns), "float32")
    return ((rows[:, None] == columns) | (rows[:, None] == EVERYONES)).astype("float32")


def _placed(parts: list[np.ndarray], rows: np.ndarray | None, columns: np.ndarray) -> np.ndarray:
    """Each network's part of a kernel or bias in its rows and columns, and zeros between."""
    shape = parts[0].shape[:-1] if rows is None else (len(rows),)
    whole = np.zeros((*shape, len(columns)), "float32")
    for k, part in enumerate(parts):
        if rows is None:
            whole[..., columns == k] = part
        else:
            whole[np.ix_((rows == k) | (rows == EVERYONES), columns == k)] = part
    return whole
