"""Processes that find each other and train as one."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.training.workers import Cluster, cluster, folder_of, meet

ROOT = Path(__file__).parents[2]


def addresses(number: int) -> list[str]:
    """So many that are free."""
    held = [socket.create_server(("", 0)) for _ in range(number)]
    found = [f"127.0.0.1:{one.getsockname()[1]}" for one in held]
    for one in held:
        one.close()
    return found


def start(module: str, *arguments: object, workers: list[str], index: int) -> subprocess.Popen:
    config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CONFIG": json.dumps(config)}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> tuple[list[dict], str]:
    """What two workers write, and the first when the second has been killed."""
    folder, there = tmp_path_factory.mktemp("two"), addresses(2)
    module = "tests.training.worker_program"
    workers = [start(module, folder, workers=there, index=k) for k in range(2)]
    said = [worker.communicate(timeout=600)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, -signal.SIGKILL], said
    found = [dict(np.load(folder / f"worker-{k}.npz")) for k in range(2)]
    return found, (folder / "lost.txt").read_text()


def test_two_workers_end_with_the_same_weights_which_are_those_of_one_process(two):
    from lstm_recipes.training.replicas import Replicas

    from .mirrored_tasks import character_task, train, values

    (first, second), _ = two
    task, losses = train(character_task, Replicas(), "sgd")
    np.testing.assert_allclose(first["losses"], losses, atol=1e-5)
    for k, value in enumerate(values(task)):
        if value.dtype == "float32":  # not the seeds of dropout, of which each has its own
            np.testing.assert_array_equal(first[f"value {k:03d}"], second[f"value {k:03d}"])
            np.testing.assert_allclose(first[f"value {k:03d}"], value, atol=1e-5)
    assert first["said"] == second["said"] == 5  # the chief's


def test_the_other_workers_end_soon_after_one_is_killed(two):
    seconds, sentence = two[1].splitlines()
    assert float(seconds) < 60
    assert sentence.startswith("another worker is gone") and "--resume" in sentence


def test_workers_meet():
    there = tuple(addresses(3))
    waiting = [
        threading.Thread(target=meet, args=(Cluster(there, index), 20)) for index in (2, 0, 1)
    ]
    for one in waiting:
        one.start()
    for one in waiting:
        one.join(30)
    assert not any(one.is_alive() for one in waiting)


@pytest.mark.parametrize(("index", "says"), [(0, "worker 1 .* did not come"), (1, "worker 0 ")])
def test_one_that_never_comes_is_an_error_in_time(index, says):
    began = time.monotonic()
    with pytest.raises(UserError, match=says):
        meet(Cluster(tuple(addresses(2)), index), 0.5)
    assert time.monotonic() - began < 5


def test_an_address_that_is_taken_is_an_error():
    with socket.create_server(("", 0)) as taken:
        there = (f"127.0.0.1:{taken.getsockname()[1]}", "127.0.0.1:1")
        with pytest.raises(UserError, match="cannot listen at its address"):
            meet(Cluster(there, 0), 1)


def test_tf_config_is_read_as_tensorflow_reads_it(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert cluster() is None
    jobs = {"chief": ["a:1"], "worker": ["b:2", "c:3"]}
    for task, index in (({"type": "chief", "index": 0}, 0), ({"type": "worker", "index": 1}, 2)):
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": jobs, "task": task}))
        assert cluster() == Cluster(("a:1", "b:2", "c:3"), index)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[]",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:2"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_a_tf_config_that_makes_no_sense_is_an_error(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match=r"TF_CONFIG is .* cannot be used"):
        cluster()


def test_the_chief_alone_writes_the_run(tmp_path):
    there = ("a:1", "b:2")
    (tmp_path / "last").mkdir()
    for name in ("config.json", "last/checkpoint.npz", "best.keras"):
        (tmp_path / name).write_text(name)
    assert (
        folder_of(None, tmp_path, True) == folder_of(Cluster(there, 0), tmp_path, True) == tmp_path
    )
    own = folder_of(Cluster(there, 1), tmp_path, resume=True)
    found = {str(path.relative_to(own)) for path in own.rglob("*") if path.is_file()}
    assert found == {"config.json", "last/checkpoint.npz"}
    assert not [*folder_of(Cluster(there, 1), tmp_path, resume=False).iterdir()]
