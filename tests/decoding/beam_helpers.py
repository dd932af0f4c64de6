"""Beam search of the reference's models, and what its results are compared by."""

from functools import cache

import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.decoding import Hypotheses, Penalty, beam_search

from .beam_reference import ROWS, Found, Model, Rules, following

VOCABULARY, SENTENCES = 6, 3


def step_of(log_probabilities, attention=None):
    """The reference's model as a step; its state is int32 [batch]."""

    def step(tokens, states, memory):
        states = following(states, tokens)
        maps = None if attention is None else tf.gather(attention, states)
        return tf.gather(log_probabilities, states), states, maps

    return step


class NoBound(Penalty):
    """Changes nothing and promises nothing, so that no sentence stops before `max_length`."""

    def __call__(self, scores, prefixes):
        return scores


@cache
def compiled(rules: Rules, vocabulary: int, source: int, early: bool):
    """The search of a model's tables; traced once for all models and batches."""
    penalties = () if early else (NoBound(),)

    def search(log_probabilities, attention, states, max_length):
        given = {**rules._asdict(), "max_length": max_length}
        step = step_of(log_probabilities, attention)
        return beam_search(step, states, penalties=penalties, **given)

    shapes = [ROWS, vocabulary], [ROWS, source], [None], [None]
    dtypes = "float32", "float32", "int32", "int32"
    return tf.function(search, input_signature=[*map(tf.TensorSpec, shapes, dtypes)])


def search(m: Model, rules: Rules, sentences=range(SENTENCES), max_length=None, early=True):
    """In NumPy; `max_length` may be given for each sentence."""
    if max_length is None:
        max_length = [rules.max_length] * len(sentences)
    sizes = m.log_probabilities.shape[1], m.attention.shape[1]
    numbers = (np.array(part, "int32") for part in (sentences, max_length))
    found = compiled(rules, *sizes, early)(*m, *numbers)
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), found)


def assert_is(found: Hypotheses, row: int, expected: list[Found], flags: bool = True) -> None:
    """A sentence's hypotheses are those, in order, and then there are none."""
    for rank in range(found.scores.shape[1]):
        length = found.lengths[row, rank]
        assert (found.tokens[row, rank, length:] == 1).all()  # the end
        if rank >= len(expected):
            assert found.scores[row, rank] == found.log_probabilities[row, rank] == -np.inf
            assert length == 0 and not found.finished[row, rank]
            continue
        want = expected[rank]
        assert tuple(found.tokens[row, rank, :length]) == want.tokens
        assert found.scores[row, rank] == pytest.approx(want.score, abs=1e-4)
        assert found.log_probabilities[row, rank] == pytest.approx(want.log_probability, abs=1e-4)
        assert not flags or found.finished[row, rank] == want.finished
        attention = found.attention[row, rank]
        np.testing.assert_allclose(attention[:length], want.attention, atol=1e-6)
        assert (attention[length:] == 0).all()


def assert_same(found: Hypotheses, other: Hypotheses) -> None:
    for one, two in zip(found, other, strict=True):
        np.testing.assert_array_equal(one, two)


RULES = [
    Rules(beam=1),
    Rules(beam=1, length_penalty=1.0),
    Rules(beam=3, n_best=3),
    Rules(beam=4, n_best=2, length_penalty=0.6, coverage_penalty=0.3),
    Rules(beam=5, n_best=5, length_penalty=1.0, start=3),
    Rules(beam=3, n_best=3, length_penalty=2.5, max_length=8),
    Rules(beam=4, n_best=4, coverage_penalty=2.0, min_length=2),
    Rules(beam=3, n_best=2, min_length=5, length_penalty=0.2),
    Rules(beam=4, n_best=3, no_repeat_ngram=2, max_length=8),
    Rules(beam=3, n_best=3, no_repeat_ngram=1, max_length=7),
    Rules(beam=12, n_best=12, max_length=2),
]
