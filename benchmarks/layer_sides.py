"""What takes turns in the benchmarks of the layers: ours, Keras', PyTorch's, the products alone."""

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.layers import (
    CECLSTM,
    GRU,
    ForgetGateLSTM,
    ForgetGateLSTMCell,
    PeepholeLSTM,
)

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
