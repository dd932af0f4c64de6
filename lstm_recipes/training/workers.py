"""Several processes, on one machine or on several, that train as one: who they are, how they find
each other, and where each writes."""

import atexit
import json
import os
import shutil
import socket
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from lstm_recipes.errors import UserError

FOR_RESUMING = (
    "config.json",
    "vocabulary.json",
    "metrics.json",
    "log.csv",
    "last/checkpoint.npz",
    "last/before.npz",
)
GO = b"go\n"


@dataclass(frozen=True)
class Cluster:
    """The processes that train together, and which of them this one is.

    >>> there = Cluster(("10.0.0.1:2222", "10.0.0.2:2222"), 1)
    >>> there.name(0), there.chief
    ('worker 0 (10.0.0.1:2222)', False)
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def chief(self) -> bool:
        """Whether this one writes the run; the others only train."""
        return self.index == 0

    def name(self, index: int) -> str:
        """One of them, for a message."""
        return f"worker {index} ({self.addresses[index]})"


def cluster() -> Cluster | None:
    """What TF_CONFIG says, as TensorFlow has it; None where it is not set.

        {"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]},
         "task": {"type": "worker", "index": 0}}

    A "chief" beside the workers counts as the first of them.

    Raises:
        UserError: It is set, and says something else.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        said = json.loads(text)
        jobs, task = said["cluster"], said["task"]
        if unknown := jobs.keys() - {"chief", "worker"}:
            raise ValueError(f"it has {', '.join(sorted(unknown))}")
        chiefs = jobs.get("chief", [])
        addresses = tuple([*chiefs, *jobs.get("worker", [])])
        index = int(task["index"]) + (len(chiefs) if task["type"] == "worker" else 0)
        if task["type"] not in jobs or not 0 <= index < len(addresses):
            raise ValueError(f"it has no {task['type']} {task['index']}")
        for address in addresses:
            int(address.rpartition(":")[2])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"TF_CONFIG is {text} and cannot be used ({error!r}); give each process "
            '{"cluster": {"worker": ["HOST:PORT", …]}, "task": {"type": "worker", "index": 0}}, '
            "with an index of its own"
        ) from None
    return Cluster(addresses, index)


def meet(cluster: Cluster, seconds: float) -> None:
    """Wait until all processes are there; TensorFlow, which would wait for an hour, starts then.

    The chief listens at its address, where TensorFlow will, until every other has said which it is.

    Raises:
        UserError: Some have not come in time; it names them.
    """
    until = time.monotonic() + seconds
    if cluster.chief:
        _gather(cluster, until, seconds)
    else:
        _report(cluster, until, seconds)


def _gather(cluster: Cluster, until: float, seconds: float) -> None:
    port = int(cluster.addresses[0].rpartition(":")[2])
    there: dict[int, socket.socket] = {}
    with ExitStack() as sockets:
        try:
            server = sockets.enter_context(socket.create_server(("", port)))
        except OSError as error:
            raise UserError(
                f"{cluster.name(0)} cannot listen at its address ({error.strerror}); give it a "
                "free port in TF_CONFIG, the same in that of all workers"
            ) from None
        while len(there) < len(cluster.addresses) - 1:
            server.settimeout(max(until - time.monotonic(), 0.01))
            try:
                other = sockets.enter_context(server.accept()[0])
            except TimeoutError:
                absent = sorted({*range(1, len(cluster.addresses))} - {*there})
                raise UserError(
                    f"{', '.join(map(cluster.name, absent))} did not come within {seconds:g} "
                    "seconds; start each with the same TF_CONFIG but an index of its own, and see "
                    f"that it reaches {cluster.addresses[0]}"
                ) from None
            other.settimeout(5)
            with suppress(OSError, ValueError):  # whoever else may call
                there[int(other.recv(16))] = other
        for other in there.values():
            other.sendall(GO)


def _report(cluster: Cluster, until: float, seconds: float) -> None:
    host, _, port = cluster.addresses[0].rpartition(":")
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise UserError(
                f"{cluster.name(0)} and all others did not come together within {seconds:g} "
                f"seconds; start all {len(cluster.addresses)} workers, and see that this one "
                "reaches that address"
            )
        with suppress(OSError), socket.create_connection((host, int(port)), left) as chief:
            chief.sendall(f"{cluster.index}\n".encode())
            chief.settimeout(max(until - time.monotonic(), 0.01))
            if chief.recv(len(GO)) == GO:
                return
        time.sleep(min(0.2, max(until - time.monotonic(), 0)))


def folder_of(cluster: Cluster | None, run: Path, resume: bool) -> Path:
    """Where this process writes the run: the chief in its folder, every other in one of its own
    that is removed at the end, and that has what resuming reads."""
    if cluster is None or cluster.chief:
        return run
    own = Path(tempfile.mkdtemp(prefix="lstm-recipes-worker-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    for name in FOR_RESUMING if resume else ():
        with suppress(FileNotFoundError):
            (own / name).parent.mkdir(exist_ok=True)
            shutil.copy(Path(run).expanduser() / name, own / name)
    return own
