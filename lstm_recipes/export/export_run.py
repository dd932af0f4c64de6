"""The export of a trained run: the model, what is needed to use it, and a card, in one folder."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lstm_recipes.errors import UserError
from lstm_recipes.export.card import FILES, card
from lstm_recipes.export.written_whole import written_whole

if TYPE_CHECKING:
    import keras

    from lstm_recipes.export.signatures import Signature

Target = Literal["saved-model", "litert", "onnx", "web"]
CARD = "README.md"


class Run(Protocol):
    """The folder of a run, as `training.run_folder` has it."""

    path: Path

    def read_json(self, name: str) -> dict[str, Any]:
        """What NAME.json says."""


def export_run(
    model: "keras.Model",
    run: Run,
    to: Target,
    out: str | os.PathLike | None = None,
    *,
    int8: bool = False,
    overwrite: bool = False,
    functions: "Callable[[keras.Model], dict[str, Any]] | None" = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Write a trained model in another format, whole or not at all.

    Args:
        model: The model.
        run: Its run's folder; config.json and metrics.json go into the card, and of vocabulary.json
            and vectors.npz what there is goes along.
        to: The format.
        out: The folder to write; without it export/FORMAT in the run's.
        int8: Make the kernels int8.
        overwrite: Replace an export that is there.
        functions: Gives what a model does, where it is more than its call: a ``tf.function`` by
            name, as `Signature.of` takes it. For a SavedModel alone.
        notes: Sentences for the card.

    Returns:
        The folder, and the bytes of each file.

    Raises:
        UserError: The format cannot have the model, or the folder is there.
    """
    if functions is not None and to != "saved-model":
        raise UserError(
            f"--to {to} cannot have the search for the best translation, which is a loop of "
            "TensorFlow's over the decoder; give --to saved-model"
        )
    if int8 and to in ("onnx", "web"):
        raise UserError(f"--int8 is for saved-model and litert; leave it out with --to {to}")
    out = Path(run.path, "export", to) if out is None else Path(out).expanduser()
    there = [name for name in FILES if Path(run.path, name).exists()]
    finished = Path(run.path, "metrics.json").exists()
    about = {
        "config": run.read_json("config"),
        "metrics": run.read_json("metrics") if finished else {},
        "parameters": model.count_params(),
    }
    with written_whole(out, overwrite, CARD) as folder:
        for name in there:
            shutil.copy(Path(run.path, name), folder)
        if to == "saved-model":
            written = _saved_model(model, folder, int8, functions)
        else:
            written = {"litert": _litert, "onnx": _onnx, "web": _web}[to](model, folder, int8)
        about |= {"target": to, "files": there, "int8": int8, "signatures": written}
        (folder / CARD).write_text(card(**about, notes=notes), "utf-8")
    found = {"folder": str(out)}
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        found[f"{path.relative_to(out)}, bytes"] = path.stat().st_size
    return found


def _saved_model(
    model: "keras.Model", folder: Path, int8: bool, functions: Any
) -> "list[Signature]":
    from lstm_recipes.export.in_float32 import in_float32
    from lstm_recipes.export.saved_model import to_saved_model
    from lstm_recipes.export.signatures import Signature
    from lstm_recipes.models.seq2seq import to_int8

    model = in_float32(model)
    model = to_int8(model) if int8 else model
    signatures = None
    if functions is not None:
        signatures = [Signature.of(name, f) for name, f in functions(model).items()]
    return to_saved_model(model, folder / "saved_model", signatures=signatures)


def _litert(model: "keras.Model", folder: Path, int8: bool) -> "list[Signature]":
    from lstm_recipes.export.litert import to_litert
    from lstm_recipes.export.signatures import signatures_of

    names = [signature.name for signature in signatures_of(model)]
    return [to_litert(model, folder / f"{n}.tflite", signature=n, int8=int8) for n in names]


def _onnx(model: "keras.Model", folder: Path, int8: bool) -> list:
    from lstm_recipes.export.onnx import to_onnx

    to_onnx(model, folder / "model.onnx")
    return []


def _web(model: "keras.Model", folder: Path, int8: bool) -> list:
    from lstm_recipes.export.web import to_web

    vocabulary = json.loads((folder / "vocabulary.json").read_text("utf-8")).get("characters")
    if not isinstance(vocabulary, list):
        raise UserError("--to web is for the step of a character model; char-rnn trains one")
    to_web(model, folder, vocabulary=vocabulary)
    return []
