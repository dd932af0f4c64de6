"""Streams by the learning rule of today, and by Elman networks."""

from typing import Any

import numpy as np
import tensorflow as tf

from lstm_recipes.lab import by_adam
from lstm_recipes.lab.by_adam import BATCH, networks, weights_of
from lstm_recipes.lab.kept_trials import KeptTrials
from lstm_recipes.lab.side_by_side import Networks, SideBySide
from lstm_recipes.lab.stream_rule import Pool
from lstm_recipes.lab.stream_trials import StreamTask, StreamTrials

RATE = 0.02  # Adam's
WINDOW = 100  # steps that a gradient goes back through
TEST_WINDOW = 1000  # steps that are read at once where nothing is learnt


class StreamsSideBySide(SideBySide):
    """The same on windows of streams, each network's own: the state goes on from one window to the
    next, the gradient does not. Where a target is NaN nothing is asked.

    Args:
        networks, learning_rate: As of `SideBySide`.
        inputs: How many each network has.
        tolerance: An output that is off by more is an error.
    """

    def __init__(self, networks: Networks, inputs: int, learning_rate: float, tolerance: float):
        networks = networks.with_inputs_of_their_own()
        super().__init__(networks, inputs * len(networks.weights), learning_rate, every_step=True)
        self.symbols, self.tolerance = inputs, tolerance

    def _windows(self, x: Any, states: list, goes_on: Any) -> tuple[Any, list]:
        """The outputs' net inputs, and the states; zero is the state before a stream's first step.

        Args:
            x: int32 ``[streams, time, networks]``, symbols' numbers; or float ``[streams, time,
                networks, inputs]``.
            states: The layer's after the window before.
            goes_on: bool ``[streams, networks]``: which go on from there, and do not begin.
        """
        x = tf.one_hot(x, self.symbols) if len(x.shape) == 3 else x
        x = tf.reshape(x, (*x.shape[:2], self.inputs))
        own = tf.gather(tf.cast(goes_on, "float32"), self.networks.places[1][0], axis=1)
        seen, states = self._read(x, initial_state=[state * own for state in states])
        return self._logits(seen), states

    def _outputs(self, x: Any, states: list, goes_on: Any) -> tuple[Any, list]:
        logits, states = self._windows(x, states, goes_on)
        return tf.sigmoid(logits), states

    def _learn(
        self, x: Any, wanted: Any, states: list, goes_on: Any, learning: Any
    ) -> tuple[list, Any]:
        """One step of Adam on a window of each stream. A stream ends at its first error: what is
        behind it a network does not learn from.

        Args:
            x, states, goes_on: As above.
            wanted: float ``[streams, time, outputs, networks]``.
            learning: bool ``[networks]``: who learns.

        Returns:
            The states after it, and which streams have not ended in it, ``[streams, networks]``.
        """
        with tf.GradientTape() as tape:
            logits, states = self._windows(x, states, goes_on)
            asked = ~tf.math.is_nan(wanted)
            off = abs(tf.sigmoid(logits) - wanted)
            # Not "~(off <= tolerance)": TensorFlow makes ">" of it, which no NaN is.
            off = tf.where(tf.math.is_finite(off), off, float("inf"))
            wrong = tf.reduce_any(asked & (off > self.tolerance), axis=2)
            before = tf.cumsum(tf.cast(wrong, "int32"), axis=1, exclusive=True)
            counts = asked & (learning & (before == 0))[:, :, None]
            losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.where(asked, wanted, 0.0), logits)
            loss = tf.reduce_sum(tf.where(counts, losses, 0.0)) / x.shape[0]
        self._descend(tape, loss)
        return states, ~tf.reduce_any(wrong, axis=1)

    def begin(self, streams: int) -> list:
        """The states before the first step of so many streams."""
        return self.networks.layer.get_initial_state(streams)


class StreamsByAdam(StreamTrials):
    """Networks that learn from streams by the whole gradient and Adam, for at most five minutes in
    all, until each is perfect.

    Each has ten streams of its own at a time, or one if all are alike, and learns from a window of
    100 steps of each. Where it makes an error the stream ends, and the next one begins with the
    next window. Nothing is kept of an interrupted run.

    Args:
        task: What they learn.
        seeds: One a network.
        elman: Whether they are Elman networks and not the paper's.
    """

    def __init__(self, task: StreamTask, seeds: list[int], elman: bool = False):
        KeptTrials.__init__(self, task, seeds, None)  # there is no rule of 1997 here
        own = networks(task, seeds, elman)
        self.model = StreamsSideBySide(own, task.wiring.inputs, RATE, task.tolerance)
        self.pool, self.tests = self._circles(1), self._circles(2)
        self.streams = BATCH if task.drawn else 1
        self.draws = [np.random.default_rng((seed, 6)) for seed in seeds]
        self.places = self._begun()
        self.ages = np.zeros_like(self.places)
        self.states = self.model.begin(self.streams)
        self.steps, self.ended = 0, np.zeros(len(seeds), int)
        self.best = np.zeros(len(seeds))

    def _begun(self) -> np.ndarray:
        """Where the next streams of each network begin, ``[streams, networks]``."""
        circles = zip(self.draws, self.pool.length, strict=True)
        places = [draw.integers(0, length, self.streams) for draw, length in circles]
        return self.pool.next_start[np.arange(len(self.seeds)), np.stack(places, axis=-1)]

    def _may_go_on(self) -> bool:
        return super()._may_go_on() and self.seconds < by_adam.SECONDS

    def _weights(self) -> int:
        return weights_of(self.model.networks)

    def _ended(self) -> np.ndarray:
        return self.ended

    def _learn(self, learning: np.ndarray) -> None:
        for _ in range(max(1, self.task.chunk // (self.streams * WINDOW))):
            x, wanted = self._window(self.places, self.ages, self.pool, WINDOW)
            self.states, right = self.model.learn(x, wanted, self.states, self.ages > 0, learning)
            self.ages += WINDOW
            over = ~right.numpy() | (self.ages >= self.task.longest)
            self.ended += over.sum(0)
            self.places = np.where(over, self._begun(), self.places)
            self.ages[over] = 0

    def _window(self, places: np.ndarray, ages: np.ndarray, pool: Pool, steps: int) -> tuple:
        """What streams from these places on show after so many steps, and what is to be said."""
        time = places[:, None] + ages[:, None] + np.arange(steps)[:, None]
        network = np.arange(places.shape[1])
        wanted = pool.wanted[network, time % pool.length]
        if not self.task.first_asked:
            wanted[:, 0][ages == 0] = np.nan
        return pool.inputs[network, time % pool.length], np.moveaxis(wanted, -1, 2)

    def _error_free(self, places: np.ndarray, pool: Pool, asked: np.ndarray) -> np.ndarray:
        lengths, ages = np.zeros_like(places), np.zeros_like(places)
        alive = np.tile(asked, (len(places), 1))
        states = self.model.begin(len(places))
        steps = min(TEST_WINDOW, self.task.longest)
        while alive.any() and (ages < self.task.longest).all():
            x, wanted = self._window(places, ages, pool, steps)
            found, states = self.model.outputs(x, states, ages > 0)
            right = abs(found.numpy() - wanted) <= self.task.tolerance
            wrong = (~np.isnan(wanted) & ~right).any(2)
            first = np.where(wrong.any(1), wrong.argmax(1), steps)
            lengths += np.where(alive, first, 0)
            alive &= first == steps
            ages += steps
        return np.minimum(lengths, self.task.longest)
