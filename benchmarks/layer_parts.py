"""What a pass of a layer is made of; a part of benchmarks/layers.py."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from layer_sides import Shape, sides_of, timed

from lstm_recipes.layers import GRU, ForgetGateLSTM, ForgetGateLSTMCell, GRUCell

PARTED = {
    "ForgetGateLSTM": (keras.layers.LSTM, ForgetGateLSTM, ForgetGateLSTMCell),
    "GRU": (keras.layers.GRU, GRU, GRUCell),
}
"""Layers that are taken apart, each with Keras' and its cell."""


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
