"""The recurrent layers as ONNX' own LSTM and GRU operators.

Source of the equations, the order of the gates and the shapes: the ONNX operator specification,
LSTM and GRU, version 14 (https://onnx.ai/onnx/operators/onnx__LSTM.html). In ONNX a gate has one
row a unit, ``[gates · units, features]``, where Keras has one column.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from lstm_recipes.errors import UserError
from lstm_recipes.export.onnx_graph import Graph, Value, as_float32
from lstm_recipes.export.onnx_masks import Mask
from lstm_recipes.layers import (
    CECLSTM,
    GRU,
    CECLSTMCell,
    ForgetGateLSTM,
    ForgetGateLSTMCell,
    GRUCell,
    PeepholeLSTM,
    PeepholeLSTMCell,
    Recurrent,
    cec_input,
    cec_output,
)

LAYERS = (
    CECLSTM,
    ForgetGateLSTM,
    PeepholeLSTM,
    GRU,
    keras.layers.LSTM,
    keras.layers.GRU,
    Recurrent,
    keras.layers.RNN,
)
LSTM_CELLS = (CECLSTMCell, ForgetGateLSTMCell, PeepholeLSTMCell, keras.layers.LSTMCell)
GRU_CELLS = (GRUCell, keras.layers.GRUCell)

# Each with its alpha and beta, where it has them: ScaledTanh(x) = alpha · tanh(beta · x).
ACTIVATIONS: dict[Callable, tuple] = {
    keras.activations.sigmoid: ("Sigmoid",),
    keras.activations.tanh: ("Tanh",),
    keras.activations.relu: ("Relu",),
    keras.activations.softsign: ("Softsign",),
    keras.activations.softplus: ("Softplus",),
    keras.activations.elu: ("Elu", 1.0),
    keras.activations.leaky_relu: ("LeakyRelu", 0.2),
    keras.activations.hard_sigmoid: ("HardSigmoid", 1 / 6, 0.5),
    keras.activations.linear: ("Affine", 1.0, 0.0),
    cec_input: ("ScaledTanh", 2.0, 0.5),
    cec_output: ("ScaledTanh", 1.0, 0.5),
}

# A forget gate's bias at which the gate is 1.0 and not nearly: σ(z) rounds to 1 in float32 from
# z = 17.4 on, and onnxruntime's own approximation is exactly 1 from 18 on.
OPEN = 100.0
OPENED = (keras.activations.sigmoid, keras.activations.hard_sigmoid)


@dataclass
class Operator:
    """An ONNX operator with its weights: W and R ``[1, gates · units, ·]``, B ``[1, 2 · gates ·
    units]``, and P ``[1, 3 · units]`` or None; whether its cell state is half of the layer's."""

    kind: str
    attributes: dict[str, Any]
    w: np.ndarray
    r: np.ndarray
    b: np.ndarray
    p: np.ndarray | None = None
    halved: bool = False


# Cells.


def operator_of(layer: Any) -> Operator:
    """What a recurrent layer's cell is in ONNX."""
    cell = layer.cell
    if getattr(layer, "stateful", False):
        raise UserError(
            f"{layer.name} is stateful, and an ONNX model keeps nothing between calls; build the "
            "model with the states as inputs and return_state=True, as char_lm does."
        )
    if type(cell) in LSTM_CELLS:
        return _lstm(layer.name, cell)
    if type(cell) in GRU_CELLS:
        return _gru(layer.name, cell)
    raise UserError(
        f"{layer.name} runs a {type(cell).__name__}, which ONNX has no operator for; the cells of "
        "CECLSTM, ForgetGateLSTM, PeepholeLSTM, GRU, keras.layers.LSTM and keras.layers.GRU "
        "can be exported."
    )


def _lstm(name: str, cell: Any) -> Operator:
    """i_t, o_t, f_t, c_t from Keras' [i, f, c, o]; P from the peepholes' [i, f, o]."""
    _check_memory_cell(name, cell)
    features = _kernel(cell, "kernel").shape[0]
    none = {"f": np.zeros((features, cell.units), "float32")}
    w = none | _gates(cell, _kernel(cell, "kernel"))
    none = {"f": np.zeros((cell.units, cell.units), "float32")}
    r = none | _gates(cell, _kernel(cell, "recurrent_kernel"))
    bias = {gate: np.zeros(cell.units, "float32") for gate in "iofc"} | _biases(cell)
    if type(cell) is CECLSTMCell:
        bias["f"] = np.full(cell.units, OPEN, "float32")
    p = None
    if type(cell) is PeepholeLSTMCell:
        i, f, o = as_float32(cell.peephole)
        p = np.concatenate([i, o, f])[None]
    shown = getattr(cell, "output_activation", cell.activation)
    functions = [cell.recurrent_activation, cell.activation, shown]
    halved = functions[1:] == [cec_input, cec_output]
    if halved:
        functions[1:] = [keras.activations.tanh] * 2
        _halve(w, r, bias)
        p = None if p is None else 2 * p
    b = np.concatenate([bias[gate] for gate in "iofc"] + [np.zeros(4 * cell.units, "float32")])
    attributes = _attributes(name, cell, functions)
    return Operator("LSTM", attributes, _rows(w, "iofc"), _rows(r, "iofc"), b[None], p, halved)


def _halve(*weights: dict[str, np.ndarray]) -> None:
    """The 1997 functions by tanh alone: with c = 2 c', c_t = f c_{t-1} + i · 2 tanh(z/2) and
    h(c) = tanh(c/2) are c'_t = f c'_{t-1} + i tanh(z/2) and tanh(c'), to the last bit. Not by
    ScaledTanh: onnxruntime's is off by 2e-7 however small it is, 2 % of tanh(0.001) at worst, and
    a state that never decays adds that up. Its Tanh is right to 2e-7 of itself."""
    for of_gates in weights:
        of_gates["c"] = of_gates["c"] * np.float32(0.5)


def _check_memory_cell(name: str, cell: Any) -> None:
    if getattr(cell, "gate_feedback", False):
        raise UserError(
            f"{name} has gate_feedback=True, and in ONNX' LSTM the gates do not feed back; only "
            "layers without it can be exported."
        )
    if type(cell) is PeepholeLSTMCell and cell.block_size > 1:
        raise UserError(
            f"{name} has block_size={cell.block_size} and peepholes, and in ONNX' LSTM a gate "
            "sees its own cell alone, not all of its block; peepholes need block_size=1."
        )
    if type(cell) is CECLSTMCell and cell.recurrent_activation not in OPENED:
        raise UserError(
            f"{name} has gates of {_named(cell.recurrent_activation)}; a CECLSTM becomes an LSTM "
            "whose forget gate is always 1, which needs 'sigmoid' or 'hard_sigmoid'."
        )


def _gru(name: str, cell: Any) -> Operator:
    """z_t, r_t, h̃_t in Keras' order; b and b' where both are."""
    w, r = (_split(_kernel(cell, kernel), "zrh") for kernel in ("kernel", "recurrent_kernel"))
    b = np.zeros((2, 3 * cell.units), "float32")
    if cell.use_bias and cell.reset_after:
        b[:] = as_float32(cell.bias)
    elif cell.use_bias:
        b[0] = as_float32(cell.bias)
    attributes = _attributes(name, cell, [cell.recurrent_activation, cell.activation])
    attributes["linear_before_reset"] = int(cell.reset_after)
    return Operator("GRU", attributes, _rows(w, "zrh"), _rows(r, "zrh"), b.reshape(1, -1))


def _kernel(cell: Any, name: str) -> np.ndarray:
    """A kernel as float32; an int8 one is multiplied by its scales."""
    kernel, scale = getattr(cell, name), getattr(cell, f"{name}_scale", None)
    return as_float32(kernel) if scale is None else as_float32(kernel) / as_float32(scale)


def _gates(cell: Any, kernel: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of each gate, one a unit: the gates of a block stand once for each cell."""
    columns = getattr(cell, "columns", "ifco")
    return _split(kernel, columns, getattr(cell, "widths", None), cell.units)


def _biases(cell: Any) -> dict[str, np.ndarray]:
    """Of each gate that has one."""
    if not cell.use_bias:
        return {}
    columns = getattr(cell, "columns", "ifco")
    widths = getattr(cell, "widths", [cell.units] * 4)
    biased = [k for k, name in enumerate(columns) if name != "c" or cell.use_bias is True]
    widths, columns = [widths[k] for k in biased], [columns[k] for k in biased]
    return _split(as_float32(cell.bias), columns, widths, cell.units)


def _split(
    columns: np.ndarray, names: Any, widths: list[int] | None = None, units: int | None = None
) -> dict[str, np.ndarray]:
    ends = len(names) if widths is None else np.cumsum(widths)[:-1]
    parts = np.split(columns, ends, axis=-1)
    return {
        name: np.repeat(part, 1 if units is None else units // part.shape[-1], axis=-1)
        for name, part in zip(names, parts, strict=True)
    }


def _rows(gates: dict[str, np.ndarray], order: str) -> np.ndarray:
    return np.concatenate([gates[name] for name in order], axis=1).T[None]


def _attributes(name: str, cell: Any, functions: list) -> dict[str, Any]:
    found = [ACTIVATIONS.get(function) for function in functions]
    for function, entry in zip(functions, found, strict=True):
        if entry is None:
            raise UserError(
                f"{name} has the activation {_named(function)}, which ONNX' recurrent operators "
                f"do not have; they have {', '.join(_named(f) for f in ACTIVATIONS)}."
            )
    alphas = [float(entry[1]) for entry in found if len(entry) > 1]
    betas = [float(entry[2]) for entry in found if len(entry) > 2]
    attributes = {"hidden_size": cell.units, "activations": [entry[0] for entry in found]}
    attributes |= {"activation_alpha": alphas} if alphas else {}
    return attributes | ({"activation_beta": betas} if betas else {})


def _named(function: Any) -> str:
    return repr(getattr(function, "__name__", str(function)))


# Layers.


def recurrent(
    graph: Graph,
    layer: Any,
    sequences: Value,
    initial_state: Any = None,
    mask: Value | None = None,
    training: bool = False,
) -> list[Value]:
    """A recurrent layer: its output, and its states where it returns them."""
    output, *states = _run(graph, layer, sequences, initial_state, mask)
    if layer.go_backwards and layer.return_sequences:
        output = Value(_flip(graph, output.name))
    return [output, *states] if layer.return_state else [output]


def bidirectional(
    graph: Graph,
    layer: keras.layers.Bidirectional,
    sequences: Value,
    initial_state: Any = None,
    mask: Value | None = None,
    training: bool = False,
) -> list[Value]:
    """Two operators, for the layers of the two ways may differ in anything."""
    states = [None, None]
    if initial_state is not None:
        half = len(initial_state) // 2
        states = [initial_state[:half], initial_state[half:]]
    ways, ends = [], []
    for one, state in zip((layer.forward_layer, layer.backward_layer), states, strict=True):
        output, *ended = _run(graph, one, sequences, state, mask)
        # Keras turns the outputs of the second one, whichever of them it is that reads backwards.
        turns = one.go_backwards != (one is layer.backward_layer)
        ways.append(_flip(graph, output.name) if turns and one.return_sequences else output.name)
        ends += ended
    merged = [Value(name) for name in _merge(graph, layer, ways)]
    return merged + (ends if layer.return_state else [])


def _merge(graph: Graph, layer: keras.layers.Bidirectional, ways: list[str]) -> list[str]:
    if layer.merge_mode is None:
        return ways
    if layer.merge_mode == "concat":
        return [graph.add("Concat", *ways, axis=-1)]
    operator = "Mul" if layer.merge_mode == "mul" else "Add"
    merged = graph.add(operator, *ways)
    if layer.merge_mode == "ave":
        merged = graph.add("Mul", merged, graph.constant(np.float32(0.5)))
    return [merged]


def _run(
    graph: Graph, layer: Any, sequences: Value, initial_state: Any, mask: Value | None
) -> list[Value]:
    """The operator and what Keras' shapes and masks need around it; outputs in the order of time,
    also where the layer reads backwards."""
    if type(layer) not in LAYERS:
        can = sorted({kind.__name__ for kind in LAYERS})
        raise UserError(
            f"{layer.name} is a {type(layer).__name__}, which cannot be exported to ONNX; "
            f"recurrent layers that can are {', '.join(can)}."
        )
    operator = operator_of(layer)
    given = [] if initial_state is None else keras.tree.flatten(initial_state)
    graph.states += given
    before = [value.name for value in given]
    if operator.halved and before:
        before[1] = graph.add("Mul", before[1], graph.constant(np.float32(0.5)))
    if mask is not None and mask not in graph.masks:
        graph.masks[mask] = Mask(graph, mask)
    masked = graph.masks.get(mask)

    x = sequences.name if masked is None else masked.pack(sequences.name)
    x = graph.add("Transpose", x, perm=[1, 0, 2])
    y, *states = _add(graph, operator, x, layer.go_backwards, before, masked)
    zero = bool(getattr(layer, "zero_output_for_mask", False))
    if layer.return_sequences:
        output = graph.add("Transpose", y, perm=[1, 0, 2])
        if masked is not None:
            output = masked.unpack(output, layer.go_backwards, zero)
    else:
        output = states[0]
        if masked is not None:
            output = masked.last(output, layer.go_backwards, zero)
    if not layer.return_state:
        return [Value(output)]
    if masked is not None:
        starts = before or [None] * len(states)
        states = [masked.state(*pair) for pair in zip(states, starts, strict=True)]
    if operator.halved:
        states[1] = graph.add("Mul", states[1], graph.constant(np.float32(2)))
    ended = [Value(state) for state in states]
    graph.new_states += ended
    return [Value(output), *ended]


def _add(
    graph: Graph,
    operator: Operator,
    x: str,
    reverse: bool,
    before: list[str],
    masked: Mask | None,
) -> list[str]:
    """Y without its axis of directions, ``[time, batch, units]``; Y_h, Y_c: ``[batch, units]``."""
    axis = graph.integers(0)
    lengths = None if masked is None else masked.lengths
    states = [graph.add("Unsqueeze", name, axis) for name in before]
    inputs = [
        x,
        graph.constant(operator.w, "W"),
        graph.constant(operator.r, "R"),
        graph.constant(operator.b, "B"),
        lengths,
        *states,
    ]
    if operator.p is not None:
        inputs += [None] * (7 - len(inputs)) + [graph.constant(operator.p, "P")]
    while inputs[-1] is None:
        inputs.pop()
    y, *ends = graph.add(
        operator.kind,
        *inputs,
        outputs=3 if operator.kind == "LSTM" else 2,
        direction="reverse" if reverse else "forward",
        **operator.attributes,
    )
    squeezed = graph.add("Squeeze", y, graph.integers(1))
    return [squeezed, *(graph.add("Squeeze", end, axis) for end in ends)]


def _flip(graph: Graph, name: str) -> str:
    """``[batch, time, ·]`` with time turned round."""
    first = np.iinfo("int64").min
    return graph.add("Slice", name, *(graph.integers(n) for n in (-1, first, 1, -1)))
