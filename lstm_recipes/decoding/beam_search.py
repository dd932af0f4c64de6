"""Batched beam search over any decoder with a state, compiled, and it can be saved."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import tensorflow as tf

from lstm_recipes.decoding.scoring import (
    CoveragePenalty,
    LengthPenalty,
    NoRepeatedNgrams,
    Penalty,
    Prefixes,
)
from lstm_recipes.decoding.search_state import (
    NOTHING,
    Complete,
    Live,
    Sentences,
    UnderWay,
    attention_of,
    best_of,
    first,
    grown,
    none,
    with_later,
)
from lstm_recipes.decoding.steps import Step, traced
from lstm_recipes.decoding.top_k import top_k

Constraint = Callable[[Prefixes, tf.Tensor], tf.Tensor]

HALVINGS = 2  # so often the search leaves behind the half of the sentences that are done


class Hypotheses(NamedTuple):
    """The best hypotheses of each sentence, best first.

    Where there are fewer than `n_best`, the others have the score -inf and no tokens.
    """

    tokens: tf.Tensor
    """int32 [batch, n_best, max_length], without the end; filled with the end after it."""
    lengths: tf.Tensor
    """int32 [batch, n_best]: how many tokens there are before the end."""
    scores: tf.Tensor
    """float32 [batch, n_best]: what they are ranked by, after the penalties."""
    log_probabilities: tf.Tensor
    """float32 [batch, n_best], the end's included."""
    finished: tf.Tensor
    """bool [batch, n_best]: False where the end was not among the best ways to go on, but
    `max_length` was reached."""
    attention: tf.Tensor | None
    """float32 [batch, n_best, max_length, source]: a row for each token, then zeros; None where
    the step has none."""


@tf.autograph.experimental.do_not_convert
def beam_search(
    step: Step,
    states: Any,
    memory: Any = (),
    *,
    start: int | tf.Tensor,
    end: int,
    beam: int = 5,
    max_length: int | tf.Tensor,
    min_length: int = 0,
    n_best: int = 1,
    length_penalty: float = 0.0,
    coverage_penalty: float = 0.0,
    no_repeat_ngram: int = 0,
    penalties: Sequence[Penalty] = (),
    constraints: Sequence[Constraint] = (),
) -> Hypotheses:
    """The sequences that score best, as far as a beam sees.

    A hypothesis y is a sequence of at most `max_length` tokens and the end. It scores

        s(y) = log p(y) / ((5 + |y|) / 6)^α + β Σ_i log min(Σ_j a_ij, 1)

    (Wu et al. 2016, section 7, eq. 14), where |y| counts the end, a_ij is the attention that
    output j pays to input i, α is `length_penalty` and β `coverage_penalty`.

    At each turn all live hypotheses are extended by every token. Of these extensions, the ends
    among the `beam` most probable are complete; the `n_best` that score best are kept. The `beam`
    most probable others live on, so that the beam is always full. After `max_length` tokens the
    end alone is left, and all that live take it, as likely as it is. With a beam of 1 and no
    penalty this is greedy decoding.

    A sentence stops as soon as going on cannot change its result. Log-probabilities only fall,
    the length penalty's divisor L(n) only grows, and coverage only takes away, so whatever grows
    out of a live hypothesis y ends with s ≤ log p(y) / L(|y'|) ≤ log p(y) / L(max_length + 1).
    Once no live hypothesis has that bound above the worst of the `n_best` kept, none can enter.

    Once half of the sentences are done, the others go on alone, and so once more: what takes long
    is the step, and a few long sentences do not make it read all others over and over.

    The whole is a few `tf.while_loop`. Call it in a `tf.function` of your own, which may be saved
    in a SavedModel; outside of one it compiles itself, and does so anew at each call.

    Args:
        step: `step(tokens, states, memory)` reads one token int32 [N] of each of N hypotheses, the
            beam of each sentence one after the other, and returns the log-probabilities of the
            next, float32 [N, vocabulary], -inf for what is forbidden, the new states, and the
            attention, float32 [N, source] or None. N is batch × beam, or less once sentences are
            done.
        states: Any nest of tensors [batch, ...], with which every sentence starts. The step sees
            and returns them as [N, ...].
        memory: Any nest of tensors [batch, ...] that stays the same for a whole sentence, such as
            the encoder's outputs. The step sees it as [N, ...]; unlike states it is not copied at
            each turn.
        start: The token that is read first, one for all or int32 [batch].
        end: The token that ends a hypothesis.
        beam: How many hypotheses live.
        max_length: The most tokens before the end, one number or int32 [batch].
        min_length: The least tokens before the end, or a sentence's `max_length` if that is
            less. What is forbidden, by this or a constraint, leaves the other probabilities as
            they are.
        n_best: How many hypotheses to return for each sentence, at most `beam`.
        length_penalty: α, 0 or more. Wu et al. found 0.2 best, with β = 0.2.
        coverage_penalty: β, 0 or more.
        no_repeat_ngram: No hypothesis has the same n tokens in a row twice; 0 is no such rule.
        penalties: Your own, applied to the scores in their order, after α and β.
        constraints: Your own, `constraint(prefixes, log_probabilities)`, which gives the
            log-probabilities float32 [batch, beam, vocabulary] that are to be used instead. They
            may only fall. What is of single sentences in your penalties and constraints must be
            looked up by `prefixes.sentences`, for not all are there at each turn.

    Raises:
        ValueError: A number is out of its range, or the step's results are not as they should be.

    >>> chances = [[0, .4, .3, .2, .1, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0],
    ...            [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1], [.2, .1, .2, .2, .2, .3]]
    >>> def step(tokens, states, memory):  # a Markov chain, which needs no state
    ...     return tf.math.log(tf.gather(chances, tokens)), states, None
    >>> found = beam_search(
    ...     step, tf.zeros([1, 0]), start=0, end=5, beam=3, n_best=3, max_length=10
    ... )
    >>> for tokens, length in zip(found.tokens[0], found.lengths[0]):
    ...     print(tokens[:length].numpy())
    [1 2 3 4]
    [2 3 4]
    [3 4]
    >>> tf.exp(found.scores).numpy().round(3)
    array([[0.4, 0.3, 0.2]], dtype=float32)
    """
    end = int(end)
    _check(end, beam, n_best, min_length, max_length)
    if no_repeat_ngram:
        constraints = (NoRepeatedNgrams(no_repeat_ngram), *constraints)
    if coverage_penalty:
        penalties = (CoveragePenalty(coverage_penalty), *penalties)
    if length_penalty:
        penalties = (LengthPenalty(length_penalty), *penalties)
    search = _Search(
        step, start, end, beam, max_length, min_length, n_best, tuple(penalties), tuple(constraints)
    )
    states, memory = tf.nest.map_structure(tf.convert_to_tensor, (states, memory))
    if not tf.nest.flatten(states):
        raise ValueError(
            "states have no tensors, and their first axis tells the batch; a step without states "
            "takes tf.zeros([batch, 0])"
        )
    if tf.executing_eagerly():
        # Not the object itself: it has tensors, and what is compiled must have a hash.
        return tf.function(lambda *given: search(*given), autograph=False)(states, memory)
    return search(states, memory)


@dataclass(frozen=True)
class _Search:
    step: Step
    start: int | tf.Tensor
    end: int
    beam: int
    max_length: int | tf.Tensor
    min_length: int
    n_best: int
    penalties: tuple[Penalty, ...]
    constraints: tuple[Constraint, ...]

    def __call__(self, states: Any, memory: Any) -> Hypotheses:
        longest = tf.convert_to_tensor(self.max_length, tf.int32)
        time = tf.get_static_value(tf.reduce_max(longest))
        time = tf.maximum(tf.reduce_max(longest), 0) if time is None else int(time)
        one = tf.nest.flatten(states)[0]
        batch = tf.shape(one)[0] if one.shape[0] is None else one.shape[0]
        longest = tf.broadcast_to(longest, [batch])[:, None]

        last = tf.repeat(tf.broadcast_to(tf.cast(self.start, tf.int32), [batch]), self.beam)
        states, memory = tf.nest.map_structure(
            lambda part: tf.repeat(part, self.beam, axis=0), (states, memory)
        )
        step, source = traced(self.step, last, states, memory, self.end)
        # The sum of attention begins as zeros to add to: one, if the source's length is not known.
        live = first(
            batch, self.beam, time, 1 if source is None else source, self.end, last, states
        )
        # Attention is kept by turn, and each hypothesis remembers its rank in the beam at each:
        # to gather the maps themselves would copy all of them at every turn.
        maps = tf.TensorArray(tf.float32, time + 1, element_shape=[last.shape[0], source])
        done = tf.zeros([batch], tf.bool)
        under_way = UnderWay(
            tf.constant(0), maps, done, live, none(batch, self.n_best, time, self.end)
        )
        sentences = Sentences(tf.range(batch), longest, memory)
        complete, attention = self._searched(step, under_way, sentences, HALVINGS)
        tokens, _, *others = complete
        return Hypotheses(tokens, *others, None if source == 0 else attention)

    def _searched(
        self, step: Step, start: UnderWay, sentences: Sentences, halvings: int
    ) -> tuple[Complete, tf.Tensor]:
        """The results of a search that is under way, and their attention.

        It goes on with all sentences until half of them are done, then with the other half.
        """
        batch = tf.size(start.done) if start.done.shape[0] is None else start.done.shape[0]
        half = (batch + 1) // 2 if halvings else 0

        def turn(t, maps, done, live, complete):
            log_p, states, attention = step(live.last, live.states, sentences.memory)
            log_p = tf.reshape(log_p, [batch, self.beam, log_p.shape[1]])
            attended = live.attention + tf.reshape(attention, [batch, self.beam, -1])
            live, ends = self._turn(t, live, log_p, attended, states, sentences)
            ends = ends._replace(scores=tf.where(done[:, None], NOTHING, ends.scores))
            complete = best_of(complete, ends, self.n_best)
            done |= self._best_to_come(live, sentences.longest) <= complete.scores[:, -1]
            done |= t >= sentences.longest[:, 0]
            return t + 1, maps.write(t, attention), done, live, complete

        def unfinished(t, maps, done, live, complete):
            waiting = tf.reduce_sum(tf.cast(tf.logical_not(done), tf.int32))
            return (t == 0) | (waiting > half)  # one turn of an empty batch too

        shapes = tf.nest.map_structure(lambda v: v.shape if tf.is_tensor(v) else None, start)
        sums = tf.TensorShape([*start.live.attention.shape[:2], start.maps.element_shape[1]])
        shapes = shapes._replace(live=shapes.live._replace(attention=sums))
        end = UnderWay(*tf.while_loop(unfinished, _shaped(turn), start, shapes))
        found = end.complete, attention_of(end.maps, end.complete, self.beam)
        if not halvings:
            return found
        _, waiting = tf.math.top_k(tf.cast(tf.logical_not(end.done), tf.int32), half)
        rest = end.of(waiting, self.beam), sentences.of(waiting, self.beam)
        found_of_rest = self._searched(step, *rest, halvings - 1)
        return with_later(found, waiting, found_of_rest)

    def _turn(
        self,
        t: tf.Tensor,
        live: Live,
        log_p: tf.Tensor,
        attended: tf.Tensor,
        states: Any,
        sentences: Sentences,
    ) -> tuple[Live, Complete]:
        """What lives on after this turn, and what ends with it."""
        attention, longest = None if attended.shape[2] == 0 else attended, sentences.longest
        prefixes = Prefixes(live.tokens, t, live.log_probabilities, attention, sentences.numbers)
        for constraint in self.constraints:
            log_p = constraint(prefixes, log_p)
        total, parents, tokens = self._extensions(live.log_probabilities, log_p)
        ends = live.log_probabilities + log_p[:, :, self.end]
        ends = tf.where((t < self.min_length) & (t < longest), NOTHING, ends)
        ended = self._ended(prefixes._replace(log_probabilities=ends), total, longest, live.ranks)
        return grown(live, t, total, parents, tokens, attended, states), ended

    def _best_to_come(self, live: Live, longest: tf.Tensor) -> tf.Tensor:
        """What no hypothesis that grows out of these can surpass, float32 [batch]."""
        scores = live.log_probabilities
        for penalty in self.penalties:
            scores = penalty.bound(scores, longest + 1)
        return tf.reduce_max(scores, axis=1)

    def _extensions(self, before: tf.Tensor, log_p: tf.Tensor) -> tuple:
        """The most probable extensions but ends: log-probabilities, parents, tokens [batch, beam].

        The best of each row come first, then the best of those: so the sum with what was before,
        [batch, beam, vocabulary], is never made. One more than the beam, as one may be the end.
        """
        vocabulary = log_p.shape[2]
        width = min(self.beam + 1, vocabulary)
        found = top_k(tf.reshape(log_p, [-1, vocabulary]), width)
        best, tokens = (tf.reshape(part, [-1, self.beam, width]) for part in found)
        total = before[:, :, None] + tf.where(tokens == self.end, NOTHING, best)
        total, places = tf.math.top_k(tf.reshape(total, [-1, self.beam * width]), self.beam)
        tokens = tf.reshape(tokens, [-1, self.beam * width])
        return total, places // width, tf.gather(tokens, places, batch_dims=1)

    def _ended(
        self, ends: Prefixes, others: tf.Tensor, longest: tf.Tensor, ranks: tf.Tensor
    ) -> Complete:
        """The hypotheses that end at this turn; the rest of the beam has the score -inf.

        `others` are the log-probabilities of the best extensions that are no ends.
        """
        log_p = ends.log_probabilities
        rivals = tf.concat([log_p, others], axis=1)
        better = tf.reduce_sum(tf.cast(rivals[:, None] > log_p[:, :, None], tf.int32), axis=2)
        finished = (better < self.beam) & (log_p > NOTHING)
        log_p = tf.where(finished | (ends.length >= longest), log_p, NOTHING)
        scores = log_p
        for penalty in self.penalties:
            scores = penalty(scores, ends._replace(log_probabilities=log_p))
        scores = tf.where(log_p > NOTHING, scores, NOTHING)
        lengths = tf.fill(tf.shape(log_p), ends.length)
        return Complete(ends.tokens, ranks, lengths, scores, log_p, finished)


def _shaped(turn: Callable) -> Callable:
    """The turn, whose results have the static shapes of what it is given."""

    def shaped(*before):
        after = turn(*before)
        for new, old in zip(tf.nest.flatten(after), tf.nest.flatten(before), strict=True):
            if tf.is_tensor(new):  # a TensorArray has no shape of its own
                new.set_shape(old.shape)
        return after

    return shaped


def _check(end: int, beam: int, n_best: int, min_length: int, max_length: Any) -> None:
    if beam < 1:
        raise ValueError(f"beam is {beam}; give a whole number of at least 1")
    if not 1 <= n_best <= beam:
        raise ValueError(f"n_best is {n_best}; give a whole number from 1 to the beam, {beam}")
    if end < 0:
        raise ValueError(f"end is {end}; give a token, which is a whole number of at least 0")
    if min_length < 0:
        raise ValueError(f"min_length is {min_length}; give 0 or a positive number")
    if isinstance(max_length, Integral) and max_length < max(min_length, 1):
        raise ValueError(
            f"max_length is {max_length} and min_length {min_length}; give at least 1, and the "
            "greater as max_length"
        )
