"""Beam search over ensembles and a recurrent decoder, compiled and saved; and its errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.decoding import beam_search, ensemble

from . import beam_reference as reference
from .beam_helpers import RULES, VOCABULARY, step_of
from .beam_reference import ROWS, following

# Ensembles.


@pytest.mark.parametrize("rules", [RULES[3], RULES[6]], ids=str)
def test_one_model_twice_is_one_model(rules):
    m = reference.model(VOCABULARY, seed=3)
    step = step_of(*map(tf.constant, m))
    one = beam_search(step, tf.range(3), **rules._asdict())
    two = beam_search(ensemble([step, step]), (tf.range(3), tf.range(3)), **rules._asdict())
    for part, other in zip(one, two, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-5, atol=1e-5)


def test_an_ensemble_is_the_mean():
    models = [reference.model(VOCABULARY, seed=seed) for seed in (1, 2)]
    for m in models:
        m.log_probabilities[0, 2] = -np.inf
    models[0].log_probabilities[5] = -np.inf
    steps = [step_of(*map(tf.constant, m)) for m in models]
    tokens, states = tf.constant([1, 2, 3]), (tf.constant([4, 5, 6]), tf.constant([1, 2, 3]))
    log_p, after, attention = ensemble(steps)(tokens, states, ())
    mean = np.zeros((3, VOCABULARY))
    for m, own, new in zip(models, states, after, strict=True):
        np.testing.assert_array_equal(new, following(own, tokens))
        mean += m.log_probabilities[new.numpy()] / 2
    mean -= np.logaddexp.reduce(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(log_p, mean, atol=1e-5)
    expected = sum(m.attention[new.numpy()] for m, new in zip(models, after, strict=True)) / 2
    np.testing.assert_allclose(attention, expected, atol=1e-6)


def test_an_ensemble_of_nothing_possible_is_no_nan():
    never = tf.fill([1, 3], -np.inf)
    log_p, _, attention = ensemble([lambda t, s, m: (never, s, None)] * 2)(
        tf.constant([0]), (0, 0), ()
    )
    assert (log_p.numpy() == -np.inf).all() and attention is None


def test_ensembles_that_cannot_be():
    with pytest.raises(ValueError, match="at least one step"):
        ensemble([])
    with pytest.raises(ValueError, match="2 steps need as many states; received 1"):
        ensemble([step_of(None)] * 2)(tf.constant([0]), (0,), ())
    with pytest.raises(ValueError, match="2 steps need as many memories; received 3"):
        ensemble([step_of(None)] * 2)(tf.constant([0]), (0, 0), (1, 1, 1))


# A recurrent decoder, compiled, saved and in half precision.


class Translator(tf.Module):
    """An LSTM over its own words that attends to a memory, of which only `memory` is given."""

    def __init__(self):
        keras.utils.set_random_seed(1)
        self.embedding = keras.layers.Embedding(20, 8)
        self.cell = keras.layers.LSTMCell(8)
        self.out = keras.layers.Dense(20, kernel_initializer="random_normal")
        self.embedding.build((None,))
        self.cell.build((None, 16))
        self.out.build((None, 8))
        self.out.kernel.assign(5 * self.out.kernel)

    def step(self, tokens, states, memory):
        h, c, context = states
        inputs = tf.concat([self.embedding(tokens), context], axis=1)
        h, (h, c) = self.cell(inputs, [h, c])
        weights = tf.nn.softmax(tf.einsum("nsu,nu->ns", memory, h))
        context = tf.einsum("nsu,ns->nu", memory, weights)
        return tf.nn.log_softmax(self.out(h)), [h, c, context], weights

    def states(self, memory):
        return [tf.reduce_mean(memory, axis=1)] + [tf.zeros([tf.shape(memory)[0], 8])] * 2

    @tf.function(input_signature=[tf.TensorSpec([None, None, 8]), tf.TensorSpec([None], tf.int32)])
    def translate(self, memory, max_length):
        return beam_search(
            self.step,
            self.states(memory),
            memory,
            start=0,
            end=1,
            beam=4,
            n_best=2,
            max_length=max_length,
            length_penalty=0.6,
            coverage_penalty=0.2,
            no_repeat_ngram=3,
        )._asdict()


def test_a_search_can_be_saved(tmp_path):
    model = Translator()
    memory = tf.random.stateless_normal([3, 5, 8], seed=[1, 2])
    found = model.translate(memory, [6, 9, 7])
    tf.saved_model.save(model, tmp_path / "saved")
    loaded = tf.saved_model.load(tmp_path / "saved")
    again = loaded.translate(memory, tf.constant([6, 9, 7]))
    assert found.keys() == again.keys()
    for name, part in found.items():
        np.testing.assert_array_equal(part, again[name], err_msg=name)
    assert found["tokens"].shape == (3, 2, 9) and found["attention"].shape == (3, 2, 9, 5)
    assert len(np.unique(found["tokens"])) > 3
    longer = tf.random.stateless_normal([1, 8, 8], seed=[3, 4])
    assert loaded.translate(longer, tf.constant([4]))["attention"].shape == (1, 2, 4, 8)


def test_scores_are_those_of_reading_the_hypothesis_again():
    model = Translator()
    memory = tf.random.stateless_normal([3, 5, 8], seed=[1, 2])
    found = model.translate(memory, [6, 9, 7])
    states, last = model.states(memory), tf.zeros([3], tf.int32)
    total, best = np.zeros(3), found["tokens"][:, 0]
    for t in range(best.shape[1] + 1):
        log_p, states, attention = model.step(last, states, memory)
        last = best[:, t] if t < best.shape[1] else tf.ones([3], tf.int32)
        under_way = found["lengths"][:, 0].numpy() >= t
        total += np.where(under_way, tf.gather(log_p, last, batch_dims=1), 0)
        if t < best.shape[1]:
            written = np.where(t < found["lengths"][:, :1], attention, 0)
            np.testing.assert_allclose(found["attention"][:, 0, t], written, atol=1e-5)
    np.testing.assert_allclose(found["log_probabilities"][:, 0], total, rtol=1e-5)


def test_xla():
    m = reference.model(VOCABULARY, seed=5)
    states = tf.range(3)

    def both(states):
        options = RULES[3]._asdict() | {"no_repeat_ngram": 2}
        return beam_search(step_of(*map(tf.constant, m)), states, **options)

    fast, plain = tf.function(both, jit_compile=True)(states), tf.function(both)(states)
    for part, other in zip(fast, plain, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-5, atol=1e-6)


def test_half_precision_keeps_its_states():
    m = reference.model(VOCABULARY)

    def step(tokens, states, memory):
        count, half = states["count"], states["half"]
        log_p, count, attention = step_of(*map(tf.constant, m))(tokens, count, memory)
        half += tf.cast(tokens, half.dtype)[:, None]
        return tf.cast(log_p, "bfloat16"), {"half": half, "count": count}, attention

    states = {"count": tf.range(2), "half": tf.zeros([2, 3], "bfloat16")}
    found = beam_search(step, states, **RULES[3]._asdict())
    assert found.scores.dtype == tf.float32 and np.isfinite(found.scores).all()


# Errors.


@pytest.mark.parametrize(
    "options, message",
    [
        ({"beam": 0}, "beam is 0; give a whole number of at least 1"),
        ({"beam": 2, "n_best": 3}, "n_best is 3; give a whole number from 1 to the beam, 2"),
        ({"n_best": 0}, "n_best is 0"),
        ({"end": 6}, "end is 6, and the vocabulary goes from 0 to 5"),
        ({"end": -1}, "end is -1; give a token"),
        ({"max_length": 0}, "max_length is 0 and min_length 0"),
        ({"max_length": 3, "min_length": 4}, "max_length is 3 and min_length 4"),
        ({"min_length": -1}, "min_length is -1"),
        ({"length_penalty": -0.5}, "length_penalty is -0.5; give 0"),
        ({"length_penalty": float("nan")}, "length_penalty is nan"),
        ({"coverage_penalty": -1.0}, "coverage_penalty is -1.0; give 0"),
        ({"coverage_penalty": 1.0}, "a coverage penalty needs attention"),
        ({"no_repeat_ngram": -2}, "no_repeat_ngram is -2"),
    ],
)
def test_numbers_out_of_range(options, message):
    step = step_of(tf.zeros([ROWS, VOCABULARY]))
    with pytest.raises(ValueError, match=message):
        beam_search(step, tf.range(2), **({"start": 0, "end": 1, "max_length": 5} | options))


@pytest.mark.parametrize(
    "step, message",
    [
        (lambda t, s, m: (tf.zeros([10, 4]), s), "a step returns .log_probabilities, states, att"),
        (lambda t, s, m: (tf.zeros([10]), s, None), "vocabulary a known number; received .10,"),
        (lambda t, s, m: (tf.zeros([10, 4]), [s, s], None), r"given \[\('float32'.* and returned"),
        (lambda t, s, m: (tf.zeros([10, 4]), s[:, :2], None), "returns states like those"),
        (lambda t, s, m: (tf.zeros([10, 4]), tf.cast(s, "float16"), None), "returned .*'float16'"),
    ],
)
def test_steps_that_cannot_be(step, message):
    with pytest.raises(ValueError, match=message):
        beam_search(step, tf.zeros([2, 3]), start=0, end=1, max_length=5)


def test_a_search_without_states():
    with pytest.raises(ValueError, match="states have no tensors"):
        beam_search(lambda t, s, m: (tf.zeros([5, 4]), s, None), (), start=0, end=1, max_length=5)
