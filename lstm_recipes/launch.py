"""`lstm-recipes launch`: processes on this machine that train as one, started again when one dies.

It tries out on one machine what TF_CONFIG does on several: each process is given one.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

FINAL = (1, 2, 130)  # what a worker ends with when starting it again would not help
GRACE = 30  # seconds for the others to end by themselves then


class Worker(NamedTuple):
    """A process, and what it writes to standard error; the first one's is ours."""

    process: subprocess.Popen
    said: IO | None


def launch(arguments: Sequence[str]) -> int:
    """Run a command of a recipe in several processes; its exit status."""
    parser = argparse.ArgumentParser("lstm-recipes launch", allow_abbrev=False)
    parser.description = "Train in several processes on this machine, as on several machines."
    parser.add_argument("--workers", type=int, default=2, help="how many (default: 2)")
    parser.add_argument(
        "--restarts",
        type=int,
        default=3,
        help="how often to start all again from the last checkpoint when one dies (default: 3)",
    )
    parser.add_argument("command", nargs="*", metavar="-- RECIPE train …")
    given = parser.parse_args(arguments)
    if given.command[1:2] != ["train"] or given.workers < 1:
        parser.error("give at least 1 worker and a command that trains, after --")
    command, began = given.command, time.time()
    for left in range(given.restarts, -1, -1):
        status, lost = _together(command, given.workers)
        if lost is None:
            return status
        what = f"worker {lost} ended with status {status}"
        if not left:
            break
        print(f"lstm-recipes: {what}; starting all again", file=sys.stderr)
        command = going_on(given.command, began)
    print(f"lstm-recipes: {what}, after {given.restarts} restarts", file=sys.stderr)
    return 1


def going_on(command: Sequence[str], began: float) -> list[str]:
    """The command that goes on where this one has come to, if it has begun a run since then; what
    was in its folder before is not touched."""
    run = Path(f"runs/{command[0]}")
    for word, following in zip(command, [*command[1:], ""], strict=True):
        if word == "--run" or word.startswith("--run="):
            run = Path(word.partition("=")[2] or following)
    config = run.expanduser() / "config.json"
    if not config.exists() or config.stat().st_mtime < began:
        return [*command]
    rest = [word for word in command if word not in ("--overwrite", "--resume")]
    there = (run.expanduser() / "last/checkpoint.npz").exists()
    return [*rest, "--resume" if there else "--overwrite"]


def _together(command: Sequence[str], number: int) -> tuple[int, int | None]:
    """Run all until they have ended: the exit status, and which was lost if one was."""
    with ExitStack() as files:
        addresses = [f"127.0.0.1:{port}" for port in _free_ports(number)]
        workers = [_start(command, addresses, index, files) for index in range(number)]
        with _forwarding([worker.process for worker in workers]):
            return _watch(workers)


def _free_ports(number: int) -> list[int]:
    with ExitStack() as sockets:
        held = [sockets.enter_context(socket.create_server(("", 0))) for _ in range(number)]
        return [one.getsockname()[1] for one in held]


def _start(command: Sequence[str], addresses: list[str], index: int, files: ExitStack) -> Worker:
    config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    said = None
    if index:
        said = files.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115  it is entered
    process = subprocess.Popen(
        [sys.executable, "-m", "lstm_recipes.cli", *command],
        env=os.environ | {"TF_CONFIG": json.dumps(config)},
        stdout=subprocess.DEVNULL if index else None,
        stderr=said,
        start_new_session=True,  # Ctrl-C comes to it through us, once
    )
    return Worker(process, said)


@contextmanager
def _forwarding(processes: list[subprocess.Popen]) -> Iterator[None]:
    """Ctrl-C and SIGTERM are for all workers, who write a checkpoint and end."""

    def forward(number: int, _: object) -> None:
        for process in processes:
            if process.poll() is None:
                process.send_signal(number)

    before = {one: signal.signal(one, forward) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def _watch(workers: list[Worker]) -> tuple[int, int | None]:
    """As in `_together`, whose last act is to kill those that still run."""
    until = None
    while True:
        ended = {k: w.process.poll() for k, w in enumerate(workers)}
        failed = {k: status for k, status in ended.items() if status}
        final = {k: status for k, status in failed.items() if status in FINAL}
        if None not in ended.values() and not failed:
            return 0, None
        if failed and not final:
            lost, status = next(iter(failed.items()))
            _show(workers, lost)
            return status, lost
        if final:
            index, status = next(iter(final.items()))
            until = until or time.monotonic() + GRACE
            if None not in ended.values() or time.monotonic() > until:
                _show(workers, index)
                return status, None
        time.sleep(0.1)


def _show(workers: list[Worker], index: int) -> None:
    """The end of what a worker other than the first has written, which nobody has seen."""
    said = workers[index].said
    if said is None:
        return
    said.seek(0)
    for line in said.read().splitlines()[-10:]:
        print(f"worker {index}: {line}", file=sys.stderr)
