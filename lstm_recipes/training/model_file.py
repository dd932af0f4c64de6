"""The model's file in a run folder, written whole and read with care."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_recipes.errors import UserError

if TYPE_CHECKING:
    import keras


def save_model(model: "keras.Model", path: Path) -> None:
    """Write a model in Keras' own format, whole or not at all."""
    part = path.with_name(f".{path.stem}.part.keras")
    model.save(part)
    os.replace(part, path)


def load_model(path: Path, check: Callable[["keras.Model"], str | None]) -> "keras.Model":
    """Read a model, without what compiles it.

    Args:
        path: Its file.
        check: Says what is wrong with the model, if anything.

    Raises:
        UserError: The file is damaged or the model is not the right one.
    """
    import keras

    try:
        model = keras.saving.load_model(path, compile=False)
        wrong = check(model)
        if wrong is not None:
            raise ValueError(wrong)
    except Exception as error:  # zip, JSON, HDF5 and Keras each have their own
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(
            f"{path} is damaged ({reason}); take it from an undamaged copy of the run folder, or "
            "train again"
        ) from None
    return model
