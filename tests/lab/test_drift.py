"""What gets through to a cell by hand, and what is said of a drift."""

import keras
import numpy as np
import pytest

from lstm_recipes.lab import drift
from lstm_recipes.lab.argument import Parts, picture
from lstm_recipes.lab.drift import ALONE, BIASED, FED_BACK, SHOWN, judge, let_through, network
from lstm_recipes.lab.state_traces import trace
from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM


@pytest.mark.parametrize(
    "make, slope",
    [
        (CECLSTM, lambda c: 1 - np.tanh(c / 2) ** 2),
        (ForgetGateLSTM, lambda c: 1 - np.tanh(c) ** 2),
        (keras.layers.LSTM, lambda c: 1 - np.tanh(c) ** 2),
    ],
)
def test_slopes_by_hand(make, slope):
    layer, x = make(3), np.random.default_rng(0).normal(size=(2, 7, 4)).astype("float32")
    layer(x)
    np.testing.assert_allclose(let_through(layer, x), slope(trace(layer, x)["c"]), atol=1e-5)


def test_the_networks_differ_in_what_is_said():
    fed_back, alone, biased = (network(kind, 3).get_weights() for kind in (FED_BACK, ALONE, BIASED))
    np.testing.assert_array_equal(fed_back[0], alone[0])
    assert abs(fed_back[1]).min() > 0 and not alone[1].any() and abs(biased[1]).min() > 0
    assert len(fed_back) == 2 and biased[2].tolist() == [-6.0, -6.0, 0.0, 0.0]


def test_what_has_no_cell_state_or_is_flat():
    x = np.zeros((1, 2, 3), "float32")
    with pytest.raises(ValueError, match="has no cell state; give an LSTM"):
        let_through(GRU(2), x)
    with pytest.raises(ValueError, match="output function is flat at 0; give one that is not"):
        let_through(CECLSTM(2, output_activation="relu"), x)


def test_a_small_measurement_is_drawn(monkeypatch, tmp_path):
    monkeypatch.setattr(drift, "LENGTH", 20)
    monkeypatch.setattr(drift, "SHOWN", (1, 5, 20))
    numbers = drift.measure(Parts(None, notify=lambda line: None), 2)
    fed_back, biased = numbers["rows"][FED_BACK], numbers["rows"][BIASED]
    assert fed_back["size"][0] < fed_back["size"][-1] and fed_back["left"][0] > fed_back["left"][-1]
    assert biased["size"][-1] < 0.1 * fed_back["size"][-1] and biased["left"][-1] > 0.99
    picture(drift.DRIFT, numbers, tmp_path / "drift.svg")
    assert b"<svg" in (tmp_path / "drift.svg").read_bytes()


@pytest.mark.parametrize(
    "fed_back, alone, biased, verdict",
    [
        (0.001, 0.5, 0.9, "holds"),
        (0.001, 0.5, 0.2, "holds in part"),
        (0.3, 0.5, 0.9, "does not hold"),
        (0.001, 0.05, 0.9, "does not hold"),
    ],
)
def test_verdicts(fed_back, alone, biased, verdict):
    row = lambda left: {"size": [1.0] * len(SHOWN), "left": [left] * len(SHOWN)}  # noqa: E731
    rows = {FED_BACK: row(fed_back), ALONE: row(alone), BIASED: row(biased)}
    said, found = judge({"steps": SHOWN, "rows": rows})
    assert found == verdict and f"{fed_back:.2%}" in said
