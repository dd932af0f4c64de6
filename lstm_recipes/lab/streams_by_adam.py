"""Streams by the learning rule of today, and by Elman networks."""

from typing import Any

import numpy as np
import tensorflow as tf

from lstm_recipes.lab import by_adam
from lstm_recipes.lab.by_adam import BATCH, networks, weights_of
from lstm_recipes.lab.kept_trials import KeptTrials
from lstm_recipes.lab.side_by_side import Networks, SideBySide
from lstm_recipes.lab.stream_rule import Pool
from lstm_recipes.lab.stream_trials import StreamTask, StreamTrials, pool_of

RATE = 0.02  # Adam's
STREAM = 1000  # steps that one lasts at most while it is learnt from
WINDOW = 100  # steps that a gradient goes back through


class StreamsSideBySide(SideBySide):
    """The same on windows of streams: the state goes on from one to the next, the gradient does
    not. Where a target is NaN nothing is asked.

    Args:
        networks, inputs, learning_rate: As of `SideBySide`.
        tolerance: An output that is off by more is an error.
    """

    def __init__(self, networks: Networks, inputs: int, learning_rate: float, tolerance: float):
        super().__init__(networks, inputs, learning_rate, every_step=True)
        self.tolerance = tolerance

    def _outputs(self, x: Any, states: list) -> tuple[Any, list]:
        seen, states = self._read(x, initial_state=states)
        return tf.sigmoid(self._logits(seen)), states

    def _learn(self, x: Any, wanted: Any, states: list, alive: Any) -> tuple[list, Any]:
        """One step of Adam on a window of each stream. A stream ends at its first error: what is
        behind it a network does not learn from.

        Args:
            x: int32 ``[streams, time]``, symbols' numbers; or float ``[streams, time, inputs]``.
            wanted: float ``[streams, time, outputs]``.
            states: The layer's before the window.
            alive: bool ``[streams, networks]``: which have not ended before it.

        Returns:
            The states after it, and which have not ended in it either.
        """
        with tf.GradientTape() as tape:
            seen, states = self._read(x, initial_state=states)
            logits = self._logits(seen)
            wanted = tf.broadcast_to(wanted[..., None], tf.shape(logits))
            asked = ~tf.math.is_nan(wanted)
            off = tf.where(asked, abs(tf.sigmoid(logits) - wanted), 0.0)
            wrong = tf.reduce_any(off > self.tolerance, axis=2)
            before = tf.cumsum(tf.cast(wrong, "int32"), axis=1, exclusive=True)
            counts = asked & (alive[:, None] & (before == 0))[:, :, None]
            losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.where(asked, wanted, 0.0), logits)
            loss = tf.reduce_sum(tf.where(counts, losses, 0.0)) / x.shape[0]
        self._descend(tape, loss)
        return states, alive & ~tf.reduce_any(wrong, axis=1)

    def begin(self, streams: int) -> list:
        """The states before the first step of so many streams."""
        return self.networks.layer.get_initial_state(streams)


class StreamsByAdam(StreamTrials):
    """Networks that learn from streams by the whole gradient and Adam, for at most five minutes in
    all, until each is perfect.

    All of them see the same streams, ten at a time, or one if all are alike, in windows of 100
    steps. A stream lasts 1,000 steps, but ends for a network that makes an error, and when all have
    ended for all of them the next ones begin. Nothing is kept of an interrupted run.

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
        self.draw = np.random.default_rng((seeds[0], 6))
        self.steps, self.ended, self.best = 0, 0, np.zeros(len(seeds))

    def _circles(self, kind: int) -> Pool:
        """One for all networks."""
        return pool_of([self.task.sample(np.random.default_rng((self.seeds[0], kind)))])

    def _may_go_on(self) -> bool:
        return super()._may_go_on() and self.seconds < by_adam.SECONDS

    def _weights(self) -> int:
        return weights_of(self.model.networks)

    def _ended(self) -> np.ndarray:
        return np.full(len(self.seeds), self.ended)

    def _learn(self, learning: np.ndarray) -> None:
        windows = self.task.chunk // (self.streams * WINDOW)
        while windows > 0:
            places = [self._place(self.draw, self.pool) for _ in range(self.streams)]
            states = self.model.begin(self.streams)
            alive = np.ones((self.streams, len(self.seeds)), bool)
            for age in range(0, STREAM, WINDOW):
                x, wanted = self._window(places, self.pool, age, WINDOW)
                states, alive = self.model.learn(x, wanted, states, alive)
                windows -= 1
                if not alive.numpy().any():
                    break
            self.ended += self.streams

    def _window(self, places: list, pool: Pool, age: int, steps: int) -> tuple:
        """What streams from these places on show after ``age`` steps, and what is to be said."""
        where = (np.concatenate(places)[:, None] + np.arange(age, age + steps)) % pool.length
        wanted = pool.wanted[0][where]
        if age == 0 and not self.task.first_asked:
            wanted[:, 0] = np.nan
        return pool.inputs[0][where], wanted

    def _error_free(self, places: list, pool: Pool, asked: np.ndarray) -> np.ndarray:
        lengths = np.zeros((len(places), len(self.seeds)), int)
        alive = np.tile(asked, (len(places), 1))
        states, steps = self.model.begin(len(places)), min(STREAM, self.task.longest)
        for age in range(0, self.task.longest, steps):
            x, wanted = self._window(places, pool, age, steps)
            found, states = self.model.outputs(x, states)
            asks = ~np.isnan(wanted)[..., None]
            right = abs(found.numpy() - wanted[..., None]) <= self.task.tolerance
            wrong = (asks & ~right).any(2)
            first = np.where(wrong.any(1), wrong.argmax(1), steps)
            lengths += np.where(alive, first, 0)
            alive &= first == steps
            if not alive.any():
                break
        return np.minimum(lengths, self.task.longest)
