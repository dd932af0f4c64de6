"""The step of a model, which a beam search repeats: what it looks like, and several as one."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Step = Callable[[tf.Tensor, Any, Any], tuple[tf.Tensor, Any, tf.Tensor | None]]


def ensemble(steps: Sequence[Step]) -> Step:
    """One step of several models of the same vocabulary, for `beam_search`.

    Its states are a tuple of theirs, and so is its memory, where they have one. Its
    log-probabilities are the mean of theirs, less what makes the probabilities sum to one; its
    attention is the mean of those that have one.

    >>> def constant(*chances):
    ...     return lambda tokens, states, memory: (tf.math.log([chances]), states, None)
    >>> both = ensemble([constant(0.1, 0.9), constant(0.5, 0.5)])
    >>> log_probabilities, *_ = both(tf.constant([0]), (tf.zeros([1, 0]), tf.zeros([1, 0])), ())
    >>> tf.exp(log_probabilities).numpy().round(3)
    array([[0.25, 0.75]], dtype=float32)
    """
    steps = tuple(steps)
    if not steps:
        raise ValueError("an ensemble needs at least one step; received none")

    def step(tokens: tf.Tensor, states: tuple, memory: tuple) -> tuple:
        memory = memory or ((),) * len(steps)
        for name, given in (("states", states), ("memories", memory)):
            if len(given) != len(steps):
                raise ValueError(f"{len(steps)} steps need as many {name}; received {len(given)}")
        parts = [one(tokens, *own) for one, *own in zip(steps, states, memory, strict=True)]
        mean = tf.add_n([tf.cast(part[0], tf.float32) for part in parts]) / len(parts)
        total = tf.reduce_logsumexp(mean, axis=-1, keepdims=True)
        # Where nothing is possible the total is -inf, and -inf less -inf would be no number.
        mean = tf.minimum(mean - tf.where(total > -float("inf"), total, 0.0), 0.0)
        maps = [part[2] for part in parts if part[2] is not None]
        return mean, tuple(part[1] for part in parts), tf.add_n(maps) / len(maps) if maps else None

    return step


def traced(
    step: Step, last: tf.Tensor, states: Any, memory: Any, end: int
) -> tuple[Step, int | None]:
    """The step as a graph, which is made once for any number of hypotheses, and how long the source
    is, None if that is not known yet.

    Attention that is None becomes [N, 0].

    Raises:
        ValueError: Its results are not what a step returns.
    """
    some = tf.nest.map_structure(
        lambda part: tf.TensorSpec([None, *part.shape[1:]], part.dtype), (last, states, memory)
    )
    graph = tf.function(lambda *given: step(*given), autograph=False).get_concrete_function(*some)
    results = graph.structured_outputs
    if not isinstance(results, (tuple, list)) or len(results) != 3:
        raise ValueError(
            "a step returns (log_probabilities, states, attention or None); this one returned "
            f"{results}"
        )
    log_p, after, attention = results
    if len(log_p.shape) != 2 or log_p.shape[1] is None:
        raise ValueError(
            "a step's log-probabilities have the shape [batch × beam, vocabulary], the vocabulary "
            f"a known number; received {log_p.shape}"
        )
    if end >= log_p.shape[1]:
        raise ValueError(
            f"end is {end}, and the vocabulary goes from 0 to {log_p.shape[1] - 1}; give a token "
            "of it"
        )
    before, after = ([(s.dtype.name, s.shape) for s in tf.nest.flatten(s)] for s in (states, after))
    if len(before) != len(after) or any(
        a[0] != b[0] or not a[1].is_compatible_with(b[1])
        for a, b in zip(before, after, strict=True)
    ):
        raise ValueError(
            f"a step returns states like those that it is given: it was given {before} and "
            f"returned {after}"
        )

    def called(tokens: tf.Tensor, states: Any, memory: Any) -> tuple:
        log_p, after, attention = graph(tokens, states, memory)
        after = tf.nest.pack_sequence_as(states, tf.nest.flatten(after))
        if attention is None:
            attention = tf.zeros([tf.size(tokens), 0])
        return tf.cast(log_p, tf.float32), after, tf.cast(attention, tf.float32)

    return called, 0 if attention is None else attention.shape[1]
