"""Several devices train as one does: small models of all recipes, on virtual devices."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.training.devices import Devices
from lstm_recipes.training.replicas import Replicas, RowState

ROOT = Path(__file__).parents[2]


def program(*arguments: object) -> None:
    """Runs a module of the tests by itself."""
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, np.ndarray]:
    """What mirrored_tasks.py writes on two devices and on four."""
    folder = tmp_path_factory.mktemp("mirrored")
    for devices in (2, 4):
        program("tests.training.mirrored_tasks", devices, folder)
    return {**np.load(folder / "on-2.npz"), **np.load(folder / "on-4.npz")}


@pytest.mark.parametrize(
    ("name", "devices"), [("characters", 2), ("characters", 4), ("tags", 2), ("pairs", 2)]
)
def test_weights_and_losses_after_20_steps_are_those_of_one_device(found, name, devices):
    one, several = f"{name} sgd 1", f"{name} sgd {devices}"
    np.testing.assert_allclose(found[f"{several} losses"], found[f"{one} losses"], atol=1e-5)
    keys = [
        key for key in found if key.startswith(f"{one} value") and found[key].dtype == "float32"
    ]
    assert len(keys) > 5
    for key in keys:
        np.testing.assert_allclose(found[key.replace(one, several)], found[key], atol=1e-5)
    # They have gone somewhere.
    assert found[f"{one} losses"][:3].mean() > found[f"{one} losses"][-3:].mean() + 0.005


def test_the_losses_are_those_of_one_device_with_adam_too(found):
    one, two = (found[f"characters adam {number} losses"] for number in (1, 2))
    np.testing.assert_allclose(two, one, atol=1e-4)
    assert one[0] - one[-1] > 0.01


def test_a_run_goes_on_with_another_number_of_devices(found):
    np.testing.assert_allclose(found["moved"], found["stayed"], atol=1e-5)


def test_each_replica_has_dropout_masks_of_its_own_and_finds_them_again(found):
    first, second = np.split(found["states"], 2)  # the streams of one replica and of the other
    assert np.abs(first - second).max() > 1e-3
    assert found["resumed"].tolist() == found["unbroken"].tolist()


def test_a_batch_that_cannot_be_shared_is_refused_with_a_remedy():
    replicas = Replicas()
    replicas.number = 3
    with pytest.raises(UserError, match=r"batch_size is 64.* give --batch-size 63 or 66"):
        replicas.check_batch_size(64)
    with pytest.raises(UserError, match="give --batch-size 3, or"):
        replicas.check_batch_size(2)
    replicas.check_batch_size(66)


def test_the_state_of_one_replica_is_that_of_all_rows():
    state = RowState(Replicas(), np.zeros((4, 2), "float32"))
    state.assign(np.arange(8).reshape(4, 2))
    assert np.array(state).tolist() == np.arange(8).reshape(4, 2).tolist()
    state.keep(np.ones((4, 2), "float32"))
    assert np.array(state.value).sum() == 8


@pytest.mark.parametrize(
    ("devices", "says"),
    [
        (Devices("mirrored", devices=("CPU:0",)), "more than one device, and there is CPU:0"),
        (Devices(devices=("GPU:7",)), "there is no device GPU:7; there is CPU:0"),
        (Devices(virtual_devices=0), "virtual_devices is 0"),
        (Devices(virtual_devices=3), "the processor is 1 device already, and 3 are asked for"),
        (Devices("multiworker"), "needs TF_CONFIG"),
    ],
)
def test_devices_that_cannot_be_had_are_an_error_with_a_remedy(devices, says, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UserError, match=says):
        devices.replicas()
