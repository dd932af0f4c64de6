"""What gets through to a cell by hand, and what is said of a drift."""

import keras
import numpy as np
import pytest

from lstm_recipes.lab.drift import ALONE, BIASED, FED_BACK, SHOWN, judge, let_through, network
from lstm_recipes.lab.state_traces import trace
from lstm_recipes.layers import CECLSTM, ForgetGateLSTM


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


@pytest.mark.parametrize(
    "fed_back, biased, verdict",
    [(0.001, 0.9, "holds"), (0.001, 0.2, "holds in part"), (0.3, 0.9, "does not hold")],
)
def test_verdicts(fed_back, biased, verdict):
    row = lambda left: {"size": [1.0] * len(SHOWN), "left": [left] * len(SHOWN)}  # noqa: E731
    rows = {FED_BACK: row(fed_back), ALONE: row(0.5), BIASED: row(biased)}
    said, found = judge({"steps": SHOWN, "rows": rows})
    assert found == verdict and f"{fed_back:.2%}" in said
