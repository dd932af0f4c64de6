"""How much memory large data takes: a text of 2 GB, a million pairs, a million tagged sentences.

Random words are written into a folder, and each recipe's own command trains a small model on them
for some steps, with its validation and its last measurement, in a process of its own; and the same
on little data. What the operating system says of the process's largest resident size is taken, and
how long it took from its start to the first checkpoint, before which all data is read.

    python benchmarks/size.py --folder /tmp/size             # needs 5 GB there, which it frees
    python benchmarks/size.py --folder /tmp/size pairs       # one of text, pairs, sentences
    python benchmarks/size.py --folder /tmp/size --record    # and write result files for the docs
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from machine import record

STEPS = 30
HELD_OUT = 200  # pairs or sentences to validate with, and as many to test
ALPHABET = "etaoinshrdlucmfwypvbgkjqxzETAOINSHRDLU0123456789.,;!?äöüéèàñçßøπλжд日本\n"


def write_text(folder: Path, size: int) -> list[str]:
    """A text of about ``size`` bytes in random words; and the option that names it."""
    draw, codes = np.random.default_rng(0), np.frombuffer(ALPHABET.encode("utf-32-le"), "<u4")
    with (folder / "text.txt").open("wb") as file:
        while file.tell() < size:
            some = codes[draw.integers(0, len(codes), min(size, 10_000_000))]
            some[draw.random(len(some)) < 1 / 6] = ord(" ")
            file.write(some.tobytes().decode("utf-32-le").encode())
    return ["--text", str(folder / "text.txt")]


def words(number: int) -> list[str]:
    """So many different words."""
    draw = np.random.default_rng(1)
    found: dict[str, None] = {}
    while len(found) < number:
        letters = draw.choice([*ALPHABET[:26]], draw.integers(2, 11))
        found["".join(letters)] = None
    return list(found)


def write_pairs(folder: Path, number: int) -> list[str]:
    """So many pairs in parallel files; and the option that names them."""
    for language in ("en", "fr"):
        sentences = drawn(words(50_000), number + 2 * HELD_OUT)
        for split, count in (("train", number), ("valid", HELD_OUT), ("test", HELD_OUT)):
            with (folder / f"{split}.{language}").open("w") as file:
                file.writelines(" ".join(row) + ".\n" for row in islice(sentences, count))
    return ["--data", str(folder)]


def write_sentences(folder: Path, number: int) -> list[str]:
    """So many tagged sentences, twenty a document; and the option that names them."""
    sentences, draw = drawn(words(50_000), number + 2 * HELD_OUT), np.random.default_rng(2)
    for split, count in (("train", number), ("valid", HELD_OUT), ("test", HELD_OUT)):
        with (folder / f"{split}.txt").open("w") as file:
            for k, row in enumerate(islice(sentences, count)):
                file.write("-DOCSTART- O\n\n" * (k % 20 == 0))
                tags = draw.choice(["O", "O", "O", "O", "O", "B-PER", "B-LOC", "B-ORG"], len(row))
                pairs = zip(row, tags, strict=True)
                lines = [f"{word if tag == 'O' else word.title()} {tag}" for word, tag in pairs]
                file.write("\n".join(lines) + "\n\n")
    return ["--data", str(folder)]


def drawn(known: list[str], number: int) -> Iterator[list[str]]:
    """Sentences of 4 to 15 words."""
    draw = np.random.default_rng(3)
    for length in draw.integers(4, 16, number):
        yield [known[k] for k in draw.integers(0, len(known), length)]


KINDS: dict[str, tuple[Callable[[Path, int], list[str]], int, int, str]] = {
    "text": (write_text, 2_000_000_000, 1_000_000, "char-rnn train --units 16 --embedding 8"),
    "pairs": (write_pairs, 1_000_000, 1_000, "translate train --units 16 --embedding 8"),
    "sentences": (
        write_sentences,
        1_000_000,
        1_000,
        "ner train --units 16 --vector-size 16 --character-units 8",
    ),
}
"""How each is written, how much is much and how much little, and what is trained."""


def measured(command: list[str], run: Path) -> dict[str, Any]:
    """The peak of a process's resident memory in MB, the seconds until its first checkpoint, and
    all its seconds."""
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
    began, first, ended = time.monotonic(), None, 0
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while not ended:
        time.sleep(0.02)
        if first is None and (run / "last" / "checkpoint.npz").exists():
            first = time.monotonic() - began
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    peak = round(usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))
    seconds = {"start_seconds": first, "seconds": time.monotonic() - began}
    return {"peak_mb": peak} | {name: round(value, 1) for name, value in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", help=", ".join(KINDS))
    parser.add_argument("--folder", type=Path, required=True, help="where there are 5 GB free")
    parser.add_argument("--record", action="store_true", help="write result files for the docs")
    parser.add_argument("--note", default="", help="what a reader of the seconds should know")
    asked = parser.parse_args()
    for kind in asked.kinds or KINDS:
        write, much, little, command = KINDS[kind]
        found = {}
        for name, amount in (("small", little), ("large", much)):
            folder = asked.folder / kind
            folder.mkdir(parents=True)
            try:
                data = write(folder, amount)
                size, run = sum(f.stat().st_size for f in folder.iterdir()), folder / "run"
                options = [*command.split(), "--steps", str(STEPS), *data, "--run", str(run)]
                found[name] = measured([sys.executable, "-m", "lstm_recipes.cli", *options], run)
                found[name]["bytes"] = size
            finally:
                shutil.rmtree(folder)
            print(f"{kind} {name}: {found[name]}", flush=True)
        if asked.record:
            shown = f"python benchmarks/size.py --folder DIR {kind} --record"
            about = {"note": asked.note, "steps": STEPS, "amount": much, "little": little}
            record("size", kind, shown, found, trained=f"lstm-recipes {command}", **about)


if __name__ == "__main__":
    main()
