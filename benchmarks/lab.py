"""Re-run claims of the literature and add their result files.

    python benchmarks/lab.py adding-100 temporal-order-4
    python benchmarks/lab.py

runs the claims that are named, or all of them, the quickest first, in runs/results/lab (it goes on
with what was interrupted, and does not run again what is finished) and writes
benchmarks/results/lab/CLAIM-0.json. Then benchmarks/tables.py writes the ledger, docs/claims.md.
"""

import argparse
import json
import os
import subprocess
import sys

from machine import ROOT, record

SEEDS = 10


def main() -> None:
    """Run, if it is not done yet, and record."""
    from lstm_recipes.lab.claims import CLAIMS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("claims", nargs="*", help="; ".join(CLAIMS))
    parser.add_argument("--note", default="", help="what a reader of the seconds should know")
    asked = parser.parse_args()
    folder = ROOT / "runs" / "results" / "lab"
    for name in asked.claims or sorted(CLAIMS, key=lambda name: CLAIMS[name]().minutes):
        shown = f"lstm-recipes lab run {name}"
        result = folder / f"{name}-{SEEDS}" / "result.json"
        if not result.exists():
            command = [sys.executable, "-m", "lstm_recipes.cli", *shown.split()[1:]]
            command += ["--folder", str(folder)]
            subprocess.run(command, check=True, env=os.environ | {"KERAS_BACKEND": "tensorflow"})
        path = record("lab", name, shown, json.loads(result.read_text()), note=asked.note)
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
