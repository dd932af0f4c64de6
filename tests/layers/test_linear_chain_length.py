"""The chain over many steps and by other ways of compiling: digits, time, XLA, unknown sizes."""

import time

import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import linear_chain
from lstm_recipes.layers.linear_chain import Chain

from . import chain_reference as reference
from .chain_calls import compiled_all_of_it, likelihood, long_one, partition
from .chain_reference import compiled, problem
from .helpers import MASKS, assert_close, gradients, numpy, tensorflow_only


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_two_thousand_steps(scale):
    """No overflow, and as precise as float32 is."""
    emissions, tags, chain = long_one(2000, scale)
    found = numpy(compiled_all_of_it(emissions, tags, None, *chain))
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
        marginals.append(exact_chances(emissions[row], chain)[0])
        steps = exact_chances(emissions[row], chain)[1]
        assert_close(found["steps"][row, 1:], steps, 1e-4 if scale == 1 else 2e-3)
    assert_close(found["marginals"], np.array(marginals), 1e-4 if scale == 1 else 2e-3)


def exact_chances(emissions: np.ndarray, chain: Chain) -> tuple[np.ndarray, np.ndarray]:
    """p(y_t = k), and p(y_t = k | y_{t-1} = j) from the second step on."""
    transitions, start, end = (np.asarray(part, "float64") for part in chain)
    emissions = emissions.astype("float64")
    alpha, beta = np.zeros_like(emissions), np.zeros_like(emissions)
    alpha[0], beta[-1] = start + emissions[0], end
    for t in range(1, len(emissions)):
        alpha[t] = np.logaddexp.reduce(alpha[t - 1][:, None] + transitions, 0) + emissions[t]
    for t in range(len(emissions) - 1, 0, -1):
        beta[t - 1] = np.logaddexp.reduce(transitions + emissions[t] + beta[t], 1)
    at, steps = alpha + beta, transitions + (emissions + beta)[1:, None]
    parts = (at, steps)
    return tuple(np.exp(p - np.logaddexp.reduce(p, axis=-1, keepdims=True)) for p in parts)


def test_a_long_gradient():
    """At 2,000 steps it is still the marginals, to four digits, whatever the sums come to."""
    emissions, _, chain = long_one(2000, 100.0)
    total = compiled(lambda e: ops.sum(partition(e, *chain)))
    found = gradients(total, [], [emissions])[0]
    assert_close(found, np.array([exact_chances(row, chain)[0] for row in emissions]), 1e-4)


def test_a_likely_sequence_keeps_its_digits():
    """Two sums of some 10^7 differ by little, and that little is right."""
    emissions, _, chain = long_one(2000, 1.0)
    tags = emissions.argmax(axis=-1)
    emissions[np.arange(2)[:, None], np.arange(2000), tags] += 8.0
    shifted = emissions + np.float32(2.0**12)
    found = numpy(compiled_all_of_it(shifted, tags, None, *chain))["log_likelihood"]
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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_precision(dtype):
    """float32 at least, whatever comes in."""
    p = problem(2, 3, 3)
    emissions = ops.cast(p.emissions, dtype)
    found = linear_chain.log_partition(emissions, p.chain)
    rounded = numpy(ops.cast(emissions, "float32"))
    expected = [reference.forward(row, p.chain) for row in rounded]
    assert_close(found, np.array(expected))
