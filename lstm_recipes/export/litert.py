"""LiteRT (once TensorFlow Lite): one file for a phone or a small computer."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError
from lstm_recipes.export.in_float32 import in_float32
from lstm_recipes.export.signatures import Signature, layers_of, signatures_of
from lstm_recipes.quiet import standard_error_caught


def to_litert(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    signature: str | None = None,
    length: int | None = None,
    int8: bool = False,
) -> Signature:
    """Write one of a model's signatures as a LiteRT file, in LiteRT's own operators (no Flex).

    It is for one sequence at a time: the batch is 1. Without a ``length`` a sequence may have any
    (the interpreter's input is resized to it) and is run in LiteRT's loop; with one it is written
    out step by step, which takes a fifth of the time and grows with the length.

    Args:
        model: Any functional or Sequential one.
        path: The file, ``.tflite``.
        signature: ``"step"`` or ``"sequence"``; without, the first of `signatures_of`.
        length: How many time steps a sequence has.
        int8: Kernels and embeddings are int8, a scale a column; activations, biases, peepholes and
            states stay float32 (LiteRT's dynamic range).

    Returns:
        What was written.

    Raises:
        UserError: The model has no such signature, or needs an operator that LiteRT lacks.

    >>> import tempfile
    >>> from lstm_recipes.models.char_lm import char_lm
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = to_litert(char_lm(65, layer="gru", units=8), folder + "/step.tflite")
    >>> written.name, {name: spec.shape.as_list() for name, spec in written.inputs.items()}
    ('step', {'tokens': [1], 'state_0': [1, 8]})
    """
    model = in_float32(model)
    chosen = _chosen(model, signature, length)
    with _unrolled(model) if length else _as_it_is():
        graph = _constant(model, chosen).traced()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], tf.Module())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    write_atomically(path, _converted(converter, model))
    return chosen


def _chosen(model: keras.Model, name: str | None, length: int | None) -> Signature:
    there = {signature.name: signature for signature in signatures_of(model)}
    if name is not None and name not in there:
        raise UserError(f"{model.name} has no signature {name!r}; it has {', '.join(there)}")
    found = there[name] if name else next(iter(there.values()))
    if found.name == "step" and length:
        raise UserError("length is for signature='sequence'; a step is a step")
    return found._replace(inputs={n: _fixed(s, length) for n, s in found.inputs.items()})


def _fixed(spec: tf.TensorSpec, length: int | None) -> tf.TensorSpec:
    """A batch of one, and the length where a time is free."""
    _, *others = spec.shape
    if length and others and others[0] is None:
        others[0] = length
    return tf.TensorSpec([1, *others], spec.dtype)


def _constant(model: keras.Model, signature: Signature) -> Signature:
    """The signature with the weights' values in place of variables, which LiteRT would have to be
    given first."""

    values = [(variable, variable.numpy()) for variable in model.variables]

    def function(**given: Any) -> dict[str, Any]:
        with keras.StatelessScope([(v, tf.constant(value)) for v, value in values]):
            return signature.function(**given)

    return signature._replace(function=function)


@contextmanager
def _unrolled(model: keras.Model) -> Iterator[None]:
    """Loops over time are written out step by step for as long as this lasts."""
    loops = [layer for layer in layers_of(model) if isinstance(layer, keras.layers.RNN)]
    before = [layer.unroll for layer in loops]
    try:
        for layer in loops:
            layer.unroll = True
        yield
    finally:
        for layer, unroll in zip(loops, before, strict=True):
            layer.unroll = unroll


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


def _converted(converter: Any, model: keras.Model) -> bytes:
    from tensorflow.lite.python.convert_phase import ConverterError

    try:
        with standard_error_caught([]):  # pages of it, in C++
            return converter.convert()
    except ConverterError as error:
        names = re.search(r"TF Select ops: ([\w, ]+)|Custom ops: ([\w, ]+)", str(error))
        what = names[0].split(": ")[1] if names else str(error).strip().splitlines()[-1]
        raise UserError(
            f"LiteRT has no operator for {what}, which {model.name} needs; export it as a "
            "SavedModel"
        ) from None
