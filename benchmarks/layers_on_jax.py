"""How fast the recurrent layers are on JAX, where Keras' own loop runs them, compiled by XLA.

All sides run in one process and take turns, each turn once forward and once forward and backward
(the gradients of the inputs and of every weight, in training). Compiling is not timed. Beside
them benchmarks/layers.py, which measures the same on TensorFlow.

    python benchmarks/layers_on_jax.py             # all shapes
    python benchmarks/layers_on_jax.py --record    # and write the result file for the docs
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from machine import record

from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM, PeepholeLSTM

SHAPES = ("64/100/64/256", "32/100/128/128", "64/100/512/512")
"""Batch, time, features, units."""
LAYERS = {
    "keras.layers.LSTM": keras.layers.LSTM,
    "ForgetGateLSTM": ForgetGateLSTM,
    "PeepholeLSTM": PeepholeLSTM,
    "CECLSTM": CECLSTM,
    "keras.layers.GRU": keras.layers.GRU,
    "GRU": GRU,
}


def sides_of(layer: keras.layers.Layer, x: jax.Array) -> tuple[Callable, Callable]:
    """The layer forward, and forward and backward."""
    layer.build(x.shape)
    weights = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]

    def outputs(weights: list, x: jax.Array, training: bool) -> jax.Array:
        return layer.stateless_call(weights, others, x, training=training)[0]

    @jax.jit
    def forward(x: jax.Array) -> jax.Array:
        return outputs(weights, x, False)

    given = jax.random.normal(jax.random.key(1), forward(x).shape)

    @jax.jit
    def both(x: jax.Array) -> Any:
        return jax.grad(lambda w, x: (outputs(w, x, True) * given).sum(), (0, 1))(weights, x)

    return forward, both


def timed(function: Callable, x: jax.Array) -> float:
    """Milliseconds of a call."""
    start = time.perf_counter()
    jax.block_until_ready(function(x))
    return 1e3 * (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES))
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    asked = parser.parse_args()
    found: dict[str, dict] = {}
    for shape in asked.shapes:
        batch, steps, features, units = map(int, shape.split("/"))
        x = jax.random.normal(jax.random.key(0), (batch, steps, features))
        sides = {n: sides_of(make(units, return_sequences=True), x) for n, make in LAYERS.items()}
        times = {name: np.zeros((asked.repeats + 2, 2)) for name in sides}
        for turn in range(asked.repeats + 2):  # the first two compile and warm up
            for name, pair in sides.items():
                times[name][turn] = [timed(function, x) for function in pair]
        found[shape] = {}
        for name, spent in times.items():
            forward, both = np.median(spent[2:], axis=0)
            row = {"forward": float(forward), "forward and backward": float(both)}
            found[shape][name] = {what: round(ms, 2) for what, ms in row.items()}
            print(f"{shape} {name:20s} forward {forward:7.1f} ms, both {both:7.1f} ms", flush=True)
    if asked.record:
        command = f"python benchmarks/layers_on_jax.py --repeats {asked.repeats} --record"
        about = {"repeats": asked.repeats, "jax": jax.__version__}
        record("layers", "jax", command, found, **about)


if __name__ == "__main__":
    main()
