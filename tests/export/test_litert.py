"""LiteRT files, run by LiteRT's own interpreter, agree with Keras."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.errors import UserError
from lstm_recipes.export.litert import to_litert
from lstm_recipes.models.char_lm import char_lm

from .small_models import all_layers, assert_alike, by_keras, drawn, small_tagger, some_input, words

interpreter = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="LiteRT is not here: pip install 'lstm-recipes[litert]'"
)


def loaded(path, given=None):
    """The interpreter of a file, its inputs of the sizes that are given, without Flex operators."""
    found = interpreter.Interpreter(str(path), num_threads=1)
    for part in found.get_input_details() if given else ():
        name = next(name for name in given if f"_{name}:" in part["name"])
        found.resize_tensor_input(part["index"], given[name].shape)
    found.allocate_tensors()
    assert not [name for name in operators(found) if name.startswith(("Flex", "CUSTOM"))]
    return found


def operators(found) -> list[str]:
    return [operator["op_name"] for operator in found._get_ops_details()]


def run(path, given):
    return loaded(path, given).get_signature_runner()(**given)


@pytest.fixture(scope="module")
def layers():
    return all_layers()


def test_a_step_of_every_layer_goes_on_from_the_states_that_it_gives(layers, tmp_path):
    to_litert(layers, tmp_path / "step.tflite")
    given = some_input(layers, batch=1, time=6)
    step = loaded(tmp_path / "step.tflite").get_signature_runner()
    states = {name: value for name, value in given.items() if name != "tokens"}
    for t in range(6):
        found = step(tokens=given["tokens"][:, t], **states)
        states = {name: value for name, value in found.items() if name != "output"}
    wanted = by_keras(layers, given)
    assert_alike(found, wanted | {"output": wanted["output"][:, -1]})


def test_a_sequence_of_any_length(layers, tmp_path):
    to_litert(layers, tmp_path / "sequence.tflite", signature="sequence")
    for time in (6, 1):
        given = some_input(layers, batch=1, time=time)
        assert_alike(run(tmp_path / "sequence.tflite", given), by_keras(layers, given))


def test_a_sequence_of_one_length_is_written_out(layers, tmp_path):
    to_litert(layers, tmp_path / "five.tflite", signature="sequence", length=5)
    given = some_input(layers, batch=1, time=5)
    assert_alike(run(tmp_path / "five.tflite", given), by_keras(layers, given))
    assert "WHILE" not in operators(loaded(tmp_path / "five.tflite"))
    assert not any(getattr(layer, "unroll", False) for layer in layers.layers)


def test_int8_is_a_quarter_and_close(tmp_path):
    model = drawn(char_lm(40, units=96, embedding=32), 0.2)
    given = some_input(model, batch=1, time=1) | {"tokens": np.array([3], "int32")}
    to_litert(model, tmp_path / "step.tflite", int8=True)
    found = run(tmp_path / "step.tflite", given)
    wanted = by_keras(model, given | {"tokens": given["tokens"][:, None]})
    assert_alike(found, wanted | {"output": wanted["output"][:, 0]}, atol=0.05)
    assert np.abs(found["output"] - wanted["output"][:, 0]).max() > 1e-4
    assert (tmp_path / "step.tflite").stat().st_size < 1.4 * model.count_params()


def test_a_tagger_with_its_mask_and_its_best_tags(tmp_path):
    model = small_tagger()
    given = words(model)
    to_litert(model, tmp_path / "tagger.tflite")
    found = run(tmp_path / "tagger.tflite", given)
    emissions = model(given)
    np.testing.assert_allclose(found["emissions"], emissions, atol=1e-5)
    np.testing.assert_array_equal(found["tags"], model.layers[-1].decode(emissions))


def test_what_cannot_be_says_why(layers, tmp_path, capfd):
    path = tmp_path / "model.tflite"
    with pytest.raises(UserError, match="has no signature 'train'; it has step, sequence"):
        to_litert(layers, path, signature="train")
    with pytest.raises(UserError, match="length is for signature='sequence'"):
        to_litert(layers, path, length=3)
    x = keras.Input((4, 4))
    model = keras.Model(x, ops.cholesky(x), name="root")
    with pytest.raises(
        UserError, match=r"no operator for Cholesky, which root needs; export it as"
    ):
        to_litert(model, path)
    assert not path.exists()
    assert "Cholesky" not in capfd.readouterr().err
