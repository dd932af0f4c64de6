"""The launcher: workers on this machine, and what happens when one dies."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lstm_recipes import launch

SMALL = (
    "--units 4 --embedding 3 --batch-size 4 --time 10 --dropout 0 --steps 40 --validate-every 10"
)


def losses(run: Path) -> list[float]:
    with (run / "log.csv").open(newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file) for name in COLUMNS]


COLUMNS = ("train_loss", "validation_loss")


def children(process: subprocess.Popen) -> list[int]:
    tasks = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(child) for child in tasks.read_text().split()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the worker is found in /proc")
def test_a_killed_worker_starts_all_again_to_the_same_numbers(text_file, tmp_path, command):
    options = ["--text", str(text_file), *SMALL.split()]
    alone, run = tmp_path / "alone", tmp_path / "two"
    arguments = ["launch", "--workers", "2", "--", "char-rnn", "train", "--run", str(run), *options]
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    launcher = subprocess.Popen(
        [sys.executable, "-m", "lstm_recipes.cli", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 300
    while not (run / "last/checkpoint.npz").exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(children(launcher)[1], signal.SIGKILL)
    out, err = launcher.communicate(timeout=600)
    assert launcher.returncode == 0, err
    assert "worker 1 ended with status -9; starting all again" in err
    assert out.count("bits per character") == 1  # one of them writes

    assert command("char-rnn", "train", "--run", alone, *options).status == 0
    assert losses(run) == pytest.approx(losses(alone), abs=2e-5)
    assert len(losses(run)) == 8


@pytest.fixture
def ended(monkeypatch):
    """Workers are small programs, each a list of Python lines by its number."""

    popen = subprocess.Popen

    def run(*programs: str) -> tuple[int, int | None]:
        started = iter(programs)
        monkeypatch.setattr(
            launch.subprocess,
            "Popen",
            lambda _, **options: popen([sys.executable, "-c", next(started)], **options),
        )
        return launch._together(["char-rnn", "train"], len(programs))

    return run


SLEEP = "import time; time.sleep(600)"
DIE = "import os; os.kill(os.getpid(), 9)"


def test_the_launcher_tells_a_lost_worker_from_a_wrong_command(ended, monkeypatch, capfd):
    monkeypatch.setattr(launch, "GRACE", 1)
    began = time.monotonic()
    assert ended("", "") == (0, None)
    assert ended(SLEEP, DIE) == (-9, 1)
    assert ended("import sys; sys.exit(75)", SLEEP) == (75, 0)
    assert ended(SLEEP, "import sys; sys.exit('bad data')") == (1, None)
    assert "worker 1: bad data" in capfd.readouterr().err
    assert time.monotonic() - began < 60


def test_a_restart_goes_on_with_its_own_run_and_touches_no_other(tmp_path):
    run = tmp_path / "run"
    for given in (["--run", str(run)], [f"--run={run}"]):
        asked = ["ner", "train", *given, "--overwrite"]
        assert launch.going_on(asked, time.time()) == asked
        (run / "last").mkdir(parents=True)
        (run / "config.json").touch()
        (run / "last/checkpoint.npz").touch()
        assert launch.going_on(asked, time.time() + 5) == asked  # an older one is there
        assert launch.going_on(asked, time.time() - 5) == [*asked[:-1], "--resume"]
        (run / "last/checkpoint.npz").unlink()
        assert launch.going_on(asked, time.time() - 5) == asked
        (run / "config.json").unlink()
        (run / "last").rmdir()


def test_a_launch_without_a_command_that_trains_is_a_usage_error(command):
    assert command("launch", "--workers", 2, "--", "char-rnn", "sample", "run").status == 2
    assert command("launch").status == 2
