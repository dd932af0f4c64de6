"""Training a translator: what a step sees, what a loss counts."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.data.pairs import pairs_of
from lstm_recipes.data.tokenizer import END, START
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary
from lstm_recipes.models.seq2seq import made
from lstm_recipes.recipe_numbers import chosen
from lstm_recipes.recipes.translate import Translate
from lstm_recipes.training.translation import TokenLoss, TokenPairs, TranslationTask, losses

from ..data.pair_corpus import sentences

PAIRS = pairs_of("few", ("en", "fr"), {"train": sentences()[:40], "valid": sentences()[40:50]})
VOCABULARY = TranslationVocabulary.of(PAIRS, "words")
NUMBERS = Translate(batch_size=8, units=6, embedding=4, dropout=0.0, attention="none", layer="gru")
OPTIONS = "batch_size seed label_smoothing scheduled_sampling optimizer weight_decay loss_per"
OPTIONS += " clip_norm"


def small(seed=0, **options):
    keras.utils.set_random_seed(seed)
    sizes = len(VOCABULARY.source), len(VOCABULARY.target)
    return made(*sizes, units=6, embedding=4, attention="none", layer="gru", **options)


def task(model, **changes) -> TranslationTask:
    return TranslationTask(model, VOCABULARY, PAIRS, **chosen(replace(NUMBERS, **changes), OPTIONS))


def test_the_loss_is_that_of_each_token_said_and_of_the_end():
    model, pairs = small(), TokenPairs.of(PAIRS.valid, VOCABULARY)
    total, count = 0.0, 0
    for source, target in zip(pairs.source, pairs.target, strict=True):
        fed = {"source": [[*source, END]], "target": [[START, *target]]}
        logits = model({k: np.array(v, "int32") for k, v in fed.items()}).numpy()[0].astype(float)
        log_p = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        total -= sum(log_p[t, token] for t, token in enumerate([*target, END]))
        count += len(target) + 1
    assert TokenLoss(model).of(pairs) == pytest.approx(total / count, rel=1e-5)


def test_the_loss_by_position_is_that_of_the_tokens_there():
    model, pairs = small(), TokenPairs.of(PAIRS.valid, VOCABULARY)
    loss = TokenLoss(model)
    nats, right = loss.of_tokens(pairs)
    assert [len(row) for row in nats] == [len(row) + 1 for row in pairs.target]
    parts = loss.by_position(pairs)
    assert sum(part["tokens"] for part in parts) == sum(map(len, nats))
    first = [n for row in nats for place, n in enumerate(row) if place * 5 // len(row) == 0]
    assert parts[0]["nats_per_token"] == pytest.approx(np.mean(first), abs=1e-4)
    last = [n for row in right for place, n in enumerate(row) if place * 5 // len(row) == 4]
    assert parts[-1]["right"] == pytest.approx(100 * np.mean(last), abs=0.01)


def test_label_smoothing_is_the_cross_entropy_with_a_mixture():
    model, pairs = small(), TokenPairs.of(PAIRS.valid, VOCABULARY)
    source, read, said = pairs.batch(range(10))
    nats, alike = losses(model, source, read, said, training=False)
    logits = model({"source": source, "target": read}).numpy().astype(float)
    log_p = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    goal = 0.9 * np.eye(log_p.shape[-1])[said] + 0.1 / log_p.shape[-1]
    wanted = -(goal * log_p).sum(-1)[said != 0].sum()
    assert 0.9 * float(nats) + 0.1 * float(alike) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_steps_lower_the_loss(optimizer):
    training = task(small(), optimizer=optimizer, label_smoothing=0.1)
    rate = 0.02 if optimizer == "adamw" else 1.0
    seen = [training.train_step(step, rate) for step in range(25)]
    assert np.mean(seen[-5:]) < np.mean(seen[:5]) - 0.5


def test_scheduled_sampling_reads_what_the_model_says_as_often_as_told():
    training = task(small(), scheduled_sampling=0.4)
    source, read, _ = training.train.batch(np.arange(40))
    mixed = np.stack(
        [training._with_its_own(source, read, tf.constant(step)).numpy() for step in range(30)]
    )
    assert (mixed[:, :, 0] == START).all() and (mixed[:, read == 0] == 0).all()
    inner = (read != 0) & (np.arange(read.shape[1]) > 0)
    changed = (mixed[:, inner] != read[inner]).mean()
    assert 0.3 < changed <= 0.4 + 0.03  # now and then it says the right one
    assert (mixed[0] != mixed[1]).any()
    again = training._with_its_own(source, read, tf.constant(3)).numpy()
    np.testing.assert_array_equal(again, mixed[3])  # by the step's number alone: it resumes


def test_a_model_that_is_sure_reads_its_own_words():
    """Drawn from its probabilities, shifted by one: after START comes what it says after START."""
    model = small()
    model.softmax.bias.assign(tf.one_hot(7, len(VOCABULARY.target)) * 100)
    training = task(model, scheduled_sampling=0.5)
    source, read, _ = training.train.batch(np.arange(8))
    mixed = training._with_its_own(source, read, tf.constant(0)).numpy()
    assert set(mixed[mixed != read]) == {7}


def test_batches_have_every_pair_once_an_epoch():
    training = task(small())
    assert training.steps_per_epoch == 5
    seen = [k for step in range(5) for k in training.batches.batch(step)]
    assert sorted(seen) == list(range(40))
    assert training.units_per_step * 5 == sum(len(t) + 1 for t in training.train.target)


def test_a_loss_per_sentence_is_divided_by_the_batch():
    """Sutskever et al. 2014, section 3.4; a gradient so many times larger."""
    norms = []
    for per in ("token", "sentence"):
        one = task(small(), loss_per=per)
        one.train_step(0, 0.0)
        norms.append(one.gradient_norm * (one.units_per_step if per == "token" else 8))
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)
