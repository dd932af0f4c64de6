"""How fast the recurrent layers are, beside Keras' own and the matrix products alone.

All sides run in one process and take turns, each turn once forward and once forward and backward
(the gradients of the inputs and of every weight, in training); a ratio is formed within a turn.
Compiling is not timed. "Products alone" are what any of them has to multiply, as large
products; `BlockLSTMV2` is TensorFlow's own fused kernel, `keras.layers.RNN` our cell in Keras' own
loop, and `torch` takes part where PyTorch is installed.

    python benchmarks/layers.py                    # all shapes
    python benchmarks/layers.py --shapes 64/100/64/256 --repeats 40
    python benchmarks/layers.py --record           # and write the result file for the docs
    python benchmarks/layers.py --parts            # what a pass is made of
    python benchmarks/layers.py --memory           # peak memory in training, a process a side
    python benchmarks/layers.py --lengths          # time against the number of steps
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf
from machine import record

from lstm_recipes.layers import (
    CECLSTM,
    GRU,
    ForgetGateLSTM,
    ForgetGateLSTMCell,
    GRUCell,
    PeepholeLSTM,
)

SHAPES = ("64/100/64/256", "32/100/128/128", "64/100/512/512", "64/50/64/256", "32/15/160/200")
"""Batch, time, features, units; the last two are the character model's and the tagger's."""
NO_DATA = "2/100/4/8"
"""Whose memory is that of the graph."""
BY_MEMORY = {
    "keras.layers.LSTM": keras.layers.LSTM,
    "ForgetGateLSTM": ForgetGateLSTM,
    "keras.layers.GRU": keras.layers.GRU,
    "GRU": GRU,
}
"""Layers whose memory is measured."""
PARTED = {
    "ForgetGateLSTM": (keras.layers.LSTM, ForgetGateLSTM, ForgetGateLSTMCell),
    "GRU": (keras.layers.GRU, GRU, GRUCell),
}
"""Layers that are taken apart, each with Keras' and its cell."""
Sides = tuple[Callable, Callable]


def sides_of(layer: Any, x: tf.Tensor) -> Sides:
    """The layer forward, and forward and backward."""
    y = layer(x)
    weights = tf.random.normal(tf.shape(y))

    def both(x: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(tf.cast(layer(x, training=True), "float32") * weights)
        return tape.gradient(total, [x, *layer.trainable_variables])

    return tf.function(lambda x: layer(x)), tf.function(both)


class Block(keras.layers.Layer):
    """TensorFlow's fused LSTM kernel."""

    def __init__(self, units: int):
        super().__init__()
        self.units = units

    def build(self, shape: tuple) -> None:
        self.kernel = self.add_weight((shape[-1] + self.units, 4 * self.units), "glorot_uniform")
        self.bias = self.add_weight((4 * self.units,), "zeros")

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        steps = tf.shape(x)[1]
        zero, peephole = tf.zeros([tf.shape(x)[0], self.units]), tf.zeros([self.units])
        found = tf.raw_ops.BlockLSTMV2(
            seq_len_max=tf.cast(steps, "int64"),
            x=tf.transpose(x, [1, 0, 2]),
            cs_prev=zero,
            h_prev=zero,
            w=self.kernel,
            wci=peephole,
            wcf=peephole,
            wco=peephole,
            b=self.bias,
        )
        return tf.transpose(found.h, [1, 0, 2])


def products(x: tf.Tensor, units: int, gates: int) -> Sides:
    """The matrix products alone, as large ones."""
    rows, features = x.shape[0] * x.shape[1], x.shape[2]
    inputs, h = tf.reshape(x, [rows, features]), tf.random.normal([rows, units])
    kernel = tf.random.normal([features, gates * units])
    recurrent, z = (tf.random.normal([n, gates * units]) for n in (units, rows))

    def forward(_: tf.Tensor) -> Any:
        return tf.matmul(inputs, kernel), tf.matmul(h, recurrent)

    def both(x: tf.Tensor) -> Any:
        back = [tf.matmul(z, k, transpose_b=True) for k in (kernel, recurrent)]
        return *forward(x), *back, *(tf.matmul(a, z, transpose_a=True) for a in (inputs, h))

    return tf.function(forward), tf.function(both)


def torch_sides(x: np.ndarray, units: int, gru: bool) -> Sides | None:
    """PyTorch's layer, if it is there."""
    try:
        import torch
    except ImportError:
        return None
    layer = (torch.nn.GRU if gru else torch.nn.LSTM)(x.shape[2], units, batch_first=True)
    x = torch.from_numpy(x)

    def forward(_: Any) -> Any:
        with torch.no_grad():
            return layer(x)[0]

    def both(_: Any) -> Any:
        given = x.clone().requires_grad_()
        layer.zero_grad()
        layer(given)[0].sum().backward()
        return given.grad

    return forward, both


def all_sides(shape: str) -> dict[str, dict[str, Sides]]:
    """Each side, by the layer of Keras that it is compared with."""
    batch, steps, features, units = map(int, shape.split("/"))
    x = tf.random.normal([batch, steps, features])
    options = {"return_sequences": True}
    lstm = {
        "keras.layers.LSTM": keras.layers.LSTM(units, **options),
        "ForgetGateLSTM": ForgetGateLSTM(units, **options),
        "PeepholeLSTM": PeepholeLSTM(units, **options),
        "CECLSTM": CECLSTM(units, **options),
        "keras.layers.RNN": keras.layers.RNN(ForgetGateLSTMCell(units), **options),
        "BlockLSTMV2": Block(units),
    }
    if units >= 512:
        lstm["ForgetGateLSTM, bfloat16"] = ForgetGateLSTM(units, dtype="mixed_bfloat16", **options)
    gru = {"keras.layers.GRU": keras.layers.GRU(units, **options), "GRU": GRU(units, **options)}
    groups = {
        "keras.layers.LSTM": {name: sides_of(layer, x) for name, layer in lstm.items()},
        "keras.layers.GRU": {name: sides_of(layer, x) for name, layer in gru.items()},
    }
    for group, kind, gates in zip(groups.values(), ("LSTM", "GRU"), (4, 3), strict=True):
        torch = torch_sides(x.numpy(), units, kind == "GRU")
        group.update({f"torch.nn.{kind}": torch} if torch else {})
        group[f"products of the {kind} alone"] = products(x, units, gates)
    return {base: {name: (x, side) for name, side in g.items()} for base, g in groups.items()}


def timed(function: Callable, x: tf.Tensor) -> float:
    """Milliseconds of a call; on a processor it is over when everything is computed."""
    start = time.perf_counter()
    function(x)
    return 1e3 * (time.perf_counter() - start)


def compare(sides: dict[str, tuple], repeats: int) -> dict[str, Any]:
    """Medians, and ratios to the first side with their quartiles."""
    times = {name: ([], []) for name in sides}
    for turn in range(repeats + 2):
        for name, (x, pair) in sides.items():
            for k, function in enumerate(pair):
                spent = timed(function, x)
                if turn > 1:  # the first ones compile and warm up
                    times[name][k].append(spent)
    base, found = next(iter(times.values())), {}
    for name, pair in times.items():
        found[name] = {}
        for k, what in enumerate(("forward", "forward and backward")):
            ratio = np.quantile(np.divide(base[k], pair[k]), [0.25, 0.5, 0.75])
            found[name][what] = {
                "ms": round(float(np.median(pair[k])), 2),
                "faster": [round(float(r), 2) for r in ratio],
            }
    return found


def speed(shapes: list[str], repeats: int) -> dict[str, Any]:
    """Every shape."""
    found = {}
    for shape in shapes:
        found[shape] = {}
        for sides in all_sides(shape).values():
            rows = compare(sides, repeats)
            found[shape] |= rows
            print(f"\n{shape} (batch/time/features/units), {repeats} turns", flush=True)
            for name, row in rows.items():
                shown = [
                    f"{what} {m['ms']:8.1f} ms, {m['faster'][1]:.2f} x "
                    f"({m['faster'][0]:.2f}-{m['faster'][2]:.2f})"
                    for what, m in row.items()
                ]
                print(f"  {name:29s}" + "   ".join(shown), flush=True)
        keras.backend.clear_session()
    return found


def parts_of(shape: str, kind: str) -> tuple[tf.Tensor, dict[str, Callable]]:
    """A layer, Keras', and what ours cannot do without, each part in a loop of its own: forward the
    products of the inputs, those of h at each step, and the equations; backward the products of
    each step, the equations' derivatives, and the products after the loop."""
    batch, steps, features, units = map(int, shape.split("/"))
    of_keras, ours, cell = PARTED[kind]
    cell, columns = cell(units), len(cell.columns)
    x, h = tf.random.normal([batch, steps, features]), tf.random.normal([batch, units])
    rows, hs = tf.reshape(x, [-1, features]), tf.random.normal([batch * steps, units])
    z = tf.unstack(tf.random.normal([columns + len(cell.columns_apart), steps, batch, units]))
    kept = tf.unstack(tf.random.uniform([len(cell.kept_widths), steps, batch, units]))
    dz = [tf.reshape(part, [-1, units]) for part in z[:columns]]
    kernels = [tf.random.normal([features, units], stddev=0.05) for _ in range(columns)]
    recurrent = [tf.random.normal([units, units], stddev=0.05) for _ in range(columns)]
    states = [h] * len(cell.get_initial_state(batch))
    several = 5 if steps % 5 == 0 else 1

    def looped(step: Callable, states: list) -> Any:
        def body(t: tf.Tensor, *states: tf.Tensor) -> tuple:
            for k in range(several):
                states = step(t + k, list(states))
            return (t + several, *states)

        return tf.while_loop(lambda t, *_: t < steps, body, (0, *states), parallel_iterations=1)

    def inputs(x: tf.Tensor) -> Any:
        return [tf.matmul(rows, kernel) for kernel in kernels]

    def products(x: tf.Tensor) -> Any:
        return looped(lambda t, h: [tf.add_n([tf.matmul(h[0], u) for u in recurrent])], [h])

    def equations(x: tf.Tensor) -> Any:
        return looped(lambda t, s: cell.pointwise([part[t] for part in z], s, [])[0], states)

    def derivatives(x: tf.Tensor) -> Any:
        def step(t: tf.Tensor, d: list) -> list:
            dz, before, _ = cell.pointwise_vjp(d, [part[t] for part in kept], [])
            # In the place of what the products would give; what no one reads is not computed.
            fed = tf.add_n(dz)
            return [fed if before[0] is None else before[0] + fed, *before[1:]]

        return looped(step, states)

    def after(x: tf.Tensor) -> Any:
        weights = [tf.matmul(a, d, transpose_a=True) for d in dz for a in (rows, hs)]
        dx = [tf.matmul(d, k, transpose_b=True) for d, k in zip(dz, kernels, strict=True)]
        return weights, tf.add_n(dx)

    forward, both = zip(
        sides_of(of_keras(units, return_sequences=True), x),
        sides_of(ours(units, return_sequences=True), x),
        strict=True,
    )
    return x, {
        "Keras' forward": forward[0],
        "forward": forward[1],
        "products of the inputs": tf.function(inputs),
        "products of each step": tf.function(products),
        "equations": tf.function(equations),
        "Keras' forward and backward": both[0],
        "forward and backward": both[1],
        # Those of the turned kernels are as many and as large.
        "products of each step back": tf.function(products),
        "derivatives": tf.function(derivatives),
        "products after": tf.function(after),
    }


def parts(shapes: list[str], repeats: int) -> dict[str, Any]:
    """Milliseconds of each part; the parts take turns."""
    found = {}
    for shape in shapes:
        found[shape] = {}
        for kind in PARTED:
            x, sides = parts_of(shape, kind)
            turns = [{n: timed(side, x) for n, side in sides.items()} for _ in range(repeats + 2)]
            # The first two compile and warm up.
            row = {n: round(float(np.median([t[n] for t in turns[2:]])), 2) for n in sides}
            found[shape][kind] = row
            print(shape, kind, row, flush=True)
    return found


def peak(shape: str, name: str) -> int:
    """Peak memory of training one side, in MB above that of the process before; for a process of
    its own."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    batch, steps, features, units = map(int, shape.split("/"))
    x = tf.random.normal([batch, steps, features])
    _, both = sides_of(BY_MEMORY[name](units, return_sequences=True), x)
    for _ in range(5):
        timed(both, x)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024


def memory(shapes: list[str]) -> dict[str, dict[str, int]]:
    """Peak memory, each side in a process of its own."""
    found = {}
    for shape in shapes:
        found[shape] = {}
        for name in BY_MEMORY:
            command = [sys.executable, __file__, "--peak", name, "--shapes", shape]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[shape][name] = int(done.stdout)
            print(f"{shape} {name:20s} {found[shape][name]:6,} MB", flush=True)
    return found


def lengths(repeats: int) -> dict[str, Any]:
    """Forward and backward against the number of steps: a line, if all is well."""
    found = {}
    for steps in (100, 500, 1000, 2000):
        x = tf.random.normal([16, steps, 64])
        layer = ForgetGateLSTM(128, return_sequences=True)
        row = compare({"ForgetGateLSTM": (x, sides_of(layer, x))}, repeats)["ForgetGateLSTM"]
        found[steps] = row["forward and backward"]["ms"]
        print(f"{steps:5d} steps {found[steps]:8.1f} ms, {found[steps] / steps:.3f} a step")
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
        name, found = "speed", speed(asked.shapes, asked.repeats)
    if asked.record:
        option = "" if name == "speed" else f" --{name}"
        command = f"python benchmarks/layers.py{option} --record"
        record("layers", name, command, found, repeats=asked.repeats)


if __name__ == "__main__":
    main()
