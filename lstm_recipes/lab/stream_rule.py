"""The learning rule of 1997 and 2000 on streams that have no end (Gers et al. 2000, section 4)."""

from typing import Any, NamedTuple

import tensorflow as tf

from lstm_recipes.lab.forward_rule import Carried, ForwardRule


class Pool(NamedTuple):
    """A long circle of steps that streams are read from, the trials first."""

    inputs: Any
    """int32 ``[trials, length]``, symbols' numbers; or float ``[trials, length, inputs]``."""
    wanted: Any
    """float ``[trials, length, outputs]``: what is to be said at each step; NaN: nothing."""
    next_start: Any
    """int32 ``[trials, length]``: where a new stream may begin after each step."""
    length: Any
    """int32 ``[trials]``: how many steps each trial's circle has; what is behind is not read."""


class Streams(NamedTuple):
    """Where each trial is: ``[trials]`` each, but for the network's state."""

    place: Any
    """In the pool."""
    age: Any
    """How many steps of the stream are over."""
    ended: Any
    """How many streams have ended."""
    state: Carried
    last: tuple[Any, Any]
    """The last change of both weight arrays."""


class StreamRule:
    """Trains networks at every step of their streams. A stream ends at its first error, or when it
    has lasted ``longest`` steps; then the network's state is zero again and the next stream begins.

    Args:
        rule: Of the step; its ``learning_rate`` is that at the first step of a stream.
        decay: The learning rate is multiplied by it at each step of a stream.
        momentum: The share of the last change that is made again, at each step.
        tolerance: An output that is off by more is an error.
        longest: Steps of a stream.
        first_asked: Whether something is asked at the first step of a stream.
        resets: Whether the network's state is zero again wherever a new stream might begin, and
            not only where one does: the "external reset" of 2000.
    """

    def __init__(
        self,
        rule: ForwardRule,
        *,
        decay: float = 1.0,
        momentum: float = 0.0,
        tolerance: float = 0.49,
        longest: int = 100_000,
        first_asked: bool = True,
        resets: bool = False,
    ):
        self.rule, self.decay, self.momentum = rule, decay, momentum
        self.tolerance, self.longest, self.first_asked = tolerance, longest, first_asked
        self.resets = resets
        self.train = tf.function(self._train, jit_compile=True)
        self.error_free = tf.function(self._error_free, jit_compile=True)

    def start(self, trials: int) -> Streams:
        """At the beginning of the pool."""
        zero = tf.zeros(trials, "int32")
        masks = (self.rule.hidden_mask, self.rule.output_mask)
        last = tuple(tf.zeros((*mask.shape[:2], trials)) for mask in masks)
        return Streams(zero, zero, zero, self.rule.start(trials), last)

    def _step(self, hidden: Any, now: Streams, pool: Pool) -> tuple[Carried, Any]:
        """The network's state after the symbol where a stream is, and what it should say."""
        x = tf.gather(pool.inputs, now.place, batch_dims=1)
        symbols = len(x.shape) == 1
        x = tf.one_hot(x, self.rule.wiring.inputs, axis=0) if symbols else tf.transpose(x)
        state = self.rule.step(hidden, x, now.state, tf.ones(len(now.age)))
        wanted = tf.transpose(tf.gather(pool.wanted, now.place, batch_dims=1))
        if not self.first_asked:
            wanted = tf.where(now.age == 0, float("nan"), wanted)
        return state, wanted

    def _wrong(self, y: Any, wanted: Any) -> Any:
        """Which trials make an error; none does where nothing is asked."""
        right = tf.math.is_nan(wanted) | (abs(y - wanted) <= self.tolerance)
        return ~tf.reduce_all(right, axis=0)

    def _reset(self, place: Any, following: Any) -> Any:
        """Which trials' states an outside hand makes zero before they go on."""
        return (place == following) & self.resets

    def _train(self, hidden: Any, output: Any, now: Streams, pool: Pool, steps: Any) -> tuple:
        """So many steps of each trial; the weights, and where the streams are."""

        def learn(t: Any, hidden: Any, output: Any, now: Streams) -> tuple:
            state, wanted = self._step(hidden, now, pool)
            change, change_output, y = self.rule._changes(output, state, wanted)
            rate = self.rule.learning_rate * self.decay ** tf.cast(now.age, "float32")
            change, change_output = (
                rate * new + self.momentum * old
                for new, old in zip((change, change_output), now.last, strict=True)
            )
            ends = self._wrong(y, wanted) | (now.age + 1 >= self.longest)
            following = tf.gather(pool.next_start, now.place, batch_dims=1)
            place = tf.where(ends, following, (now.place + 1) % pool.length)
            now = Streams(
                place,
                tf.where(ends, 0, now.age + 1),
                now.ended + tf.cast(ends, "int32"),
                _zero_where(ends | self._reset(place, following), state),
                (change, change_output),
            )
            return t + 1, hidden + change, output + change_output, now

        return tf.while_loop(lambda t, *_: t < steps, learn, (0, hidden, output, now))[1:]

    def _error_free(self, hidden: Any, output: Any, place: Any, pool: Pool, asked: Any) -> Any:
        """How many steps each trial goes without an error from a place of the pool on, at most
        ``longest``; nothing is learnt. Trials that are not ``asked`` go none."""

        def go(now: Streams, alive: Any) -> tuple:
            state, wanted = self._step(hidden, now, pool)
            _, y = self.rule._output(output, state)
            right = ~self._wrong(y, wanted)
            age = now.age + tf.cast(alive & right, "int32")
            alive &= right & (age < self.longest)
            following = tf.gather(pool.next_start, now.place, batch_dims=1)
            place = (now.place + 1) % pool.length
            state = _zero_where(self._reset(place, following), state)
            return now._replace(place=place, age=age, state=state), alive

        first = self.start(len(place))._replace(place=place)
        return tf.while_loop(lambda _, alive: tf.reduce_any(alive), go, (first, asked))[0].age


def _zero_where(which: Any, state: Carried) -> Carried:
    """The state, zero for the trials that begin anew."""
    goes_on = tf.cast(~which, "float32")
    return tf.nest.map_structure(lambda part: part * goes_on, state)
