"""The CRF layer in models: training, decoding, saving, masks, precisions, bad input."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import CRF
from lstm_recipes.layers.crf import MASKED, CRFLoss

from . import chain_reference as reference
from .chain_reference import Problem
from .helpers import (
    BACKEND,
    array,
    assert_close,
    assert_same,
    dtype_of,
    every_mask,
    numpy,
    randomize,
    tensorflow_only,
)

TAGS = 3
ALLOWED = np.ones((TAGS + 1, TAGS + 1), bool)
ALLOWED[0, 2] = ALLOWED[1, 1] = False
# Most models take a few steps alone, for which a graph is not worth its making.
QUICK = {"jit_compile": True} if BACKEND == "jax" else {"run_eagerly": True, "jit_compile": False}


def network(kind: str = "sequential", crf: CRF | None = None, time: int | None = None) -> tuple:
    """A model whose steps do not see each other but for the CRF, and that layer."""
    crf = CRF(name="chain") if crf is None else crf
    stack = [
        keras.Input((time,), dtype="int32"),
        keras.layers.Embedding(8, 6, mask_zero=True),
        keras.layers.Dense(TAGS),
        crf,
    ]
    if kind == "sequential":
        return keras.Sequential(stack), crf
    x = stack[0]
    for layer in stack[1:]:
        x = layer(x)
    model = keras.Model(stack[0], x)
    if kind == "nested":
        outer = keras.Input((time,), dtype="int32")
        model = keras.Model(outer, model(outer))
    if kind == "nested sequential":
        model = keras.Sequential(
            [keras.Input((time,), dtype="int32"), network("sequential", crf)[0]]
        )
    return model, crf


KINDS = ("sequential", "functional", "nested")
every_kind = pytest.mark.parametrize("kind", KINDS)


def data(batch: int = 16, time: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The first word has a tag of its own; whatever word follows has the tag that comes next."""
    rng = np.random.default_rng(seed)
    words = rng.integers(4, 8, (batch, time))
    words[:, 0] = rng.integers(1, 4, batch)
    return words, (words[:, :1] + np.arange(time)) % TAGS


X, Y = data()
PADDED = X.copy()
PADDED[0, 3:] = PADDED[1, :2] = PADDED[2, 1:4] = PADDED[3] = 0  # right, left, a gap, all of it


def ready(kind: str = "sequential", crf: CRF | None = None, **options) -> tuple:
    model, crf = network(kind, crf)
    options = {"optimizer": "adam", **(QUICK if "jit_compile" not in options else {}), **options}
    model.compile(loss=crf.loss, **options)
    return randomize(model), crf


def nats(model: keras.Model, words: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """-log p of each sequence by brute force, the emissions from the model without its CRF."""
    layers = [layer for layer in model._flatten_layers(include_self=False)]
    embedding, dense, crf = (
        next(layer for layer in layers if isinstance(layer, kind))
        for kind in (keras.layers.Embedding, keras.layers.Dense, CRF)
    )
    emissions = numpy(dense(embedding(words)))
    return -reference.log_likelihood(Problem(emissions, tags, words != 0, numpy(tuple(crf.chain))))


def fitted(words: np.ndarray, tags: np.ndarray, steps: int = 60) -> tuple:
    """A model trained in a graph, with the optimizer's steps in one epoch."""
    model, crf = ready(optimizer=keras.optimizers.Adam(0.2), jit_compile=BACKEND == "jax")
    words, tags = np.tile(words, (steps, 1)), np.tile(tags, (steps, 1))
    model.fit(words, tags, batch_size=16, verbose=0)
    return model, crf


def test_fit_learns_what_only_transitions_tell():
    model, crf = fitted(X, Y)
    unseen, tags = data(seed=1)
    outputs = model.predict(unseen, verbose=0)
    assert_same(crf.decode(outputs), tags.astype("int32"))
    assert (outputs.argmax(-1) != tags).any()  # what a step sees alone is not enough


def test_the_loss_is_the_mean_over_sequences():
    model, _ = ready()
    expected = nats(model, PADDED, Y)
    assert expected[3] == 0  # nothing in it to be wrong about
    assert model.evaluate(PADDED, Y, verbose=0) == pytest.approx(expected.mean(), rel=1e-5)
    history = model.fit(PADDED, Y, batch_size=16, verbose=0).history
    assert history["loss"][0] == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("shape", [(16,), (16, 1)])
def test_sample_weights(shape):
    """As Keras has it: the weighted sum over the number of sequences."""
    model, _ = ready()
    weights = np.linspace(0, 2, 16, dtype="float32")
    found = model.evaluate(PADDED, Y, sample_weight=weights.reshape(shape), verbose=0)
    assert found == pytest.approx((weights * nats(model, PADDED, Y)).mean(), rel=1e-5)


def test_weights_of_zero_do_not_train():
    model, _ = ready(optimizer="sgd")
    before = model.get_weights()
    model.fit(X, Y, sample_weight=np.zeros(16), verbose=0)
    assert_same(model.get_weights(), before)


@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight", "none"])
def test_reductions(reduction):
    model, crf = ready()
    expected, outputs = nats(model, PADDED, Y), model(PADDED)
    found = CRFLoss(crf, reduction=reduction)(Y, outputs)
    total = {"sum": expected.sum(), "mean_with_sample_weight": expected.mean(), "none": expected}
    assert_close(found, np.array(total[reduction]), 1e-5)


def test_partly_labelled():
    """-1 is not known: what is left still teaches."""
    known = np.where(np.random.default_rng(0).random(Y.shape) < 0.6, Y, -1)
    model, crf = fitted(X, known)
    expected = nats(model, X, known).mean()
    assert model.evaluate(X, known, verbose=0) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert_same(crf.decode(model.predict(X, verbose=0)), Y.astype("int32"))
    assert model.evaluate(X, np.full_like(Y, -1), verbose=0) == pytest.approx(0, abs=1e-5)


@every_mask
def test_decoding_masked_outputs(mask):
    """The outputs alone tell what counts."""
    model, crf = ready()
    words = np.where(mask, X[:3, :5], 0)
    outputs = model.predict(words, verbose=0)
    assert outputs.dtype == "float32"
    assert_same(outputs == np.float32(MASKED), np.repeat(~mask[:, :, None], TAGS, axis=2))
    tags, (best, log_p), chances = (
        crf.decode(outputs),
        crf.k_best(outputs, 3),
        crf.marginals(outputs),
    )
    assert tags.dtype == best.dtype == "int32"
    assert_same(best[:, 0], tags)
    assert_same(tags == -1, ~mask)
    assert_close(chances.sum(axis=-1), mask.astype("float32"))
    p = Problem(outputs, tags, mask, numpy(tuple(crf.chain)))
    for row, (emissions, _) in enumerate(p.rows()):
        scores = reference.ranked(emissions, p.chain)[1]
        number, total = min(3, len(scores)), reference.logsumexp(scores)
        assert_close(log_p[row, :number], scores[:3] - total)
        chosen = best[row, :number][:, mask[row]]
        assert_close(reference.score(emissions, chosen, p.chain), scores[:3])
    assert_close(crf.log_likelihood(outputs, tags), log_p[:, 0])


def test_a_mask_that_is_given():
    """To the layer itself, of numbers as well; its output carries no mask on."""
    crf, x = CRF(), array(3, 5, TAGS)
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [1, 0, 1, 0, 1]])
    outputs = crf(x, mask=mask)
    assert_same(numpy(outputs)[..., 0] == MASKED, mask == 0)
    assert getattr(outputs, "_keras_mask", None) is None
    assert_same(crf(x), x)


@pytest.mark.parametrize("allowed", [None, ALLOWED])
def test_config(allowed):
    options = {
        "transitions_initializer": keras.initializers.RandomNormal(stddev=0.2, seed=4),
        "transitions_regularizer": keras.regularizers.L2(0.25),
        "transitions_constraint": keras.constraints.MinMaxNorm(0.5, 2.0, axis=0),
        "name": "all_of_it",
        "trainable": False,
        "dtype": "mixed_bfloat16",
    }
    crf = CRF(allowed, **options)
    config = crf.get_config()
    json.dumps(config)
    for name in set(options) - {"name"}:
        assert config[name] != CRF().get_config()[name]
    again = CRF.from_config(config)
    assert again.get_config() == config
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(crf))
    assert again.get_config() == config
    if allowed is not None:
        assert again.allowed.dtype == bool
        assert_same(again.allowed, allowed)


def trains(model: keras.Model) -> None:
    """fit lowers the loss, and changes the scores of neighbours that the loss and decode use."""
    crf = next(m for m in model._flatten_layers() if isinstance(m, CRF))
    before, weights = model.evaluate(X, Y, verbose=0), crf.get_weights()
    model.fit(X, Y, batch_size=16, verbose=0)
    assert model.evaluate(X, Y, verbose=0) < before
    for one, other in zip(crf.get_weights(), weights, strict=True):
        assert (one != other).any()
    crf.set_weights([np.zeros_like(w) for w in weights])
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(nats(model, X, Y).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        ("sequential", ALLOWED),
        ("functional", None),
        ("nested", ALLOWED),
        ("nested sequential", None),
    ],
)
def test_saving(kind, allowed, tmp_path):
    """A loaded model is compiled, its loss is its own layer's, and it trains on; and again."""
    model, _ = ready(kind, CRF(allowed, name="chain"))
    model.fit(X, Y, batch_size=16, verbose=0)
    for name in ("model.keras", "again.keras"):
        model.save(tmp_path / name)
        loaded = keras.saving.load_model(tmp_path / name)
        assert_same(loaded.get_weights(), model.get_weights())
        found = [
            each.fit(X, Y, batch_size=16, verbose=0, shuffle=False).history["loss"]
            for each in (model, loaded)
        ]
        assert found[0] == found[1]
        assert_close(loaded.get_weights(), model.get_weights(), 1e-6)
        model = loaded
    trains(loaded)


@every_kind
def test_saving_and_compiling_anew(kind, tmp_path):
    model, _ = ready(kind)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    crf = next(m for m in loaded._flatten_layers() if isinstance(m, CRF))
    loaded.compile("adam", loss=crf.loss, **QUICK)
    assert loaded.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    trains(loaded)


@every_kind
def test_saving_weights_alone(kind, tmp_path):
    """From a compiled model to one that is not, and back."""
    (one, _), (other, crf) = ready(kind), network(kind)
    one.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same(other.get_weights(), one.get_weights())
    other.save_weights(tmp_path / "other.weights.h5")
    randomize(one, seed=1).load_weights(tmp_path / "other.weights.h5")
    other.compile(loss=crf.loss, **QUICK)
    assert one.evaluate(X, Y, verbose=0) == other.evaluate(X, Y, verbose=0)


def test_two_chains_in_one_model(tmp_path):
    """Each output has the loss of its own layer, before and after saving."""
    words = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(8, 6, mask_zero=True)(words)
    chains = {name: CRF(ALLOWED if name == "b" else None, name=name) for name in ("a", "b")}
    model = keras.Model(words, {n: c(keras.layers.Dense(TAGS)(x)) for n, c in chains.items()})
    losses = {name: crf.loss for name, crf in chains.items()}
    model.compile("adam", loss=losses, loss_weights={"a": 1.0, "b": 0.5}, **QUICK)
    randomize(model)
    tags = {"a": Y, "b": np.zeros_like(Y)}
    outputs = model.predict(PADDED, verbose=0)
    each = {n: -numpy(crf.log_likelihood(outputs[n], tags[n])).mean() for n, crf in chains.items()}
    found = model.evaluate(PADDED, tags, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(each["a"] + 0.5 * each["b"], rel=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(PADDED, tags, verbose=0, return_dict=True) == found
    loaded.get_layer("a").set_weights([np.zeros_like(w) for w in chains["a"].get_weights()])
    after = loaded.evaluate(PADDED, tags, verbose=0, return_dict=True)
    assert after["b_loss"] == found["b_loss"]
    assert after["a_loss"] != found["a_loss"]


FRESH = """
import os, sys
folder, backend = sys.argv[1:]
if backend == "tensorflow":
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras, numpy as np
import lstm_recipes.layers
x, y = np.load(folder + "/x.npy"), np.load(folder + "/y.npy")
model = keras.saving.load_model(folder + "/model.keras")
print("loss", model.evaluate(x, y, verbose=0))
if backend == "tensorflow":
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = keras.saving.load_model(folder + "/model.keras")
print("loss", model.evaluate(x, y, verbose=0, batch_size=16))
model.fit(x, y, batch_size=16, verbose=0, shuffle=False)
np.save(folder + "/transitions.npy", model.get_layer("chain").get_weights()[0])
"""


def test_a_fresh_process(tmp_path):
    """Loads without custom_objects and trains on; on TensorFlow over two replicas, to the same."""
    model, crf = ready("functional", optimizer="sgd")
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", PADDED)
    np.save(tmp_path / "y.npy", Y)
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(tmp_path), BACKEND],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    losses = [float(line.split()[1]) for line in done.stdout.splitlines() if line[:4] == "loss"]
    expected = model.evaluate(PADDED, Y, verbose=0)
    assert losses == pytest.approx([expected] * 2, rel=1e-6)
    model.fit(PADDED, Y, batch_size=16, verbose=0, shuffle=False)
    assert_close(np.load(tmp_path / "transitions.npy"), numpy(crf.transitions.value), 1e-5)


def test_a_loss_without_its_model():
    """It says what to do: its layer is in the model, and nowhere else."""
    _, crf = network()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(crf.loss))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(again))
    with pytest.raises(ValueError, match=r"loss=crf\.loss"):
        again(Y, crf(array(16, 6, TAGS)))


@every_kind
def test_cloning(kind):
    model, _ = ready(kind)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    with pytest.raises(ValueError, match=r"loss=crf\.loss"):
        clone.evaluate(X, Y, verbose=0)
    crf = next(m for m in clone._flatten_layers() if isinstance(m, CRF))
    clone.compile("adam", loss=crf.loss, **QUICK)
    assert clone.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    before = model.get_weights()
    trains(clone)
    assert_same(model.get_weights(), before)


def test_summary_and_shapes():
    model, _ = network()
    lines = []
    model.summary(print_fn=lines.append)
    assert any("chain (CRF)" in line and "15" in line for line in "\n".join(lines).split("\n"))
    assert model.output_shape == (None, None, TAGS)
    assert model.compute_output_shape((2, 5)) == (2, 5, TAGS)
    assert model.outputs[0].dtype == "float32"


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float16", "float64"])
def test_precision(policy):
    """Emissions of any precision; scores of neighbours, outputs and sums in float32."""
    keras.config.set_dtype_policy(policy)
    model, crf = ready(optimizer="adam")
    assert model.outputs[0].dtype == dtype_of(model(X)) == "float32"
    if (BACKEND, policy) != ("jax", "float64"):  # JAX has 32 bits by default
        assert dtype_of(model.layers[-2](model.layers[0](X))) != "float32"
    before = model.evaluate(X, Y, verbose=0)
    model.fit(X, Y, batch_size=8, verbose=0)
    assert np.isfinite(before) and model.evaluate(X, Y, verbose=0) < before
    assert all(dtype_of(w) in ("float32", policy) for w in crf.weights)


@tensorflow_only
def test_jit_compile(tmp_path):
    """XLA gives the same steps; batches of a size that was not known train too."""
    import tensorflow as tf

    (one, _), (other, _) = ready(jit_compile=True), ready(jit_compile=False)
    for model in (one, other):
        model.fit(PADDED, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    assert_close(one.get_weights(), other.get_weights(), 1e-5)
    lengths = tf.data.Dataset.from_generator(
        lambda: ((X[:4, :n], Y[:4, :n]) for n in (1,)),
        output_signature=(tf.TensorSpec([None, None], "int32"),) * 2,
    )
    assert np.isfinite(one.fit(lengths, verbose=0).history["loss"][0])


@pytest.mark.parametrize("length", [1, 4])
def test_run_eagerly(length):
    (one, _) = ready(run_eagerly=True, jit_compile=False)
    (other, _) = ready(jit_compile=BACKEND == "jax")
    for model in (one, other):
        model.fit(PADDED[:, :length], Y[:, :length], batch_size=16, shuffle=False, verbose=0)
    assert_close(one.get_weights(), other.get_weights(), 1e-5)


@tensorflow_only
def test_batches_of_any_size_and_length():
    import tensorflow as tf

    model, _ = ready(jit_compile=False)
    sizes = [(4, 6), (3, 1), (1, 5)]
    batches = tf.data.Dataset.from_generator(
        lambda: ((X[:b, :n], Y[:b, :n]) for b, n in sizes),
        output_signature=(tf.TensorSpec([None, None], "int32"),) * 2,
    )
    expected = np.concatenate([nats(model, X[:b, :n], Y[:b, :n]) for b, n in sizes])
    assert model.evaluate(batches, verbose=0) == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("time", [1, None])
def test_one_step(time):
    """Start, emission and end: no neighbours."""
    model, crf = network(time=time)
    model.compile("adam", loss=crf.loss, **QUICK)
    randomize(model)
    expected = nats(model, X[:, :1], Y[:, :1]).mean()
    assert model.evaluate(X[:, :1], Y[:, :1], verbose=0) == pytest.approx(expected, rel=1e-5)
    model.fit(X[:, :1], Y[:, :1], verbose=0)
    outputs = model.predict(X[:, :1], verbose=0)
    assert crf.decode(outputs).shape == (16, 1)
    assert crf.k_best(outputs, 5)[0].shape == (16, 5, 1)


def test_constraints_in_training_and_decoding():
    """Random scores that favour what is forbidden: never decoded, learned around, finite."""
    allowed = np.ones((TAGS + 1, TAGS + 1), bool)
    allowed[0, 1] = allowed[1, 0] = allowed[TAGS, 2] = False
    tags = np.where(X == 2, 1, 0)
    tags = np.repeat(tags[:, :1], 6, axis=1)  # all of one kind
    model, crf = ready(crf=CRF(allowed))
    crf.set_weights([np.where(allowed[:-1, :-1], 0.0, 50.0), np.eye(TAGS)[2] * 50, np.zeros(TAGS)])
    losses = model.fit(X, tags, epochs=6, batch_size=16, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    for weight in model.get_weights():
        assert np.isfinite(weight).all()
    outputs = model.predict(PADDED, verbose=0)
    best, log_p = crf.k_best(outputs, 7)
    for row in np.concatenate([crf.decode(outputs)[:, None], best], axis=1)[PADDED.any(axis=1)]:
        for way in row:
            way = way[way >= 0]
            assert all(allowed[a, b] for a, b in zip([-1, *way], [*way, -1], strict=True))
    assert (np.exp(log_p).sum(axis=1) < 1 + 1e-5).all()


def test_scores_of_forbidden_neighbours_do_not_train():
    model, crf = ready(crf=CRF(ALLOWED), optimizer="sgd")
    tags = np.zeros_like(Y)
    before = numpy(crf.transitions.value).copy()
    model.fit(X, tags, verbose=0)
    assert_same(numpy(crf.transitions.value)[~ALLOWED[:-1, :-1]], before[~ALLOWED[:-1, :-1]])
    assert (numpy(crf.transitions.value) != before)[ALLOWED[:-1, :-1]].all()


def test_regularizer():
    model, _ = ready(crf=CRF(transitions_regularizer=keras.regularizers.L2(0.5)))
    plain = nats(model, X, Y).mean()
    weights = model.get_weights()[-3:]
    expected = plain + 0.5 * sum((w**2).sum() for w in weights)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_constraint():
    model, crf = ready(crf=CRF(transitions_constraint="non_neg"))
    model.fit(X, Y, epochs=3, verbose=0)
    for weight in crf.get_weights():
        assert (weight >= 0).all() and (weight > 0).any()


def test_initializer():
    crf = CRF(transitions_initializer=keras.initializers.Constant(0.5))
    crf.build((None, None, TAGS))
    assert [w.shape for w in crf.weights] == [(3, 3), (3,), (3,)]
    assert all((numpy(w.value) == 0.5).all() for w in crf.weights)


def test_not_trainable():
    """With scores of zero that stay so it is a softmax at each step."""
    model, crf = ready(crf=CRF(trainable=False))
    crf.set_weights([np.zeros_like(w) for w in crf.get_weights()])
    outputs = model.predict(X, verbose=0)
    assert_same(crf.decode(outputs), outputs.argmax(axis=-1).astype("int32"))
    assert_close(crf.marginals(outputs), ops.softmax(outputs))
    model.fit(X, Y, verbose=0)
    assert not any(w.any() for w in crf.get_weights())


@pytest.mark.parametrize(
    ("allowed", "match"),
    [
        (np.ones((3, 4), bool), r"\(3, 4\).*tags \+ 1"),
        (np.ones(4, bool), r"\(4,\).*tags \+ 1"),
        (np.zeros((4, 4), bool), "no sequence"),
        (np.ones((4, 4), bool) & (np.arange(4)[:, None] < 3), "no sequence"),
        (np.array([[1, 0, 0], [0, 1, 1], [1, 0, 0]]), "no sequence"),
    ],
)
def test_what_is_allowed_must_be_so(allowed, match):
    with pytest.raises(ValueError, match=match):
        CRF(allowed)


def test_a_long_way_to_the_end_is_allowed():
    """Each tag leads to the next one alone, and the last one to the end."""
    CRF(np.roll(np.eye(9, dtype=bool), 1, axis=1))


def test_inputs():
    with pytest.raises(ValueError, match=r"4 tags.*\(4, 4\).*\(5, 5\) is needed"):
        CRF(ALLOWED)(array(2, 5, 4))
    with pytest.raises(ValueError, match=r"\(2, 5\).*\[batch, time, tags\]"):
        CRF()(array(2, 5))
    with pytest.raises(ValueError, match=r"\(2, 5, 3, 1\).*\[batch, time, tags\]"):
        CRF()(array(2, 5, 3, 1))
    with pytest.raises(ValueError, match="number of tags"):
        CRF()(keras.Input((5, None)))


@pytest.mark.parametrize("wrong", [TAGS, -2])
def test_true_tags_that_are_none(wrong):
    """The loss is NaN, on every backend, rather than that of another tag."""
    model, _ = ready()
    tags = Y.copy()
    tags[0, 0] = wrong
    assert np.isnan(model.evaluate(X, tags, verbose=0))
    masked = X.copy()
    masked[0, 0] = 0
    assert np.isfinite(model.evaluate(masked, tags, verbose=0))


def test_true_tags_of_another_shape():
    with pytest.raises(ValueError, match=r"y_true.*6, 3\).*\[batch, time\]"):
        ready()[0].evaluate(X, np.eye(TAGS)[Y], verbose=0)


@pytest.mark.parametrize("length", [4, 8])
def test_true_tags_of_another_length(length):
    with pytest.raises(Exception, match=r"(?i)shape|broadcast|dimension"):
        ready()[0].evaluate(X, np.zeros((16, length), int), verbose=0)


def test_weights_of_steps():
    """Which Keras would spread over the batch where there are as many steps as sequences."""
    with pytest.raises(ValueError, match="one for each sequence"):
        ready()[0].evaluate(X[:6], Y[:6], sample_weight=np.ones((6, 6)), verbose=0)
