"""The chain where not every tag may follow every other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from lstm_recipes.layers import linear_chain
from lstm_recipes.layers.linear_chain import IMPOSSIBLE, Chain

from . import chain_reference as reference
from .chain_calls import K, compiled_all_of_it, long_one
from .chain_reference import problem
from .helpers import MASKS, every_mask, gradients, numpy


@st.composite
def constrained(draw):
    """A problem and what is allowed, by which each sequence has a way through."""
    mask = np.array(MASKS[draw(st.sampled_from(["right", "left", "gaps"]))], bool)
    p = problem(3, 5, 3, mask, draw(st.integers(0, 10**6)), draw(st.sampled_from([1.0, 30.0])))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    allowed = rng.random((4, 4)) < draw(st.sampled_from([0.1, 0.4, 0.7]))
    ways = []
    for row in p.mask:  # one way for each is made legal, and is what is true
        way = rng.integers(0, 3, row.sum())
        for a, b in zip([3, *way], [*way, 3], strict=True):
            allowed[a, b] = True
        ways.append(way)
    for row, way in enumerate(ways):
        p.tags[row, p.mask[row]] = way
    return p, allowed


def legal(tags, allowed) -> bool:
    return all(allowed[a, b] for a, b in zip([-1, *tags], [*tags, -1], strict=True))


@given(constrained())
@settings(max_examples=40, deadline=None)
def test_constraints(case):
    """No forbidden step in any decode, and the sequences that are left share all probability."""
    p, allowed = case
    chain = numpy(tuple(p.chain.constrained(allowed)))
    found = numpy(compiled_all_of_it(p.emissions, p.tags, p.mask, *chain))
    tags, scores = found["k_best"]
    for row, (emissions, y) in enumerate(p.rows()):
        best, expected = reference.ranked(emissions, p.chain)
        keep = [legal(y, allowed) for y in best]
        best, expected = best[keep], expected[keep]
        total = reference.logsumexp(expected)
        np.testing.assert_allclose(found["log_partition"][row], total, rtol=1e-4, atol=1e-3)
        score = reference.score(emissions, y, p.chain)
        assert found["log_likelihood"][row] == pytest.approx(score - total, rel=1e-4, abs=1e-3)
        decoded = found["viterbi"][0][row, p.mask[row]]
        assert legal(decoded, allowed)
        assert reference.score(emissions, decoded, p.chain) == pytest.approx(expected[0], abs=1e-3)
        number = min(K, len(best))
        np.testing.assert_allclose(scores[row, :number], expected[:number], rtol=1e-4, atol=1e-3)
        assert (scores[row, number:] == -np.inf).all()
        assert all(legal(y[p.mask[row]], allowed) for y in tags[row, :number])
    assert np.isfinite(found["marginals"]).all()
    assert np.isfinite(found["steps"]).all()
    pairs = found["marginals"][:, :-1, :, None] * found["steps"][:, 1:]
    assert (pairs[:, :, ~allowed[:-1, :-1]] == 0).all()


def test_probabilities_sum_to_one_under_constraints():
    p, allowed = problem(1, 3, 3), np.ones((4, 4), bool)
    allowed[0, 1] = allowed[3, 2] = allowed[1, 3] = False
    found = [y for y in reference.sequences(3, 3) if legal(y, allowed)]
    emissions = np.repeat(p.emissions, 27, axis=0)
    every = reference.sequences(3, 3)
    log_p = numpy(linear_chain.log_likelihood(emissions, every, p.chain.constrained(allowed)))
    chances = np.exp(log_p)
    assert chances.sum() == pytest.approx(1, abs=1e-5)
    assert (chances > 0).sum() == len(found) < 27
    assert np.isfinite(log_p).all()


def test_constraints_hold_over_a_long_sequence():
    """However much a forbidden step would bring: it is not bought."""
    emissions, tags, chain = long_one(2000, 1.0)
    emissions = np.abs(emissions) * [0, 1e6, 1e6, 1e6, 1e6]
    allowed = np.ones((6, 6), bool)
    allowed[:-1, 1:5] = allowed[-1, 1:5] = False
    emissions = emissions.astype("float32")
    found = compiled_all_of_it(emissions, tags, None, *numpy(tuple(chain.constrained(allowed))))
    assert (numpy(found["viterbi"][0]) == 0).all()


@every_mask
def test_gradients_are_finite_under_constraints(mask):
    """Unknown tags, forbidden steps, rows without a step, emissions at the lowest float32, and
    what is true and forbidden: a number, and no NaN."""
    p, allowed = problem(3, 5, 3, mask), np.ones((4, 4), bool)
    allowed[0, 1] = allowed[3, 2] = allowed[1, 3] = False
    p.tags[0] = -1
    p.tags[1] = [0, 1, 0, 1, 1]
    p.emissions[2, :, 1] = np.finfo("float32").min

    def loss(emissions, *chain):
        found = linear_chain.log_likelihood(
            emissions, p.tags, Chain(*chain).constrained(allowed), mask
        )
        return ops.sum(found)

    assert np.isfinite(numpy(ops.convert_to_tensor(loss(p.emissions, *p.chain))))
    for gradient in gradients(loss, [], [p.emissions, *p.chain]):
        assert np.isfinite(gradient).all()
        assert abs(gradient).max() < 1e3


def test_nothing_is_possible():
    """All is forbidden: the probabilities are 0 of 0, k_best says so, and nothing breaks."""
    p, nothing = problem(2, 3, 3), np.zeros((4, 4), bool)
    chain = p.chain.constrained(nothing)
    tags, scores = numpy(linear_chain.k_best(p.emissions, chain, 3))
    assert (tags == -1).all() and (scores == -np.inf).all()
    assert (numpy(linear_chain.log_partition(p.emissions, chain)) < IMPOSSIBLE / 2).all()
    assert np.isfinite(numpy(linear_chain.marginals(p.emissions, chain))).all()
