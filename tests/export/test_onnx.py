"""What onnxruntime makes of the files is what Keras makes of the models."""

import sys
from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.errors import UserError
from lstm_recipes.export.onnx import onnx_model, to_onnx
from lstm_recipes.layers import (
    CECLSTM,
    CRF,
    GRU,
    CECLSTMCell,
    ForgetGateLSTM,
    PeepholeLSTM,
    Recurrent,
    Residual,
    cec_input,
    cec_output,
    linear_chain,
)
from lstm_recipes.models.char_lm import LAYERS, char_lm, initial_state
from lstm_recipes.models.tagger import CASES, tagger

MISSING = "is missing: pip install -e '.[dev]'"
pytest.importorskip("onnx", reason=f"onnx {MISSING}")
onnxruntime = pytest.importorskip("onnxruntime", reason=f"onnxruntime {MISSING}")

UNITS, FEATURES, TOKENS = 4, 3, 7
KINDS = {
    **LAYERS,
    "gru_reset_before": partial(GRU, reset_after=False),
    "keras_gru_reset_before": partial(keras.layers.GRU, reset_after=False),
}
MEMORY = {"cec": CECLSTM, "forget": ForgetGateLSTM, "peephole": PeepholeLSTM}


def randomised(model, scale=0.6):
    """The model with weights that are all different and far from zero."""
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) * scale for w in model.weights])
    return model


def session_of(model):
    return onnxruntime.InferenceSession(onnx_model(model).SerializeToString())


def agree(session, model, feeds, tolerance=1e-5):
    """Run both on the same inputs, and compare whatever the model gives; what is in a dictionary
    has names."""
    values = [feeds[value.name] for value in session.get_inputs()]
    expected = model(values if len(values) > 1 else values[0])
    names = [value.name for value in session.get_outputs()]
    found = session.run(None, feeds)
    if not isinstance(expected, dict):
        expected = dict(zip(names, keras.tree.flatten(expected), strict=True))
    for name, value in zip(names, found, strict=True):
        if name in expected:
            wanted = ops.convert_to_numpy(expected[name]).astype("float32")
            np.testing.assert_allclose(value, wanted, atol=tolerance, rtol=1e-5, err_msg=name)
    return found


def floats(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


# Recurrent layers: one model holds all the cases of a kind, as outputs with names.


def cases(kind, x, states):
    """What a layer can be asked for, without a mask."""
    sequences = partial(kind, UNITS, return_sequences=True)
    return {
        "no_bias": kind(UNITS, use_bias=False)(x),
        "both": keras.layers.Bidirectional(sequences())(x),
        **numbered("states", kind(UNITS, return_state=True)(x, initial_state=states)),
        **numbered(
            "back", sequences(go_backwards=True, return_state=True)(x, initial_state=states)
        ),
    }


def masked_cases(kind, x, states, mask):
    """What a layer can be asked for, with one."""
    sequences = partial(kind, UNITS, return_sequences=True, return_state=True)
    given = {"mask": mask, "initial_state": states}
    return {
        "last": kind(UNITS)(x, mask=mask),
        "both": keras.layers.Bidirectional(kind(UNITS, return_sequences=True))(x, mask=mask),
        **numbered("states", sequences()(x, **given)),
        **numbered("back", sequences(go_backwards=True)(x, **given)),
    }


def rare_cases(kind, x, states, mask):
    """What is the same for every kind of cell."""
    sequences = partial(kind, UNITS, return_sequences=True)
    both, way = keras.layers.Bidirectional, {"go_backwards": True}
    zero = {"zero_output_for_mask": True}
    return {
        "back_last": kind(UNITS, **way)(x, mask=mask),
        "zero": sequences(**zero)(x, mask=mask),
        "zero_last": kind(UNITS, **zero)(x, mask=mask),
        "zero_back": sequences(**zero, **way)(x, mask=mask),
        "zero_back_last": kind(UNITS, **zero, **way)(x, mask=mask),
        "both_last": both(kind(UNITS))(x, mask=mask),
        "turned": both(sequences(**way), backward_layer=sequences())(x),
        **{mode: both(kind(UNITS), merge_mode=mode)(x) for mode in ("sum", "ave", "mul")},
        **numbered("apart", both(sequences(), merge_mode=None)(x)),
        **numbered(
            "both_states",
            both(kind(UNITS, return_state=True))(x, initial_state=[*states, *states]),
        ),
    }


def numbered(name, values):
    return {f"{name}_{k}": value for k, value in enumerate(values)}


def inputs_of(kind):
    x = keras.Input((None, FEATURES), name="x")
    widths = kind(UNITS).state_size
    count = len(widths) if isinstance(widths, list | tuple) else 1
    return x, [keras.Input((UNITS,), name=f"s{k}") for k in range(count)]


def feeds_of(states, batch, time):
    return {"x": floats(batch, time, FEATURES)} | {
        s.name: floats(batch, UNITS, seed=k + 1) for k, s in enumerate(states)
    }


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_layer_is_the_same_in_onnxruntime(kind):
    x, states = inputs_of(kind)
    model = randomised(keras.Model([x, *states], cases(kind, x, states)))
    session = session_of(model)
    for batch, time in ((2, 5), (3, 1)):
        agree(session, model, feeds_of(states, batch, time))


MASKS = (
    [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]],  # padded on the right
    [[0, 1, 0, 1], [0, 0, 1, 1], [1, 0, 1, 0]],  # anywhere
)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_over_any_mask_it_gives_what_keras_gives_at_every_step(kind):
    over_masks(kind, masked_cases)


@pytest.mark.parametrize("kind", [ForgetGateLSTM, keras.layers.GRU])
def test_ways_masks_and_merges_combine_as_in_keras(kind):
    over_masks(kind, rare_cases)


def over_masks(kind, make_cases):
    x, states = inputs_of(kind)
    mask = keras.Input((None,), dtype="bool", name="mask")
    model = randomised(keras.Model([x, mask, *states], make_cases(kind, x, states, mask)))
    session = session_of(model)
    for mask in map(partial(np.array, dtype=bool), MASKS):
        agree(session, model, feeds_of(states, *mask.shape) | {"mask": mask})


@pytest.mark.parametrize("kind", MEMORY.values(), ids=MEMORY)
def test_biases_and_blocks_are_those_of_the_layer(kind):
    x = keras.Input((None, FEATURES), name="x")
    options = {
        "gates": {"use_bias": "gates"},
        "truncated": {"truncated_gradient": True},
        "as_in_1997": {"activation": "cec_input", "output_activation": "cec_output"},
    }
    if kind is not PeepholeLSTM:
        options |= {
            "blocks": {"block_size": 2},
            "block": {"block_size": 4, "use_bias": "gates"},
            "no_bias": {"block_size": 2, "use_bias": False},
        }
    found = {name: kind(UNITS, **option)(x) for name, option in options.items()}
    model = randomised(keras.Model(x, found))
    agree(session_of(model), model, {"x": floats(2, 6, FEATURES)})


ACTIVATIONS = [
    *("tanh", "relu", "linear", "softsign", "softplus", "elu", "leaky_relu"),
    *("cec_input", "cec_output"),
]


def test_activations_of_recurrent_layers_are_the_operators_own():
    x = keras.Input((None, FEATURES), name="x")
    found = {}
    for k, name in enumerate(ACTIVATIONS):
        gates = ("sigmoid", "hard_sigmoid", "softsign")[k % 3]
        other = ACTIVATIONS[k - 1]
        found[f"lstm_{name}"] = ForgetGateLSTM(
            UNITS, activation=name, output_activation=other, recurrent_activation=gates
        )(x)
        found[f"gru_{name}"] = GRU(UNITS, activation=name, recurrent_activation=gates)(x)
    found["cec"] = CECLSTM(UNITS, recurrent_activation="hard_sigmoid")(x)
    found["cell"] = Recurrent(CECLSTMCell(UNITS, use_bias="gates"))(x)
    model = randomised(keras.Model(x, found), 0.3)
    agree(session_of(model), model, {"x": floats(2, 5, FEATURES)})


def test_the_carousel_keeps_its_state_to_the_last_bit():
    x = keras.Input((None, 1))
    states = [keras.Input((UNITS,)) for _ in range(2)]
    closed = CECLSTM(UNITS, return_state=True, kernel_initializer="zeros", activation="tanh")
    model = keras.Model([x, *states], closed(x, initial_state=states))
    before = 100 * floats(2, UNITS)
    feeds = {"input_0": floats(2, 2000, 1), "state_0": before * 0, "state_1": before}
    closed.cell.recurrent_kernel.assign(np.zeros(closed.cell.recurrent_kernel.shape))
    np.testing.assert_array_equal(session_of(model).run(["new_state_1"], feeds)[0], before)


def test_small_steps_of_the_carousel_add_up_as_in_keras():
    # onnxruntime's ScaledTanh of 0.001 is 2 % off.
    x = keras.Input((None, FEATURES), name="x")
    model = keras.Model(x, CECLSTM(UNITS, return_state=True)(x))
    found = session_of(model).run(None, {"x": 0.001 * floats(2, 300, FEATURES)})
    expected = model(0.001 * floats(2, 300, FEATURES))
    np.testing.assert_allclose(found, [np.array(v) for v in expected], rtol=1e-4, atol=1e-8)


def test_masks_go_from_layer_to_layer_as_keras_sends_them():
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = floats_in = keras.Input((None, FEATURES), name="x")
    state = keras.Input((UNITS,), name="state")
    embedded = keras.layers.Embedding(TOKENS, FEATURES, mask_zero=True)(tokens)
    masked = keras.layers.Masking()(x)
    beside = keras.layers.Concatenate()([embedded, masked])
    gru = GRU(UNITS, return_sequences=True)
    found = {
        "embedding": ForgetGateLSTM(UNITS)(embedded),
        "masking": keras.layers.LSTM(UNITS)(masked),
        "values": masked,
        "none": GRU(UNITS)(embedded, mask=ops.logical_and(tokens != 3, tokens != 0)),
        "concatenated": ForgetGateLSTM(UNITS)(beside),
        "one_of_two": GRU(UNITS)(keras.layers.Concatenate()([embedded, x])),
        "deep": GRU(UNITS)(
            keras.layers.Activation("tanh")(
                keras.layers.Dense(5)(keras.layers.Dropout(0.5)(beside))
            )
        ),
        "stacked": keras.layers.Bidirectional(ForgetGateLSTM(UNITS))(
            keras.layers.Bidirectional(ForgetGateLSTM(UNITS, return_sequences=True))(embedded)
        ),
        # Keras takes no mask for a layer that is given states, and yet hands it on.
        "states": GRU(UNITS)(gru(embedded, initial_state=state)),
        "crf": CRF()(embedded),
    }
    model = randomised(keras.Model([tokens, floats_in, state], found))
    feeds = {
        "tokens": np.array([[3, 2, 0, 5, 0], [0, 1, 1, 0, 0]], "int32"),
        "x": floats(2, 5, FEATURES),
        "state": floats(2, UNITS),
    }
    feeds["x"][:, 2:4] = 0.0
    agree(session_of(model), model, feeds)


def test_dense_layers_have_their_activations():
    x = keras.Input((FEATURES,), name="x")
    names = [*ACTIVATIONS, "sigmoid", "hard_sigmoid", "softmax", "log_softmax"]
    own = {"cec_input": cec_input, "cec_output": cec_output}
    found = {name: keras.layers.Dense(5, own.get(name, name))(x) for name in names}
    found["no_bias"] = keras.layers.Dense(2, use_bias=False)(x)
    model = randomised(keras.Model(x, found))
    agree(session_of(model), model, {"x": floats(3, FEATURES)})


def test_sequential_models_export():
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(TOKENS, FEATURES, mask_zero=True),
            keras.layers.SpatialDropout1D(0.5),
            PeepholeLSTM(UNITS),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    session = session_of(randomised(model))
    assert [value.name for value in session.get_outputs()] == ["output"]
    agree(session, model, {"input_0": np.array([[3, 2, 0]], "int32")})


def test_outputs_may_have_the_names_of_inputs():
    x = keras.Input((FEATURES,), name="x")
    model = keras.Model(x, {"y": keras.layers.Dense(2)(x), "x": x})
    session = session_of(model)
    assert [value.name for value in session.get_outputs()] == ["new_x", "y"]
    agree(session, model, {"x": floats(2, FEATURES)})


# Whole models.


@pytest.mark.parametrize(
    ("layer", "layers"), [("cec", 1), ("forget", 2), ("peephole", 2), ("gru", 2), ("keras_lstm", 1)]
)
def test_char_lm_runs_whole_texts_and_one_character_at_a_time(layer, layers):
    model = randomised(
        char_lm(TOKENS, layer=layer, layers=layers, units=UNITS, embedding=3, dropout=0.2)
    )
    session = session_of(model)
    first, *names = [value.name for value in session.get_inputs()]
    assert [first, *names] == ["tokens", *(f"state_{k}" for k in range(len(names)))]
    assert [value.name for value in session.get_outputs()] == [
        "output",
        *(f"new_state_{k}" for k in range(len(names))),
    ]
    operators = [node.op_type for node in onnx_model(model).graph.node]
    assert operators.count("GRU" if "gru" in layer else "LSTM") == layers

    tokens = np.random.default_rng(0).integers(0, TOKENS, (2, 6)).astype("int32")
    zeros = [np.array(zero) for zero in initial_state(model, 2)]
    whole, *states = agree(
        session, model, dict(zip([first, *names], [tokens, *zeros], strict=True))
    )
    parts = []
    for k in range(6):
        feeds = dict(zip([first, *names], [tokens[:, k : k + 1], *zeros], strict=True))
        part, *zeros = session.run(None, feeds)
        parts.append(part)
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-5)
    np.testing.assert_allclose(zeros, states, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "encoder", "context"),
    [("forget", "cnn", 4), ("cec", "lstm", 0), ("keras_gru", "none", 0)],
)
def test_tagger_tags_the_same(layer, encoder, context):
    allowed = np.ones((6, 6), bool)
    allowed[-1, 2] = allowed[0, 1] = False
    model = randomised(
        tagger(
            5,
            vector_size=FEATURES,
            characters=9,
            allowed=allowed,
            layer=layer,
            layers=2,
            units=UNITS,
            character_encoder=encoder,
            character_units=6,
            context_units=context,
            topic_units=context,
        )
    )
    session = session_of(model)
    for batch, words, characters in ((3, 6, 5), (1, 1, 2)):
        feeds = sentences(batch, words, characters)
        if context:
            feeds["context"] = floats(batch, words, 3 * FEATURES + CASES)
        expected = ops.convert_to_numpy(model(feeds))
        emissions, *chain = session.run(["emissions", "transitions", "start", "end"], feeds)
        np.testing.assert_allclose(emissions, expected, atol=1e-5)
        mask = feeds["case"] != 0
        tags, _ = linear_chain.viterbi(emissions, linear_chain.Chain(*chain), mask)
        np.testing.assert_array_equal(
            np.where(mask, tags, -1), model.get_layer("crf").decode(expected)
        )


def sentences(batch, words, characters):
    """Sentences of different lengths, of words of different lengths."""
    rng = np.random.default_rng(batch)
    case = rng.integers(1, 6, (batch, words)).astype("int32")
    spelling = rng.integers(1, 9, (batch, words, characters)).astype("int32")
    for row in range(1, batch):
        case[row, words - row :] = 0
        spelling[row, :, characters - row :] = 0
    spelling[case == 0] = 0
    vectors = floats(batch, words, FEATURES)
    return {"vectors": vectors, "case": case, "characters": spelling}


def test_slices_of_features_are_written_and_others_refused():
    x = keras.Input((None, FEATURES), name="x")
    model = keras.Model(x, ops.concatenate([x[..., 1:-1], x[..., :2], x[..., -1:]], axis=-1))
    agree(session_of(model), model, {"x": floats(2, 3, FEATURES)})
    for wrong in (x[:, 0], x[..., ::2], x[..., 1]):
        with pytest.raises(UserError, match="a slice of the features, such as"):
            session_of(keras.Model(x, wrong))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16", "float16"])
def test_half_precision_models_are_written_in_float32(precision):
    half, full = (
        char_lm(TOKENS, layer="peephole", units=UNITS, embedding=3, precision=p)
        for p in (precision, "float32")
    )
    randomised(half)
    full.set_weights([ops.convert_to_numpy(w).astype("float32") for w in half.weights])
    states = {f"state_{k}": floats(2, UNITS, seed=k) for k in range(2)}
    feeds = {"tokens": np.array([[1, 2, 3], [4, 5, 6]], "int32"), **states}
    session = session_of(half)
    assert {value.type for value in session.get_inputs()[1:]} == {"tensor(float)"}
    found = agree(session, full, feeds)
    agree(session, half, feeds, tolerance=0.05)
    assert all(value.dtype == np.float32 for value in found)


@pytest.mark.parametrize("layer", ["cec", "peephole", "gru", "gru_reset_before"])
def test_int8_weights_are_written_as_what_they_stand_for(layer):
    x = keras.Input((None, FEATURES), name="x")
    model = randomised(keras.Model(x, KINDS[layer](UNITS, return_sequences=True)(x)))
    floating = session_of(model)
    model.quantize("int8")
    rounded = session_of(model)
    feeds = {"x": floats(2, 5, FEATURES)}
    agree(rounded, model, feeds)
    assert not np.allclose(floating.run(None, feeds), rounded.run(None, feeds), atol=1e-5)


def test_int8_dense_and_embedding_are_near():
    model = randomised(char_lm(TOKENS, units=UNITS, embedding=3))
    model.quantize("int8")
    states = {f"state_{k}": floats(2, UNITS, seed=k) for k in range(2)}
    feeds = {"tokens": np.array([[1, 2, 3], [4, 5, 6]], "int32"), **states}
    _, *new = session_of(model).run(None, feeds)
    np.testing.assert_allclose(new, [np.array(s) for s in model([*feeds.values()])[1:]], atol=1e-5)
    agree(session_of(model), model, feeds, tolerance=0.03)  # Keras rounds the inputs of Dense too


# What is refused.


def sequence_model(*layers):
    return keras.Sequential([keras.Input((None, FEATURES), batch_size=2), *layers])


def subclassed():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    return Subclassed(name="mine")


@keras.saving.register_keras_serializable("tests")
class LSTMOfMyOwn(ForgetGateLSTM):
    pass


REFUSED = {
    "convolution": (
        lambda: sequence_model(keras.layers.Conv1D(2, 3, name="mine")),
        "mine is a Conv1D, which cannot be exported to ONNX; models can be made of Activation",
    ),
    "subclass": (
        lambda: sequence_model(LSTMOfMyOwn(2, name="mine")),
        "mine is a LSTMOfMyOwn, which cannot",
    ),
    "residual": (
        lambda: sequence_model(Residual(GRU(FEATURES, return_sequences=True), name="mine")),
        "mine is a Residual, which cannot",
    ),
    "within bidirectional": (
        lambda: sequence_model(keras.layers.Bidirectional(LSTMOfMyOwn(2))),
        "is a LSTMOfMyOwn, which cannot",
    ),
    "feedback": (
        lambda: sequence_model(CECLSTM(2, gate_feedback=True, name="mine")),
        "mine has gate_feedback=True",
    ),
    "peepholes in blocks": (
        lambda: sequence_model(PeepholeLSTM(4, block_size=2, name="mine")),
        "mine has block_size=2 and peepholes",
    ),
    "stateful": (lambda: sequence_model(GRU(2, stateful=True, name="mine")), "mine is stateful"),
    "activation": (
        lambda: sequence_model(GRU(2, activation="gelu", name="mine")),
        "mine has the activation 'gelu', which ONNX' recurrent operators do not have; they have",
    ),
    "dense activation": (
        lambda: sequence_model(keras.layers.Dense(2, "mish", name="mine")),
        "mine has the activation 'mish'",
    ),
    "cec gates": (
        lambda: sequence_model(CECLSTM(2, recurrent_activation="softsign", name="mine")),
        "mine has gates of 'softsign'",
    ),
    "stacked cells": (
        lambda: sequence_model(keras.layers.RNN([CECLSTMCell(2), CECLSTMCell(2)], name="mine")),
        "mine runs a StackedRNNCells",
    ),
    "two crfs": (lambda: sequence_model(CRF(), CRF(name="mine")), "mine is the model's second CRF"),
    "lora": (
        lambda: sequence_model(keras.layers.Dense(2, lora_rank=1, name="mine")),
        "mine has weights of LoRA",
    ),
    "no graph": (subclassed, "mine has no graph of layers to export"),
    "no inputs": (lambda: keras.Sequential([GRU(2)], name="mine"), "mine has no graph of layers"),
}


@pytest.mark.parametrize(("make", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_onnx_has_no_equal_of_is_refused_in_one_sentence(make, complaint, tmp_path):
    with pytest.raises(UserError, match=complaint) as error:
        to_onnx(make(), tmp_path / "model.onnx")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match=r'pip install "lstm-recipes\[onnx\]"'):
        to_onnx(sequence_model(GRU(2)), tmp_path / "model.onnx")


def test_a_file_takes_the_place_of_another_and_says_nothing_of_the_machine(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text("something else")
    to_onnx(sequence_model(GRU(2)), path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    onnxruntime.InferenceSession(path)
    assert b"/home" not in path.read_bytes() and b".py" not in path.read_bytes()
