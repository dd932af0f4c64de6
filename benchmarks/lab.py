"""Re-run claims of the literature and add their result files.

    python benchmarks/lab.py adding-100 temporal-order-4
    python benchmarks/lab.py --network elman
    python benchmarks/lab.py

runs the claims that are named, or all of them, the quickest first, in runs/results/lab (it goes on
with what was interrupted, and does not run again what is finished) and writes
benchmarks/results/lab/CLAIM-0.json (lab-adam and lab-elman with --network), and of an argument
docs/pictures/lab/CLAIM.svg; then it draws all tasks, docs/pictures/lab/tasks.svg. After it
benchmarks/tables.py writes the ledger, docs/claims.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

import tasks_picture
from machine import ROOT, is_recorded, record


def main() -> None:
    """Run, if it is not done yet, and record."""
    from lstm_recipes.lab.arguments import ARGUMENTS
    from lstm_recipes.lab.claims import CLAIMS
    from lstm_recipes.recipes.lab import SEEDS, run_folder

    claims = {name: make() for name, make in CLAIMS.items()} | ARGUMENTS
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("claims", nargs="*", help="; ".join(claims))
    parser.add_argument("--network", default="paper", choices=["paper", "adam", "elman"])
    parser.add_argument("--note", default="", help="what a reader of the seconds should know")
    asked = parser.parse_args()
    folder = ROOT / "runs" / "results" / "lab"
    known = [n for n in claims if n in ARGUMENTS or asked.network in claims[n].networks]
    if asked.network != "paper":
        known = [name for name in known if name not in ARGUMENTS]
    for name in asked.claims or sorted(known, key=lambda name: claims[name].minutes):
        other = "" if asked.network == "paper" else f"-{asked.network}"
        shown = f"lstm-recipes lab run {name}" + (f" --network {asked.network}" if other else "")
        seeds = ARGUMENTS[name].seeds if name in ARGUMENTS else SEEDS
        here = run_folder(folder, name, seeds, asked.network)
        if not (here / "result.json").exists():
            command = [sys.executable, "-m", "lstm_recipes.cli", *shown.split()[1:]]
            command += ["--folder", str(folder)]
            subprocess.run(command, check=True, env=os.environ | {"KERAS_BACKEND": "tensorflow"})
        found = json.loads((here / "result.json").read_text())
        if is_recorded(f"lab{other}", name, found):
            continue
        path = record(f"lab{other}", name, shown, found, recipe="lab", note=asked.note)
        print(path.relative_to(ROOT))
        if name in ARGUMENTS:
            pictures = ROOT / "docs" / "pictures" / "lab"
            pictures.mkdir(exist_ok=True)
            shutil.copy(here / "picture.svg", pictures / f"{name}.svg")
    tasks_picture.main()


if __name__ == "__main__":
    main()
