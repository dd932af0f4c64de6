"""The carousel's step in JavaScript, run by node over a thousand characters, agrees with Keras."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.export.web import to_web
from lstm_recipes.lab.find_units import find_units
from lstm_recipes.lab.state_traces import trace
from lstm_recipes.models.char_lm import char_lm, initial_state

CAROUSEL = Path(__file__).parents[2] / "docs" / "carousel"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")

READ = """
const step = require(process.argv[1] + "/lstm_step.js");
const { about, bytes, tokens } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const model = step.load(about, step.fromBase64(bytes));
let state = step.zeroState(model), steps = [];
for (const token of tokens) {
  const done = step.step(model, token, state);
  state = done.state;
  const gates = done.gates.map((layer) =>
    Object.fromEntries(Object.entries(layer).map(([name, values]) => [name, [...values]])));
  steps.push({ logits: [...done.logits], gates });
}
console.log(JSON.stringify(steps));
"""
FIND = """
const findUnits = require(process.argv[1] + "/find_units.js");
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(asked.map(({ states, span }) => findUnits(states, span, 50))));
"""
SHIPPED = """
const script = require("fs").readFileSync(process.argv[1] + "/weights.js", "utf8");
console.log(JSON.stringify(require("vm").runInNewContext(script + "; CAROUSEL_WEIGHTS")));
"""


def node(program: str, given=None):
    """What a program answers, in JSON both ways."""
    done = subprocess.run(
        [NODE, "-e", program, str(CAROUSEL)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read(about: dict, content: bytes, tokens) -> tuple[np.ndarray, list[dict]]:
    """JavaScript's logits ``[time, vocabulary]``, and a layer's gates ``[time, units]`` by name."""
    given = {"about": about, "bytes": base64.b64encode(content).decode(), "tokens": [*tokens]}
    steps = node(READ, given | {"tokens": [int(token) for token in tokens]})
    gates = [
        {name: np.array([step["gates"][k][name] for step in steps]) for name in layer}
        for k, layer in enumerate(steps[0]["gates"])
    ]
    return np.array([step["logits"] for step in steps]), gates


def logits(model, tokens) -> np.ndarray:
    """Keras' of a text, ``[time, vocabulary]``."""
    found = model([ops.array([tokens], "int32"), *initial_state(model, 1)])[0]
    return ops.convert_to_numpy(found)[0]


def rounded(model):
    """The model with weights that float16 holds."""
    rng = np.random.default_rng(5)
    model.set_weights(
        [
            (w + 0.1 * rng.normal(size=w.shape)).astype("float16").astype("float32")
            for w in model.get_weights()
        ]
    )
    return model


@pytest.mark.parametrize(
    ("layer", "layers"),
    [("cec", 1), ("forget", 2), ("peephole", 1), ("gru", 1), ("keras_lstm", 1), ("keras_gru", 2)],
)
def test_a_thousand_steps_agree_with_keras(tmp_path, layer, layers):
    keras.utils.set_random_seed(0)
    model = rounded(char_lm(20, layer=layer, layers=layers, units=16, embedding=8))
    about = to_web(model, tmp_path, vocabulary="abcdefghijklmnopqrst")
    tokens = np.random.default_rng(6).integers(0, 20, 1000)
    found, gates = read(about, (tmp_path / "step.bin").read_bytes(), tokens)
    np.testing.assert_allclose(found, logits(model, tokens), atol=1e-5, rtol=0)

    x = next(one for one in model.layers if "embedding" in one.name)(tokens[None])
    for seen, one in zip(gates, (one for one in model.layers if hasattr(one, "cell")), strict=True):
        wanted = trace(one, x)
        assert set(seen) == set(wanted)
        for name, values in wanted.items():
            # The cell of 1997 grows, and float32 has rounded when it was at its largest.
            scale = np.maximum(1, np.maximum.accumulate(np.abs(values[0]), axis=0))
            assert (np.abs(seen[name] - values[0]) / scale).max() < 1e-5, name
        x = wanted["h"]


def test_the_weights_that_the_site_ships_agree_with_keras():
    models = node(SHIPPED)
    assert {name: one["about"]["layers"][1]["kind"] for name, one in models.items()} == {
        "cec": "cec",
        "forget": "lstm",
    }
    for name, one in models.items():
        about, content = one["about"], base64.b64decode(one["step"])
        embedding, recurrent, _ = about["layers"]
        model = char_lm(
            len(about["vocabulary"]),
            layer=name,
            units=recurrent["units"],
            embedding=embedding["weights"]["embeddings"]["shape"][1],
            precision="float64",  # float32's own rounding reaches 1.04e-5, in logits of size 18
        )
        places = [at for layer in about["layers"] for at in layer["weights"].values()]
        model.set_weights([weight(content, **at) for at in places])
        assert model.count_params() == one["measured"]["parameters"]
        text = (CAROUSEL / "carousel.js").read_text("utf-8") * 2  # any thousand known characters
        tokens = [about["vocabulary"].index(c) for c in text if c in about["vocabulary"]][:1000]
        found, _ = read(about, content, tokens)
        np.testing.assert_allclose(found, logits(model, tokens), atol=1e-5, rtol=0)


def weight(content: bytes, shape: list[int], offset: int) -> np.ndarray:
    count = int(np.prod(shape))
    return np.frombuffer(content, "<f2", count, offset).reshape(shape).astype("float32")


def test_javascript_finds_the_units_that_python_finds():
    rng = np.random.default_rng(7)
    asked = [rng.normal(size=(60, 30)), rng.integers(-2, 3, (60, 30)).astype(float)]
    asked = [(states, span) for states in asked for span in ((0, 5), (20, 31), (59, 60))]
    given = [{"states": states.tolist(), "span": span} for states, span in asked]
    for (states, span), found in zip(asked, node(FIND, given), strict=True):
        wanted = [one._asdict() for one in find_units(states, span, count=50)]
        assert found == wanted


def test_softmax_knows_the_temperature():
    program = 'const s = require(process.argv[1] + "/lstm_step.js").softmax;'
    program += "const z = Float64Array.of(1, 3, 2);"
    program += "console.log(JSON.stringify([0, 0.5, 1].map((t) => [...s(z, t)])))"
    coldest, cold, plain = node(program)
    assert coldest == [0, 1, 0]
    for found, scale in ((cold, 2), (plain, 1)):
        powers = np.exp(scale * np.array([1.0, 3.0, 2.0]))
        np.testing.assert_allclose(found, powers / powers.sum(), rtol=1e-12)
