"""The state of a beam search, and what is done with it: hypotheses grow, the best are kept, and
sentences that are done are left behind."""

from typing import Any, NamedTuple

import tensorflow as tf

NOTHING = -float("inf")  # the log-probability of what is no hypothesis


class Live(NamedTuple):
    """The hypotheses that may still grow; those with log-probability -inf are none."""

    tokens: tf.Tensor  # int32 [batch, beam, time]
    ranks: tf.Tensor  # int32 [batch, beam, time]: which of the beam their first t tokens were
    log_probabilities: tf.Tensor  # float32 [batch, beam]
    attention: tf.Tensor  # float32 [batch, beam, source], the sum; [batch, beam, 0] for none
    last: tf.Tensor  # int32 [batch × beam], what the step reads next
    states: Any  # [batch × beam, ...]


class Complete(NamedTuple):
    """The best of those that have ended."""

    tokens: tf.Tensor  # int32 [batch, n_best, time]
    ranks: tf.Tensor  # int32 [batch, n_best, time]
    lengths: tf.Tensor  # int32 [batch, n_best]
    scores: tf.Tensor  # float32 [batch, n_best], falling
    log_probabilities: tf.Tensor  # float32 [batch, n_best]
    finished: tf.Tensor  # bool [batch, n_best]


class UnderWay(NamedTuple):
    """A search after some turns."""

    t: tf.Tensor  # int32 []: how many
    maps: tf.TensorArray  # float32 [batch × beam, source] a turn: the attention
    done: tf.Tensor  # bool [batch]
    live: Live
    complete: Complete

    def of(self, sentences: tf.Tensor, beam: int) -> "UnderWay":
        """With these sentences alone."""
        rows = _rows(sentences, beam)
        maps = tf.gather(self.maps.stack(), rows, axis=1)
        shape = [rows.shape[0], self.maps.element_shape[1]]
        array = tf.TensorArray(tf.float32, tf.shape(maps)[0], element_shape=shape)
        live = self.live._replace(last=(), states=())
        done, live, complete = _gathered((self.done, live, self.complete), sentences)
        last, states = _gathered((self.live.last, self.live.states), rows)
        live = live._replace(last=last, states=states)
        return UnderWay(self.t, array.unstack(maps), done, live, complete)


class Sentences(NamedTuple):
    """What stays the same at all turns."""

    numbers: tf.Tensor  # int32 [batch]: their places in what the search was given
    longest: tf.Tensor  # int32 [batch, 1]
    memory: Any  # [batch × beam, ...]

    def of(self, sentences: tf.Tensor, beam: int) -> "Sentences":
        """With these sentences alone."""
        numbers, longest = _gathered((self.numbers, self.longest), sentences)
        return Sentences(numbers, longest, _gathered(self.memory, _rows(sentences, beam)))


def first(batch: Any, beam: int, time: Any, source: int, end: int, last: Any, states: Any) -> Live:
    """The empty hypothesis, once; ``source`` is how long the sum of attention is."""
    once = tf.where(tf.range(beam) == 0, 0.0, NOTHING)
    return Live(
        tf.fill([batch, beam, time], end),
        tf.zeros([batch, beam, time], tf.int32),
        tf.repeat(once[None], batch, axis=0),
        tf.zeros([batch, beam, source]),
        last,
        states,
    )


def none(batch: Any, number: int, time: Any, end: int) -> Complete:
    """What is no hypothesis, so many times."""
    shape = [batch, number]
    return Complete(
        tf.fill([*shape, time], end),
        tf.zeros([*shape, time], tf.int32),
        tf.zeros(shape, tf.int32),
        tf.fill(shape, NOTHING),
        tf.fill(shape, NOTHING),
        tf.zeros(shape, tf.bool),
    )


def best_of(kept: Complete, found: Complete, number: int) -> Complete:
    """The best of both, best first; of equals the earlier."""
    both = Complete(*(tf.concat(parts, axis=1) for parts in zip(kept, found, strict=True)))
    _, places = tf.math.top_k(both.scores, number)
    return Complete(*(tf.gather(part, places, batch_dims=1) for part in both))


def grown(
    live: Live,
    t: tf.Tensor,
    total: tf.Tensor,
    parents: tf.Tensor,
    tokens: tf.Tensor,
    attended: tf.Tensor,
    states: Any,
) -> Live:
    """The hypotheses one token longer."""
    here = tf.range(tf.shape(live.tokens)[2]) == t
    batch, beam = tf.unstack(tf.shape(total))
    rows = tf.reshape(tf.range(batch)[:, None] * beam + parents, [-1])
    return Live(
        tf.where(here, tokens[:, :, None], tf.gather(live.tokens, parents, batch_dims=1)),
        tf.where(here, parents[:, :, None], tf.gather(live.ranks, parents, batch_dims=1)),
        total,
        tf.gather(attended, parents, batch_dims=1),
        tf.reshape(tokens, [-1]),
        tf.nest.map_structure(lambda state: tf.gather(state, rows), states),
    )


def attention_of(maps: tf.TensorArray, complete: Complete, beam: int) -> tf.Tensor:
    """The attention of each token of the complete hypotheses, [batch, n_best, time, source]."""
    batch, _, time = tf.unstack(tf.shape(complete.ranks))
    turns = tf.range(time)
    rows = tf.range(batch)[:, None, None] * beam + complete.ranks
    places = tf.stack([tf.broadcast_to(turns, tf.shape(rows)), rows], axis=-1)
    written = turns < complete.lengths[:, :, None]
    return tf.where(written[..., None], tf.gather_nd(maps.stack(), places), 0.0)


def _rows(sentences: tf.Tensor, beam: int) -> tf.Tensor:
    """Where the hypotheses of sentences are among all, int32 [batch × beam]."""
    return tf.reshape(sentences[:, None] * beam + tf.range(beam), [-1])


def _gathered(nest: Any, rows: tf.Tensor) -> Any:
    """These rows of each tensor."""
    return tf.nest.map_structure(lambda part: tf.gather(part, rows), nest)


def with_later(all_found: Any, sentences: tf.Tensor, found: Any) -> Any:
    """What was found of all, but of these sentences what was found later."""
    batch = tf.shape(tf.nest.flatten(all_found)[0])[0]
    later = batch + tf.range(tf.size(sentences))
    places = tf.tensor_scatter_nd_update(tf.range(batch), sentences[:, None], later)
    return tf.nest.map_structure(
        lambda one, other: tf.gather(tf.concat([one, other], axis=0), places), all_found, found
    )
