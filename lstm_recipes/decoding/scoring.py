"""What a beam search ranks complete hypotheses by, and what it forbids: small pure functions."""

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf


class Prefixes(NamedTuple):
    """The hypotheses of a beam at one turn, as penalties and constraints see them."""

    tokens: tf.Tensor
    """int32 [batch, beam, max_length]; from `length` on it is filled with the end."""
    length: tf.Tensor
    """int32 []: how many tokens each of them has, the end not among them."""
    log_probabilities: tf.Tensor
    """float32 [batch, beam], the end's included where a penalty is asked; -inf is no hypothesis."""
    attention: tf.Tensor | None
    """float32 [batch, beam, source]: the sum over all turns; None where the step has none."""
    sentences: tf.Tensor
    """int32 [batch]: which of the sentences that the search was given these are; those that are
    done are left out now and then."""


class Penalty:
    """Turns the scores of hypotheses that end into others: `penalty(scores, prefixes)`.

    A subclass defines `__call__`, and `bound` too if the search shall be able to stop early.
    """

    def __call__(self, scores: tf.Tensor, prefixes: Prefixes) -> tf.Tensor:
        """The new scores, float32 [batch, beam], of `prefixes` that take the end now."""
        raise NotImplementedError

    def bound(self, scores: tf.Tensor, longest: tf.Tensor) -> tf.Tensor:
        """What `__call__` gives at most to any score of at most `scores` (at most 0) later.

        Args:
            scores: float32 [batch, beam].
            longest: int32 [batch, 1]: the most tokens a hypothesis can come to, with the end.
        """
        return tf.fill(tf.shape(scores), float("inf"))


@dataclass(frozen=True)
class LengthPenalty(Penalty):
    """score / ((5 + n) / 6)^α, where n counts the tokens and the end (Wu et al. 2016, eq. 14).

    It never falls as n grows, so a score of at most s ≤ 0 comes to s / ((5 + longest) / 6)^α
    at most.
    """

    alpha: float

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < float("inf"):
            raise ValueError(f"length_penalty is {self.alpha}; give 0 (none) or a positive number")

    def __call__(self, scores: tf.Tensor, prefixes: Prefixes) -> tf.Tensor:
        return scores / self._divisor(prefixes.length + 1)

    def bound(self, scores: tf.Tensor, longest: tf.Tensor) -> tf.Tensor:
        return scores / self._divisor(longest)

    def _divisor(self, n: tf.Tensor) -> tf.Tensor:
        return ((5.0 + tf.cast(n, tf.float32)) / 6.0) ** self.alpha


@dataclass(frozen=True)
class CoveragePenalty(Penalty):
    """score + β Σ_i log min(Σ_j a_ij, 1), a_ij the attention that output j pays to input i.

    Wu et al. 2016, eq. 14; the sum over j includes the end. An input that no output paid any
    attention to, not the least bit, is padding and does not count. What is added is never
    positive, and comes to nothing where every input is covered: hence the bound.
    """

    beta: float

    def __post_init__(self) -> None:
        if not 0 <= self.beta < float("inf"):
            raise ValueError(f"coverage_penalty is {self.beta}; give 0 (none) or a positive number")

    def __call__(self, scores: tf.Tensor, prefixes: Prefixes) -> tf.Tensor:
        if prefixes.attention is None:
            raise ValueError(
                "a coverage penalty needs attention, and the step returned None; return the "
                "attention [batch × beam, source] as the step's third result"
            )
        seen = tf.where(prefixes.attention > 0, tf.minimum(prefixes.attention, 1.0), 1.0)
        return scores + self.beta * tf.reduce_sum(tf.math.log(seen), axis=-1)

    def bound(self, scores: tf.Tensor, longest: tf.Tensor) -> tf.Tensor:
        return scores


@dataclass(frozen=True)
class NoRepeatedNgrams:
    """Forbids each token that would repeat a sequence of n tokens of its own hypothesis.

    >>> prefixes = Prefixes(tf.constant([[[3, 1, 2, 3, 0]]]), 4, None, None, None)
    >>> NoRepeatedNgrams(2)(prefixes, tf.zeros([1, 1, 4])).numpy()
    array([[[  0., -inf,   0.,   0.]]], dtype=float32)
    """

    n: int

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"no_repeat_ngram is {self.n}; give 0 (off) or a positive number")

    def __call__(self, prefixes: Prefixes, log_probabilities: tf.Tensor) -> tf.Tensor:
        """`log_probabilities`, float32 [batch, beam, vocabulary], with -inf for the forbidden."""
        tokens, length = prefixes.tokens, prefixes.length
        windows = tf.maximum(tf.shape(tokens)[2] - self.n + 1, 0)  # of n tokens: where they begin
        repeated = tf.range(windows) + self.n <= length
        for place in range(self.n - 1):
            last = tf.gather(tokens, tf.maximum(length - self.n + 1 + place, 0), axis=2)
            repeated &= tokens[:, :, place : place + windows] == last[:, :, None]
        forbidden = tokens[:, :, self.n - 1 :]
        repeated = tf.broadcast_to(repeated, tf.shape(forbidden))

        shape = tf.shape(log_probabilities)
        rows = tf.reshape(tf.range(shape[0] * shape[1]), [shape[0], shape[1], 1])
        places = tf.reshape(rows * shape[2] + forbidden, [-1, 1])
        most = tf.reshape(tf.where(repeated, -float("inf"), float("inf")), [-1])
        flat = tf.reshape(log_probabilities, [-1])
        return tf.reshape(tf.tensor_scatter_nd_min(flat, places, most), shape)
