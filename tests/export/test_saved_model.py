"""SavedModels, loaded by TensorFlow alone, agree with Keras."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from lstm_recipes.errors import UserError
from lstm_recipes.export.in_float32 import in_float32
from lstm_recipes.export.saved_model import to_saved_model
from lstm_recipes.export.signatures import signatures_of
from lstm_recipes.layers import ForgetGateLSTM
from lstm_recipes.models.char_lm import char_lm, initial_state

from .small_models import all_layers, assert_alike, by_keras, some_input


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """A model with every layer, and the folder where it is saved."""
    model, folder = all_layers(), tmp_path_factory.mktemp("saved") / "model"
    to_saved_model(model, folder)
    return model, folder


PROGRAM = """
import sys
import numpy as np, tensorflow as tf
signatures = tf.saved_model.load(sys.argv[1]).signatures
given = np.load(sys.argv[2])
found = signatures["sequence"](**{name: tf.constant(given[name]) for name in given})
np.savez(sys.argv[3], **{name: part.numpy() for name, part in found.items()})
step = {name: given[name] for name in given if name != "tokens"}
for t in range(given["tokens"].shape[1]):
    found = signatures["step"](tokens=tf.constant(given["tokens"][:, t]), **step)
    step = {name: part for name, part in found.items() if name != "output"}
np.savez(sys.argv[4], **{name: part.numpy() for name, part in found.items()})
print(signatures["serving_default"].structured_outputs["output"].shape)
assert "lstm_recipes" not in sys.modules
"""


def test_a_process_without_this_package_steps_and_runs_whole(layers, tmp_path):
    """The last step's output and states are those of the whole sequence."""
    model, folder = layers
    given = some_input(model, batch=3, time=6)
    np.savez(tmp_path / "given.npz", **given)
    files = [tmp_path / name for name in ("given.npz", "whole.npz", "steps.npz")]
    command = [sys.executable, "-c", PROGRAM, str(folder), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(None, 7)\n"  # the step is the default
    wanted = by_keras(model, given)
    assert_alike(dict(np.load(files[1])), wanted)
    assert_alike(dict(np.load(files[2])), wanted | {"output": wanted["output"][:, -1]})


def test_half_precision_becomes_float32_with_the_same_weights():
    mixed = char_lm(5, layers=2, units=4, precision="mixed_bfloat16")
    full = in_float32(mixed)
    assert full is not mixed
    for one, two in zip(full.get_weights(), mixed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert {layer.compute_dtype for layer in full._flatten_layers()} == {"float32"}
    assert in_float32(full) is full


def test_int8_kernels_stay_int8(tmp_path, no_collection):
    model = char_lm(7, units=6)
    model.quantize("int8")
    to_saved_model(model, tmp_path / "model")
    loaded = tf.saved_model.load(tmp_path / "model")
    assert sum(variable.dtype == tf.int8 for variable in loaded.weights) == 4
    tokens, zeros = ops.array([1, 2], "int32"), initial_state(model, 2)
    states = {f"state_{k}": zero for k, zero in enumerate(zeros)}
    found = loaded.signatures["step"](tokens=tokens, **states)
    np.testing.assert_allclose(
        found["output"], model([tokens[:, None], *zeros])[0][:, 0], atol=1e-5
    )


# --- what a model's signatures are -----------------------------------------------------------


def test_names_of_inputs_and_outputs():
    one, two = keras.Input((3,)), keras.Input((4,), name="other")
    model = keras.Model([one, two], [keras.layers.Dense(2)(one), keras.layers.Dense(1)(two)])
    [signature] = signatures_of(model)
    assert {k: s.shape.as_list() for k, s in signature.inputs.items()} == {
        "input_0": [None, 3],
        "other": [None, 4],
    }
    given = {"input_0": ops.ones((1, 3)), "other": ops.ones((1, 4))}
    assert list(signature.function(**given)) == ["output_0", "output_1"]
    lone = keras.Sequential([keras.Input((None, 2)), ForgetGateLSTM(3)])
    [signature] = signatures_of(lone)
    assert signature.function(input_0=ops.ones((1, 4, 2)))["output"].shape == (1, 3)


def test_what_cannot_leave_says_why(tmp_path):
    stateful = keras.Sequential(
        [keras.Input(batch_shape=(1, None, 2)), ForgetGateLSTM(3, stateful=True, name="lstm")]
    )
    with pytest.raises(UserError, match=r"lstm keeps its states inside \(stateful=True\); make"):
        to_saved_model(stateful, tmp_path / "model")
    with pytest.raises(UserError, match="does not tell its inputs; export a functional"):
        to_saved_model(keras.Model(), tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_stays_unless_it_may_be_replaced(layers, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    path = tmp_path / "model"
    path.mkdir()
    (path / "letter.txt").write_text("mine")
    with pytest.raises(UserError, match=r"is there already; --overwrite replaces it"):
        to_saved_model(model, path)
    with pytest.raises(UserError, match="is no export and stays as it is"):
        to_saved_model(model, path, overwrite=True)
    assert (path / "letter.txt").read_text() == "mine"
    (path / "letter.txt").unlink()
    to_saved_model(model, path, overwrite=True)
    to_saved_model(model, path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
