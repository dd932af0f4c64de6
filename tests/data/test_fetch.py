"""Several sources asked at once: commands that answer, fail, lie and hang."""

import hashlib
import sys
import time
from pathlib import Path

import pytest

from lstm_recipes.data.fetch import NoAnswer, Source, first_answer

TEXT = b"To be, or not to be"
SHA256 = hashlib.sha256(TEXT).hexdigest()

# A child that starts a grandchild, which beats for as long as it lives; then the child hangs.
BEATING = """
import subprocess, sys, time
beat = "import sys, time\\nwhile True: open(sys.argv[1], 'a').write('.'); time.sleep(0.02)"
subprocess.Popen([sys.executable, "-c", beat, sys.argv[1]])
time.sleep(600)
"""


def source(name, program, *arguments, read=lambda folder: (folder / "answer").read_bytes()):
    return Source(
        name,
        lambda folder: [sys.executable, "-c", program, str(folder / "answer"), *arguments],
        read,
    )


def writes(name, content=TEXT):
    return source(name, f"import sys; open(sys.argv[1], 'wb').write({content!r})")


def fails(name):
    return source(name, "import sys; print('first'); sys.exit('the host is unreachable\\n')")


def hangs(name, heartbeat):
    program = BEATING.replace("sys.argv[1]])", repr(str(heartbeat)) + "])")
    return source(name, program)


def stopped(heartbeat: Path) -> bool:
    before = heartbeat.read_bytes()
    time.sleep(0.3)
    return heartbeat.read_bytes() == before


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def temporary(monkeypatch, tmp_path):
    """All temporary folders are made here, and each test must leave it empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def test_the_first_right_answer_wins():
    assert first_answer([fails("a"), writes("b")], SHA256, 30) == ("b", TEXT)


def test_wrong_bytes_do_not_count():
    assert first_answer([writes("a", b"other"), writes("b")], SHA256, 30) == ("b", TEXT)


def test_one_that_hangs_does_not_hinder_and_is_killed_with_its_children(tmp_path):
    heartbeat = tmp_path / "heartbeat"

    def read(folder):
        wait_for(heartbeat)  # the other one's child is alive by now
        return TEXT

    answers = source("b", "", read=read)
    began = time.monotonic()
    assert first_answer([hangs("a", heartbeat), answers], SHA256, 60) == ("b", TEXT)
    assert time.monotonic() - began < 30
    assert stopped(heartbeat)


def test_an_interrupt_kills_all(tmp_path):
    heartbeat = tmp_path / "heartbeat"

    def interrupt(folder):
        wait_for(heartbeat)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first_answer([hangs("a", heartbeat), source("b", "", read=interrupt)], SHA256, 60)
    assert stopped(heartbeat)


def test_the_wait_is_bounded_and_each_source_is_reported(tmp_path):
    def unavailable(folder):
        raise ImportError("this environment has no pip")

    sources = [
        hangs("slow", tmp_path / "heartbeat"),
        fails("broken"),
        writes("liar", b"other"),
        source("mute", "import sys; sys.exit(3)"),
        source("vague", ""),
        Source("absent", unavailable, lambda folder: b""),
        Source("missing", lambda folder: [str(folder / "no-such-program")], lambda folder: b""),
    ]
    began = time.monotonic()
    with pytest.raises(NoAnswer) as error:
        first_answer(sources, SHA256, 3)
    assert 3 <= time.monotonic() - began < 10
    message = str(error.value)
    assert "slow: no answer within 3 seconds" in message
    assert "broken: the host is unreachable (status 1)" in message
    assert f"liar: 5 wrong bytes (sha256 {hashlib.sha256(b'other').hexdigest()[:12]}" in message
    assert "mute: no message (status 3)" in message
    assert "vague: its answer cannot be read" in message
    assert "absent: this environment has no pip" in message
    assert "missing: " in message and "no-such-program" in message


def test_nothing_is_waited_for_when_all_have_failed():
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        first_answer([fails("a"), fails("b")], SHA256, 60)
    assert time.monotonic() - began < 30
