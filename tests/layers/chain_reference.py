"""A linear chain by brute force: every sequence of tags is looked at, in float64."""

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from lstm_recipes.layers.linear_chain import Chain

from .helpers import BACKEND, masks


class Problem(NamedTuple):
    """Emissions [batch, time, K], tags, a mask or None, and a chain, in NumPy."""

    emissions: np.ndarray
    tags: np.ndarray
    mask: np.ndarray | None
    chain: Chain

    def rows(self) -> list:
        """(emissions, tags) of each sequence, of the steps that count."""
        mask = np.ones_like(self.tags, bool) if self.mask is None else self.mask
        return [(e[m], y[m]) for e, y, m in zip(self.emissions, self.tags, mask, strict=True)]


def problem(
    batch: int, time: int, tags: int, mask: Any = None, seed: int = 0, scale: float = 2.0
) -> Problem:
    """Normal scores, in float32; all tags known."""
    rng = np.random.default_rng(seed)
    scores = [
        (scale * rng.normal(size=shape)).astype("float32")
        for shape in ((batch, time, tags), (tags, tags), (tags,), (tags,))
    ]
    return Problem(scores[0], rng.integers(0, tags, (batch, time)), mask, Chain(*scores[1:]))


@st.composite
def problems(draw: Any, unknown: bool = False) -> Problem:
    """Of few shapes, as each is traced anew; tags may be -1."""
    batch, time, tags = draw(st.sampled_from([(3, 5, 3), (2, 1, 2)]))
    mask = draw(masks(batch, time))
    found = problem(
        batch,
        time,
        tags,
        mask if time > 1 or mask is not None else np.ones((batch, time), bool),
        draw(st.integers(0, 10**6)),
        draw(st.sampled_from([0.1, 2.0, 30.0])),
    )
    if unknown:
        row = st.lists(st.booleans(), min_size=time, max_size=time)
        known = draw(st.lists(row, min_size=batch, max_size=batch))
        found = found._replace(tags=np.where(known, found.tags, -1))
    return found


def sequences(length: int, tags: int) -> np.ndarray:
    """All of them, [tags ** length, length]."""
    return np.array([*product(range(tags), repeat=length)], int).reshape(tags**length, length)


def score(emissions: np.ndarray, tags: np.ndarray, chain: Chain) -> np.ndarray:
    """s(y), as the equation has it, of tags [time] or of many sequences, [..., time]."""
    transitions, start, end = (np.asarray(part, "float64") for part in chain)
    tags = np.asarray(tags)
    if not len(emissions):
        return np.zeros(tags.shape[:-1])
    emitted = emissions.astype("float64")[np.arange(len(emissions)), tags].sum(axis=-1)
    pairs = transitions[tags[..., :-1], tags[..., 1:]].sum(axis=-1)
    return start[tags[..., 0]] + emitted + pairs + end[tags[..., -1]]


def ranked(emissions: np.ndarray, chain: Chain) -> tuple[np.ndarray, np.ndarray]:
    """All sequences and their scores, best first."""
    found = sequences(*emissions.shape)
    scores = score(emissions, found, chain)
    order = np.argsort(-scores, kind="stable")
    return found[order], scores[order]


def logsumexp(scores: np.ndarray) -> np.float64:
    return np.logaddexp.reduce(scores)


def agreeing(found: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """Which sequences have the known ones of the tags."""
    return ((tags < 0) | (found == tags)).all(axis=1)


def log_likelihood(p: Problem) -> np.ndarray:
    """log p of the known tags, [batch]."""
    found = []
    for emissions, tags in p.rows():
        all_of_them, scores = ranked(emissions, p.chain)
        found.append(logsumexp(scores[agreeing(all_of_them, tags)]) - logsumexp(scores))
    return np.array(found)


def counts(p: Problem, given: bool = False) -> list[np.ndarray]:
    """The expected counts of all sequences, or of those that agree with the tags: of each tag at
    each step (0 where masked), of pairs, of first tags and of last ones."""
    batch, time, number = p.emissions.shape
    mask = np.ones((batch, time), bool) if p.mask is None else p.mask
    at, pairs = np.zeros((batch, time, number)), np.zeros((number, number))
    first, last = np.zeros(number), np.zeros(number)
    for row, (emissions, tags) in enumerate(p.rows()):
        found, scores = ranked(emissions, p.chain)
        if given:
            agree = agreeing(found, tags)
            found, scores = found[agree], scores[agree]
        steps = np.flatnonzero(mask[row])
        weights = np.exp(scores - logsumexp(scores))
        np.add.at(at, (row, steps, found), weights[:, None])
        np.add.at(pairs, (found[:, :-1], found[:, 1:]), weights[:, None])
        if len(steps):
            np.add.at(first, found[:, 0], weights)
            np.add.at(last, found[:, -1], weights)
    return [at, pairs, first, last]


def forward(emissions: np.ndarray, chain: Chain) -> np.float64:
    """log Z of one sequence of any length."""
    transitions, start, end = (np.asarray(part, "float64") for part in chain)
    alpha = start + emissions[0]
    for emission in emissions[1:].astype("float64"):
        alpha = np.logaddexp.reduce(alpha[:, None] + transitions, axis=0) + emission
    return logsumexp(alpha + end)


def compiled(function: Callable, **options: Any) -> Callable:
    """Traced once for each shape: outside a graph, each step of a scan is dispatched by itself."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function, **options)
    import jax

    return jax.jit(function)
