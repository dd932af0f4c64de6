"""The radius is read off a slope, and what is said of gradients that vanish or explode."""

import numpy as np
import pytest

from lstm_recipes.lab.vanishing import LAGS, RADII, VANISHING, judge, log_slope


def test_a_slope_by_hand():
    lags = [1, 50, 100, 200, 1000]
    shares = [0.1, *(0.3 * 0.8**k for k in (50, 100, 200)), 0.0]  # a beginning, a factor, nothing
    assert log_slope(lags, shares) == pytest.approx(np.log(0.8))


def numbers(**others):
    """Linear networks whose factors are the radii."""
    shares = {f"linear, radius {r}": [0.5 * r**k for k in LAGS] for r in RADII}
    shares |= {"CECLSTM": [1.0] * len(LAGS)}
    shares |= {name: [0.5**k for k in LAGS] for name in ("SimpleRNN", "GRU", "ForgetGateLSTM, c")}
    return {"lags": list(LAGS), "shares": shares | others}


@pytest.mark.parametrize(
    "others, verdict",
    [
        ({}, "holds"),
        # It vanishes and explodes, but not by the radius.
        ({"linear, radius 0.95": [0.9**k for k in LAGS]}, "does not hold"),
        ({"linear, radius 1.05": [1.1**k for k in LAGS]}, "does not hold"),
        ({"linear, radius 1.0": [0.99**k for k in LAGS]}, "does not hold"),
        ({"CECLSTM": [0.9999**k for k in LAGS]}, "does not hold"),
        ({"SimpleRNN": [0.1] * len(LAGS)}, "does not hold"),
    ],
)
def test_verdicts(others, verdict):
    said, found = judge(numbers(**others))
    assert found == verdict and "truncated gradient" in said


def test_it_is_said_that_the_carousels_gradient_is_truncated():
    assert "truncated gradient" in VANISHING.says and "truncated gradient" in VANISHING.shows
