"""Pairs of losses by hand, and what is said of a gain."""

import pytest

from lstm_recipes.lab.peepholes_gain import LAYERS, UNITS, gains, judge, network


def test_gains_by_hand():
    """Differences of 1 and 3: 2 on average, give or take √2 / √2."""
    assert gains([5.0, 5.0], [4.0, 2.0]) == {"mean": 2.0, "error": 1.0, "better": 1.0}
    assert gains([5.0], [6.0]) == {"mean": -1.0, "error": 0.0, "better": 0.0}


def test_peepholes_are_all_that_differs():
    without, having = (network(kind).count_params() for kind in LAYERS)
    assert having - without == 3 * UNITS


@pytest.mark.parametrize(
    "bits, verdict",
    [(1.98, "holds"), (2.0, "holds"), (2.02, "holds in part"), (1.9, "does not hold"),
     (2.1, "does not hold")],
)  # fmt: skip
def test_verdicts(bits, verdict):
    rows = {"ForgetGateLSTM": [2.0, 2.0], "PeepholeLSTM": [bits, bits]}
    rows = {kind: {"bits": row, "weights": 1000} for kind, row in rows.items()}
    said, found = judge({"steps": 10, "rows": rows})
    assert found == verdict and "1,000 weights" in said
