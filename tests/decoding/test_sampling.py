"""The loop against the model called step by step, and the samplers against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.decoding import Generator, make_sampler
from lstm_recipes.errors import UserError
from lstm_recipes.models.char_lm import LAYERS, char_lm, initial_state

VOCABULARY = 11


def lively(model: keras.Model) -> keras.Model:
    """The model with weights large enough that its text does not settle on one character."""
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 1.5, w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return lively(char_lm(VOCABULARY, units=8, embedding=4))


def chain(logits: np.ndarray) -> keras.Model:
    """A model that is a Markov chain: after character i the logits are `logits[i]`."""
    tokens, state = keras.Input((None,), dtype="int32"), keras.Input((1,))
    table = keras.layers.Embedding(*logits.shape)
    model = keras.Model([tokens, state], [table(tokens), keras.layers.Identity()(state)])
    model.set_weights([logits])
    return model


def prompt(batch: int = 1, n: int = 5) -> np.ndarray:
    return np.random.default_rng(2).integers(0, VOCABULARY, (batch, n))


def text(generator: Generator, *args, **kwargs) -> np.ndarray:
    return np.concatenate(list(generator.generate(*args, **kwargs)), axis=1)


def greedy_by_hand(model: keras.Model, ids: np.ndarray, length: int) -> np.ndarray:
    """The whole prompt in one call of the model, then one call for each character."""
    logits, *states = model([tf.constant(ids, tf.int32), *initial_state(model, len(ids))])
    written = []
    for _ in range(length):
        written.append(np.argmax(logits[:, -1], axis=-1))
        logits, *states = model([tf.constant(written[-1][:, None], tf.int32), *states])
    return np.stack(written, axis=1)


# The loop.


@pytest.mark.parametrize("layer", LAYERS)
def test_greedy_text_is_the_argmax_of_step_by_step_calls(layer):
    model = lively(char_lm(VOCABULARY, layer=layer, layers=2, units=8, embedding=4, dropout=0.5))
    ids = prompt(batch=3)
    written = text(Generator(model, make_sampler(temperature=0)), ids, 80)
    np.testing.assert_array_equal(written, greedy_by_hand(model, ids, 80))
    assert len(np.unique(written)) > 2  # a text that is one character long shows nothing


def test_greedy_text_without_xla(model):
    written = text(Generator(model, make_sampler(temperature=0), jit_compile=False), prompt(), 100)
    np.testing.assert_array_equal(written, greedy_by_hand(model, prompt(), 100))


def test_prompts_of_any_length_are_read_whole_and_traced_once(model):
    generator = Generator(model, make_sampler(temperature=0))
    for n in (1, 2, 63, 64, 65, 66, 200):
        ids = prompt(n=n)
        written = text(generator, ids, 20)
        np.testing.assert_array_equal(written, greedy_by_hand(model, ids, 20), err_msg=f"{n=}")
    for length in (1, 64, 65):
        assert text(generator, prompt(), length).shape == (1, length)
    assert generator._write.experimental_get_tracing_count() == 1


def test_rows_of_a_batch_do_not_mix(model):
    generator = Generator(model, make_sampler(temperature=0))
    together = text(generator, prompt(batch=4), 50)
    alone = [text(generator, row[None], 50)[0] for row in prompt(batch=4)]
    np.testing.assert_array_equal(together, alone)


def test_chunks_are_ints_of_at_most_64_that_come_one_by_one(model):
    generator = Generator(model, make_sampler(seed=1))
    chunks = generator.generate(prompt(batch=2), 150)
    assert not isinstance(chunks, list)
    shapes = [(chunk.shape, chunk.dtype) for chunk in chunks]
    assert [shape for shape, _ in shapes] == [(2, 60), (2, 64), (2, 26)]  # 4 were the prompt's
    assert {dtype for _, dtype in shapes} == {np.dtype(np.int32)}


@pytest.mark.parametrize("temperature", [0, 1])
def test_going_on_from_the_carry_is_the_same_text(model, temperature):
    sampler = make_sampler(temperature, seed=3)
    generator = Generator(model, sampler)
    whole = text(generator, prompt(batch=2), 150)
    first = text(generator, prompt(batch=2), 100)
    rest = text(generator, None, 50, carry=generator.carry)
    np.testing.assert_array_equal(np.concatenate([first, rest], axis=1), whole)
    text(generator, prompt(batch=2), 100)
    elsewhere = text(Generator(model, sampler, chunk=9), None, 50, carry=generator.carry)
    np.testing.assert_array_equal(elsewhere, rest)


def test_a_reader_who_stops_early_goes_on_where_they_stopped(model):
    generator = Generator(model, make_sampler(seed=3), chunk=10)
    whole = text(generator, prompt(), 60)
    chunks = generator.generate(prompt(), 60)
    read = np.concatenate([next(chunks), next(chunks)], axis=1)
    rest = text(generator, None, 60 - read.shape[1], carry=generator.carry)
    np.testing.assert_array_equal(np.concatenate([read, rest], axis=1), whole)


def test_a_prompt_in_two_parts_is_one_prompt(model):
    generator = Generator(model, make_sampler(seed=3))
    ids = prompt(n=100)
    whole = text(generator, ids, 30)
    assert list(generator.generate(ids[:, :40], 0)) == []
    np.testing.assert_array_equal(text(generator, ids[:, 40:], 30, carry=generator.carry), whole)


def test_the_carried_state_is_the_models(model):
    generator = Generator(model, make_sampler(temperature=0))
    written = text(generator, prompt(batch=2), 70)
    read = np.concatenate([prompt(batch=2), written[:, :-1]], axis=1)
    _, *states = model([tf.constant(read, tf.int32), *initial_state(model, 2)])
    for carried, state in zip(generator.carry.states, states, strict=True):
        # Weights as large as these make the rounding of 75 steps grow.
        np.testing.assert_allclose(carried, state, atol=1e-4)
    np.testing.assert_array_equal(generator.carry.last, written[:, -1])
    assert generator.carry.position == 75


def test_new_weights_are_seen(model):
    other = keras.models.clone_model(model)
    generator = Generator(other, make_sampler(temperature=0))
    text(generator, prompt(), 5)
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(
        text(generator, prompt(), 50), greedy_by_hand(model, prompt(), 50)
    )


@pytest.mark.parametrize("layer", ["forget", "keras_lstm"])
def test_mixed_precision_keeps_the_dtype_of_each_state(layer):
    model = char_lm(VOCABULARY, layer=layer, units=8, embedding=4, precision="mixed_bfloat16")
    generator = Generator(model, make_sampler(seed=1))
    assert text(generator, prompt(batch=2), 70).shape == (2, 70)
    wanted = [state.dtype for state in model.inputs[1:]]
    assert [state.dtype.name for state in generator.carry.states] == wanted


def test_the_model_is_left_as_it_was(model):
    text(Generator(model, make_sampler(seed=1)), prompt(), 5)
    assert not any(layer.unroll for layer in model.layers if isinstance(layer, keras.layers.RNN))
    model(  # would fail if the layers still unrolled: the time is None while fit traces
        [keras.Input((None,), dtype="int32"), *(keras.Input((8,)) for _ in range(2))]
    )


# Seeds.


def test_the_same_seed_gives_the_same_text_whatever_the_chunks(model):
    one, again, *pieces = (
        text(Generator(model, make_sampler(seed=1), chunk=chunk), prompt(batch=2), 150)
        for chunk in (64, 64, 7, 1)
    )
    for other in (again, *pieces):
        np.testing.assert_array_equal(other, one)


def test_other_seeds_give_other_texts(model):
    generators = [Generator(model, make_sampler(seed=None)) for _ in range(2)]
    one, other = (text(generator, prompt(), 100) for generator in generators)
    assert (one != other).any()
    texts = {one.tobytes()}
    for generators[0].seed in (0, 1, 2, 2**31 + 3, -1):
        texts.add(text(generators[0], prompt(), 100).tobytes())
    assert len(texts) == 6


def test_a_generator_repeats_itself_and_its_seed_can_change(model):
    generator = Generator(model, make_sampler(seed=1))
    one = text(generator, prompt(), 50)
    np.testing.assert_array_equal(text(generator, prompt(), 50), one)
    generator.seed = 2
    two = text(generator, prompt(), 50)
    np.testing.assert_array_equal(two, text(Generator(model, make_sampler(seed=2)), prompt(), 50))
    assert (one != two).any()
    assert generator._write.experimental_get_tracing_count() == 1


def test_draws_are_independent_over_rows_positions_and_seeds():
    uniform = chain(np.zeros((4, 4), "float32"))

    def sampled(seed):
        return text(Generator(uniform, make_sampler(seed=seed)), np.zeros((64, 1), int), 300)

    ids = sampled(1)
    for one, other in (
        (ids[:, 1:], ids[:, :-1]),
        (ids[1:], ids[:-1]),
        (ids, sampled(2)),
        (ids[:, 1:], sampled(2)[:, :-1]),
    ):
        pairs = np.bincount((4 * one + other).ravel(), minlength=16)
        expected = one.size / 16
        assert ((pairs - expected) ** 2 / expected).sum() < 37.7  # chi-square, 15 degrees, 0.1 %


# What is drawn.


def kept(logits: np.ndarray, temperature=1.0, top_k=None, top_p=None) -> np.ndarray:
    """The probabilities of one row of logits after the filters, the plain way."""
    logits = logits.astype("float64") / temperature
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    order = np.argsort(-probabilities)
    total, chosen = 0.0, []
    for index in order[:top_k]:
        chosen.append(index)
        total += probabilities[index]
        if top_p is not None and total > top_p:
            break
    result = np.zeros_like(probabilities)
    result[chosen] = probabilities[chosen]
    return result / result.sum()


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"temperature": 0.5},
        {"temperature": 3.0},
        {"top_k": 3},
        {"top_k": 3, "temperature": 2.0},
        {"top_p": 0.7},
        {"top_p": 0.01},
        {"top_p": 1.0},
        {"top_p": 0.9, "temperature": 0.7},
        {"top_k": 4, "top_p": 0.8},
        {"top_k": 2, "top_p": 0.99},
        {"top_k": 100},
        {"top_k": 100, "top_p": 0.7},
    ],
    ids=str,
)
def test_frequencies_are_those_of_the_filtered_softmax(rule):
    logits = np.random.default_rng(5).normal(0, 1.5, (6, 6)).astype("float32")
    expected = np.stack([kept(row, **rule) for row in logits])
    sampler = make_sampler(**rule, seed=7)
    ids = text(Generator(chain(logits), sampler), np.arange(60)[:, None] % 6, 500)
    counts = np.zeros((6, 6))
    np.add.at(counts, (ids[:, :-1], ids[:, 1:]), 1)
    assert counts[expected == 0].sum() == 0  # nothing that the filters took away, ever
    expected *= counts.sum(axis=1, keepdims=True)
    seen = expected > 0
    freedom = seen.sum() - (counts.sum(axis=1) > 0).sum()
    distance = ((counts - expected)[seen] ** 2 / expected[seen]).sum()
    assert distance <= freedom + 4 * np.sqrt(2 * freedom)


def test_the_frequency_test_can_fail():
    """The same measure, with probabilities that are a little wrong."""
    logits = np.random.default_rng(5).normal(0, 1.5, (6, 6)).astype("float32")
    ids = text(Generator(chain(logits), make_sampler(seed=7)), np.arange(60)[:, None] % 6, 500)
    counts = np.zeros((6, 6))
    np.add.at(counts, (ids[:, :-1], ids[:, 1:]), 1)
    expected = np.stack([kept(row, temperature=1.05) for row in logits])
    expected *= counts.sum(axis=1, keepdims=True)
    assert ((counts - expected) ** 2 / expected).sum() > 30 + 4 * np.sqrt(60)


@pytest.mark.parametrize("rule", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}], ids=str)
def test_the_narrowest_rules_are_greedy(model, rule):
    greedy = text(Generator(model, make_sampler(temperature=0, top_k=5)), prompt(), 100)
    np.testing.assert_array_equal(
        text(Generator(model, make_sampler(**rule, seed=1)), prompt(), 100), greedy
    )


def test_a_temperature_next_to_nothing_is_greedy_and_not_a_division_by_zero(model):
    greedy = text(Generator(model, make_sampler(temperature=0)), prompt(), 20)
    for temperature in (1e-7, 5e-324):
        cold = text(Generator(model, make_sampler(temperature, seed=1)), prompt(), 20)
        np.testing.assert_array_equal(cold, greedy)


def test_any_sampler_of_keras_hub_will_do(model):
    from keras_hub.samplers import Sampler

    class EvenOnly(Sampler):
        def get_next_token(self, probabilities):
            even = keras.ops.arange(VOCABULARY) % 2 == 0
            return keras.ops.argmax(keras.ops.where(even, probabilities, 0), axis=-1)

    assert (text(Generator(model, EvenOnly()), prompt(), 50) % 2 == 0).all()


def test_the_sampler_given_is_left_as_it_was(model):
    sampler = make_sampler(top_k=100, seed=1)
    before, variables = sampler.seed_generator, len(sampler.variables)
    text(Generator(model, sampler), prompt(), 5)
    assert sampler.k == 100
    assert sampler.seed_generator is before and len(sampler.variables) == variables


# Errors.


@pytest.mark.parametrize(
    "rule, message",
    [
        ({"temperature": -0.1}, "temperature is -0.1; give 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"top_k": 0}, "top_k is 0; give a whole number of at least 1"),
        ({"top_p": 0.0}, "top_p is 0.0; give a number above 0"),
        ({"top_p": 1.1}, "top_p is 1.1"),
        ({"top_p": float("nan")}, "top_p is nan"),
        ({"temperature": 0, "top_k": -1}, "top_k is -1"),
    ],
)
def test_rules_outside_their_range(rule, message):
    with pytest.raises(UserError, match=message):
        make_sampler(**rule)


def test_prompts_that_cannot_be(model):
    generator = Generator(model, make_sampler(seed=1))
    for empty in (None, np.zeros((1, 0), int)):
        with pytest.raises(UserError, match="the prompt is empty"):
            generator.generate(empty, 5)
    for wrong in (VOCABULARY, -1):
        with pytest.raises(UserError, match="goes from 0 to 10"):
            generator.generate([[0, wrong]], 5)
    with pytest.raises(UserError, match="length is -1"):
        generator.generate(prompt(), -1)
    for wrong in ([1, 2], [[0.5]]):
        with pytest.raises(ValueError, match="whole numbers"):
            generator.generate(wrong, 5)
    list(generator.generate(prompt(batch=2), 0))
    with pytest.raises(ValueError, match="3 rows and the carry 2"):
        generator.generate(prompt(batch=3), 5, carry=generator.carry)
