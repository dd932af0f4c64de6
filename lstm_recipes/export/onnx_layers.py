"""The layers of a Keras model in ONNX, but for the recurrent ones."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from lstm_recipes.errors import UserError
from lstm_recipes.export.onnx_graph import Graph, Value, as_float32
from lstm_recipes.export.onnx_masks import OPERATIONS, not_equal
from lstm_recipes.export.onnx_recurrent import LAYERS as RECURRENT
from lstm_recipes.export.onnx_recurrent import bidirectional, recurrent
from lstm_recipes.layers import CRF, cec_input, cec_output
from lstm_recipes.layers.crf import MASKED
from lstm_recipes.models.characters import CharacterWords

ACTIVATIONS: dict[Callable, tuple[str, dict[str, float]]] = {
    keras.activations.relu: ("Relu", {}),
    keras.activations.sigmoid: ("Sigmoid", {}),
    keras.activations.tanh: ("Tanh", {}),
    keras.activations.softmax: ("Softmax", {"axis": -1}),
    keras.activations.log_softmax: ("LogSoftmax", {"axis": -1}),
    keras.activations.softplus: ("Softplus", {}),
    keras.activations.softsign: ("Softsign", {}),
    keras.activations.elu: ("Elu", {"alpha": 1.0}),
    keras.activations.leaky_relu: ("LeakyRelu", {"alpha": 0.2}),
    keras.activations.hard_sigmoid: ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
}


def call(graph: Graph, layer: Any, *args: Any, **kwargs: Any) -> Any:
    """What a layer or operation of Keras gives for these values; the functions that write one take
    what its ``call`` takes."""
    write = LAYERS.get(type(layer), OPERATIONS.get(type(layer)))
    if write is None:
        raise UserError(
            f"{layer.name} is a {type(layer).__name__}, which cannot be exported to ONNX; models "
            f"can be made of {', '.join(sorted({kind.__name__ for kind in LAYERS}))}, "
            "operations that make masks, such as ops.not_equal, and slices of the features, such "
            "as x[..., :8]."
        )
    return write(graph.within(layer.name), layer, *args, **kwargs)


# Layers of Keras.


def same(graph: Graph, layer: Any, inputs: Value, training: bool = False) -> Value:
    """Dropout and what else does nothing to a model in use."""
    return inputs


def dense(graph: Graph, layer: keras.layers.Dense, inputs: Value, training: Any = None) -> Value:
    """x W + b, and its activation."""
    kernel = _weights(layer, "kernel")
    x = graph.add("MatMul", inputs.name, graph.constant(kernel, "kernel"))
    if layer.bias is not None:
        x = graph.add("Add", x, graph.weight(layer.bias, "bias"))
    return Value(activate(graph, layer, x))


def activation(graph: Graph, layer: keras.layers.Activation, inputs: Value) -> Value:
    """An activation by itself."""
    return Value(activate(graph, layer, inputs.name))


def embedding(graph: Graph, layer: keras.layers.Embedding, inputs: Value) -> Value:
    """Rows of a table."""
    ids = inputs.name if inputs.dtype in ("int32", "int64") else graph.cast(inputs.name, "int32")
    table = graph.constant(_weights(layer, "embeddings", axis=0), "embeddings")
    return Value(graph.add("Gather", table, ids))


def masking(graph: Graph, layer: keras.layers.Masking, inputs: Value) -> Value:
    """Zeros where all features of a step are the mask's value."""
    differs = graph.cast(not_equal(graph, layer, inputs, layer.mask_value).name, "int32")
    some = graph.cast(graph.add("ReduceMax", differs, axes=[-1], keepdims=1), "bool")
    return Value(graph.where(some, inputs.name, 0.0))


def concatenate(graph: Graph, layer: keras.layers.Concatenate, inputs: list[Value]) -> Value:
    """Side by side, as floats if one of them is."""
    dtypes, names = {value.dtype for value in inputs}, [value.name for value in inputs]
    if len(dtypes) > 1:
        names = [graph.cast(name, "float32") for name in names]
        dtypes = {"float32"}
    return Value(graph.add("Concat", *names, axis=layer.axis), dtypes.pop())


# Layers of the package.


def crf(graph: Graph, layer: CRF, inputs: Value, mask: Value | None = None) -> Value:
    """The emissions, lowest where the mask leaves a step out; the scores of neighbouring tags are
    outputs of their own, for whoever decodes needs both."""
    for name, scores in layer.chain._asdict().items():
        if name in graph.extra_outputs:
            raise UserError(
                f"{layer.name} is the model's second CRF; an ONNX model gives the transitions of "
                "one alone."
            )
        graph.extra_outputs[name] = graph.weight(scores, name)
    emissions = inputs.name
    if mask is not None:
        shown = graph.add("Unsqueeze", mask.name, graph.integers(-1))
        emissions = graph.where(shown, emissions, MASKED)
    graph.emissions = Value(emissions)
    return graph.emissions


def character_words(
    graph: Graph, layer: CharacterWords, inputs: Value, training: bool = False
) -> Value:
    """The words of all sentences in one batch, and back."""
    length = graph.shape(inputs.name, 2, 3)
    ids = graph.add("Reshape", inputs.name, graph.add("Concat", graph.integers(-1), length, axis=0))
    ids = Value(ids, inputs.dtype)
    present = not_equal(graph, layer, ids, 0)
    x = embedding(graph, layer.embedding, ids)
    if layer.options["kind"] == "cnn":
        words = _filters(graph, layer.encoder, x.name, present.name)
    else:
        words = bidirectional(graph, layer.encoder, x, mask=present)[0].name
    units = graph.integers(layer.options["units"])
    shape = graph.add("Concat", graph.shape(inputs.name, 0, 2), units, axis=0)
    return Value(graph.add("Reshape", words, shape))


def _filters(graph: Graph, layer: keras.layers.Conv1D, x: str, present: str) -> str:
    """The greatest value of each filter over a word's characters, as CharacterWords has it."""
    shown = graph.add("Unsqueeze", present, graph.integers(-1))
    x = graph.add("Transpose", graph.where(shown, x, 0.0), perm=[0, 2, 1])
    kernel = as_float32(layer.kernel).transpose(2, 1, 0)  # [filters, features, window]
    x = graph.add(
        "Conv", x, graph.constant(kernel, "kernel"), graph.weight(layer.bias, "bias"), pads=[1, 1]
    )
    x = graph.add("Transpose", x, perm=[0, 2, 1])
    return graph.add("ReduceMax", graph.where(shown, x, -10.0), axes=[1], keepdims=0)


# What layers share.


def activate(graph: Graph, layer: Any, x: str) -> str:
    """A layer's activation."""
    function = layer.activation
    if function in (None, keras.activations.linear):
        return x
    if function in (cec_input, cec_output):
        x = graph.add("Tanh", graph.add("Mul", x, graph.constant(np.float32(0.5))))
        two = graph.constant(np.float32(2.0))
        return graph.add("Mul", x, two) if function is cec_input else x
    if function not in ACTIVATIONS:
        names = [f.__name__ for f in (*ACTIVATIONS, cec_input, cec_output)]
        raise UserError(
            f"{layer.name} has the activation {getattr(function, '__name__', function)!r}, which "
            f"cannot be exported to ONNX; linear, {', '.join(names)} can."
        )
    operator, attributes = ACTIVATIONS[function]
    return graph.add(operator, x, **attributes)


def _weights(layer: Any, name: str, axis: int = -1) -> np.ndarray:
    """A layer's matrix as float32; one that is int8, with a scale for each index of an axis, is
    multiplied by its scales."""
    if layer.quantization_mode not in (None, "int8") or layer.lora_enabled:
        made = layer.quantization_mode or "LoRA"
        raise UserError(
            f"{layer.name} has weights of {made}, which cannot be exported to ONNX; float ones and "
            "those of model.quantize('int8') can."
        )
    values = as_float32(getattr(layer, name))
    if layer.quantization_mode is None:
        return values
    return values / np.expand_dims(as_float32(getattr(layer, f"{name}_scale")), 1 + axis)


LAYERS: dict[type, Callable] = {
    keras.layers.Activation: activation,
    keras.layers.Bidirectional: bidirectional,
    keras.layers.Concatenate: concatenate,
    keras.layers.Dense: dense,
    keras.layers.Dropout: same,
    keras.layers.Embedding: embedding,
    keras.layers.Masking: masking,
    keras.layers.SpatialDropout1D: same,
    CRF: crf,
    CharacterWords: character_words,
    **dict.fromkeys(RECURRENT, recurrent),
}
