"""A trained character model as a run folder holds it."""

import math
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_recipes.data.text import Vocabulary, name_characters
from lstm_recipes.errors import UserError
from lstm_recipes.training.model_file import load_model
from lstm_recipes.training.run_folder import RunFolder

if TYPE_CHECKING:
    import keras

SIZE = ("layer", "layers", "units", "embedding")
"""The numbers that fix the shapes of the weights."""


class TrainedCharLM:
    """The best model of a run, its vocabulary and the text that it is measured on.

    Args:
        path: The run's folder.

    Raises:
        UserError: There is no such run, or no model in it yet.
    """

    def __init__(self, path: str | os.PathLike):
        self.folder = RunFolder(path)
        self._file = self.folder.require("best.keras")
        self.folder.check_version()
        self.vocabulary = Vocabulary.load(self.folder.require("vocabulary.json"))

    @cached_property
    def model(self) -> "keras.Model":
        """The model, loaded when it is first needed."""
        from lstm_recipes.models import char_lm  # noqa: F401  it registers our layers

        return load_model(self._file, self._wrong)

    def _wrong(self, model: "keras.Model") -> str | None:
        right = model.outputs[0].shape[-1] == len(self.vocabulary)
        return None if right else f"it is not for the {len(self.vocabulary)} known characters"

    def measure(self) -> dict[str, Any]:
        """The loss on the whole validation text, once, in order, from the zero state."""
        from lstm_recipes.training.language_model import CharacterLoss

        ids = self.vocabulary.encode(self.folder.read_text("validation.txt"))
        if len(ids) < 2:
            raise UserError(
                f"{self.folder / 'validation.txt'} is damaged: it has {len(ids)} characters; take "
                "it from an undamaged copy of the run folder, or train again"
            )
        nats = CharacterLoss(self.model)(ids)
        return {
            "split": "validation",
            "nats_per_character": round(nats, 6),
            "bits_per_character": round(nats / math.log(2), 6),
            "characters": len(ids) - 1,
            "parameters": self.model.count_params(),
        }

    def size(self, numbers: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
        """The numbers that a model that goes on from this one must have.

        Raises:
            UserError: ``numbers`` asks for another size.
        """
        asked = {name: numbers[name] for name in SIZE}
        return self.folder.numbers(asked, defaults, "go on from it")

    def extended(self, text: str, add: bool) -> Vocabulary:
        """The vocabulary for new text, in which the old characters keep their ids.

        Raises:
            UserError: The text has new characters, and ``add`` does not allow them.
        """
        new = self.vocabulary.unknown(text)
        if new and not add:
            raise UserError(
                f"the text has {len(new):,} characters that the model of {self.folder.path} does "
                f"not know: {name_characters(new)}; --add-characters gives them rows of their own"
            )
        return self.vocabulary.extended(text)

    def copy_weights(self, model: "keras.Model") -> None:
        """Copy every weight into ``model``. Where it has room for more characters, the rows and
        columns of the old ones come first and the others keep their initial values."""
        weights = [value.copy() for value in model.get_weights()]
        for value, old in zip(weights, self.model.get_weights(), strict=True):
            value[tuple(slice(n) for n in old.shape)] = old
        model.set_weights(weights)

    @property
    def opening(self) -> str:
        """What a text begins with where nothing is said: a new line, or else what is first in
        the vocabulary."""
        return self.vocabulary.characters[0] if self.vocabulary.unknown("\n") else "\n"

    def encode_prompt(self, prompt: str, drop_unknown: bool) -> np.ndarray:
        """The ids of a prompt, int32 ``[n]``.

        Raises:
            UserError: It has characters that the model does not know and that may not be
                dropped, or nothing is left of it.
        """
        unknown = self.vocabulary.unknown(prompt)
        if unknown and not drop_unknown:
            raise UserError(
                f"the model does not know {len(unknown):,} of the prompt's characters: "
                f"{name_characters(unknown)}; leave them out, or have --drop-unknown do it"
            )
        known = "".join(c for c in prompt if c not in unknown)
        if not known:
            raise UserError("the prompt is empty; give at least one character that the model knows")
        return self.vocabulary.encode(known)
