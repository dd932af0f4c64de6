"""The training loop, over a task that takes no time."""

import csv
import math
import os
import signal
import threading

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.training.fit import TIMED_STEPS, UNTIMED_STEPS, Budget, Interrupted, fit
from lstm_recipes.training.run_folder import LOCK
from lstm_recipes.training.schedule import warmup_cosine


class Killed(BaseException):
    """As SIGKILL does it: nothing more is done."""


def kill():
    raise Killed


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def go(task, run, budget=None, validate_every=10):
    budget = budget or Budget(steps=47)
    return fit(task, run, budget, learning_rate=0.1, warmup=4, validate_every=validate_every)


def rows(run) -> list[dict]:
    with (run / "log.csv").open(newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def numbers(run) -> list[dict]:
    """The log without the clock."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows(run)]


# --- the budget ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        (Budget(steps=7), 7),
        (Budget(epochs=2), 200),
        (Budget(epochs=0.5), 50),
        (Budget(epochs=0.001), 1),
        (Budget(minutes=3), None),
    ],
)
def test_a_budget_is_steps_or_epochs_or_minutes(budget, steps):
    assert budget.in_steps(100) == steps


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({"steps": 0}, "steps is 0; give a number of at least 1"),
        ({"steps": -5}, "steps is -5; give a number of at least 1"),
        ({"epochs": 0.0}, "epochs is 0.0; give a number above 0"),
        ({"steps": 9, "epochs": -1.0}, "epochs is -1.0; give a number above 0"),
        ({"minutes": 0}, "minutes is 0; give a number above 0"),
        ({"minutes": -2.5}, "minutes is -2.5; give a number above 0"),
        ({"minutes": math.inf}, "minutes is inf; give a number above 0"),
        ({"epochs": math.nan}, "epochs is nan; give a number above 0"),
        ({"epochs": 1, "minutes": 1}, "epochs and minutes are given; give one of them"),
        ({"steps": 9, "epochs": 1}, "steps and epochs are given; give one of them"),
        ({}, "no budget is given; give steps, epochs or minutes"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(budget, message):
    with pytest.raises(UserError) as error:
        Budget(**budget)
    assert str(error.value) == message


# --- an unbroken run -------------------------------------------------------------------------


def test_every_step_is_done_once_with_its_learning_rate(stub, new_run):
    task = stub()
    run = new_run()
    assert go(task, run)["steps"] == 47
    assert task.rates == {s: warmup_cosine(s, 47, 0.1, 4) for s in range(47)}
    assert run.read_json("config")["total_steps"] == 47


def test_epochs_become_steps(stub, new_run):
    run = new_run()
    assert go(stub(), run, Budget(epochs=2.5))["steps"] == 20
    assert run.read_json("config")["total_steps"] == 20


def test_the_log_has_a_row_a_validation_and_one_at_the_end(stub, new_run):
    losses = {step: 2 + math.sin(step) for step in range(47)}
    run = new_run()
    go(stub(losses), run)
    assert [row["step"] for row in rows(run)] == [10, 20, 30, 40, 47]
    assert [row["epoch"] for row in rows(run)] == [1.25, 2.5, 3.75, 5, 5.875]
    for row in rows(run):  # the training loss is the mean of the last `validate_every` steps
        end = int(row["step"])
        mean = sum(losses[s] for s in range(end - 10, end)) / 10
        assert row["train_loss"] == pytest.approx(mean, abs=1e-5)


def test_best_is_the_model_of_the_lowest_estimate(stub, new_run):
    run = new_run()
    estimates = {10: 3.0, 20: 2.0, 30: 2.5, 40: 2.0, 47: 2.1}
    go(stub(estimates=estimates), run)
    assert (run / "best.keras").read_text() == "step 20"
    assert [row["validation_loss"] for row in rows(run)] == list(estimates.values())


def test_the_curves_are_written_for_tensorboard(stub, new_run):
    import tensorflow as tf
    from tensorflow.core.util import event_pb2

    run = new_run()
    go(stub(), run)
    [file] = (run / "tensorboard").iterdir()
    found = {}
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        event = event_pb2.Event.FromString(record)
        for value in event.summary.value:
            found[event.step, value.tag] = float(tf.make_ndarray(value.tensor))
    for row in rows(run):
        for tag in ("train_loss", "validation_loss", "learning_rate"):
            assert found.pop((int(row["step"]), tag)) == pytest.approx(row[tag])
    assert not found


def test_seconds_and_speed(stub, new_run, clock):
    def second():
        clock.now += 2.0

    task = stub(events=dict.fromkeys(range(20), second))
    trained = go(task, new_run(), Budget(steps=20))
    assert trained == {"steps": 20, "train_seconds": 40.0, "characters_per_second": 50}


def test_it_trains_in_a_thread_too(stub, new_run):
    """There, as in some notebooks, Python lets nobody handle Ctrl-C."""
    steps = []
    thread = threading.Thread(target=lambda: steps.append(go(stub(), new_run())["steps"]))
    thread.start()
    thread.join()
    assert steps == [47]


# --- enough ----------------------------------------------------------------------------------


def test_it_ends_when_nothing_better_is_found_for_long(stub, new_run, capsys):
    costs = {10: 2.0, 20: 1.0, 30: 1.5, 40: 1.0, 50: 0.5}
    run = new_run()
    trained = fit(
        stub(estimates=costs),
        run,
        Budget(steps=50),
        learning_rate=0.1,
        warmup=4,
        validate_every=10,
        patience=2,
    )
    assert trained["steps"] == 40
    # What was planned stays, for the learning rate of a run that is killed now depends on it.
    assert run.read_json("config")["total_steps"] == 50
    assert run.read_text("best.keras") == "step 20"
    assert "no better model in 2 validations: enough" in capsys.readouterr().err


def test_a_run_that_has_enough_has_it_when_it_is_resumed(stub, new_run):
    """It was killed after its last checkpoint, before it was measured."""
    options = dict(learning_rate=0.1, warmup=4, validate_every=10, patience=2)
    run, costs = new_run(), {10: 1.0, 20: 1.5, 30: 1.5, 40: 0.5}
    for _ in range(2):
        task = stub(estimates=costs)
        assert fit(task, run, Budget(steps=40), **options)["steps"] == 30
    assert not task.rates


def test_patience_counts_on_when_a_run_is_resumed(stub, new_run):
    costs = {10: 1.0, 20: 1.5, 30: 1.5, 40: 0.5}
    options = dict(learning_rate=0.1, warmup=4, validate_every=10, patience=2)
    run = new_run()
    with pytest.raises(Killed):
        fit(stub(estimates=costs, events={25: kill}), run, Budget(steps=40), **options)
    assert fit(stub(estimates=costs), run, Budget(steps=40), **options)["steps"] == 30


# --- minutes ---------------------------------------------------------------------------------


def test_minutes_become_steps_once_after_fifty_timed_steps(stub, new_run, clock, capsys):
    run = new_run()

    def takes(seconds):
        def event():
            clock.now += seconds

        return event

    def known():
        assert run.read_json("config")["total_steps"] == 240
        takes(1.0)()

    def unknown():
        assert "total_steps" not in run.read_json("config")
        takes(0.25)()

    before = UNTIMED_STEPS + TIMED_STEPS
    events = {s: takes(30.0) for s in range(UNTIMED_STEPS)}  # compiling does not count
    events |= {s: unknown for s in range(UNTIMED_STEPS, before)}
    events |= {s: known for s in range(before, 150)} | {150: kill}
    with pytest.raises(Killed):
        go(stub(events=events), run, Budget(minutes=1))
    assert run.read_json("config")["total_steps"] == 240
    assert "1 minutes are 240 steps here" in capsys.readouterr().err

    slower = {s: takes(100.0) for s in range(240)}  # the same number on any machine
    assert go(stub(events=slower), run, Budget(minutes=1))["steps"] == 240
    assert [row["step"] for row in rows(run)] == list(range(10, 241, 10))


def test_few_minutes_are_the_steps_that_were_timed(stub, new_run):
    assert go(stub(), new_run(), Budget(minutes=1e-9))["steps"] == UNTIMED_STEPS + TIMED_STEPS


# --- stopping and going on -------------------------------------------------------------------


@pytest.mark.parametrize("stops", [(0,), (3,), (9, 10, 11), (27, 35), (46,)])
@pytest.mark.parametrize("stop", [kill, interrupt])
def test_a_stopped_run_ends_with_the_numbers_of_an_unbroken_one(stub, new_run, stop, stops):
    whole, broken = new_run("whole"), new_run("broken")
    unbroken = stub()
    go(unbroken, whole)
    for step in stops:
        if stop is interrupt and step == 46:
            continue  # the last step's Ctrl-C comes too late to stop anything
        with pytest.raises((Killed, Interrupted)):
            go(stub(events={step: stop}), broken)
    resumed = stub()
    assert go(resumed, broken)["steps"] == 47
    assert numbers(broken) == numbers(whole)
    assert np.array_equal(resumed.total, unbroken.total)
    assert (broken / "best.keras").read_text() == (whole / "best.keras").read_text()
    assert resumed.rates.items() <= unbroken.rates.items()


def test_a_row_logged_after_the_last_checkpoint_is_written_anew(stub, new_run, monkeypatch):
    from lstm_recipes.training import fit as module

    whole, broken = new_run("whole"), new_run("broken")
    go(stub(), whole)
    save = module.save_checkpoint
    saves = iter([save, save, lambda *_: kill()])
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(module, "save_checkpoint", lambda *a: next(saves)(*a))
        go(stub(), broken)
    assert [row["step"] for row in rows(broken)] == [10, 20]  # and the checkpoint is of step 10
    resumed = stub()
    go(resumed, broken)
    assert min(resumed.rates) == 10
    assert numbers(broken) == numbers(whole)


def test_the_best_of_before_is_not_forgotten(stub, new_run):
    estimates = {10: 2.0, 20: 2.5, 30: 2.4, 40: 2.1, 47: 2.2}
    run = new_run()
    with pytest.raises(Killed):
        go(stub(estimates=estimates, events={25: kill}), run)
    go(stub(estimates=estimates), run)
    assert (run / "best.keras").read_text() == "step 10"


def test_ctrl_c_keeps_the_whole_step_and_says_how_to_go_on(stub, new_run):
    handler = signal.getsignal(signal.SIGINT)
    run = new_run()
    task = stub(events={23: interrupt})
    with pytest.raises(Interrupted, match=r"stopped after step 24; .* --resume goes on"):
        go(task, run)
    assert max(task.rates) == 23
    assert signal.getsignal(signal.SIGINT) is handler
    resumed = stub()
    go(resumed, run)
    assert min(resumed.rates) == 24


def test_a_scheduler_that_asks_to_end_gets_the_whole_step(stub, new_run):
    run = new_run()
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted, match="stopped after step 24"):
        go(stub(events={23: lambda: signal.raise_signal(signal.SIGTERM)}), run)
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_run_is_locked_while_it_trains(stub, new_run):
    run, seen = new_run(), []
    go(stub(events={23: lambda: seen.append((run / LOCK).read_text())}), run)
    assert seen == [str(os.getpid())] and not (run / LOCK).exists()


def test_a_run_that_fails_is_locked_no_longer(stub, new_run):
    run = new_run()
    with pytest.raises(Killed):
        go(stub(events={23: kill}), run)
    assert not (run / LOCK).exists()


def test_a_second_ctrl_c_does_not_wait(stub, new_run):
    def twice():
        interrupt()
        interrupt()

    task = stub(events={23: twice})
    run = new_run()
    with pytest.raises(KeyboardInterrupt) as stopped:
        go(task, run)
    assert not isinstance(stopped.value, Interrupted)
    resumed = stub()
    go(resumed, run)
    assert min(resumed.rates) == 20  # of the last checkpoint


def test_a_finished_run_has_nothing_left_to_do(stub, new_run):
    run = new_run()
    go(stub(), run)
    before = rows(run)
    again = stub()
    assert go(again, run)["steps"] == 47
    assert not again.rates
    assert rows(run) == before


def test_the_seconds_of_all_sessions_are_added(stub, new_run, clock):
    def second():
        clock.now += 1.0

    def stop():
        clock.now += 1.0
        interrupt()

    events = dict.fromkeys(range(20), second)
    run = new_run()
    with pytest.raises(Interrupted):
        go(stub(events=events | {12: stop}), run, Budget(steps=20))
    clock.now += 1000  # a night between the two
    assert go(stub(events=events), run, Budget(steps=20))["train_seconds"] == 20.0


# --- losses that are none --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (
            {25: math.nan},
            r"the loss is nan at step 26 \(learning rate 0\.0\d+, gradient norm 2\.5\); start anew",
        ),
        ({25: math.inf}, "the loss is inf at step 26 "),
        ({25: 500.0}, "the loss has exploded to 500.0 at step 26 "),
        ({0: math.nan}, "the loss is nan at step 1 "),
        ({0: math.inf}, "the loss is inf at step 1 "),
        ({46: math.nan}, r"the loss is nan at step 47 \(learning rate 0\.00"),
    ],
)
def test_a_loss_that_is_no_number_stops_with_advice(stub, new_run, losses, message):
    run = new_run()
    with pytest.raises(UserError, match=message) as error:
        go(stub(losses), run)
    assert "(learning rate 0)" not in str(error.value)
    assert "--overwrite and a smaller --learning-rate" in str(error.value)
    step = min(losses)
    if (run / "last/checkpoint.npz").exists():  # and it is of an earlier step
        resumed = stub()
        go(resumed, run)
        assert min(resumed.rates) == step // 10 * 10


@pytest.mark.parametrize("estimate", [math.nan, math.inf])
def test_a_validation_loss_that_is_no_number_stops_with_advice(stub, new_run, estimate):
    run = new_run()
    with pytest.raises(UserError, match=f"the validation loss is {estimate} at step 20 .*smaller"):
        go(stub(estimates={20: estimate}), run)
    assert (run / "best.keras").read_text() == "step 10"
    assert [row["step"] for row in rows(run)] == [10]


def test_a_loss_may_rise_without_exploding(stub, new_run):
    assert go(stub({0: 3.0, 10: 5.0, 20: 8.0}), new_run())["steps"] == 47
