"""Models as ONNX files, which onnxruntime runs without Keras or Python."""

import os
import re
from collections.abc import Sequence
from typing import Any

import keras

import lstm_recipes
from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError
from lstm_recipes.export.onnx_graph import IR_VERSION, OPSET, Graph, Value
from lstm_recipes.export.onnx_layers import call


def to_onnx(model: keras.Model, path: str | os.PathLike) -> None:
    """Write a model as an ONNX file, its recurrent layers as ONNX' own LSTM and GRU operators.

    onnxruntime runs these as one fused kernel a layer. With `W`, `R` and `B` the operators' weights
    (ONNX operator specification, LSTM and GRU, version 14; f, g and h are activations):

        i_t = f(W_i x_t + R_i h_{t-1} + P_i ⊙ c_{t-1} + B_i)       gates in the order i, o, f, c
        f_t = f(W_f x_t + R_f h_{t-1} + P_f ⊙ c_{t-1} + B_f)
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g(W_c x_t + R_c h_{t-1} + B_c)
        o_t = f(W_o x_t + R_o h_{t-1} + P_o ⊙ c_t + B_o)
        h_t = o_t ⊙ h(c_t)

    - ``ForgetGateLSTM`` and ``keras.layers.LSTM`` are this without P, ``PeepholeLSTM`` with P.
    - ``CECLSTM``: W_f = R_f = 0 and B_f = 100, where σ is 1.0 to the last bit in float32, so that
      c_t = 1.0 · c_{t-1} + …. Its g = 2 tanh(x/2) and h = tanh(x/2) become tanh over half the cell
      state, with the weights W_c, R_c and B_c halved, which is the same to the last bit. A state
      that never decays also keeps all rounding: over hundreds of steps the differences grow.
    - ``block_size``: a block's gates stand once for each of its cells, as repeated rows. The file
      and the work of a step grow to those of an LSTM without blocks.
    - ``GRU`` and ``keras.layers.GRU``: gates in the order z, r, h, and ``reset_after`` is
      ``linear_before_reset``.
    - ``Bidirectional`` is two operators, one of them with ``direction="reverse"``.
    - A mask becomes ``sequence_lens``. The steps that count are moved to the front before a layer
      and back behind it, so a mask may have its gaps anywhere; right padding moves nothing. Masked
      steps hold what Keras has there: the last output again, or zeros.

    Batch and time may be of any size where the model's inputs have None. Weights and sums are
    float32 whatever the model's policy is: a ``mixed_bfloat16`` model gives what its weights give
    in float32. Weights that ``model.quantize("int8")`` has rounded are written as the floats that
    they stand for: the file is no smaller, and Keras' int8 ``Dense``, which rounds its inputs too,
    differs from it by that.

    Inputs keep the names of the model's ``keras.Input``; one without a name of its own is
    ``input_0`` if it is the model's first, and so on, or ``state_0``, ``state_1``, … in their order
    if a layer starts from it. The output is ``output`` (``output_0``, … if there are several), or
    ``emissions`` of a `CRF`; states that are outputs are ``new_state_0``, …. Those of `char_lm`
    stand in the order of its ``state_0``, …: they are what to feed at the next call. Outputs in a
    dictionary have its keys, with ``new_`` before one that an input has already.

    What decoding needs beside the emissions are outputs of their own after the model's:
    ``transitions`` ``[tags, tags]``, ``start`` and ``end`` ``[tags]``, hugely negative where a tag
    is not allowed. Not metadata, which is text: so any runtime can read them, exactly, from the one
    file, and they cost nothing unless asked for.

    Args:
        model: A functional or sequential model of Embedding, Dense, Dropout, Activation,
            Concatenate, Masking, ``ops.not_equal`` (masks), slices of the features,
            ``CharacterWords``, ``CRF`` and the recurrent layers named here, alone or
            ``Bidirectional``.
        path: The file to write; one that is there is replaced.

    Raises:
        UserError: The package onnx is missing, or the model has a layer that ONNX has no equal of:
            among the recurrent ones those with ``gate_feedback``, ``stateful`` ones, peepholes with
            blocks (ONNX' gates see their own cell alone), and activations that the operators lack.

    >>> import tempfile, numpy as np, onnxruntime
    >>> from lstm_recipes.models.char_lm import char_lm
    >>> model = char_lm(65, layer="peephole", units=8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(model, f"{folder}/model.onnx")
    ...     session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
    >>> [value.name for value in session.get_inputs()]
    ['tokens', 'state_0', 'state_1']
    >>> zero = np.zeros((2, 8), "float32")
    >>> tokens = np.array([[7, 3, 9], [5, 2, 0]], "int32")
    >>> logits, h, c = session.run(None, {"tokens": tokens, "state_0": zero, "state_1": zero})
    >>> bool(np.allclose(logits, model([tokens, zero, zero])[0], atol=1e-5))
    True
    """
    write_atomically(path, onnx_model(model).SerializeToString())


def onnx_model(model: keras.Model) -> Any:
    """What `to_onnx` writes, as an ``onnx.ModelProto``, checked."""
    graph = Graph()
    function = _function(model)
    ins = [Value(f"input_{k}", _dtype(x.dtype)) for k, x in enumerate(function.inputs)]
    # Keras' own walk through the graph of a model: it has no public name.
    outs = function._run_through_graph(
        ins, operation_fn=lambda layer: lambda *args, **kwargs: call(graph, layer, *args, **kwargs)
    )
    outs = keras.tree.flatten(outs)
    renamed = dict(zip([v.name for v in ins], _input_names(graph, function, ins), strict=True))
    for node in graph.nodes:
        node.input[:] = [renamed.get(name, name) for name in node.input]

    names = [
        f"new_{name}" if name in renamed.values() else name
        for name in _output_names(graph, model, outs)
    ]
    made = zip(names, outs, function.outputs, strict=True)
    given = []
    for name, value, tensor in made:
        graph.nodes.append(
            graph.onnx.helper.make_node("Identity", [renamed.get(value.name, value.name)], [name])
        )
        given.append(_info(graph, name, value.dtype, tensor.shape))
    for name, constant in graph.extra_outputs.items():
        graph.nodes.append(graph.onnx.helper.make_node("Identity", [constant], [name]))
        given.append(_info(graph, name, "float32", graph.constants[constant].dims))
    taken = [
        _info(graph, renamed[value.name], value.dtype, tensor.shape)
        for value, tensor in zip(ins, function.inputs, strict=True)
    ]
    return _model(graph, model.name, taken, given)


def _function(model: Any) -> keras.Function:
    """The model's graph of layers."""
    try:
        return keras.Function(model.inputs, model.outputs)
    except AttributeError as error:
        raise UserError(
            f"{getattr(model, 'name', model)} has no graph of layers to export; a functional model "
            "(keras.Model(inputs, outputs)) or a Sequential one with a keras.Input is needed."
        ) from error


def _input_names(graph: Graph, function: keras.Function, ins: list[Value]) -> list[str]:
    names, states = [], 0
    for value, tensor in zip(ins, function.inputs, strict=True):
        unnamed = re.fullmatch(r"(keras_tensor|input_layer)(_\d+)?", tensor.name)
        if not unnamed:
            names.append(tensor.name)
        elif value in graph.states:
            names.append(f"state_{states}")
            states += 1
        else:
            names.append(value.name)
    return names


def _output_names(graph: Graph, model: keras.Model, outs: list[Value]) -> list[str]:
    if isinstance(getattr(model, "output", None), dict):
        return sorted(model.output)  # the order in which Keras flattens it
    states = iter(f"new_state_{k}" for k in range(len(outs)))
    alone = sum(value not in graph.new_states for value in outs) == 1
    others = iter(["output"] if alone else [f"output_{k}" for k in range(len(outs))])
    return [
        "emissions"
        if value is graph.emissions
        else next(states if value in graph.new_states else others)
        for value in outs
    ]


def _dtype(dtype: str) -> str:
    return "float32" if "float" in dtype else dtype


def _info(graph: Graph, name: str, dtype: str, shape: Sequence[int | None]) -> Any:
    """The name, type and shape of an input or output; what is free has a name there too."""
    named = [
        (f"{name}_{axis}" if axis else "batch") if size is None else size
        for axis, size in enumerate(shape)
    ]
    return graph.onnx.helper.make_tensor_value_info(name, graph.tensor_type(dtype), named)


def _model(graph: Graph, name: str, taken: list, given: list) -> Any:
    helper = graph.onnx.helper
    model = helper.make_model(
        helper.make_graph(graph.nodes, name, taken, given, list(graph.constants.values())),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="lstm-recipes",
        producer_version=lstm_recipes.__version__,
    )
    graph.onnx.checker.check_model(model, full_check=True)
    return model
