"""How much memory the recipes take: the peak of a process that trains and measures.

Each recipe's own command runs for some steps, with its validation and its last measurement, in a
process of its own; what the operating system says of its largest resident size is taken.

    python benchmarks/memory.py                     # all recipes
    python benchmarks/memory.py --data DIR          # with CoNLL-2003's files, where no network is
    python benchmarks/memory.py --record            # and write the result file for the docs
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import record

COMMANDS = {
    "char-rnn": ("char-rnn", "train"),
    "char-rnn-best": ("char-rnn", "train", "--preset", "best"),
    "ner": ("ner", "train"),
    "translate": ("translate", "train"),
}
STEPS = 30


def peak(command: list[str]) -> int:
    """The peak of a process's resident memory, in MB."""
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    return round(usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="a folder with CoNLL-2003's files, for ner")
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    asked = parser.parse_args()
    found = {}
    for name, command in COMMANDS.items():
        data = ["--data", asked.data] if asked.data and name == "ner" else []
        with tempfile.TemporaryDirectory() as folder:
            run = ["--run", str(Path(folder, "run")), "--steps", str(STEPS)]
            start = [sys.executable, "-m", "lstm_recipes.cli"]
            found[name] = peak([*start, *command, *data, *run])
        print(f"{name:14s} {found[name]:6,} MB", flush=True)
    if asked.record:
        record("memory", "default", "python benchmarks/memory.py --record", found, steps=STEPS)


if __name__ == "__main__":
    main()
