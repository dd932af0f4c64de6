"""How fast the recurrent layers are, beside Keras' own and the matrix products alone.

All sides run in one process and take turns, each turn once forward and once forward and backward
(the gradients of the inputs and of every weight, in training); a ratio is formed within a turn, to
Keras' layer, to PyTorch's and to the products. Compiling is not timed. "Products alone" are what
any of them has to multiply, as large products; `BlockLSTMV2` is TensorFlow's own fused kernel,
`keras.layers.RNN` our cell in Keras' own loop, and `torch` takes part where PyTorch is installed.

    python benchmarks/layers.py                    # all shapes
    python benchmarks/layers.py --shapes 64/100/64/256 --repeats 40
    python benchmarks/layers.py --record           # and write the result file for the docs
    python benchmarks/layers.py --parts            # what a pass is made of
    python benchmarks/layers.py --memory           # peak memory in training, a process a side
    python benchmarks/layers.py --lengths          # time and memory against the number of steps
"""

import argparse
import os
import resource
import subprocess
import sys
from importlib.metadata import version
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from layer_parts import parts
from layer_sides import Shape, all_sides, has_torch, sides_of, timed
from machine import record

from lstm_recipes.layers import GRU, ForgetGateLSTM

SHAPES = ("64/100/64/256", "32/100/128/128", "64/100/512/512", "64/50/128/256", "32/15/254/200/2")
"""Batch, time, features, units, and 2 for both directions; the last two are the character model's
and the tagger's, with sentences of 15 words."""
NO_DATA = "2/100/4/8"
"""Whose memory is that of the graph, and whose time that of starting its operations."""
BY_MEMORY = {
    "keras.layers.LSTM": keras.layers.LSTM,
    "ForgetGateLSTM": ForgetGateLSTM,
    "keras.layers.GRU": keras.layers.GRU,
    "GRU": GRU,
}
"""Layers whose memory is measured."""

PEERS = {"of torch's": "torch.nn", "of the products'": "products"}
"""Whose time each side's is stated in, by how their names begin."""


def compare(sides: dict[str, tuple], repeats: int) -> dict[str, Any]:
    """Medians; by how much each side is faster than the first one, and its time in that of its
    `PEERS`, with quartiles."""
    times = {name: ([], []) for name in sides}
    for turn in range(repeats + 2):
        for name, (x, pair) in sides.items():
            for k, function in enumerate(pair):
                spent = timed(function, x)
                if turn > 1:  # the first ones compile and warm up
                    times[name][k].append(spent)
    base, found = next(iter(times.values())), {}
    peers = {
        said: times[name] for said, begins in PEERS.items() for name in times if begins in name
    }
    for name, pair in times.items():
        found[name] = {}
        for k, what in enumerate(("forward", "forward and backward")):
            row = {"ms": round(float(np.median(pair[k])), 2)}
            row["faster"] = quartiles(base[k], pair[k])
            row |= {said: quartiles(pair[k], peer[k]) for said, peer in peers.items()}
            found[name][what] = row
    return found


def quartiles(some: list[float], others: list[float]) -> list[float]:
    """Of the ratios within the turns."""
    ratios = np.quantile(np.divide(some, others), [0.25, 0.5, 0.75])
    return [round(float(ratio), 2) for ratio in ratios]


def speed(shapes: list[str], repeats: int) -> dict[str, Any]:
    """Every shape."""
    found = {}
    for shape in shapes:
        found[shape] = {}
        for sides in all_sides(Shape.of(shape)).values():
            rows = compare(sides, repeats)
            found[shape] |= rows
            print(f"\n{shape} (batch/time/features/units/directions), {repeats} turns", flush=True)
            for name, row in rows.items():
                shown = [
                    f"{what} {m['ms']:8.1f} ms, {m['faster'][1]:.2f} x "
                    f"({m['faster'][0]:.2f}-{m['faster'][2]:.2f})"
                    for what, m in row.items()
                ]
                both = row["forward and backward"]
                shown += [f"{both[said][1]:.2f} {said}" for said in PEERS if said in both]
                print(f"  {name:29s}" + "   ".join(shown), flush=True)
        keras.backend.clear_session()
    return found


def peak(shape: str, name: str) -> int:
    """Peak memory of training one side, in MB above that of the process before; for a process of
    its own."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    shape = Shape.of(shape)
    x = shape.inputs()
    _, both = sides_of(shape.layer(BY_MEMORY[name]), x)
    for _ in range(5):
        timed(both, x)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024


def peak_apart(shape: str, name: str) -> int:
    """`peak` in a process of its own, the median of three."""
    command = [sys.executable, __file__, "--peak", name, "--shapes", shape]
    found = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(3)]
    return sorted(int(done.stdout) for done in found)[1]


def memory(shapes: list[str]) -> dict[str, dict[str, int]]:
    """Peak memory."""
    found = {}
    for shape in shapes:
        found[shape] = {}
        for name in BY_MEMORY:
            found[shape][name] = peak_apart(shape, name)
            print(f"{shape} {name:20s} {found[shape][name]:6,} MB", flush=True)
    return found


def lengths(repeats: int) -> dict[str, Any]:
    """Forward and backward against the number of steps: lines, if all is well."""
    lengths, found = (100, 500, 1000, 2000), {}
    # First, as a process begins with the peak of the one that it comes from.
    peaks = {steps: peak_apart(f"16/{steps}/64/128", "ForgetGateLSTM") for steps in lengths}
    for steps in lengths:
        shape = Shape(16, steps, 64, 128)
        x, layer = shape.inputs(), shape.layer(ForgetGateLSTM)
        row = compare({"ForgetGateLSTM": (x, sides_of(layer, x))}, repeats)["ForgetGateLSTM"]
        ms = row["forward and backward"]["ms"]
        found[steps] = {"ms": ms, "MB": peaks[steps]}
        print(f"{steps:5d} steps {ms:8.1f} ms, {ms / steps:.3f} a step; {peaks[steps]} MB")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES))
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--lengths", action="store_true")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak:
        print(peak(asked.shapes[0], asked.peak))
        return
    if asked.memory:
        name, found = "memory", memory([NO_DATA, *asked.shapes])
    elif asked.parts:
        name, found = "parts", parts(asked.shapes, asked.repeats)
    elif asked.lengths:
        name, found = "lengths", lengths(asked.repeats)
    else:
        name, found = "speed", speed([*asked.shapes, NO_DATA], asked.repeats)
    if asked.record:
        option = "" if name == "speed" else f" --{name}"
        command = f"python benchmarks/layers.py{option} --repeats {asked.repeats} --record"
        about = {"repeats": asked.repeats} | ({"torch": version("torch")} if has_torch() else {})
        record("layers", name, command, found, **about)


if __name__ == "__main__":
    main()
