"""Web: what a browser needs to run one step of a character model: weights, and how to read them.

Two files. ``step.bin`` has the weights in float16, little-endian, one after the other.
``step.json`` says what they are:

    {"format": 1, "weights": "step.bin", "dtype": "float16", "bytes": …, "vocabulary": ["\\n", …],
     "layers": [{"kind": "embedding", "weights": {"embeddings": {"shape": [V, E], "offset": 0}}},
                {"kind": "lstm", "units": U, "columns": ["i", "f", "c", "o"], "states": ["h", "c"],
                 "activation": "tanh", "output_activation": "tanh",
                 "recurrent_activation": "sigmoid",
                 "weights": {"kernel": …, "recurrent_kernel": …, "bias": …, "peephole": …}}, …,
                {"kind": "dense", "activation": "linear", "weights": {"kernel": …, "bias": …}}]}

An offset counts bytes; a matrix stands row by row. Of an ``lstm``, a ``cec`` (which has no f) and
a ``gru`` (z, r, h) the columns of kernel, recurrent kernel and bias are blocks of U each, in the
order of ``columns``. A ``peephole`` is ``[3, U]``, for i, f and o. A ``gru`` with ``reset_after``
resets its candidate's recurrent product, to which ``recurrent_bias`` has been added; the other one
resets h before the product, and has no such bias.
"""

import json
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError
from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM, PeepholeLSTM, from_keras
from lstm_recipes.layers.recurrence import GatedLayer

FORMAT = 1
KINDS = {CECLSTM: "cec", ForgetGateLSTM: "lstm", PeepholeLSTM: "lstm", GRU: "gru"}
ACTIVATIONS = {"linear", "relu", "sigmoid", "tanh", "cec_input", "cec_output"}
WITHOUT_WEIGHTS = (keras.layers.InputLayer, keras.layers.Dropout)


def to_web(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    vocabulary: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Write the weights of a model of characters and their description, for one step in a browser.

    Rounding to float16 moves a weight by at most 1 in 2,048 parts of itself.

    Args:
        model: An embedding, recurrent layers and a dense layer, one after the other: any of this
            package's four layers, Keras' LSTM or GRU, with dropout between them or without.
        path: The folder for step.bin and step.json.
        vocabulary: The characters, in the model's order.

    Returns:
        What step.json says.

    Raises:
        UserError: The model has another layer, or one with an option that a step does not know.

    >>> import tempfile
    >>> from lstm_recipes.models.char_lm import char_lm
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     about = to_web(char_lm(3, layer="gru", units=4, embedding=2), folder, vocabulary="abc")
    >>> [layer["kind"] for layer in about["layers"]], about["bytes"]
    (['embedding', 'gru', 'dense'], 234)
    """
    weights: list[np.ndarray] = []
    layers = [_described(layer, weights) for layer in _chain(model)]
    content = b"".join(weight.tobytes() for weight in weights)
    about: dict[str, Any] = {"format": FORMAT, "weights": "step.bin", "dtype": "float16"}
    about["bytes"] = len(content)
    about |= {} if vocabulary is None else {"vocabulary": list(vocabulary)}
    about["layers"] = layers
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "step.bin", content)
    text = json.dumps(about, indent=1) + "\n"
    write_atomically(folder / "step.json", text.encode("ascii"))
    return about


def _chain(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that have weights: an embedding, recurrent ones, a dense one, each fed by the one
    before."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    for before, after in pairwise(layers):
        given, read = keras.tree.flatten(before.output)[0], keras.tree.flatten(after.input)[0]
        if given is not read:
            raise UserError(f"{after.name} does not read what {before.name} gives; {_WANTED}")
    layers = [layer for layer in layers if not isinstance(layer, WITHOUT_WEIGHTS)]
    first, *between, last = layers if len(layers) > 1 else [None, None]
    if (
        not isinstance(first, keras.layers.Embedding)
        or not isinstance(last, keras.layers.Dense)
        or not between
    ):
        names = ", ".join(type(layer).__name__ for layer in layers)
        raise UserError(f"{model.name} is {names}; {_WANTED}")
    return layers


_WANTED = "for a browser a model is an embedding, recurrent layers and a dense layer in a row"


def _described(layer: keras.layers.Layer, weights: list[np.ndarray]) -> dict[str, Any]:
    """A layer as step.json has it; its weights are added to those there are."""
    if layer.quantization_mode is not None:
        raise UserError(f"{layer.name} is {layer.quantization_mode}; export it before quantizing")
    if isinstance(layer, keras.layers.Embedding):
        return {"kind": "embedding", "weights": _kept(weights, embeddings=layer.embeddings)}
    if isinstance(layer, keras.layers.Dense):
        width = layer.kernel.shape[1]
        bias = np.zeros(width) if layer.bias is None else layer.bias
        about = {"kind": "dense", "activation": _activation(layer, "activation")}
        return about | {"weights": _kept(weights, kernel=layer.kernel, bias=bias)}
    if isinstance(layer, keras.layers.LSTM | keras.layers.GRU):
        layer = from_keras(layer)
    if type(layer) not in KINDS or not isinstance(layer, GatedLayer):
        raise UserError(f"{layer.name} is a {type(layer).__name__}; {_WANTED}")
    return _recurrent(layer, weights)


def _recurrent(layer: GatedLayer, weights: list[np.ndarray]) -> dict[str, Any]:
    cell = layer.cell
    options = {"block_size": getattr(cell, "block_size", 1), "go_backwards": layer.go_backwards}
    options["gate_feedback"] = getattr(cell, "gate_feedback", False)
    for option, value in options.items():
        if value > (option == "block_size"):
            raise UserError(
                f"{layer.name} has {option}={value}, which a browser's step does not know; export "
                "it as a SavedModel"
            )
    about = {"kind": KINDS[type(layer)], "units": layer.units, "columns": list(cell.columns)}
    about["states"] = ["h"] if isinstance(layer, GRU) else ["h", "c"]
    names = ["activation", "recurrent_activation"]
    names += [] if isinstance(layer, GRU) else ["output_activation"]
    about |= {name: _activation(layer, name) for name in names}
    found = {"kernel": cell.kernel, "recurrent_kernel": cell.recurrent_kernel}
    if isinstance(layer, GRU):
        about["reset_after"] = cell.reset_after
        rows = ["bias", "recurrent_bias"] if cell.reset_after else ["bias"]
        bias = np.zeros((len(rows), 3 * layer.units)) if cell.bias is None else cell.bias
        found |= dict(zip(rows, ops.reshape(bias, (len(rows), -1)), strict=True))
    else:
        found["bias"] = np.zeros(sum(cell.widths)) if cell.bias is None else cell._input_bias()
    if isinstance(layer, PeepholeLSTM):
        found["peephole"] = cell.peephole
    return about | {"weights": _kept(weights, **found)}


def _activation(layer: Any, name: str) -> str:
    function = getattr(getattr(layer, "cell", layer), name)
    found = getattr(function, "__name__", str(function))
    if found not in ACTIVATIONS:
        raise UserError(
            f"{layer.name} has {name}={found!r}; a browser's step knows "
            f"{', '.join(sorted(ACTIVATIONS))}"
        )
    return found


def _kept(weights: list[np.ndarray], **named: Any) -> dict[str, Any]:
    """Add weights to those there are, and say where they stand."""
    places = {}
    for name, value in named.items():
        with np.errstate(over="ignore"):
            value = ops.convert_to_numpy(value).astype("<f2")
        if not np.isfinite(value).all():
            raise UserError(f"{name} has a number that float16 cannot hold; train with --clip-norm")
        places[name] = {"shape": list(value.shape), "offset": sum(w.nbytes for w in weights)}
        weights.append(value)
    return places
