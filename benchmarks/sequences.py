"""Whole sequences in onnxruntime beside Keras: characters and words per second.

A character model of 2.5 million weights reads 1,000 characters of each text; a tagger of the size
that `ner train` has reads sentences of 20 words. Both runtimes have all cores, are in one process
and take turns; converting and compiling are not timed. The models are untrained, which changes
nothing about their speed.

    python benchmarks/sequences.py             # needs onnx and onnxruntime
    python benchmarks/sequences.py --record    # and write the result file for the docs
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import onnxruntime
import tensorflow as tf
from machine import record

from lstm_recipes.export.onnx import to_onnx
from lstm_recipes.models.char_lm import char_lm
from lstm_recipes.models.tagger import tagger

CHARACTERS, WORDS = 1000, 20  # a text's, a sentence's
BATCHES = (1, 32)
VECTOR = 100  # width of a word's vector


def texts(batch: int) -> tuple[keras.Model, dict[str, np.ndarray], int]:
    """A character model, what it reads, and how many characters that are."""
    model = char_lm(65, layer="forget", units=750, embedding=64)
    tokens = np.random.default_rng(0).integers(0, 65, (batch, CHARACTERS)).astype("int32")
    states = {f"state_{k}": np.zeros((batch, 750), "float32") for k in range(2)}
    return model, {"tokens": tokens, **states}, batch * CHARACTERS


def sentences(batch: int) -> tuple[keras.Model, dict[str, np.ndarray], int]:
    """A tagger, what it reads, and how many words that are."""
    sizes = {"vector_size": VECTOR, "characters": 86, "context_units": 100, "topic_units": 20}
    model, draw = tagger(17, **sizes), np.random.default_rng(0)
    given = {
        "vectors": draw.normal(size=(batch, WORDS, VECTOR)).astype("float32"),
        "case": draw.integers(1, 6, (batch, WORDS)).astype("int32"),
        "characters": draw.integers(1, 86, (batch, WORDS, 12)).astype("int32"),
        "context": draw.normal(size=(batch, WORDS, 3 * VECTOR + 6)).astype("float32"),
    }
    return model, given, batch * WORDS


def by_keras(model: keras.Model, given: dict[str, np.ndarray]) -> Callable[[], np.ndarray]:
    """The model as TensorFlow's compiled function."""
    compiled = tf.function(lambda values: model(values, training=False), autograph=False)
    # A character model's inputs are a list, a tagger's a dictionary.
    shaped = given if isinstance(model.input, dict) else list(given.values())
    values = keras.tree.map_structure(tf.constant, shaped)
    return lambda: keras.tree.flatten(compiled(values))[0].numpy()


def by_onnxruntime(model: keras.Model, given: dict[str, np.ndarray]) -> Callable[[], np.ndarray]:
    """The model as onnxruntime's session."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        to_onnx(model, path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    first = session.get_outputs()[0].name
    return lambda: session.run([first], given)[0]


def measured(made: Callable, batch: int, repeats: int) -> dict[str, Any]:
    """Characters or words a second of each side, quartiles, and how much faster onnxruntime is."""
    model, given, count = made(batch)
    sides = {"Keras": by_keras(model, given), "onnxruntime": by_onnxruntime(model, given)}
    outputs = [run() for run in sides.values()]
    np.testing.assert_allclose(*outputs, atol=1e-4)  # they do the same work
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, run in sides.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    rates = {
        name: np.quantile(count / np.array(took), [0.25, 0.5, 0.75]).round().tolist()
        for name, took in seconds.items()
    }
    faster = np.quantile(np.divide(seconds["Keras"], seconds["onnxruntime"]), [0.25, 0.5, 0.75])
    return rates | {"faster": faster.round(2).tolist()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=15, help="of each measurement (15)")
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    options = parser.parse_args()
    rows = {}
    for unit, made in (("characters", texts), ("words", sentences)):
        for batch in BATCHES:
            found = measured(made, batch, options.repeats)
            rows[f"{unit}, batch {batch}"] = found
            sides = (f"{n} {found[n][1]:,.0f}" for n in ("Keras", "onnxruntime"))
            low, middle, high = found["faster"]
            print(
                f"{unit} per second, batch {batch}: {', '.join(sides)}: {middle} × ({low}–{high})"
            )
    if options.record:
        command = "python benchmarks/sequences.py --record"
        record("export", "sequences", command, rows, repeats=options.repeats)


if __name__ == "__main__":
    main()
