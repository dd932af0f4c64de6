"""Train and compare rows of a translation ablation, and add their result files.

    python benchmarks/ablation.py reversal --rows forward --seeds 2

runs ``lstm-recipes translate ablation`` in runs/results/ablations (it goes on with what was
interrupted, and does not train again what is finished) and writes a file a row and seed to
benchmarks/results/translate-ABLATION, those of an interrupted command too. Then
benchmarks/tables.py writes the tables from all the files that are there.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from machine import ROOT, is_recorded, record


def main() -> None:
    """Train, and record whatever has finished."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=["reversal", "attention", "depth", "tokens"])
    parser.add_argument("--rows", nargs="*", default=[], help="these alone; without it all")
    parser.add_argument("--seeds", type=int, default=1, help="of each row, from 0 on")
    parser.add_argument("--data", type=Path, help="a copy of Multi30k, where it is not to be had")
    parser.add_argument("--note", default="", help="what a reader of the seconds should know")
    asked = parser.parse_args()
    runs = ROOT / "runs" / "results" / "ablations"
    options = ["ablation", asked.name, "--precision", "mixed_bfloat16"]
    command = [sys.executable, "-m", "lstm_recipes.cli", "translate", *options]
    command += ["--runs", str(runs), "--seeds", str(asked.seeds)]
    command += ["--rows", *asked.rows] if asked.rows else []
    command += ["--data", str(asked.data)] if asked.data is not None else []
    try:
        subprocess.run(command, check=True, env=os.environ | {"KERAS_BACKEND": "tensorflow"})
    finally:
        record_all(
            asked.name, runs / asked.name, " ".join(["lstm-recipes translate", *options]), asked
        )


def record_all(name: str, runs: Path, shown: str, asked: argparse.Namespace) -> None:
    """A result file for each comparison that has none yet, or another one."""
    folder = f"translate-{name}"
    for file in sorted(runs.glob("*.comparison.json")):
        metrics = json.loads(file.read_text())
        row, seed = metrics["row"], metrics["seed"].replace(" ", "-")
        if is_recorded(folder, row, metrics, seed):
            continue
        about = {"recipe": "translate", "seed": seed, "note": asked.note}
        path = record(folder, row, shown, metrics, **about)
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
