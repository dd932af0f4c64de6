"""The model's file in a run folder, written whole and read with care."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_recipes.data.cache import sync
from lstm_recipes.errors import UserError, first_line

if TYPE_CHECKING:
    import keras


def save_model(model: "keras.Model", path: Path) -> None:
    """Write a model in Keras' own format, whole or not at all, and so that a power cut afterwards
    takes nothing back."""
    with saved_aside(model, path):
        pass


@contextmanager
def saved_aside(model: "keras.Model", path: Path) -> Iterator[Path]:
    """A folder beside ``path`` that has the model, whole; the model takes its name when the block
    ends, and neither it nor the folder is left by an error."""
    folder = path.with_name(f".{path.stem}.part")  # Keras writes files of its own beside the model
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        model.save(folder / path.name)
        sync(folder / path.name)
        yield folder
        os.replace(folder / path.name, path)
        sync(path.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # on a full disk half a model is in the way


def load_model(path: Path, check: Callable[["keras.Model"], str | None]) -> "keras.Model":
    """Read a model, without what compiles it, and run no code that is in the file.

    Args:
        path: Its file.
        check: Says what is wrong with the model, if anything.

    Raises:
        UserError: The file is damaged or the model is not the right one.
    """
    import keras

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        wrong = check(model)
        if wrong is not None:
            raise ValueError(wrong)
    except Exception as error:  # zip, JSON, HDF5 and Keras each have their own
        raise UserError(
            f"{path} is damaged ({first_line(error)}); take it from an undamaged copy of the run "
            "folder, or train again"
        ) from None
    return model
