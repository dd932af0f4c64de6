"""A translator whose layers stand on four devices trains as it does on one."""

import json

import keras
import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.models.placement import Placement, on_device
from lstm_recipes.training.devices import Devices
from lstm_recipes.training.trained_translator import TrainedTranslator

from ..data.pair_corpus import write_pairs_folder
from .test_devices import program

FOUR = {f"CPU:{k}" for k in range(4)}


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("placed")
    program("tests.training.placed_tasks", folder)
    return dict(np.load(folder / "placed.npz")), json.loads((folder / "placed.json").read_text())


def test_the_command_trains_so(tmp_path):
    sizes = ["--layers", "2", "--units", "4", "--embedding", "4", "--steps", "1", "--beam", "1"]
    where = ["--strategy", "placed", "--virtual-devices", "2"]
    write_pairs_folder(tmp_path / "few")
    data = ["--data", tmp_path / "few", "--run", tmp_path / "run"]
    program("lstm_recipes.cli", "translate", "train", *data, *sizes, *where)
    assert TrainedTranslator(tmp_path / "run").translate(["a cat"])


@pytest.mark.parametrize("system", ["sutskever", "gnmt"])
def test_losses_and_weights_are_those_of_one_device(placed, system):
    found, _ = placed
    one, several = found[f"{system} losses"], found[f"{system} placed losses"]
    np.testing.assert_allclose(several, one, atol=1e-5)
    assert one[0] > one[-1] + 0.1
    keys = [key for key in found if key.startswith(f"{system} value")]
    assert len(keys) > 50
    for key in keys:
        other = found[key.replace("value", "placed")]
        np.testing.assert_allclose(other, found[key], atol=1e-5, err_msg=key)


def test_each_device_has_its_weights_their_slots_and_the_work(placed):
    _, about = placed
    for system in ("sutskever", "gnmt"):
        of = about[system]
        assert set(of["weights"]) == FOUR  # the softmax is on all
        assert of["slots"] == {device: 2 * n for device, n in of["weights"].items()}
        assert set(of["operations"]["MatMul"]) == FOUR
        # Adam's two slots and the weight, each; decay; what stays is the step and the rate.
        assert of["operations"]["Assign"].pop("none") == 2
        for device, number in of["operations"]["Assign"].items():
            assert number >= 3 * of["weights"][device]
    assert set(about["sutskever"]["operations"]["While"]) == FOUR
    assert set(about["gnmt"]["operations"]["While"]) == {"CPU:0", "CPU:2"}  # two layers


def test_a_run_goes_on_on_one_device(placed):
    found, about = placed
    np.testing.assert_allclose(found["moved"], found["stayed"], atol=1e-5)
    several, one = about["validation"]
    assert several["validation_loss"] == pytest.approx(one["validation_loss"], abs=1e-5)
    assert several["validation_bleu"] == pytest.approx(one["validation_bleu"], abs=1e-3)


def test_what_is_saved_is_the_model_on_one_device(placed):
    found, _ = placed
    np.testing.assert_allclose(found["loaded"], found["saved"], atol=1e-6)


def test_layers_are_spread_over_the_devices():
    def places(devices, layers):
        place = Placement([str(k) for k in range(devices)], layers)
        return "".join(place.of_layer(depth) for depth in range(1, layers + 1))

    assert places(4, 8) == "00112233"
    assert places(4, 4) == "0123"
    assert places(2, 3) == "001"
    assert places(4, 2) == "02"
    assert Placement((), 4).of_layer(2) is None


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's graphs")
def test_the_gradient_ends_at_the_arguments_though_one_comes_from_another():
    import tensorflow as tf

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = on_device("CPU:0", lambda x: 3 * x)(x)
            z = on_device("CPU:0", lambda x, y, mask: (tf.where(mask, x * y, y), mask))(
                x, y, tf.constant([True, False])
            )[0]
        return tape.gradient(z, x)

    # x · 3x, and 3x.
    np.testing.assert_allclose(gradients(tf.constant([2.0, 2.0])), [12.0, 3.0])


def test_other_recipes_and_one_device_are_refused():
    with pytest.raises(UserError, match=r"placed is for translate.* give --strategy mirrored"):
        Devices("placed").replicas()
    with pytest.raises(UserError, match="placed needs more than one device"):
        Devices("placed", devices=("CPU:0",)).replicas(places_layers=True)
    assert Devices("one").of_layers() == ()
