"""Forecasts: the error by hand, what a forecaster may see, and the verdict."""

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.lab import forecasting
from lstm_recipes.lab.forecasting import ARIMA, ETS, LSTM, NAIVE, judge, rolling_mase

SERIES = np.tile([0.0, 1.0, 4.0, 2.0], 12) + np.arange(48) / 10


def test_the_error_is_scaled_by_that_of_the_last_season():
    # From one season to the next the series rises by 0.4, and so errs whoever repeats the last.
    seen = []

    def one_off(history, horizon):
        seen.append(len(history))
        return SERIES[len(history) : len(history) + horizon] + 0.2

    found = rolling_mase(one_off, SERIES, season=4, horizon=4, origins=3)
    np.testing.assert_allclose(found, 0.5)
    assert seen == [36, 40, 44]  # all that was before, and no more
    naive = rolling_mase(forecasting.seasonal_naive(4), SERIES, 4, 8, 2)
    np.testing.assert_allclose(naive, 1.5)  # 0.4 in the first season, 0.8 in the second


def test_a_short_series_is_refused():
    with pytest.raises(UserError, match="give a longer one"):
        rolling_mase(forecasting.seasonal_naive(4), SERIES[:10], 4, 4, 2)


def test_classical_models_know_a_trend_and_a_season():
    pytest.importorskip("statsmodels")
    for forecast in (forecasting.holt_winters(4), forecasting.sarima(4, SERIES[:40])):
        assert rolling_mase(forecast, SERIES, 4, 4, 2).max() < 0.2


def test_the_lstm_forecasts_from_what_was_before(monkeypatch):
    monkeypatch.setattr(forecasting, "EPOCHS", 2)
    monkeypatch.setattr(forecasting, "WINDOW", 8)
    forecast = forecasting.lstm(4, 4, SERIES[:40], seed=0)
    one, again = (
        forecast(SERIES[:44], 4),
        forecasting.lstm(4, 4, SERIES[:40], seed=0)(SERIES[:44], 4),
    )
    assert one.shape == (4,)
    np.testing.assert_array_equal(one, again)
    # Only differences from the level are seen: a series that stands higher is forecast higher.
    np.testing.assert_allclose(forecast(SERIES[:44] + 100, 4), one + 100, rtol=1e-4)


def test_the_series_are_whole():
    pytest.importorskip("statsmodels")
    lengths = {name: len(series) for name, series in forecasting.monthly_series().items()}
    assert lengths == {"CO2, Mauna Loa": 526, "El Niño, sea": 732}
    assert all(np.isfinite(s).all() for s in forecasting.monthly_series().values())


@pytest.mark.parametrize(
    ("lstm", "verdict"),
    [(0.42, "holds"), (0.5, "holds in part"), (1.1, "does not hold")],
)
def test_the_verdict(lstm, verdict):
    mase = {NAIVE: [1.0], ETS: [0.4], ARIMA: [0.45], LSTM: [lstm - 0.01, lstm + 0.01]}
    said, found = judge({"mase": {"one": mase, "two": mase | {LSTM: [0.3, 0.3]}}})
    assert found == verdict and f"one: LSTM {lstm:.2f} ± 0.01" in said
