"""What the tests of the recipes share: how a run ended, and whether two ended alike."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_recipes.recipes.ner import NER
from lstm_recipes.training import run_folder

SIZES = {"units": 5, "character_size": 4, "character_units": 4, "vector_size": 6}
TAGGER = NER(
    **SIZES,
    dropout=0.3,
    recurrent_dropout=0.2,
    word_dropout=0.1,
    batch_size=4,
    learning_rate=0.02,
    warmup=5,
    epochs=None,
    steps=19,
    validate_every=5,
)
"""19 steps are two epochs and a half of the small corpus."""


class Killed(BaseException):
    """As SIGKILL does it: nothing more is done."""


@contextmanager
def last_kept() -> Iterator[None]:
    """Runs that finish here keep last/, so that it can be compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "UNFINISHED", ())
        yield


def options(numbers: Any) -> list[str]:
    """The command's options for a recipe's numbers."""
    defaults = asdict(type(numbers)())
    changed = {k: v for k, v in asdict(numbers).items() if v != defaults[k] and v is not None}
    return [f"--{name.replace('_', '-')}={value}" for name, value in changed.items()]


def log(run: Path) -> list[dict]:
    """log.csv without the clock."""
    with (run / "log.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def checkpoint(run: Path) -> dict[str, np.ndarray]:
    """The last checkpoint without the clock."""
    with np.load(run / "last/checkpoint.npz") as file:
        return {name: file[name] for name in file if name != "number_seconds"}


def metrics(run: Path) -> dict:
    """metrics.json without the clock."""
    found = json.loads((run / "metrics.json").read_text())
    return {k: v for k, v in found.items() if not k.endswith(("_seconds", "_per_second"))}


def assert_same_run(run: Path, other: Path, trained: Callable) -> None:
    """The same numbers, the same weights to the bit, and the same best model (and vectors)."""
    assert log(run) == log(other)
    assert metrics(run) == metrics(other)
    a, b = checkpoint(run), checkpoint(other)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    one, two = trained(run), trained(other)
    for x, y in zip(one.model.get_weights(), two.model.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)
    if hasattr(one, "table"):
        np.testing.assert_array_equal(one.table.matrix, two.table.matrix)
