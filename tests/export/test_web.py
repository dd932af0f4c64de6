"""The browser's two files, read back by a step in NumPy, agree with Keras."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.errors import UserError
from lstm_recipes.export.web import to_web
from lstm_recipes.layers import GRU, ForgetGateLSTM, PeepholeLSTM
from lstm_recipes.models.char_lm import LAYERS, char_lm, initial_state

from .small_models import drawn, small_tagger

FUNCTIONS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "cec_input": lambda x: 2 * np.tanh(x / 2),
    "cec_output": lambda x: np.tanh(x / 2),
}


class Step:
    """What a browser does with the two files, in NumPy."""

    def __init__(self, folder):
        self.about = json.loads((folder / "step.json").read_text("ascii"))
        self.content = (folder / self.about["weights"]).read_bytes()
        assert len(self.content) == self.about["bytes"]
        self.layers = [(layer, self.weights(layer)) for layer in self.about["layers"]]
        self.states = [
            [np.zeros(layer["units"]) for _ in layer["states"]]
            for layer in self.about["layers"]
            if "states" in layer
        ]

    def weights(self, layer):
        return {
            name: np.frombuffer(self.content, "<f2", int(np.prod(at["shape"])), at["offset"])
            .reshape(at["shape"])
            .astype("float64")
            for name, at in layer["weights"].items()
        }

    def __call__(self, token):
        states, new = iter(self.states), []
        for layer, weights in self.layers:
            if layer["kind"] == "embedding":
                x = weights["embeddings"][token]
            elif layer["kind"] == "dense":
                x = FUNCTIONS[layer["activation"]](x @ weights["kernel"] + weights["bias"])
            else:
                step = gru if layer["kind"] == "gru" else lstm
                new.append(step(layer, weights, x, next(states)))
                x = new[-1][0]
        self.states = new
        return x


def lstm(layer, weights, x, states):
    """Both LSTMs: a cec has no f, and a cell that forgets nothing."""
    h, c = states
    gate, g, show = (
        FUNCTIONS[layer[f"{name}activation"]] for name in ("recurrent_", "", "output_")
    )
    z = x @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"]
    z = dict(zip(layer["columns"], np.split(z, len(layer["columns"])), strict=True))
    p_i, p_f, p_o = weights.get("peephole", np.zeros((3, 1)))
    i = gate(z["i"] + p_i * c)
    f = gate(z["f"] + p_f * c) if "f" in z else 1.0
    c = f * c + i * g(z["c"])
    return [gate(z["o"] + p_o * c) * show(c), c]


def gru(layer, weights, x, states):
    [h] = states
    gate, g = FUNCTIONS[layer["recurrent_activation"]], FUNCTIONS[layer["activation"]]
    x_z, x_r, x_h = np.split(x @ weights["kernel"] + weights["bias"], 3)
    u = h @ weights["recurrent_kernel"] + weights.get("recurrent_bias", 0.0)
    u_z, u_r, u_h = np.split(u, 3)
    z, r = gate(x_z + u_z), gate(x_r + u_r)
    if layer["reset_after"]:
        candidate = g(x_h + r * u_h)
    else:
        candidate = g(x_h + (r * h) @ np.split(weights["recurrent_kernel"], 3, axis=1)[2])
    return [z * h + (1 - z) * candidate]


def logits(model, tokens):
    """Keras' of a text, ``[time, vocabulary]``."""
    return model([ops.array([tokens], "int32"), *initial_state(model, 1)])[0].numpy()[0]


def with_gru(**options):
    """A model of one GRU with these options."""
    tokens, h = keras.Input((None,), dtype="int32"), keras.Input((5,))
    x = keras.layers.Embedding(6, 3)(tokens)
    x, new = GRU(5, return_sequences=True, return_state=True, **options)(x, initial_state=h)
    return keras.Model([tokens, h], [keras.layers.Dense(6, use_bias=False)(x), new])


MODELS = {name: lambda name=name: char_lm(6, layer=name, units=5, embedding=3) for name in LAYERS}
MODELS["two"] = lambda: char_lm(6, layer="peephole", layers=2, units=4, embedding=3, dropout=0.2)
MODELS["reset first"] = lambda: with_gru(reset_after=False)
MODELS["no bias"] = lambda: with_gru(use_bias=False)
MODELS["bfloat16"] = lambda: char_lm(6, units=5, embedding=3, precision="mixed_bfloat16")


@pytest.mark.parametrize("name", MODELS)
def test_the_step_that_reads_the_files_agrees_with_keras(tmp_path, name):
    """To rounding with the weights that float16 holds, and to what rounding costs without."""
    model = drawn(MODELS[name]())
    tokens = np.random.default_rng(3).integers(0, 6, 20)
    about = to_web(model, tmp_path, vocabulary="abc\n日🚢")
    assert about == json.loads((tmp_path / "step.json").read_text())
    assert about["vocabulary"] == [*"abc\n日🚢"]
    step = Step(tmp_path)
    found = np.array([step(token) for token in tokens])
    if name == "bfloat16":
        assert np.abs(found - logits(model, tokens)).max() < 0.1
        return
    assert np.abs(found - logits(model, tokens)).max() < 5e-3
    for weight in model.trainable_variables:
        weight.assign(weight.numpy().astype("float16"))
    np.testing.assert_allclose(found, logits(model, tokens), atol=1e-5)


def sequential(*layers):
    model = keras.Sequential([keras.Input((None,), dtype="int32"), *layers], name="net")
    model.build((None, None))
    return model


def in_a_row(recurrent):
    return sequential(keras.layers.Embedding(4, 3), recurrent, keras.layers.Dense(4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (small_tagger, "for a browser a model is an embedding, recurrent layers and a dense layer"),
        (lambda: in_a_row(keras.layers.SimpleRNN(3)), "is a SimpleRNN; for a browser"),
        (lambda: in_a_row(ForgetGateLSTM(4, block_size=2)), "block_size=2, which a browser's step"),
        (lambda: in_a_row(PeepholeLSTM(3, gate_feedback=True)), "gate_feedback=True, which"),
        (lambda: in_a_row(GRU(3, go_backwards=True)), "go_backwards=True, which"),
        (lambda: in_a_row(GRU(3, activation="gelu")), "activation='gelu'; a browser's step knows"),
        (lambda: sequential(keras.layers.Embedding(4, 3)), "net is Embedding; for a browser"),
    ],
)
def test_what_a_step_does_not_know_is_refused(tmp_path, make, message):
    with pytest.raises(UserError, match=message):
        to_web(make(), tmp_path / "web")
    assert not (tmp_path / "web").exists()


def test_numbers_that_float16_cannot_hold_and_int8_are_refused(tmp_path):
    model = char_lm(6, units=5, embedding=3)
    model.layers[-1].bias.assign(np.full(6, 1e6))
    with pytest.raises(UserError, match="bias has a number that float16 cannot hold"):
        to_web(model, tmp_path)
    model = char_lm(6, units=5, embedding=3)
    model.quantize("int8")
    with pytest.raises(UserError, match="is int8; export it before quantizing"):
        to_web(model, tmp_path)
