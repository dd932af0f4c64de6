"""Training and measuring a character model: the state is carried, and nothing is skipped."""

import os
from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.data.streams import Streams
from lstm_recipes.models.char_lm import char_lm, initial_state
from lstm_recipes.training import language_model
from lstm_recipes.training.language_model import CharacterLoss, LanguageModelTask

SIZE = 11


def ids(length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, SIZE, length).astype("int32")


def make_task(length=200, batch_size=3, time=10, vocabulary=SIZE, **options) -> LanguageModelTask:
    keras.utils.set_random_seed(0)
    model = char_lm(vocabulary, units=6, embedding=4, **options)
    streams = Streams(ids(length), batch_size, time)
    return LanguageModelTask(model, streams, ids(90), weight_decay=0.1, clip_norm=1.0)


def as_numpy(values) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(v)) for v in values]


def test_an_epoch_predicts_every_character_but_the_first():
    task = make_task(vocabulary=200)
    task.train = Streams(np.arange(200, dtype="int32"), 3, 10)
    seen = []
    task._step = lambda inputs, targets, rate: seen.append((inputs, targets)) or (0.0, 0.0)
    for step in range(task.steps_per_epoch):
        task.train_step(step, 0.1)
    assert {int(t) for _, targets in seen for t in targets.flat} == set(range(1, 200))
    for (_, targets), (inputs, _) in pairwise(seen):
        assert np.array_equal(targets[:, -1], inputs[:, 0])  # a stream goes on where it was


def test_the_norm_of_the_gradient_is_that_of_all_weights_before_it_is_clipped():
    """A vector that is read several times in a window counts as often, as it does for clipping."""
    task = make_task()
    inputs, targets = task.train.window(0)
    with tf.GradientTape() as tape:
        logits, *_ = task.model([tf.constant(inputs), *initial_state(task.model, 3)])
        loss = keras.ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        loss = keras.ops.mean(loss)
    gradients = tape.gradient(loss, task.model.trainable_variables)
    whole = np.concatenate([np.ravel(getattr(g, "values", g)) for g in gradients])
    task.train_step(0, 0.1)
    assert task.gradient_norm == pytest.approx(np.linalg.norm(whole), rel=1e-4)


def test_the_state_is_carried_through_an_epoch_and_starts_anew_with_the_next():
    """The weights stand still (learning rate 0), so that the states can be told."""
    task = make_task()
    forward = tf.function(lambda tokens, states: task.model([tokens, *states]))
    for step in range(task.steps_per_epoch + 2):
        if step % task.steps_per_epoch == 0:
            states = initial_state(task.model, 3)
        inputs, targets = task.train.window(step)
        logits, *states = forward(tf.constant(inputs), states)
        logp = keras.ops.log_softmax(logits)
        nats = -np.take_along_axis(as_numpy([logp])[0], targets[..., None], -1).mean()
        assert task.train_step(step, 0.0) == pytest.approx(nats, abs=1e-5)
        for carried, state in zip(as_numpy(task.states), as_numpy(states), strict=True):
            assert np.abs(state).max() > 0
            np.testing.assert_allclose(carried, state, atol=1e-6)


def test_variables_are_all_that_the_next_step_depends_on():
    """Copied into another task they give the same losses, dropout masks included; and without
    the carried states they do not."""
    options = {"dropout": 0.3, "recurrent_dropout": 0.2, "layers": 2}
    first, second = make_task(**options), make_task(**options)
    for step in range(3):
        first.train_step(step, 0.01)
    copies = zip(first.variables, second.variables, strict=True)
    for source, target in copies:
        target.assign(source.value)
    assert all(np.abs(state).max() > 0 for state in as_numpy(second.states))
    kept = as_numpy(second.variables)
    going_on = [first.train_step(step, 0.01) for step in (3, 4)]
    assert [second.train_step(step, 0.01) for step in (3, 4)] == going_on

    for lost in (second.states, [v for v in second.model.variables if "seed" in v.path]):
        assert lost
        for variable, value in zip(second.variables, kept, strict=True):
            variable.assign(value)
        for variable in lost:
            variable.assign(keras.ops.zeros_like(variable.value))
        assert second.train_step(3, 0.01) != going_on[0]


def test_weight_decay_spares_the_biases():
    task = make_task()
    exempt = [not task.optimizer._use_weight_decay(v) for v in task.model.trainable_variables]
    assert exempt == ["bias" in v.path for v in task.model.trainable_variables]
    assert sum(exempt) == 2


def test_gradients_are_clipped_together():
    assert make_task().optimizer.global_clipnorm == 1.0


@pytest.mark.parametrize("layer", ["forget", "keras_lstm"])
def test_bfloat16_keeps_weights_optimizer_and_the_cell_in_float32(layer):
    task = make_task(layer=layer, precision="mixed_bfloat16")
    assert {v.dtype for v in task.model.trainable_variables} == {"float32"}
    dtypes = [s.dtype for s in task.states]
    assert dtypes == (["bfloat16", "float32"] if layer == "forget" else ["bfloat16"] * 2)
    task.train_step(0, 0.01)
    assert [s.dtype for s in task.states] == dtypes


def test_a_task_learns():
    task = make_task(length=30, batch_size=2, time=7)
    losses = [task.train_step(step, 0.03) for step in range(100)]
    assert losses[0] == pytest.approx(np.log(SIZE), abs=0.3)
    assert losses[-1] < 0.5 * losses[0]


# --- the loss --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return char_lm(SIZE, layer="gru", units=5, embedding=4)


def plain_nats(model, text: np.ndarray) -> np.ndarray:
    """The loss of each prediction, all made in one call from the zero state."""
    logits, *_ = model([keras.ops.array(text[None, :-1]), *initial_state(model, 1)])
    logp = as_numpy([keras.ops.log_softmax(logits)])[0][0]
    return -logp[np.arange(len(text) - 1), text[1:]].astype("float64")


def test_the_loss_of_a_text_is_the_mean_of_all_its_predictions(model, monkeypatch):
    monkeypatch.setattr(language_model, "SLICE", 20)
    text, measure = ids(77), CharacterLoss(model)
    nats = plain_nats(model, text)
    for length in (2, 3, 20, 21, 22, 41, 77):
        assert measure(text[:length]) == pytest.approx(nats[: length - 1].mean(), abs=1e-6)


def test_streams_read_pieces_side_by_side_each_from_the_zero_state(model):
    text = ids(43)  # 42 predictions: 4 streams of 10, and 2 are left out
    pieces = [plain_nats(model, text[k * 10 : k * 10 + 11]) for k in range(4)]
    assert CharacterLoss(model)(text, streams=4) == pytest.approx(np.mean(pieces), abs=1e-6)


@pytest.mark.parametrize(("length", "streams"), [(2, 1), (499, 1), (2501, 5), (64 * 500 + 1, 64)])
def test_the_estimate_reads_at_most_64_streams(monkeypatch, length, streams):
    task = make_task()
    task.validation = ids(length)
    monkeypatch.setattr(task, "_loss", lambda text, streams: streams)
    assert task.validate().figures["validation_loss"] == streams


def test_dropout_is_off_where_it_is_measured():
    task = make_task(dropout=0.5, recurrent_dropout=0.5)
    assert (
        task.validate().cost
        == task.validate().cost
        == pytest.approx(plain_nats(task.model, ids(90)).mean(), abs=1e-6)
    )


# --- saving ----------------------------------------------------------------------------------


def test_best_is_whole_or_as_before(tmp_path, monkeypatch):
    task = make_task()
    path = tmp_path / "best.keras"
    task.save(path)
    before = path.read_bytes()
    task.train_step(0, 0.1)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", killed)
        task.save(path)
    assert path.read_bytes() == before
    task.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["best.keras"]
    loaded = keras.saving.load_model(path)
    for a, b in zip(loaded.get_weights(), task.model.get_weights(), strict=True):
        assert np.array_equal(a, b)
