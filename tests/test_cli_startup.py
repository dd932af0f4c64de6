"""The command answers questions about itself at once: TensorFlow loads when it is needed."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys, time
from lstm_recipes.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as end:
    status = end.code
print()
print("status:", status or 0)
print("seconds:", time.process_time())
print("loaded:", *sorted({name.split(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        (["--help"], ["list", "char-rnn"]),
        (["list"], ["char-rnn"]),
    ],
)
def test_help_and_list_need_no_framework(arguments, mentions):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    answer, _, facts = done.stdout.rpartition("\nstatus: ")
    status, seconds, loaded = facts.splitlines()
    assert status == "0"
    assert all(word in answer for word in mentions)
    assert not {"jax", "keras", "keras_hub", "keras_nlp", "tensorflow"} & set(loaded.split())
    # Processor time, so that a busy machine does not fail the test; loose, for a slow one.
    assert float(seconds.removeprefix("seconds: ")) < 5


def test_a_wrong_command_is_a_usage_error():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "no-such-recipe"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "\nstatus: 2\n" in done.stdout
    assert "no-such-recipe" in done.stderr
