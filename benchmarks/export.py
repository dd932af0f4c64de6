"""One streaming step of an LSTM of 2.5 million weights on one core: LiteRT, onnxruntime, Keras.

A step reads one character and the states of the one before. Each runtime has one thread and the
process one core; they take turns, and a turn is a hundred steps, each going on from the states of
the last. Converting and compiling are not timed.

    python benchmarks/export.py             # an untrained model
    python benchmarks/export.py --run RUN   # and what int8 costs in nats, of a trained one
    python benchmarks/export.py --record    # and write the result file for the docs
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from machine import record

from lstm_recipes.export.litert import to_litert
from lstm_recipes.export.signatures import signatures_of
from lstm_recipes.models.char_lm import char_lm
from lstm_recipes.training.trained import TrainedCharLM

CHARACTERS = 65
SIZES = {"layer": "forget", "units": 750, "embedding": 64}  # 2.5 million weights
STEPS = 100  # a turn
Step = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]


def one_core() -> None:
    """Keep this process to one core, where the system can, and TensorFlow to one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def litert(path: Path) -> Step:
    interpreter = Interpreter(str(path), num_threads=1)
    runner = interpreter.get_signature_runner()
    return lambda given: runner(**given)


def keras_step(model: Any, xla: bool) -> Step:
    """The model itself on one character, compiled by TensorFlow, or by XLA as sampling has it."""
    function = signatures_of(model)[0].function
    compiled = tf.function(lambda given: function(**given), autograph=False, jit_compile=xla)

    def step(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = compiled({name: tf.constant(value) for name, value in given.items()})
        return {name: value.numpy() for name, value in found.items()}

    return step


def onnx(model: Any, path: Path) -> Step | None:
    """The step in onnxruntime, or None where it is not installed."""
    try:
        import onnxruntime

        from lstm_recipes.export.onnx import to_onnx
    except ImportError:
        return None
    to_onnx(model, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = [part.name for part in session.get_inputs()]

    def step(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        values = [given["tokens"][:, None], *list(given.values())[1:]]
        output, *states = session.run(None, dict(zip(inputs, values, strict=True)))
        names = [name for name in given if name != "tokens"]
        return {"output": output[:, 0], **dict(zip(names, states, strict=True))}

    return step


def first(model: Any) -> dict[str, np.ndarray]:
    """The first character and the zero states."""
    states = {
        f"state_{k}": np.zeros((1, s.shape[1]), "float32") for k, s in enumerate(model.inputs[1:])
    }
    return {"tokens": np.array([1], "int32"), **states}


def turn(step: Step, given: dict[str, np.ndarray]) -> float:
    """Seconds a step."""
    start = time.perf_counter()
    for _ in range(STEPS):
        found = step(given)
        given = {"tokens": given["tokens"], **{n: found[n] for n in found if n != "output"}}
    return (time.perf_counter() - start) / STEPS


def times(sides: dict[str, Step], given: dict[str, np.ndarray], repeats: int) -> dict[str, list]:
    """Quartiles of the microseconds a step of each, in turns."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for repeat in range(repeats + 1):
        for name, step in sides.items():
            took = turn(step, given)
            if repeat:  # the first one warms up
                found[name].append(took * 1e6)
    return {
        n: [round(float(q), 1) for q in np.quantile(v, [0.25, 0.5, 0.75])] for n, v in found.items()
    }


def nats(step: Step, given: dict[str, np.ndarray], ids: np.ndarray) -> float:
    """The loss of a text in nats per character, one step after the other from the zero state."""
    total = 0.0
    for now, after in pairwise(ids):
        found = step(given | {"tokens": np.array([now], "int32")})
        given = given | {name: found[name] for name in found if name != "output"}
        logits = found["output"][0].astype("float64")
        total += np.logaddexp.reduce(logits) - logits[after]
    return total / (len(ids) - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, help="a trained run, to measure what int8 costs")
    parser.add_argument("--characters", type=int, default=20_000, help="of it (20,000)")
    parser.add_argument("--repeats", type=int, default=15, help="turns of each (15)")
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    options = parser.parse_args()
    one_core()

    trained = None if options.run is None else TrainedCharLM(options.run)
    model = char_lm(CHARACTERS, **SIZES) if trained is None else trained.model
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"{name}.tflite") for name in ("float32", "int8")}
        for name, path in files.items():
            to_litert(model, path, int8=name == "int8")
        sides = {f"LiteRT, {name}": litert(path) for name, path in files.items()}
        sizes = {f"LiteRT, {name}": path.stat().st_size for name, path in files.items()}
        path = Path(folder, "model.onnx")
        if (step := onnx(model, path)) is not None:
            sides["onnxruntime"], sizes["onnxruntime"] = step, path.stat().st_size
        sides["Keras"] = keras_step(model, xla=False)
        sides["Keras, XLA"] = keras_step(model, xla=True)
        for name, quartiles in times(sides, first(model), options.repeats).items():
            rows[name] = dict(zip(("low", "microseconds", "high"), quartiles, strict=True))
            rows[name] |= {"bytes": sizes[name]} if name in sizes else {}
        if trained is not None:
            ids = trained.vocabulary.encode(trained.folder.read_text("validation.txt"))
            ids = ids[: options.characters + 1]
            for name, step in sides.items():
                rows[name]["nats_per_character"] = round(nats(step, first(model), ids), 4)
    turns = f"medians of {options.repeats} turns (quartiles)"
    print(f"{model.count_params():,} weights, one core, {turns}")
    for name, row in rows.items():
        size = f"{row['bytes'] / 1e6:.2f} MB" if "bytes" in row else ""
        loss = f"{row['nats_per_character']} nats" if "nats_per_character" in row else ""
        middle = f"{row['microseconds']:8,.0f} µs ({row['low']:,.0f}–{row['high']:,.0f})"
        print(f"  {name:18s} {middle} {size} {loss}")
    if options.record:
        config = "step" if trained is None else "quality"
        about = {"weights": model.count_params(), "repeats": options.repeats}
        about |= {} if trained is None else {"characters": options.characters}
        command = "python benchmarks/export.py" + (" --run RUN" if trained else "") + " --record"
        record("export", config, command, rows, **about)


if __name__ == "__main__":
    main()
