"""The model card that goes with an export: what it is, what it was trained on, how good it is."""

import datetime
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from lstm_recipes import __version__

LICENCES = {
    "tiny_shakespeare": "public domain text, collected by Andrej Karpathy",
    "CoNLL-2003": "Reuters' text, for research use alone",
    "Multi30k": "its captions are Flickr30k's, for research use alone",
    "phrases": "generated from CLDR, under CLDR's Unicode licence",
}
"""Of the data sets that the package knows, by the beginning of their names."""
UNKNOWN = "not known to this package: it is for whoever passes the model on to look up"

HOW = {
    "saved-model": (
        "`saved_model/` runs in TensorFlow, TensorFlow Serving and TensorFlow for Java, C and Go, "
        'without Keras: `tf.saved_model.load("saved_model").signatures["NAME"](**tensors)`.'
    ),
    "litert": (
        "The `.tflite` files run in LiteRT (`pip install ai-edge-litert`; Android, iOS, C++), one "
        'sequence at a time: `Interpreter("FILE").get_signature_runner()(**arrays)`. A file whose '
        "time is free takes any length once the input is resized to it "
        "(`resize_tensor_input`)."
    ),
    "onnx": (
        '`model.onnx` runs in onnxruntime: `InferenceSession("model.onnx").run(None, arrays)`, '
        "arrays by name. States come out as `new_state_0`, … and go in again as `state_0`, …; they "
        "are zeros at first, and a time of 1 is a step."
    ),
    "web": (
        "`step.bin` has the weights in float16, little-endian, and `step.json` says where each "
        "stands, what the layers are, and the characters in the model's order."
    ),
}
FILES = {
    "vocabulary.json": "the characters, tokens or tags, in the model's order",
    "vectors.npz": "the words and their vectors, in float16; row 0 is any other word's",
}
"""What may lie beside a model."""


def card(
    *,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    target: str,
    files: Sequence[str],
    parameters: int,
    int8: bool = False,
    signatures: Sequence[Any] = (),
    notes: Sequence[str] = (),
) -> str:
    """A model card, as Markdown.

    Args:
        config: What a run's config.json says: recipe, version, numbers, data.
        metrics: What its metrics.json says; empty if it has not finished.
        target: The format, a key of `HOW`.
        files: The names of the files beside the model.
        parameters: How many weights the model has.
        int8: Whether its kernels are int8.
        signatures: What it does, as `signatures.Signature`.
        notes: What else whoever runs it should know, a sentence each.

    >>> text = card(
    ...     config={"recipe": "char-rnn", "version": "0.1", "numbers": {"layer": "gru"},
    ...             "data": {"name": "tiny_shakespeare", "sha256": "86c4", "characters": 1115394}},
    ...     metrics={"split": "validation", "nats_per_character": 1.51}, target="web",
    ...     files=["vocabulary.json"], parameters=321473)
    >>> print(text[:27])
    # char-rnn: a model for web
    >>> "public domain" in text and "| nats per character | 1.51 |" in text
    True
    """
    data = config.get("data", {})
    kind = "int8 kernels, everything else float32" if int8 else "float32"
    parts = [
        f"# {config.get('recipe', 'lstm-recipes')}: a model for {target}",
        f"{parameters:,} weights, {'float16' if target == 'web' else kind}. {HOW[target]}",
        *notes,
        *([_signatures(signatures)] if signatures else []),
        _section("Files", [f"`{name}`: {FILES[name]}" for name in files if name in FILES]),
        "## Data\n\n" + _table(_flat(data)) + f"\n\nLicence: {licence(data.get('name', ''))}.",
        "## How good it is\n\n" + _quality(metrics, int8 or target == "web"),
        "## How it was made\n\n" + _table(_flat(config.get("numbers", {}))),
        _section("Versions", _versions(config)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def licence(name: str) -> str:
    """The licence of a data set, by its name.

    >>> licence("Multi30k (German)")
    "its captions are Flickr30k's, for research use alone"
    """
    known = (text for known, text in LICENCES.items() if name.lower().startswith(known.lower()))
    return next(known, UNKNOWN)


def _signatures(signatures: Sequence[Any]) -> str:
    lines = ["## What goes in", "", "| signature | input | dtype | shape |", "| --- " * 4 + "|"]
    for signature in signatures:
        for name, spec in signature.inputs.items():
            shape = ", ".join("any" if n is None else str(n) for n in spec.shape)
            lines.append(f"| `{signature.name}` | `{name}` | {spec.dtype.name} | [{shape}] |")
    return "\n".join(lines)


def _quality(metrics: Mapping[str, Any], rounded: bool) -> str:
    if not metrics:
        return "The run had not finished: nobody has measured it."
    about = _table({name.replace("_", " "): value for name, value in _flat(metrics).items()})
    return about + ("\n\nMeasured before its weights were rounded." if rounded else "")


def _versions(config: Mapping[str, Any]) -> list[str]:
    trained = config.get("version", "unknown")
    lines = [f"lstm-recipes {__version__} (trained with {trained})"]
    for package in ("tensorflow", "keras"):
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return [*lines, f"exported on {datetime.date.today().isoformat()}"]


def _section(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _table(values: Mapping[str, Any]) -> str:
    rows = [f"| {name} | {_shown(value)} |" for name, value in values.items()]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers within numbers by both names; lists, which are tables of their own, left out."""
    flat = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{name} {inner}": part for inner, part in _flat(value).items()}
        elif not isinstance(value, list):
            flat[name] = value
    return flat
