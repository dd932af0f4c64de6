"""Saving and restoring a training run: in one file, whole or not there, and the one before it."""

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError, first_line

BEFORE = "before.npz"
"""The checkpoint before the last one, beside it: a disk may fail after it has said yes."""


def save_checkpoint(
    path: Path, variables: list[keras.Variable], numbers: Mapping[str, Any]
) -> None:
    """Write every variable and a few plain numbers to one file, and keep the one before.

    One file and not several, so that no interruption can leave a weight of one step beside an
    optimizer state of another. Kept as float32 at least: NumPy has no bfloat16 of its own, and
    the way there and back is exact.
    """
    arrays = {f"variable_{k:04d}": _to_numpy(v) for k, v in enumerate(variables)}
    arrays |= {f"number_{name}": np.asarray(value) for name, value in numbers.items()}
    content = io.BytesIO()
    np.savez(content, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue(), keep=path.with_name(BEFORE))


def load_checkpoint(path: Path, variables: list[keras.Variable]) -> dict[str, Any] | None:
    """Assign every variable from the last checkpoint that is whole, and return its numbers; None
    where none was written yet.

    A damaged one is named on standard error, and the one before it takes its place.

    Raises:
        UserError: All are damaged, or the last one belongs to another model.
    """
    for part in path.parent.glob(".*.part"):  # a process was killed while it wrote it
        part.unlink()
    damage: UserError | None = None
    for file in (path, path.with_name(BEFORE)):
        if not file.exists():
            continue
        try:
            values, numbers = _read(file)
        except Exception as error:  # zip, NumPy's format and the system each have their own
            damage = damage or UserError(f"the checkpoint {file} is damaged ({first_line(error)})")
            continue
        _assign(file, values, variables)
        if damage is not None:
            print(f"{damage}: going on from the one before it", file=sys.stderr)
        if file != path:
            file.replace(path)  # so that the next one to be written keeps this one, which is whole
        return numbers
    if damage is not None:
        raise UserError(f"{damage}; start anew with --overwrite")
    return None


def _read(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The variables' values and the numbers, all checked by the zip file's sums; no pickles."""
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        arrays = dict(file)
    values = [arrays[name] for name in sorted(arrays) if name.startswith("variable_")]
    if any(value.dtype.kind not in "fiu" for value in values):
        raise ValueError("a variable in it is no array of numbers")
    numbers = {k.removeprefix("number_"): v.tolist() for k, v in arrays.items() if k[:2] == "nu"}
    return values, numbers


def _assign(path: Path, values: list[np.ndarray], variables: list[keras.Variable]) -> None:
    if [v.shape for v in values] != [tuple(v.shape) for v in variables]:
        raise UserError(
            f"the checkpoint {path} belongs to a model of other shapes; start anew with --overwrite"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _to_numpy(variable: keras.Variable) -> np.ndarray:
    value = ops.convert_to_numpy(variable.value)
    return value.astype("float32") if variable.dtype in ("bfloat16", "float16") else value
