"""Asking several sources for the same bytes at once, for a bounded time."""

import hashlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile


@dataclass(frozen=True)
class Source:
    """One place to get bytes from, asked by a command that can be killed.

    Args:
        name: what a person calls it.
        command: makes the command line that leaves its answer in the given folder; it raises
            ImportError where the command cannot run here, with the reason.
        read: reads the answer from that folder.
    """

    name: str
    command: Callable[[Path], list[str]]
    read: Callable[[Path], bytes]


class NoAnswer(Exception):
    """No source gave the right bytes; the message says what each of them said."""


def first_answer(sources: Sequence[Source], sha256: str, seconds: float) -> tuple[str, bytes]:
    """The name and the bytes of the first source that gives bytes with this SHA-256.

    All are asked side by side. Whatever ends the wait (an answer, the time, Ctrl-C), no
    command is left running and no file is left behind.

    Raises:
        NoAnswer: all have failed, or the time is up.
    """
    running: dict[Source, tuple[subprocess.Popen, Path]] = {}
    said: dict[str, str] = {}
    deadline = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        try:
            for number, source in enumerate(sources):
                folder = Path(temporary, str(number))
                folder.mkdir()
                try:
                    running[source] = _start(source.command(folder), folder), folder
                except (ImportError, OSError) as error:
                    said[source.name] = str(error)
            while running and time.monotonic() < deadline:
                for source, (process, folder) in list(running.items()):
                    if process.poll() is None:
                        continue
                    del running[source]
                    content, said[source.name] = _answer(source, process.returncode, folder, sha256)
                    if content is not None:
                        return source.name, content
                time.sleep(0.05)
        finally:
            for process, _ in running.values():
                _kill(process)
    said |= {source.name: f"no answer within {seconds:g} seconds" for source in running}
    raise NoAnswer("; ".join(f"{source.name}: {said[source.name]}" for source in sources))


def _start(command: list[str], folder: Path) -> subprocess.Popen:
    """Start a command that asks nothing, says nothing, and keeps all it writes in the folder."""
    with Path(folder, "messages").open("wb") as messages:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=messages,
            env=os.environ | {"TMPDIR": str(folder)},
            start_new_session=True,  # a group of its own, so that its children die with it
        )


def _answer(source: Source, status: int, folder: Path, sha256: str) -> tuple[bytes | None, str]:
    """The right bytes, or None and what went wrong."""
    if status != 0:
        lines = Path(folder, "messages").read_text("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
        return None, f"{last[:300]} (status {status})"
    try:
        content = source.read(folder)
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        return None, f"its answer cannot be read ({error})"
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        return None, f"{len(content):,} wrong bytes (sha256 {found[:12]}..., not {sha256[:12]}...)"
    return content, ""


def _kill(process: subprocess.Popen) -> None:
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
