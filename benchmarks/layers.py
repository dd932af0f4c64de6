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
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple

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
PARTED = {
    "ForgetGateLSTM": (keras.layers.LSTM, ForgetGateLSTM, ForgetGateLSTMCell),
    "GRU": (keras.layers.GRU, GRU, GRUCell),
}
"""Layers that are taken apart, each with Keras' and its cell."""
Sides = tuple[Callable, Callable]


class Shape(NamedTuple):
    """What a layer is measured with."""

    batch: int
    steps: int
    features: int
    units: int
    directions: int = 1

    @classmethod
    def of(cls, text: str) -> "Shape":
        """From how it is written, with strokes between."""
        return cls(*map(int, text.split("/")))

    def inputs(self) -> tf.Tensor:
        """Some."""
        return tf.random.normal([self.batch, self.steps, self.features])

    def layer(self, make: Callable, **options: Any) -> Any:
        """A layer that gives its output at every step, in as many directions."""
        layer = make(self.units, return_sequences=True, **options)
        return layer if self.directions == 1 else keras.layers.Bidirectional(layer)


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


def products(x: tf.Tensor, shape: Shape, gates: int) -> Sides:
    """The matrix products alone, as large ones; those of two directions as ones of twice as many
    sequences."""
    rows, features = shape.directions * shape.batch * shape.steps, shape.features
    inputs = tf.reshape(tf.tile(x, [shape.directions, 1, 1]), [rows, features])
    units, h = shape.units, tf.random.normal([rows, shape.units])
    kernel = tf.random.normal([features, gates * units])
    recurrent, z = (tf.random.normal([n, gates * units]) for n in (units, rows))

    def forward(_: tf.Tensor) -> Any:
        return tf.matmul(inputs, kernel), tf.matmul(h, recurrent)

    def both(x: tf.Tensor) -> Any:
        back = [tf.matmul(z, k, transpose_b=True) for k in (kernel, recurrent)]
        return *forward(x), *back, *(tf.matmul(a, z, transpose_a=True) for a in (inputs, h))

    return tf.function(forward), tf.function(both)


def has_torch() -> bool:
    """Whether PyTorch is installed."""
    return find_spec("torch") is not None


def torch_sides(x: np.ndarray, shape: Shape, gru: bool) -> Sides | None:
    """PyTorch's layer, if it is there."""
    if not has_torch():
        return None
    import torch

    layer = (torch.nn.GRU if gru else torch.nn.LSTM)(
        shape.features, shape.units, batch_first=True, bidirectional=shape.directions == 2
    )
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


def in_keras_loop(units: int, **options: Any) -> Any:
    """Our cell in it."""
    return keras.layers.RNN(ForgetGateLSTMCell(units), **options)


def all_sides(shape: Shape) -> dict[str, dict[str, Sides]]:
    """Each side, by the layer of Keras that it is compared with."""
    x = shape.inputs()
    lstm = {
        "keras.layers.LSTM": shape.layer(keras.layers.LSTM),
        "ForgetGateLSTM": shape.layer(ForgetGateLSTM),
        "PeepholeLSTM": shape.layer(PeepholeLSTM),
        "CECLSTM": shape.layer(CECLSTM),
        "keras.layers.RNN": shape.layer(in_keras_loop),
    }
    if shape.directions == 1:
        lstm["BlockLSTMV2"] = Block(shape.units)
    if shape.units >= 512:
        lstm["ForgetGateLSTM, bfloat16"] = shape.layer(ForgetGateLSTM, dtype="mixed_bfloat16")
    gru = {"keras.layers.GRU": shape.layer(keras.layers.GRU), "GRU": shape.layer(GRU)}
    groups = {
        "keras.layers.LSTM": {name: sides_of(layer, x) for name, layer in lstm.items()},
        "keras.layers.GRU": {name: sides_of(layer, x) for name, layer in gru.items()},
    }
    for group, kind, gates in zip(groups.values(), ("LSTM", "GRU"), (4, 3), strict=True):
        torch = torch_sides(x.numpy(), shape, kind == "GRU")
        group.update({f"torch.nn.{kind}": torch} if torch else {})
        group[f"products of the {kind} alone"] = products(x, shape, gates)
    return {base: {name: (x, side) for name, side in g.items()} for base, g in groups.items()}


def timed(function: Callable, x: tf.Tensor) -> float:
    """Milliseconds of a call; on a processor it is over when everything is computed."""
    start = time.perf_counter()
    function(x)
    return 1e3 * (time.perf_counter() - start)


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


def parts_of(shape: str, kind: str) -> tuple[tf.Tensor, dict[str, Callable]]:
    """A layer, Keras', and what ours cannot do without, each part in a loop of its own: forward the
    products of the inputs, those of h at each step, and the equations; backward the products of
    each step, the equations' derivatives, and the products after the loop."""
    shape = Shape.of(shape)
    batch, steps, features, units, _ = shape
    of_keras, ours, cell = PARTED[kind]
    cell, columns = cell(units), len(cell.columns)
    x, h = shape.inputs(), tf.random.normal([batch, units])
    rows, hs = tf.reshape(x, [-1, features]), tf.random.normal([batch * steps, units])
    z = tf.unstack(tf.random.normal([columns + len(cell.columns_apart), steps, batch, units]))
    kept = tf.unstack(tf.random.uniform([len(cell.kept_widths), steps, batch, units]))
    dz = [tf.reshape(part, [-1, units]) for part in z[:columns]]
    kernels = [tf.random.normal([features, units], stddev=0.05) for _ in range(columns)]
    recurrent = [tf.random.normal([units, units], stddev=0.05) for _ in range(columns)]
    states = [h] * len(cell.get_initial_state(batch))
    halves = [half for u in recurrent for half in tf.split(u, 2, axis=1)]
    several = 5 if steps % 5 == 0 else 1  # a turn, about as many as in the layer

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

    def products_in_halves(x: tf.Tensor) -> Any:
        def step(t: tf.Tensor, h: list) -> list:
            one, other = ([tf.matmul(h[0], u) for u in halves[k::2]] for k in (0, 1))
            return [tf.concat([tf.add_n(one), tf.add_n(other)], axis=1)]

        return looped(step, [h])

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
        sides_of(shape.layer(of_keras), x), sides_of(shape.layer(ours), x), strict=True
    )
    return x, {
        "Keras' forward": forward[0],
        "forward": forward[1],
        "products of the inputs": tf.function(inputs),
        "products of each step": tf.function(products),
        "products of each step, in halves": tf.function(products_in_halves),
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
    for shape in (shape.removesuffix("/2") for shape in shapes):
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
