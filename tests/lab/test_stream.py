"""A stream of strings, and how large a cell state is along it."""

import numpy as np
import pytest

from lstm_recipes.lab import stream as streams
from lstm_recipes.lab.reber import SYMBOLS, successors
from lstm_recipes.lab.stream import LAYERS, growth, judge, mean_cell, stream
from lstm_recipes.layers import ForgetGateLSTM


def test_a_stream_is_strings_of_the_grammar():
    ids, legal = stream(np.random.default_rng(3), 500)
    assert ids.shape == (501,) and legal.shape == (500, 7)
    assert legal[np.arange(500), ids[1:]].all()
    text = "".join(SYMBOLS[k] for k in ids)
    first = text[: text.index("EB") + 1]
    assert successors(first)


def test_a_window_goes_on_where_the_last_one_ended():
    (x, y), (after, _) = streams.windows(np.random.default_rng(0), 2)
    assert x.shape == after.shape == (streams.BATCH, streams.WINDOW, 7)
    assert (x[:, 1:].argmax(-1) == y[:, :-1]).all() and (after[:, 0].argmax(-1) == y[:, -1]).all()


def test_a_forget_gate_by_hand():
    """All gates a half and 1 into the cell: c is 1/2, 3/4, 7/8, …, up to 1."""
    layer = ForgetGateLSTM(2, kernel_initializer="zeros", recurrent_initializer="zeros")
    x = np.zeros((1, 6, 3), "float32")
    layer(x)
    bias = np.zeros(8, "float32")
    bias[4:6] = 50.0
    layer.set_weights([*layer.get_weights()[:2], bias])
    found = mean_cell(layer, x)
    np.testing.assert_allclose(found, 1.0 - 0.5 ** np.arange(1, 7), rtol=1e-5)
    assert growth(np.ones(40)) == 1.0


def test_a_net_learns_and_is_watched(monkeypatch):
    monkeypatch.setattr(streams, "LENGTH", 60)
    for kind in ("CECLSTM",):
        found = streams.watched(streams.network(kind), 0)
        assert len(found["cell"]) == len(streams.shown()) and 0 <= found["legal"][1] <= 1


@pytest.mark.parametrize(
    "untrained, trained, verdict",
    [
        ((9.0, 1.0), (19.0, 1.1), "holds"),
        ((9.0, 1.0), (2.0, 1.1), "holds in part"),
        ((9.0, 2.0), (19.0, 1.6), "does not hold"),
    ],
)
def test_verdicts(untrained, trained, verdict):
    rows = {
        f"{kind}, {when}": {"growth": row[k], "legal": [0.9, 0.8]}
        for when, row in (("untrained", untrained), ("trained", trained))
        for k, kind in enumerate(LAYERS)
    }
    said, found = judge({"steps": [1, 10_000], "rows": rows})
    assert found == verdict and "10,000" in said and "90.0% and 80.0%" in said
