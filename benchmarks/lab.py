"""Re-run claims of the literature and add their result files.

    python benchmarks/lab.py adding-100 temporal-order-4
    python benchmarks/lab.py --network elman
    python benchmarks/lab.py

runs the claims that are named, or all of them, the quickest first, in runs/results/lab (it goes on
with what was interrupted, and does not run again what is finished): tasks side by side, one on each
core; then, alone, the arguments, some of which measure time. It writes
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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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
    names = asked.claims or sorted(known, key=lambda name: claims[name].minutes)
    tasks = [name for name in names if name not in ARGUMENTS]

    def run(name: str) -> None:
        other = "" if asked.network == "paper" else f"-{asked.network}"
        shown = f"lstm-recipes lab run {name}" + (f" --network {asked.network}" if other else "")
        seeds = ARGUMENTS[name].seeds if name in ARGUMENTS else SEEDS
        here = run_folder(folder, name, seeds, asked.network)
        one_core = name in tasks and len(tasks) > 1
        if not (here / "result.json").exists():
            command = [sys.executable, "-m", "lstm_recipes.cli", *shown.split()[1:]]
            run_and_show(name, [*command, "--folder", str(folder)], one_core)
        found = json.loads((here / "result.json").read_text())
        if is_recorded(f"lab{other}", name, found):
            return
        note = asked.note or ("On one core, beside other work" if one_core else "")
        path = record(f"lab{other}", name, shown, found, recipe="lab", note=note)
        print(path.relative_to(ROOT))
        if name in ARGUMENTS:
            pictures = ROOT / "docs" / "pictures" / "lab"
            pictures.mkdir(exist_ok=True)
            shutil.copy(here / "picture.svg", pictures / f"{name}.svg")

    side_by_side(run, tasks)
    for name in names:
        if name in ARGUMENTS:
            run(name)
    tasks_picture.main()


def side_by_side(run: Callable[[str], None], names: list[str]) -> None:
    """As many at a time as there are cores; after one that failed none is begun."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for _ in pool.map(run, names):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def run_and_show(name: str, command: list[str], one_core: bool) -> None:
    """Run a command, and write its name before each line that it writes."""
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"} if one_core else {}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"KERAS_BACKEND": "tensorflow", "PYTHONUNBUFFERED": "1"} | threads,
    ) as program:
        for line in program.stdout:
            print(f"{name}: {line}", end="", flush=True)
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted: the same command goes on.")
