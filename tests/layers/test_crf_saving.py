"""The CRF layer and its loss, saved and loaded, copied, and in a fresh process."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from lstm_recipes.layers import CRF

from .crf_models import ALLOWED, PADDED, QUICK, TAGS, X, Y, every_kind, network, ready, trains
from .helpers import BACKEND, array, assert_close, assert_same, numpy, randomize


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
        # Each replica works all of it out, and the answer is there once.
        crf, outputs = model.get_layer("chain"), model.predict(x, verbose=0)
        assert crf.decode(outputs).shape == x.shape
        assert crf.k_best(outputs[:7], 2)[0].shape == (7, 2, x.shape[1])
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
