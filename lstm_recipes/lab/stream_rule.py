"""The learning rule of 1997 and 2000 on streams that have no end (Gers et al. 2000, section 4)."""

from typing import Any, NamedTuple

import tensorflow as tf

from lstm_recipes.lab.forward_rule import Carried, ForwardRule


class Pool(NamedTuple):
    """A long circle of symbols that streams are read from, the trials first."""

    symbols: Any
    """int32 ``[trials, length]``"""
    wanted: Any
    """float ``[trials, length, outputs]``: what is to be said at each symbol."""
    next_start: Any
    """int32 ``[trials, length]``: where the next string begins after each symbol."""
    length: Any
    """int32 ``[trials]``: how many symbols each trial's circle has; what is behind is not read."""


class Streams(NamedTuple):
    """Where each trial is: ``[trials]`` each, but for the network's state."""

    place: Any
    """In the pool."""
    age: Any
    """How many steps of the stream are over."""
    ended: Any
    """How many streams have ended."""
    state: Carried


class StreamRule:
    """Trains networks at every step of their streams. A stream ends at its first error, or when it
    has lasted ``longest`` steps; then the network's state is zero again and the next stream begins
    with a new string.

    Args:
        rule: Of the step; its ``learning_rate`` is that at the first step of a stream.
        decay: The learning rate is multiplied by it at each step of a stream.
        tolerance: An output that is off by more is an error.
        longest: Steps of a stream.
    """

    def __init__(
        self, rule: ForwardRule, decay: float = 1.0, tolerance: float = 0.49, longest: int = 100_000
    ):
        self.rule, self.decay, self.tolerance, self.longest = rule, decay, tolerance, longest
        self.train = tf.function(self._train, jit_compile=True)
        self.error_free = tf.function(self._error_free, jit_compile=True)

    def start(self, trials: int) -> Streams:
        """At the beginning of the pool."""
        zero = tf.zeros(trials, "int32")
        return Streams(zero, zero, zero, self.rule.start(trials))

    def _step(self, hidden: Any, now: Streams, pool: Pool) -> tuple[Carried, Any]:
        """The network's state after the symbol where a stream is, and what it should say."""
        symbol = tf.gather(pool.symbols, now.place, batch_dims=1)
        x = tf.one_hot(symbol, self.rule.wiring.inputs, axis=0)
        state = self.rule.step(hidden, x, now.state, tf.ones(len(now.age)))
        return state, tf.transpose(tf.gather(pool.wanted, now.place, batch_dims=1))

    def _train(self, hidden: Any, output: Any, now: Streams, pool: Pool, steps: Any) -> tuple:
        """So many steps of each trial; the weights, and where the streams are."""

        def learn(t: Any, hidden: Any, output: Any, now: Streams) -> tuple:
            state, wanted = self._step(hidden, now, pool)
            change, change_output, y = self.rule._changes(output, state, wanted)
            rate = self.rule.learning_rate * self.decay ** tf.cast(now.age, "float32")
            ends = tf.reduce_max(abs(y - wanted), axis=0) > self.tolerance
            ends |= now.age + 1 >= self.longest
            following = tf.gather(pool.next_start, now.place, batch_dims=1)
            place = tf.where(ends, following, (now.place + 1) % pool.length)
            goes_on = tf.cast(~ends, "float32")
            now = Streams(
                place,
                tf.where(ends, 0, now.age + 1),
                now.ended + tf.cast(ends, "int32"),
                tf.nest.map_structure(lambda part: part * goes_on, state),
            )
            return t + 1, hidden + rate * change, output + rate * change_output, now

        return tf.while_loop(lambda t, *_: t < steps, learn, (0, hidden, output, now))[1:]

    def _error_free(self, hidden: Any, output: Any, place: Any, pool: Pool, asked: Any) -> Any:
        """How many steps each trial goes without an error from a place of the pool on, at most
        ``longest``; nothing is learnt. Trials that are not ``asked`` go none."""

        def go(now: Streams, alive: Any) -> tuple:
            state, wanted = self._step(hidden, now, pool)
            _, y = self.rule._output(output, state)
            right = tf.reduce_max(abs(y - wanted), axis=0) <= self.tolerance
            age = now.age + tf.cast(alive & right, "int32")
            alive &= right & (age < self.longest)
            return now._replace(place=(now.place + 1) % pool.length, age=age, state=state), alive

        first = self.start(len(place))._replace(place=place)
        return tf.while_loop(lambda _, alive: tf.reduce_any(alive), go, (first, asked))[0].age
