"""Saving and restoring a training run in one file that is whole or not there."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError


def save_checkpoint(
    path: Path, variables: list[keras.Variable], numbers: Mapping[str, Any]
) -> None:
    """Write every variable and a few plain numbers to one file.

    One file and not several, so that no interruption can leave a weight of one step beside an
    optimizer state of another. Kept as float32 at least: NumPy has no bfloat16 of its own, and
    the way there and back is exact.
    """
    arrays = {f"variable_{k:04d}": _to_numpy(v) for k, v in enumerate(variables)}
    arrays |= {f"number_{name}": np.asarray(value) for name, value in numbers.items()}
    content = io.BytesIO()
    np.savez(content, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())


def load_checkpoint(path: Path, variables: list[keras.Variable]) -> dict[str, Any]:
    """Assign every variable from the file and return the numbers.

    Raises:
        UserError: The file is damaged or belongs to another model.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(
            f"the checkpoint {path} is damaged ({error}); start anew with --overwrite"
        ) from None
    numbers = {k.removeprefix("number_"): v.tolist() for k, v in arrays.items() if k[:2] == "nu"}
    values = [arrays[k] for k in sorted(arrays) if k.startswith("variable_")]
    if [v.shape for v in values] != [tuple(v.shape) for v in variables]:
        raise UserError(
            f"the checkpoint {path} belongs to a model of other shapes; start anew with --overwrite"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return numbers


def _to_numpy(variable: keras.Variable) -> np.ndarray:
    value = ops.convert_to_numpy(variable.value)
    return value.astype("float32") if variable.dtype in ("bfloat16", "float16") else value
