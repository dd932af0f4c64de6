"""All that the chain's functions say of a problem, in one call that is compiled for each shape."""

import numpy as np
from keras import ops

from lstm_recipes.layers import linear_chain
from lstm_recipes.layers.linear_chain import Chain

from .chain_reference import Problem, compiled, problem
from .helpers import numpy

K = 4


def all_of_it(emissions, tags, mask, transitions, start, end):
    chain = Chain(transitions, start, end)
    return {
        "score": linear_chain.sequence_score(emissions, ops.maximum(tags, 0), chain, mask),
        "log_partition": linear_chain.log_partition(emissions, chain, mask),
        "log_likelihood": linear_chain.log_likelihood(emissions, tags, chain, mask),
        "marginals": linear_chain.marginals(emissions, chain, mask),
        "steps": linear_chain.transition_probabilities(emissions, chain, mask),
        "viterbi": linear_chain.viterbi(emissions, chain, mask),
        "k_best": linear_chain.k_best(emissions, chain, K, mask),
    }


compiled_all_of_it = compiled(all_of_it)


def results(p: Problem) -> dict:
    return numpy(compiled_all_of_it(p.emissions, p.tags, p.mask, *p.chain))


def likelihood(emissions, transitions, start, end, tags, mask=None):
    return linear_chain.log_likelihood(emissions, tags, Chain(transitions, start, end), mask)


def partition(emissions, transitions, start, end, mask=None):
    return linear_chain.log_partition(emissions, Chain(transitions, start, end), mask)


def long_one(length: int, scale: float) -> tuple[np.ndarray, np.ndarray, Chain]:
    p = problem(2, length, 5, seed=1, scale=scale)
    chain = Chain(*(part / scale for part in p.chain))
    return p.emissions, numpy(ops.convert_to_tensor(p.tags)), chain
