"""Runs that differ in one thing, trained one after the other and compared."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lstm_recipes.errors import UserError
from lstm_recipes.training.run_folder import RunFolder

Train = Callable[..., dict[str, Any]]


def trained_rows(
    rows: dict[str, Any], seeds: Iterable[int], folder: Path, train: Train
) -> dict[str, list[Path]]:
    """Train each row with each seed in ``folder/ROW-SEED``. What has finished is left alone, what
    was stopped goes on where it stopped.

    Args:
        rows: The numbers of a recipe by the row's name.
        seeds: Of the runs.
        folder: For all of them.
        train: The recipe's, ``train(numbers, run, resume=...)``.

    Returns:
        The runs of each row, in the order of the seeds.

    Raises:
        UserError: A run that is there has other numbers.
    """
    runs: dict[str, list[Path]] = {name: [] for name in rows}
    for seed in seeds:
        for name, numbers in rows.items():
            run = RunFolder(folder / f"{name}-{seed}")
            wanted = replace(numbers, seed=seed)
            if run.exists and run.read_json("config")["numbers"] != asdict(wanted):
                raise UserError(
                    f"{run.path} holds a run with other numbers; name another folder with --runs"
                )
            if not (run / "metrics.json").exists():
                print(f"{name}, seed {seed}: training in {run.path}", file=sys.stderr)
                train(wanted, run.path, resume=run.exists)
            runs[name].append(run.path)
    return runs
