"""The chain against brute force: scores, sums, best sequences, gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from keras import ops

from lstm_recipes.layers import linear_chain
from lstm_recipes.layers.linear_chain import Chain

from . import chain_reference as reference
from .chain_calls import K, likelihood, partition, results
from .chain_reference import Problem, problem, problems
from .helpers import MASKS, assert_close, every_mask, gradients, numpy

EMISSIONS = np.array([[[4, 5, -3], [3, -1, 3], [-1, 2, 1]]], "float32")
TRANSITIONS = np.array([[-3, 5, -2], [3, 4, 1], [1, 2, 1]], "float32")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_the_published_case(dtype):
    """Collobert et al.'s sums, in numbers that others have published."""
    emissions, chain = EMISSIONS.astype(dtype), Chain(TRANSITIONS.astype(dtype))
    tolerance = 1e-8 if dtype == str(ops.convert_to_tensor(emissions).dtype) == "float64" else 1e-6
    assert_close(linear_chain.sequence_score(emissions, [[1, 2, 1]], chain), np.array([13.0]))
    total = linear_chain.log_partition(emissions, chain)
    assert_close(total, np.array([18.0461218]), tolerance)
    found = linear_chain.log_likelihood(emissions, [[1, 2, 1]], chain)
    assert_close(found, np.array([13 - 18.0461218]), tolerance)


@given(problems())
@settings(max_examples=40, deadline=None)
def test_against_all_sequences(p):
    found = results(p)
    scale = 1e-5 * max(1, abs(p.emissions).max())
    assert_close(found["log_likelihood"], reference.log_likelihood(p), 4 * scale)
    assert_close(found["marginals"], reference.counts(p)[0], 1e-4)
    tags, scores = found["k_best"]
    assert_close(found["viterbi"][0], tags[:, 0])
    assert_close(found["viterbi"][1], scores[:, 0], scale)
    mask = np.ones(p.tags.shape, bool) if p.mask is None else p.mask
    assert (tags[np.repeat(~mask[:, None], K, axis=1)] == -1).all()
    for row, (emissions, y) in enumerate(p.rows()):
        best, expected = reference.ranked(emissions, p.chain)
        assert_close(found["score"][row], reference.score(emissions, y, p.chain), scale)
        assert_close(found["log_partition"][row], reference.logsumexp(expected), scale)
        number = min(K, len(best))
        assert_close(scores[row, :number], expected[:number], scale)
        assert (scores[row, number:] == -np.inf).all()
        assert (tags[row, number:] == -1).all()
        chosen = tags[row, :number][:, mask[row]]
        assert len({tuple(y) for y in chosen}) == number
        for y, s in zip(chosen, scores[row], strict=False):  # whichever of two equals it is
            assert_close(s, reference.score(emissions, y, p.chain), scale)


@given(problems())
@settings(max_examples=30, deadline=None)
def test_the_tags_are_a_markov_chain(p):
    """The first step's probabilities times those of each step after the one before it."""
    found = results(p)
    marginals, steps = found["marginals"], found["steps"]
    mask = np.ones(p.tags.shape, bool) if p.mask is None else p.mask
    assert_close(steps.sum(axis=-1), np.repeat(mask[:, :, None], p.emissions.shape[-1], 2) * 1.0)
    for row, (emissions, _) in enumerate(p.rows()):
        tags, scores = reference.ranked(emissions, p.chain)
        at, onward = marginals[row, mask[row]], steps[row, mask[row]]
        if not len(at):
            continue
        assert_close(onward[0], np.repeat(at[:1], at.shape[1], axis=0), 1e-4)
        chances = at[0, tags[:, 0]]
        for t in range(1, len(at)):
            chances = chances * onward[t, tags[:, t - 1], tags[:, t]]
            assert_close(at[t - 1] @ onward[t], at[t], 1e-4)
        assert_close(chances, np.exp(scores - reference.logsumexp(scores)), 1e-4)


@given(problems(unknown=True))
@settings(max_examples=30, deadline=None)
def test_unknown_tags(p):
    """The sequences that agree with the known tags, all together."""
    scale = 1e-5 * max(1, abs(p.emissions).max())
    assert_close(results(p)["log_likelihood"], reference.log_likelihood(p), 4 * scale)


def test_no_start_no_end_no_mask():
    p = problem(3, 4, 3)
    bare, zeros = Chain(p.chain.transitions), np.zeros(3, "float32")
    filled = Chain(p.chain.transitions, zeros, zeros)
    everywhere = np.ones((3, 4), bool)
    for function in (linear_chain.log_partition, linear_chain.marginals, linear_chain.viterbi):
        assert_close(function(p.emissions, bare), function(p.emissions, filled, everywhere))


@every_mask
def test_masked_steps_do_not_matter(mask):
    """Neither what they hold, be it infinite, nor their tags; a mask of numbers is one too."""
    p = problem(3, 5, 3, mask)
    noise = np.array([np.inf, -np.inf, np.nan], "float32")
    other = p._replace(
        emissions=np.where(mask[:, :, None], p.emissions, noise),
        tags=np.where(mask, p.tags, [7, -1, 0, -5, 99]),
    )
    one, two = results(p), results(other)
    assert_close(two, one)
    numbers = linear_chain.viterbi(p.emissions, p.chain, mask.astype("int32"))
    assert_close(numbers, one["viterbi"])


@pytest.mark.parametrize("wrong", [3, 99, -2])
def test_what_is_no_tag(wrong):
    """NaN, of that sequence alone, on every backend."""
    p = problem(3, 4, 3)
    p.tags[1, 2] = wrong
    found = numpy(linear_chain.log_likelihood(p.emissions, p.tags, p.chain))
    assert list(np.isnan(found)) == [False, True, False]
    found = numpy(linear_chain.sequence_score(p.emissions, p.tags, p.chain))
    assert list(np.isnan(found)) == [False, True, False]


@pytest.mark.parametrize("k", [1, 2, 9, 30])
def test_k(k):
    """From one, which is Viterbi's, to more than there are."""
    p = problem(2, 2, 3)
    tags, scores = numpy(linear_chain.k_best(p.emissions, p.chain, k))
    for row in range(2):
        best, expected = reference.ranked(p.emissions[row], p.chain)
        assert_close(scores[row, :9], expected[:k])
        np.testing.assert_array_equal(tags[row, :9], best[:k])
        assert (scores[row, 9:] == -np.inf).all() and (tags[row, 9:] == -1).all()


def test_no_sequences_are_no_question():
    p = problem(2, 2, 3)
    with pytest.raises(ValueError, match="k is 0; ask for at least 1"):
        linear_chain.k_best(p.emissions, p.chain, 0)


@pytest.mark.parametrize("mask", [None, *(np.array(m, bool) for m in MASKS.values())])
@pytest.mark.parametrize("known", ["all", "some"])
def test_gradients_are_expected_counts(mask, known):
    p = problem(3, 5, 3, mask)
    if known == "some":
        p.tags[[0, 1, 2, 2], [0, 1, 3, 4]] = -1
    weights = np.array([1.0, -2.0, 0.5], "float32")
    rows = []  # counted by the row, for each has a weight of its own
    for row in (slice(0, 1), slice(1, 2), slice(2, 3)):
        one = Problem(p.emissions[row], p.tags[row], None if mask is None else mask[row], p.chain)
        rows.append((reference.counts(one), reference.counts(one, given=True)))
    everything = [p.emissions, *p.chain]

    def weighted(which):
        parts = [[w * c for c in which(*row)] for w, row in zip(weights, rows, strict=True)]
        first, *others = zip(*parts, strict=True)
        return [np.concatenate(first), *map(sum, others)]

    found = gradients(lambda *s: ops.sum(weights * partition(*s, mask)), [], everything)
    assert_close(found, weighted(lambda every, _: every), 2e-5)
    found = gradients(lambda *s: ops.sum(weights * likelihood(*s, p.tags, mask)), [], everything)
    expected = weighted(lambda every, given: [g - e for g, e in zip(given, every, strict=True)])
    assert_close(found, expected, 2e-5)


def test_gradients_are_differences():
    """Finite ones, of the brute force, one tag unknown."""
    p = problem(2, 3, 2, np.array([[1, 1, 1], [1, 0, 1]], bool))
    p.tags[0, 1] = -1
    everything = [p.emissions, *p.chain]
    found = gradients(lambda *s: ops.sum(likelihood(*s, p.tags, p.mask)), [], everything)
    for which, gradient in enumerate(found):
        for place in np.ndindex(gradient.shape):

            def moved(by, which=which, place=place):
                scores = [np.array(s, "float64") for s in everything]
                scores[which][place] += by
                return reference.log_likelihood(
                    Problem(scores[0], p.tags, p.mask, Chain(*scores[1:]))
                )

            expected = (moved(1e-5) - moved(-1e-5)).sum() / 2e-5
            assert gradient[place] == pytest.approx(expected, abs=2e-5)


def test_gradients_of_a_score():
    p = problem(2, 3, 3, np.array([[1, 1, 1], [0, 0, 0]], bool))
    found = gradients(
        lambda e, *c: ops.sum(linear_chain.sequence_score(e, p.tags, Chain(*c), p.mask)),
        [],
        [p.emissions, *p.chain],
    )
    assert_close(found, reference.counts(p, given=True))
