"""Training and measuring a tagger: the loss by hand, which words are hidden, what is kept."""

import errno
import os
from dataclasses import replace
from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.data.conll import Corpus, Sentence
from lstm_recipes.data.tag_schemes import allowed_transitions, convert, repair, spans
from lstm_recipes.data.tagger_vocabulary import TaggerVocabulary
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.models.char_lm import LAYERS
from lstm_recipes.models.tagger import tagger
from lstm_recipes.training import tagging
from lstm_recipes.training.tagging import Decoder, TaggingTask, tag_ids

TAGS = ["B-LOC", "B-PER", "E-LOC", "E-PER", "I-LOC", "I-PER", "O", "S-LOC", "S-PER"]
VOCABULARY = TaggerVocabulary(TAGS, "IOBES", False, "Radeomnsic")
NAMES = ("Rome", "Ada", "Nile", "Byron", "New", "York", "Bela", "Bonn")
TYPES = ("LOC", "PER")


def some_sentences(count: int, longest: int, seed: int) -> list[Sentence]:
    """Sentences of random lengths, words and IOB2 tags; some words stand once."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(count):
        words, tags = [], []
        while len(words) < rng.integers(1, longest + 1):
            kind, name = TYPES[rng.integers(2)], bool(rng.integers(2))
            for place in range(rng.integers(1, 4)):
                words.append(NAMES[rng.integers(8)] if name else ("said", f"once{k}")[place % 2])
                tags.append(f"{'I' if place else 'B'}-{kind}" if name else "O")
        found.append(Sentence(tuple(words), tuple(tags)))
    return found


LONG = Sentence(("Ada", *["said"] * 200), ("B-PER", *["O"] * 200))
TRAIN, VALID = [*some_sentences(13, 9, 0), *[LONG] * 4], some_sentences(7, 6, 1)


def make_task(
    train=TRAIN, valid=VALID, crf=True, model=None, vocabulary=VOCABULARY, **options
) -> TaggingTask:
    keras.utils.set_random_seed(0)
    table = WordTable.made([w for s in train for w in s.words], size=5, seed=0)
    numbers = {"batch_size": 4, "seed": 3, "weight_decay": 0.1, "clip_norm": 1.0}
    numbers |= {"vector_rate": 2.0, "word_dropout": 0.0}
    sizes = {"units": 4, "character_size": 3, "character_units": 4, "dropout": 0.0}
    if model is None:
        model = tagger(
            len(TAGS),
            vector_size=5,
            characters=12,
            allowed=allowed_transitions(TAGS, "IOBES"),
            crf=crf,
            **sizes | {k: options.pop(k) for k in list(options) if k not in numbers},
        )
    corpus = Corpus("some", train, valid, [], "IOB2", 0, "0")
    return TaggingTask(model, table, vocabulary, corpus, **numbers | options)


@pytest.fixture(scope="module")
def made() -> tuple[TaggingTask, list[np.ndarray]]:
    """One without dropout, and what its variables are at first."""
    task = make_task()
    rng = np.random.default_rng(5)
    crf = task.model.get_layer("crf")
    crf.set_weights([rng.normal(size=w.shape) for w in crf.get_weights()])
    return task, values(task)


@pytest.fixture
def task(made) -> TaggingTask:
    assign(*made)
    return made[0]


def values(task: TaggingTask) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(v)) for v in task.variables]


def assign(task: TaggingTask, kept: list[np.ndarray]) -> None:
    for variable, value in zip(task.variables, kept, strict=True):
        variable.assign(value)


def nats_by_hand(task: TaggingTask, matrix: np.ndarray, words, rows, tags) -> float:
    """-log p of a sentence's tags, all sequences of tags summed step by step in float64."""
    nothing = tagging._with_rows(words.context, lambda rows: matrix[rows])
    emissions = task._decoder._emit(matrix[rows][None], words.case, words.characters, [*nothing])
    e = emissions.numpy()[0].astype("float64")
    transitions, start, end = (w.astype("float64") for w in task._decoder.crf.get_weights())
    allowed = task._decoder.crf.allowed
    if allowed is not None:
        forbidden = np.where(allowed, 0.0, -np.inf)
        transitions, start, end = (
            transitions + forbidden[:-1, :-1],
            start + forbidden[-1, :-1],
            end + forbidden[:-1, -1],
        )
    ids = [TAGS.index(tag) for tag in convert(tags, "IOB2", "IOBES")]
    score = start[ids[0]] + end[ids[-1]] + sum(e[t, k] for t, k in enumerate(ids))
    score += sum(transitions[a, b] for a, b in pairwise(ids))
    alpha = start + e[0]
    for step in e[1:]:
        alpha = np.logaddexp.reduce(alpha[:, None] + transitions, axis=0) + step
    return float(np.logaddexp.reduce(alpha + end) - score)


def alone(task: TaggingTask, sentence: Sentence):
    words = VOCABULARY.features(task.table.words).encode([sentence.words])
    return words, words.rows[0]


def test_a_name_is_learnt_from_what_stands_beside_it_elsewhere():
    """A person where "Ada" stands beside it, a place where "in" does: the name alone, which is
    hidden, does not tell."""
    said = lambda word, tag: Sentence((word,), (tag,))  # noqa: E731
    train = []
    for k in range(40):
        name, kind = f"Xq{k}", TYPES[k % 2]
        train += [said(name, f"B-{kind}"), Sentence(("and",) * 3, ("O",) * 3)]
        beside = ("in", name) if kind == "LOC" else ("Ada", name)
        train += [Sentence(beside, ("O" if kind == "LOC" else "B-PER", f"{'BI'[k % 2]}-{kind}"))]
        train += [Sentence(("and",) * 3, ("O",) * 3)] * 3
    options = {"word_dropout": 1.0, "batch_size": 20}
    task = make_task(
        train,
        train[:48],
        vocabulary=replace(VOCABULARY, window=2),
        context_units=8,
        topic_units=2,
        **options,
    )
    unaware = make_task(train, train[:48], **options)
    for step in range(250):
        task.train_step(step, 0.02)
        unaware.train_step(step, 0.02)
    assert task.validate().figures["validation_f1"] == 100.0
    assert unaware.validate().figures["validation_f1"] < 90.0


# --- the loss --------------------------------------------------------------------------------


def test_the_training_loss_is_nats_per_word_of_the_batch(task):
    """Each sentence alone, without padding, by hand; rare words hidden as the step hides them. Of
    the batch, so that one of long sentences does not look as if the loss had exploded."""
    losses = []
    for step in range(task.steps_per_epoch):
        chosen = task.batches.batch(step)
        hidden = task._without_some_words(task.words.batch(chosen).rows, step)
        nats = count = 0
        for place, k in enumerate(chosen):
            words, rows = alone(task, TRAIN[k])
            rows = hidden[place, : len(rows)]
            nats += nats_by_hand(task, task.table.matrix, words, rows, TRAIN[k].tags)
            count += len(rows)
        losses.append(task.train_step(step, 0.0))
        assert losses[-1] == pytest.approx(nats / count, rel=1e-4)
    assert max(losses) < 5 * min(losses)


def test_the_validation_loss_is_nats_per_word_with_vectors_as_the_run_keeps_them(task):
    rounded = task.table.matrix.astype("float16").astype("float32")
    nats = 0.0
    for sentence in VALID:
        words, rows = alone(task, sentence)
        nats += nats_by_hand(task, rounded, words, rows, sentence.tags)
    found = task.validate()
    count = sum(len(sentence.words) for sentence in VALID)
    assert found.figures["validation_loss"] == pytest.approx(nats / count, rel=1e-5)
    assert found.cost == -found.figures["validation_f1"]
    assert found.text == (
        f"validation F1 {-found.cost:.2f}, {found.figures['validation_loss']:.4f} nats per word"
    )


# --- a step ----------------------------------------------------------------------------------


def test_vectors_move_by_plain_gradient_descent_and_unseen_ones_stay(task):
    before = task.vectors.numpy()
    chosen = task.batches.batch(0)
    words = task.words.batch(chosen)
    rows = task._without_some_words(words.rows, 0)
    labels = tagging.padded([task.labels[k] for k in chosen])

    @tf.function
    def gradient_of(matrix: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(matrix)
            inputs = {"vectors": tf.gather(matrix, rows), "case": tf.constant(words.case)}
            emissions = task.model(inputs | {"characters": tf.constant(words.characters)})
            nats = -tf.reduce_sum(task.model.get_layer("crf").log_likelihood(emissions, labels))
        return tf.convert_to_tensor(tape.gradient(nats, matrix))

    words_a_step = sum(map(len, task.labels)) / task.steps_per_epoch
    gradient = gradient_of(tf.constant(before)).numpy() / words_a_step
    task.train_step(0, 0.1)
    np.testing.assert_allclose(task.vectors.numpy(), before - 0.2 * gradient, atol=1e-5)
    moved = (task.vectors.numpy() != before).any(1)
    assert set(np.flatnonzero(moved)) <= set(rows.ravel()) and moved.any()


def test_half_of_the_rare_words_are_hidden_and_few_of_the_others():
    task = make_task(word_dropout=0.1)
    rare = int(np.flatnonzero(task.table.rare)[0])
    common = task.table.words.index("said") + 1
    rows = np.array([[rare, common]] * 4000, "int32")
    hidden = task._without_some_words(rows, 7)
    assert hidden.dtype == np.int32
    assert ((hidden == rows) | (hidden == 0)).all()
    assert (hidden == 0).mean(0) == pytest.approx([0.5, 0.1], abs=0.03)
    assert (task._without_some_words(rows, 7) == hidden).all()
    assert (task._without_some_words(rows, 8) != hidden).any()
    other = make_task(word_dropout=0.1, seed=4)
    assert (other._without_some_words(rows, 7) != hidden).any()


@pytest.mark.parametrize(
    ("layer", "encoder"), [*((layer, "cnn") for layer in LAYERS), ("forget", "lstm")]
)
def test_weight_decay_spares_all_but_matrices_that_multiply(layer, encoder):
    task = make_task(layer=layer, character_encoder=encoder)
    for weight in task.model.trainable_variables:
        decays = task.optimizer._use_weight_decay(weight)
        assert decays == ("kernel" in weight.name or "peephole" in weight.name), weight.path
    assert all(weight is not task.vectors for weight in task.optimizer._trainable_variables)


def test_gradients_are_clipped_together():
    assert make_task(clip_norm=0.7).optimizer.global_clipnorm == 0.7


def test_a_task_learns(task):
    before = task.validate().figures["validation_loss"]
    losses = [task.train_step(step, 0.02) for step in range(60)]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    assert task.validate().figures["validation_loss"] < 0.6 * before


# --- what is kept ----------------------------------------------------------------------------


def test_the_saved_files_give_the_numbers_that_were_measured(tmp_path, task):
    for step in range(30):
        task.train_step(step, 0.02)
    figures = task.validate().figures
    task.save(tmp_path / "best.keras")
    assert {p.name for p in tmp_path.iterdir()} == {"best.keras", "vectors.npz"}
    model = keras.saving.load_model(tmp_path / "best.keras")
    table = WordTable.load(tmp_path / "vectors.npz")
    with np.load(tmp_path / "vectors.npz") as file:
        assert file["matrix"].dtype == np.float16
    assert (table.matrix != table.with_trained(task.vectors.numpy()).matrix).any()
    again = make_task(model=model)
    again.table = table
    again.vectors.assign(table.matrix[: table.trained])
    assert again.validate().figures == figures


@pytest.mark.parametrize("moment", ["a full disk", "vectors.npz", "best.keras"])
def test_a_model_and_its_vectors_are_as_before_or_the_model_is_gone(
    tmp_path, monkeypatch, task, moment
):
    """Never is one of them new and the other old: that would tag, and wrongly."""
    path = tmp_path / "best.keras"
    task.save(path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    replace = os.replace

    def stopped(source, target):
        if target.name == moment and target.parent == tmp_path:
            raise KeyboardInterrupt
        if target.parent != tmp_path and moment == "a full disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(source, target)

    with monkeypatch.context() as patch, pytest.raises((KeyboardInterrupt, OSError)):
        patch.setattr(os, "replace", stopped)
        task.save(path)
    left = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert left == before if moment == "a full disk" else "best.keras" not in left
    task.save(path)
    assert {p.name for p in tmp_path.iterdir()} == {"best.keras", "vectors.npz"}


# --- decoding --------------------------------------------------------------------------------


def test_tags_are_numbered_and_unknown_ones_are_minus_one():
    sentence = Sentence(("a", "b", "c", "d"), ("B-PER", "I-PER", "O", "B-ORG"))
    assert tag_ids([sentence], TAGS, "IOBES")[0].tolist() == [1, 3, 6, -1]


def scores(count: int, words: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, words, len(TAGS))).astype("float32")


def test_with_a_crf_all_tags_are_legal(task):
    for row in task._decoder.best(scores(50, 6)):
        assert repair(row, "IOBES") == (row, 0)
        assert spans(task._decoder.in_iob2(row), "IOB2") == spans(row, "IOBES")


def test_without_a_crf_each_word_has_its_best_tag_read_as_conlleval_reads_it():
    model = make_task(crf=False).model
    decoder, emissions = Decoder(model, TAGS, "IOBES"), scores(50, 6)
    best = decoder.best(emissions)
    assert best == [[TAGS[k] for k in row] for row in emissions.argmax(-1)]
    assert any(repair(row, "IOBES")[1] for row in best)
    for row in best:
        written = decoder.in_iob2(row)
        assert repair(written, "IOB2") == (written, 0)
        assert spans(written, "IOB2") == spans(row, "IOBES")
    assert decoder.in_iob2(["I-PER", "E-PER", "B-LOC", "O"]) == ["B-PER", "I-PER", "B-LOC", "O"]
