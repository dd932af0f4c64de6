"""The chain against brute force: scores, sums, best sequences, gradients, constraints, length."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from lstm_recipes.layers import linear_chain
from lstm_recipes.layers.linear_chain import IMPOSSIBLE, Chain

from . import chain_reference as reference
from .chain_reference import Problem, compiled, problem, problems
from .helpers import MASKS, assert_close, every_mask, gradients, numpy, tensorflow_only

EMISSIONS = np.array([[[4, 5, -3], [3, -1, 3], [-1, 2, 1]]], "float32")
TRANSITIONS = np.array([[-3, 5, -2], [3, 4, 1], [1, 2, 1]], "float32")
K = 4


def all_of_it(emissions, tags, mask, transitions, start, end):
    chain = Chain(transitions, start, end)
    return {
        "score": linear_chain.sequence_score(emissions, ops.maximum(tags, 0), chain, mask),
        "log_partition": linear_chain.log_partition(emissions, chain, mask),
        "log_likelihood": linear_chain.log_likelihood(emissions, tags, chain, mask),
        "marginals": linear_chain.marginals(emissions, chain, mask),
        "viterbi": linear_chain.viterbi(emissions, chain, mask),
        "k_best": linear_chain.k_best(emissions, chain, K, mask),
    }


_all_of_it = compiled(all_of_it)


def results(p: Problem) -> dict:
    return numpy(_all_of_it(p.emissions, p.tags, p.mask, *p.chain))


def likelihood(emissions, transitions, start, end, tags, mask=None):
    return linear_chain.log_likelihood(emissions, tags, Chain(transitions, start, end), mask)


def partition(emissions, transitions, start, end, mask=None):
    return linear_chain.log_partition(emissions, Chain(transitions, start, end), mask)


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


def long_one(length: int, scale: float) -> tuple[np.ndarray, np.ndarray, Chain]:
    p = problem(2, length, 5, seed=1, scale=scale)
    chain = Chain(*(part / scale for part in p.chain))
    return p.emissions, numpy(ops.convert_to_tensor(p.tags)), chain


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_two_thousand_steps(scale):
    """No overflow, and as precise as float32 is."""
    emissions, tags, chain = long_one(2000, scale)
    found = numpy(_all_of_it(emissions, tags, None, *chain))
    marginals = []
    for row in range(2):
        total = reference.forward(emissions[row], chain)
        score = reference.score(emissions[row], tags[row], chain)
        np.testing.assert_allclose(found["log_partition"][row], total, rtol=2e-6)
        np.testing.assert_allclose(found["score"][row], score, rtol=2e-6, atol=1e-6 * abs(total))
        np.testing.assert_allclose(found["log_likelihood"][row], score - total, rtol=2e-6)
        best = found["viterbi"][0][row]
        np.testing.assert_allclose(
            found["viterbi"][1][row], reference.score(emissions[row], best, chain), rtol=2e-6
        )
        np.testing.assert_array_equal(best, found["k_best"][0][row, 0])
        marginals.append(exact_marginals(emissions[row], chain))
    assert_close(found["marginals"], np.array(marginals), 1e-4 if scale == 1 else 2e-3)


def exact_marginals(emissions: np.ndarray, chain: Chain) -> np.ndarray:
    transitions, start, end = (np.asarray(part, "float64") for part in chain)
    emissions = emissions.astype("float64")
    alpha, beta = np.zeros_like(emissions), np.zeros_like(emissions)
    alpha[0], beta[-1] = start + emissions[0], end
    for t in range(1, len(emissions)):
        alpha[t] = np.logaddexp.reduce(alpha[t - 1][:, None] + transitions, 0) + emissions[t]
    for t in range(len(emissions) - 1, 0, -1):
        beta[t - 1] = np.logaddexp.reduce(transitions + emissions[t] + beta[t], 1)
    total = alpha + beta
    return np.exp(total - np.logaddexp.reduce(total, axis=1, keepdims=True))


def test_a_long_gradient():
    """At 2,000 steps it is still the marginals, to four digits, whatever the sums come to."""
    emissions, _, chain = long_one(2000, 100.0)
    total = compiled(lambda e: ops.sum(partition(e, *chain)))
    found = gradients(total, [], [emissions])[0]
    assert_close(found, np.array([exact_marginals(row, chain) for row in emissions]), 1e-4)


def test_a_likely_sequence_keeps_its_digits():
    """Two sums of some 10^7 differ by little, and that little is right."""
    emissions, _, chain = long_one(2000, 1.0)
    tags = emissions.argmax(axis=-1)
    emissions[np.arange(2)[:, None], np.arange(2000), tags] += 8.0
    shifted = emissions + np.float32(2.0**12)
    found = numpy(_all_of_it(shifted, tags, None, *chain))["log_likelihood"]
    for row in range(2):
        e = shifted[row]
        expected = reference.score(e, tags[row], chain) - reference.forward(e, chain)
        assert found[row] == pytest.approx(expected, rel=1e-4, abs=1e-3)


def test_time_grows_with_length():
    """Four times the length, some four times the time: sixteen if every step saw all others."""
    step = compiled(lambda e, y, *c: likelihood(e, *c, y))
    seconds = {}
    for length in (500, 2000):
        emissions, tags, chain = long_one(length, 1.0)
        arguments = [ops.convert_to_tensor(a) for a in (emissions, tags, *chain)]
        numpy(step(*arguments))
        seconds[length] = np.inf
        for _ in range(5):
            start = time.perf_counter()
            numpy(step(*arguments))
            seconds[length] = min(seconds[length], time.perf_counter() - start)
    assert seconds[2000] < 10 * seconds[500]


@tensorflow_only
def test_xla():
    """What XLA compiles is equal, gradients too, at one step as well."""
    import tensorflow as tf

    def both(emissions, tags, mask, *chain):
        with tf.GradientTape() as tape:
            tape.watch([emissions, *chain])
            loss = tf.reduce_sum(likelihood(emissions, *chain, tags, mask))
        best = linear_chain.k_best(emissions, Chain(*chain), 2, mask)
        chances = linear_chain.marginals(emissions, Chain(*chain), mask)
        return loss, tape.gradient(loss, [emissions, *chain]), best, chances

    fast = tf.function(both, jit_compile=True)
    for length in (4, 1):
        p = problem(3, length, 3, np.array(MASKS["all of a row"], bool)[:, :length])
        p.tags[1, 0] = -1
        arguments = [tf.constant(a) for a in (p.emissions, p.tags, p.mask, *p.chain)]
        assert_close(fast(*arguments), both(*arguments), 1e-5)


@tensorflow_only
def test_unknown_sizes():
    """Batch and time may be unknown when the graph is made."""
    import tensorflow as tf

    p = problem(3, 5, 3, np.array(MASKS["gaps"], bool))
    chain = [tf.constant(part) for part in p.chain]
    sizes = [
        tf.TensorSpec([None, None, 3]),
        tf.TensorSpec([None, None], "int32"),
        tf.TensorSpec([None, None], "bool"),
    ]

    def some(emissions, tags, mask):
        best = linear_chain.viterbi(emissions, Chain(*chain), mask)
        return likelihood(emissions, *chain, tags, mask), best

    graph = tf.function(some, input_signature=sizes)
    for stop in (5, 1):
        part = p.emissions[:, :stop], p.tags[:, :stop].astype("int32"), p.mask[:, :stop]
        assert_close(graph(*part), some(*part))


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
    found = numpy(_all_of_it(p.emissions, p.tags, p.mask, *chain))
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
    found = _all_of_it(emissions, tags, None, *numpy(tuple(chain.constrained(allowed))))
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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_precision(dtype):
    """float32 at least, whatever comes in."""
    p = problem(2, 3, 3)
    emissions = ops.cast(p.emissions, dtype)
    found = linear_chain.log_partition(emissions, p.chain)
    rounded = numpy(ops.cast(emissions, "float32"))
    expected = [reference.forward(row, p.chain) for row in rounded]
    assert_close(found, np.array(expected))
