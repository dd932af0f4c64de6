"""A disk or a memory that is full: what is saved, where, and how to go on."""

from contextlib import ExitStack

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.training.fit import CHECKPOINT, Budget, fit
from lstm_recipes.training.model_file import save_model

from ..full_disk import no_file_beyond


def go(task, run):
    return fit(task, run, Budget(steps=40), learning_rate=0.1, warmup=4, validate_every=10)


def files(run) -> set[str]:
    return {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("full", [200, 700, 1500])
def test_a_full_disk_stops_with_what_is_saved_and_where(stub, new_run, full):
    """At 200 bytes not even the first checkpoint fits, at 1,500 the curves do not."""
    whole, run, unbroken = new_run("whole"), new_run(), stub()
    go(unbroken, whole)
    with ExitStack() as filled, pytest.raises(UserError) as stopped:
        go(stub(events={15: lambda: filled.enter_context(no_file_beyond(full))}), run)
    said = str(stopped.value)
    assert (
        "cannot be written (File too large) at step 20, and the run is saved up to step 10 in"
        in said
    )
    assert str(run / CHECKPOINT) in said and "the same command with --resume goes on" in said
    assert not [name for name in files(run) if name.endswith(".part")]
    resumed = stub()
    assert go(resumed, run)["steps"] == 40
    assert np.array_equal(resumed.total, unbroken.total)
    assert (run / "log.csv").read_text().count("\n") == (whole / "log.csv").read_text().count("\n")


def test_a_disk_that_is_full_at_once_has_nothing(stub, new_run):
    run = new_run()
    with (
        pytest.raises(UserError, match="at step 0, and nothing of the run is saved yet"),
        no_file_beyond(300),
    ):
        go(stub(), run)
    assert go(stub(), run)["steps"] == 40


def test_half_a_model_is_not_left_on_a_full_disk(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((50,)), keras.layers.Dense(50)])
    save_model(model, tmp_path / "best.keras")
    before = (tmp_path / "best.keras").read_bytes()
    with pytest.raises(OSError), no_file_beyond(5000):
        save_model(model, tmp_path / "best.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]
    assert (tmp_path / "best.keras").read_bytes() == before


def test_a_memory_that_is_too_small_names_the_numbers_to_lower(stub, new_run):
    def fill():
        np.zeros(10**15)

    run = new_run()
    config = run.read_json("config")
    run.write_json("config", config | {"numbers": {"batch_size": 64, "units": 512, "layer": "gru"}})
    with pytest.raises(UserError) as stopped:
        go(stub(events={15: fill}), run)
    said = str(stopped.value)
    assert said.startswith("the memory is too small (Unable to allocate ")
    assert said.endswith("give a smaller --batch-size than 64, or a smaller --units than 512")


def test_what_tensorflow_cannot_allocate_is_told_the_same(stub, new_run):
    import tensorflow as tf

    with pytest.raises(
        UserError, match=r"too small \(OOM when allocating tensor with shape\[100000"
    ):
        go(stub(events={0: lambda: tf.zeros([10**6, 10**8])}), new_run())


def test_other_errors_stay_as_they_are(stub, new_run):
    def wrong():
        raise OSError(2, "No such file or directory")

    with pytest.raises(FileNotFoundError):
        go(stub(events={0: wrong}), new_run())
