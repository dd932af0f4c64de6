"""Beam search against lists, against every sequence there is, and against a plain argmax."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_recipes.decoding import (
    CoveragePenalty,
    Hypotheses,
    LengthPenalty,
    NoRepeatedNgrams,
    Penalty,
    Prefixes,
    beam_search,
)

from . import beam_reference as reference
from .beam_helpers import (
    RULES,
    SENTENCES,
    VOCABULARY,
    NoBound,
    assert_is,
    assert_same,
    search,
    step_of,
)
from .beam_reference import ROWS, Rules

CHAIN = [
    [0, 0.4, 0.3, 0.2, 0.1, 0],
    [0, 0, 1, 0, 0, 0],
    [0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0, 1],
    [0.2, 0.1, 0.2, 0.2, 0.2, 0.3],
]


models = st.integers(0, 10**6), st.sampled_from([0.3, 2.0, 6.0])  # seed and scale
some_rules = st.sampled_from([RULES[i] for i in (1, 3, 5, 7, 8)])


@pytest.mark.parametrize("eager", [True, False])
def test_the_known_answer(eager):
    def chain():
        def step(tokens, states, memory):
            return tf.math.log(tf.gather(CHAIN, tokens)), states, None

        return beam_search(step, tf.zeros([1, 0]), start=0, end=5, beam=3, n_best=3, max_length=10)

    found = chain() if eager else tf.function(chain)()
    tokens = [list(t[:n]) for t, n in zip(found.tokens[0].numpy(), found.lengths[0], strict=True)]
    assert tokens == [[1, 2, 3, 4], [2, 3, 4], [3, 4]]
    np.testing.assert_allclose(found.scores, np.log([[0.4, 0.3, 0.2]]), rtol=1e-6)
    assert found.finished.numpy().all() and found.attention is None
    assert found.tokens.shape == (1, 3, 10) and (found.tokens[0, 2, 2:] == 5).numpy().all()


# Against the references.


@given(st.sampled_from(RULES), *models)
@settings(max_examples=60, deadline=None)
def test_against_lists(rules, seed, scale):
    m = reference.model(VOCABULARY, seed=seed, scale=scale)
    found = search(m, rules)
    for sentence in range(SENTENCES):
        assert_is(found, sentence, reference.beam_search(m, rules, sentence))


@given(
    st.sampled_from(
        [
            Rules(beam=VOCABULARY, n_best=6, max_length=1),
            Rules(beam=VOCABULARY, n_best=6, max_length=1, length_penalty=1.0),
            Rules(beam=VOCABULARY, n_best=3, max_length=1, coverage_penalty=1.0),
            Rules(beam=VOCABULARY, max_length=1, length_penalty=0.6, coverage_penalty=0.2),
        ]
    ),
    *models,
)
@settings(max_examples=40, deadline=None)
def test_two_turns_of_a_beam_like_the_vocabulary_see_everything(rules, seed, scale):
    m = reference.model(VOCABULARY, seed=seed, scale=scale)
    found = search(m, rules)
    for sentence in range(SENTENCES):
        assert_is(found, sentence, reference.exhaustive_search(m, rules, sentence), flags=False)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"length_penalty": 1.0, "coverage_penalty": 1.0},
        {"min_length": 3, "no_repeat_ngram": 2, "length_penalty": 0.4},
    ],
    ids=str,
)
def test_a_beam_of_all_prefixes_sees_everything(options):
    rules = Rules(beam=3**4, n_best=20, max_length=4, **options)
    for seed in range(5):
        m = reference.model(4, seed=seed)
        found = search(m, rules)
        for sentence in range(SENTENCES):
            assert_is(found, sentence, reference.exhaustive_search(m, rules, sentence), flags=False)


def test_the_references_differ():
    """A narrow beam does miss something, or the tests against it would show nothing."""
    rules = Rules(beam=2, max_length=4, length_penalty=0.6)
    missed = 0
    for seed in range(20):
        m = reference.model(4, seed=seed, scale=1.0)
        (seen,), (there,) = reference.beam_search(m, rules), reference.exhaustive_search(m, rules)
        missed += seen.tokens != there.tokens
    assert 0 < missed < 20


@given(*models)
@settings(max_examples=30, deadline=None)
def test_a_beam_of_one_is_an_argmax_loop(seed, scale):
    m = reference.model(VOCABULARY, seed=seed, scale=scale)
    found = search(m, Rules(beam=1, max_length=9))
    for sentence in range(SENTENCES):
        expected = reference.argmax_loop(
            lambda tokens, s=sentence: m.log_probabilities[m.state(s, tokens)], 0, 1, 9
        )
        assert list(found.tokens[sentence, 0, : found.lengths[sentence, 0]]) == expected
        assert len(expected) == 9 or found.finished[sentence, 0]


# Stopping early, and sentences of their own.


@given(some_rules, *models)
@settings(max_examples=40, deadline=None)
def test_stopping_early_changes_nothing(rules, seed, scale):
    m = reference.model(VOCABULARY, seed=seed, scale=scale)
    assert_same(search(m, rules), search(m, rules, early=False))


def turns(**options) -> int:
    """How many steps a search makes: the greatest count that a hypothesis has seen."""
    counted = tf.Variable(0)

    def step(tokens, states, memory):
        counted.assign_add(1)
        return tf.math.log(tf.gather(CHAIN, tokens)), states, None

    beam_search(step, tf.zeros([1, 0]), start=0, end=5, max_length=50, **options)
    return int(counted)


def test_a_sentence_stops_when_no_other_can_be_better():
    assert turns(beam=1) == 5  # 1 2 3 4 and the end, log 0.4, and nothing else is possible
    # After 3 turns 3 4 5 is complete, log 0.2, but log 0.4 and log 0.3 live until the fifth.
    assert turns(beam=3) == turns(beam=3, n_best=3) == 5
    assert turns(beam=3, penalties=[NoBound()]) == 51
    # Half of that which ends at once lives on: under a great α it might win, and it goes on.
    rows = tf.math.log([[0.3, 0.3, 0.2, 0.2]])
    counts = []
    for alpha in (0.0, 0.2, 1.0):
        counted = tf.Variable(0)

        def step(tokens, states, memory, counted=counted):
            counted.assign_add(1)
            return tf.repeat(rows, tf.size(tokens), axis=0), states, None

        options = {"beam": 2, "max_length": 20, "length_penalty": alpha}
        beam_search(step, tf.zeros([1, 0]), start=0, end=1, **options)
        counts.append(int(counted))
    assert counts[0] == 1 < counts[1] < counts[2] <= 21


@given(some_rules, *models)
@settings(max_examples=20, deadline=None)
def test_a_sentence_does_not_depend_on_the_others(rules, seed, scale):
    m = reference.model(VOCABULARY, seed=seed, scale=scale)
    lengths = [rules.max_length, rules.max_length - 1, rules.max_length]
    together = search(m, rules, max_length=lengths)
    turned = search(m, rules, sentences=[2, 0, 1], max_length=[lengths[s] for s in (2, 0, 1)])
    assert_same(together, Hypotheses(*(part[[1, 2, 0]] for part in turned)))
    for sentence, length in enumerate(lengths):
        alone = search(m, rules, sentences=[sentence], max_length=[length])
        width = alone.tokens.shape[2]
        cut = together._replace(
            tokens=together.tokens[:, :, :width], attention=together.attention[:, :, :width]
        )
        assert_same(alone, Hypotheses(*(part[[sentence]] for part in cut)))


def test_each_sentence_has_its_own_limit():
    rules = Rules(beam=3, n_best=3, min_length=6)  # which gives way to a lower limit
    m = reference.model(VOCABULARY, seed=1)
    found = search(m, rules, max_length=[2, 6, 0])
    for sentence, length in enumerate([2, 6, 0]):
        expected = reference.beam_search(m, rules._replace(max_length=length), sentence)
        assert_is(found, sentence, expected)
    assert (found.lengths.T == [2, 6, 0]).all()


def test_sentences_that_are_done_are_left_behind():
    """Each of a row of sentences may say its own token alone, as often as its limit allows."""
    limits, rows = [1, 8, 1, 1, 0, 8, 1, 1], tf.Variable(0)
    own = tf.constant([2, 3, 4, 5, 2, 3, 4, 5])

    def step(tokens, states, memory):
        rows.assign_add(tf.size(tokens))
        tf.debugging.assert_equal(states, memory, "a hypothesis has another sentence's memory")
        return tf.fill([tf.size(tokens), 6], -1.0), states, tf.one_hot(memory, 8)

    def own_only(prefixes: Prefixes, log_p):
        said = tf.one_hot(tf.gather(own, prefixes.sentences), 6, 0.0, -np.inf)
        return tf.maximum(log_p + said[:, None], tf.one_hot(1, 6, -5.0, -np.inf))

    options = {"start": 0, "end": 1, "beam": 2, "min_length": 8, "max_length": tf.constant(limits)}
    places = tf.range(8)
    found = beam_search(step, places, places, constraints=[own_only], **options)
    said = [[token] * limit for token, limit in zip(own.numpy(), limits, strict=True)]
    for tokens, length, there in zip(found.tokens[:, 0], found.lengths[:, 0], said, strict=True):
        assert tokens[:length].numpy().tolist() == there
    attended = found.attention.numpy()[:, 0].sum(axis=1)
    np.testing.assert_array_equal(attended, np.diag(limits))
    # Two turns of all 8, then the 2 that are not done go on for 7.
    assert int(rows) == 2 * 8 * 2 + 7 * 2 * 2


def test_an_empty_batch():
    found = search(reference.model(VOCABULARY), Rules(beam=2), sentences=[])
    assert found.tokens.shape[:2] == found.scores.shape == (0, 1)


# Rules.


def test_least_and_most_tokens():
    m = reference.model(VOCABULARY, seed=4)
    for least, most in ((0, 1), (3, 4), (5, 5)):
        found = search(m, Rules(beam=4, n_best=4, min_length=least, max_length=most))
        there = found.scores > -np.inf
        assert there.any() and (found.lengths[there] >= least).all()
        assert (found.lengths <= most).all()


def test_a_cut_hypothesis_pays_for_its_end_and_says_so():
    chances = np.full((1, 4), 0.1, "float32")
    chances[0, 3] = 0.7

    def step(tokens, states, memory):
        return tf.repeat(tf.math.log(chances), tf.size(tokens), axis=0), states, None

    found = beam_search(step, tf.zeros([1, 0]), start=0, end=1, beam=1, max_length=3)
    assert found.tokens.numpy().tolist() == [[[3, 3, 3]]]
    assert found.scores.numpy() == pytest.approx(np.log([[0.7**3 * 0.1]]))
    assert not found.finished.numpy()


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_no_repeated_ngrams(n):
    """A model that would say the same for ever."""
    chances = tf.math.log([[0.4, 0.001, 0.299, 0.3]])

    def step(tokens, states, memory):
        return tf.repeat(chances, tf.size(tokens), axis=0), states, None

    options = {"start": 0, "end": 1, "beam": 3, "n_best": 3, "min_length": 3, "max_length": 8}
    found = beam_search(step, tf.zeros([2, 0]), no_repeat_ngram=n, **options)
    again = beam_search(step, tf.zeros([2, 0]), constraints=[NoRepeatedNgrams(n)], **options)
    assert_same(found[:-1], again[:-1])
    for tokens, length in zip(found.tokens[0].numpy(), found.lengths[0].numpy(), strict=True):
        assert length >= 3 and not reference.repeats(tuple(tokens[:length]), n)
    if n == 9:  # more than there is room for: no rule
        plain = beam_search(step, tf.zeros([2, 0]), **options)
        assert_same(found[:-1], plain[:-1])


def test_constraints_and_penalties_of_ones_own():
    m = reference.model(VOCABULARY, seed=2)
    step = step_of(*map(tf.constant, m))
    options = {"start": 0, "end": 1, "beam": 4, "n_best": 4, "max_length": 5}
    plain = beam_search(step, tf.range(2), **options)

    def odd_only(prefixes: Prefixes, log_p):
        return tf.where(tf.range(VOCABULARY) % 2 == 1, log_p, -np.inf)

    found = beam_search(step, tf.range(2), constraints=[odd_only], **options)
    assert (found.tokens.numpy() % 2 == 1).all() and (plain.tokens.numpy() % 2 == 0).any()

    class Longest(Penalty):
        def __call__(self, scores, prefixes):
            return scores + 100.0 * tf.cast(prefixes.length, tf.float32)

    found = beam_search(step, tf.range(2), penalties=[Longest()], **options)
    assert (found.lengths.numpy() == 5).all()
    assert (np.diff(found.scores) <= 0).all()

    given = beam_search(step, tf.range(2), length_penalty=0.6, coverage_penalty=0.2, **options)
    made = [LengthPenalty(0.6), CoveragePenalty(0.2)]
    assert_same(given, beam_search(step, tf.range(2), penalties=made, **options))


def test_padding_is_not_missing_coverage():
    m = reference.model(VOCABULARY, source=3, seed=6)
    padded = m._replace(attention=np.pad(m.attention, [(0, 0), (0, 2)]))
    rules = RULES[3]
    found, other = search(m, rules), search(padded, rules)
    assert (found.scores < 0).all()
    assert_same(found[:-1], other[:-1])


# -inf.


@pytest.mark.parametrize("rules", [RULES[3], RULES[8], Rules(beam=10, n_best=10)], ids=str)
def test_what_is_forbidden_never_is_and_never_breaks_anything(rules):
    rng = np.random.default_rng(0)
    for seed in range(10):
        m = reference.model(VOCABULARY, seed=seed)
        some = rng.random(m.log_probabilities.shape) < 0.7
        some[rng.random(ROWS) < 0.2] = True  # and after some prefixes nothing is possible
        m.log_probabilities[some] = -np.inf
        found = search(m, rules)
        for part in (found.scores, found.log_probabilities, found.attention):
            assert not np.isnan(part).any()
        for sentence in range(SENTENCES):
            assert_is(found, sentence, reference.beam_search(m, rules, sentence))


def test_nothing_is_possible():
    m = reference.model(VOCABULARY)
    m.log_probabilities[:] = -np.inf
    found = search(m, RULES[3])
    assert (found.scores == -np.inf).all() and not found.finished.any()
