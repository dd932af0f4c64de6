"""Traces agree with the layers, units are found by hand, the pictures hold what they are given."""

import sys
from importlib import util

import keras
import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.lab.find_units import find_units
from lstm_recipes.lab.state_heatmap import state_heatmap
from lstm_recipes.lab.state_traces import trace
from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM, PeepholeLSTM


def inputs() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, 12, 3)).astype("float32")


def drawn(layer):
    """The layer, built, with weights large enough that every gate moves."""
    layer.build((None, None, 3))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    return layer


ALL = {"return_sequences": True, "return_state": True}
LAYERS = {
    "cec": lambda: CECLSTM(4, **ALL),
    "cec in blocks": lambda: CECLSTM(4, block_size=2, gate_feedback=True, **ALL),
    "forget": lambda: ForgetGateLSTM(4, **ALL),
    "peephole": lambda: PeepholeLSTM(4, block_size=2, **ALL),
    "gru": lambda: GRU(4, **ALL),
    "reset first": lambda: GRU(4, reset_after=False, **ALL),
    "keras lstm": lambda: keras.layers.LSTM(4, **ALL),
    "keras gru": lambda: keras.layers.GRU(4, **ALL),
    "backwards": lambda: ForgetGateLSTM(4, go_backwards=True, **ALL),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_trace_is_what_the_layer_does(name):
    layer = drawn(LAYERS[name]())
    found = trace(layer, inputs())
    assert {value.shape for value in found.values()} == {(2, 12, 4)}
    output, *states = layer(inputs())
    np.testing.assert_allclose(found["h"], output, atol=1e-6)
    if "c" in found:
        i, g, o, c = (found[gate] for gate in "igoc")
        f = found.get("f", np.ones_like(c))
        before = np.concatenate([np.zeros((2, 1, 4)), c[:, :-1]], axis=1)
        np.testing.assert_allclose(c, f * before + i * g, atol=1e-5)
        np.testing.assert_allclose(c[:, -1], states[1], atol=1e-5)
        shown = np.tanh(c / 2 if name.startswith("cec") else c)
        np.testing.assert_allclose(found["h"], o * shown, atol=1e-6)
        assert ("f" in found) == (not name.startswith("cec"))
    else:
        before = np.concatenate([np.zeros((2, 1, 4)), found["h"][:, :-1]], axis=1)
        wanted = found["z"] * before + (1 - found["z"]) * found["g"]
        np.testing.assert_allclose(found["h"], wanted, atol=1e-6)
        assert (found["r"] > 0).all()


def test_a_trace_goes_on_from_a_state():
    layer = drawn(LAYERS["forget"]())
    _, *states = layer(inputs()[:, :5])
    whole, rest = trace(layer, inputs()), trace(layer, inputs()[:, 5:], states)
    np.testing.assert_allclose(rest["c"], whole["c"][:, 5:], atol=1e-6)


def test_another_layer_is_refused():
    with pytest.raises(ValueError, match="is a SimpleRNN; give a layer of"):
        trace(keras.layers.SimpleRNN(3), inputs())


def test_units_are_found_as_by_trying_every_threshold():
    states = np.random.default_rng(2).integers(-3, 4, (40, 30)).astype(float)  # many equal ones
    inside = np.zeros(40, bool)
    inside[11:19] = True
    found = find_units(states, (11, 19), count=30)
    assert sorted(one.unit for one in found) == list(range(30))
    assert found == find_units(states, inside, count=30)
    for one in found:
        row = states[:, one.unit]
        on = row >= one.threshold if one.sign > 0 else row <= one.threshold
        assert one.score == (on & inside).sum() / (on | inside).sum()
        tried = [row >= t for t in set(row)] + [row <= t for t in set(row)]
        assert one.score == max((on & inside).sum() / (on | inside).sum() for on in tried)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_unit_that_is_on_exactly_there_stands_first_on_any_scale():
    states = np.random.default_rng(3).normal(size=(100, 20))
    states[40:55, 7] = -5 - states[40:55, 7] ** 2
    best = find_units(states, (40, 55), count=1)[0]
    assert (best.unit, best.sign, best.score) == (7, -1, 1.0)
    assert best.threshold == states[40:55, 7].max()
    squashed = find_units(np.tanh(states / 4), (40, 55))
    assert [one[:2] for one in squashed] == [one[:2] for one in find_units(states, (40, 55))]


@pytest.mark.parametrize(
    ("states", "span", "message"),
    [
        (np.zeros(5), (0, 2), r"states of shape \(5,\) were given"),
        (np.full((5, 1), np.nan), (0, 2), "finite ones"),
        (np.zeros((5, 1)), (2, 2), "the span 2:2 was given for 5 steps"),
        (np.zeros((5, 1)), (0, 5), "leave a step out"),
        (np.zeros((5, 1)), (-1, 2), "lie inside"),
        (np.zeros((5, 1)), np.zeros(5, bool), "the span of this mask"),
        (np.zeros((5, 1)), np.ones(4, bool), "the span of this mask was given for 5 steps"),
    ],
)
def test_what_units_cannot_be_found_in(states, span, message):
    with pytest.raises(ValueError, match=message):
        find_units(states, span)


def test_the_picture_has_a_row_a_name_each_on_its_scale():
    pytest.importorskip("matplotlib")
    figure = state_heatmap({"i": [0.0, 0.5, 1.0], "c": [0.0, -40.0, 20.0]}, "a\nb")
    drawn = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(drawn, [[0, 0.5, 1], [0, -1, 0.5]])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["a", "↵", "b"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["i", "c"]


def test_the_picture_of_all_units_has_one_scale():
    pytest.importorskip("matplotlib")
    states = np.array([[1.0, -2.0], [4.0, 0.0], [0.0, 0.0]])
    drawn = state_heatmap(states).axes[0].images[0].get_array()
    np.testing.assert_allclose(drawn, states.T / 4)


def test_what_a_picture_cannot_be_made_of(monkeypatch):
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match="2 tokens were given for 3 steps"):
        state_heatmap({"c": [1.0, 2.0, 3.0]}, "ab")
    with pytest.raises(ValueError, match="rows of shapes"):
        state_heatmap({"c": [1.0, 2.0], "h": [1.0]})
    with pytest.raises(ValueError, match=r"shape \(3,\) were given; give \[time, units\]"):
        state_heatmap([1.0, 2.0, 3.0])
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys.modules["lstm_recipes.lab.state_heatmap"], "find_spec", util.find_spec)
    with pytest.raises(UserError, match=r"pip install .lstm-recipes\[notebooks\]."):
        state_heatmap([[1.0]])
