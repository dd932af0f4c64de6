"""A small LSTM beside the classical forecasters, on monthly series that everyone can have."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.errors import UserError
from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.layers import ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEASON, HORIZON, YEARS = 12, 12, 10
"""Months, months, and how many of the last years are held out."""
WINDOW, UNITS, EPOCHS, BATCH = 48, 32, 60, 16
NAIVE, ETS, ARIMA, LSTM = "seasonal naive", "Holt-Winters", "SARIMA", "LSTM"

Forecast = Callable[[np.ndarray, int], np.ndarray]
"""From what has been so far and a number of steps, those steps."""


def rolling_mase(
    forecast: Forecast, series: Any, season: int, horizon: int, origins: int
) -> np.ndarray:
    """The mean absolute scaled error of anyone's forecaster, from one origin after the other.

    Before each of the last ``origins`` stretches of ``horizon`` steps the forecaster gets all that
    was before, and its mean absolute error is divided by that of repeating the last season over
    the part before the first origin (Hyndman & Koehler 2006). 1 is as good as that.

    Args:
        forecast: Called as ``forecast(history, horizon)``.
        series: float ``[time]``.
        season: Steps of a season.
        horizon: Steps that are forecast at once.
        origins: How many stretches are held out.

    Returns:
        float ``[origins]``.

    >>> rising = np.arange(40.0)
    >>> rolling_mase(seasonal_naive(4), rising, season=4, horizon=4, origins=2).tolist()
    [1.0, 1.0]
    """
    series = np.asarray(series, "float64")
    first = len(series) - origins * horizon
    if first <= season:
        raise UserError(
            f"the series has {len(series)} steps, {origins * horizon} are held out, and a season "
            f"has {season}; give a longer one"
        )
    scale = np.abs(series[season:first] - series[: first - season]).mean()
    found = []
    for origin in range(first, len(series), horizon):
        off = forecast(series[:origin], horizon) - series[origin : origin + horizon]
        found.append(np.abs(off).mean() / scale)
    return np.array(found)


def seasonal_naive(season: int) -> Forecast:
    """The last season, again and again.

    >>> seasonal_naive(2)(np.array([1.0, 5.0, 6.0]), 3).tolist()
    [5.0, 6.0, 5.0]
    """
    return lambda history, horizon: np.resize(history[-season:], horizon)


def holt_winters(season: int) -> Forecast:
    """Additive trend and season (Holt-Winters), fitted anew at each origin."""

    def forecast(history: np.ndarray, horizon: int) -> np.ndarray:
        from statsmodels.tsa.holtwinters import ExponentialSmoothing

        model = ExponentialSmoothing(
            history, trend="add", seasonal="add", seasonal_periods=season, use_boxcox=False
        )
        return np.asarray(model.fit().forecast(horizon))

    return forecast


def sarima(season: int, training: np.ndarray) -> Forecast:
    """ARIMA (1, 1, 1)(0, 1, 1), its weights of the training part, its state of all history."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    model = SARIMAX(training, order=(1, 1, 1), seasonal_order=(0, 1, 1, season))
    fitted = model.fit(disp=False)
    return lambda history, horizon: np.asarray(fitted.apply(history).forecast(horizon))


def _windows(series: np.ndarray, ends: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each end the last ``WINDOW`` steps less the mean of the last season, and that mean."""
    steps = series[ends[:, None] - WINDOW + np.arange(WINDOW)]
    level = steps[:, -season:].mean(1, keepdims=True)
    return steps - level, level


def lstm(season: int, horizon: int, training: np.ndarray, seed: int) -> Forecast:
    """An LSTM over the last ``WINDOW`` steps that says the next ``horizon`` at once.

    What it sees and says are differences from the mean of the last season, so that it need not know
    how high a series has risen; each step comes with the sine and cosine of its place in the
    season. The last tenth of the training part, in time, chooses the epoch.
    """
    keras.utils.set_random_seed(seed)
    scale = np.abs(training[season:] - training[:-season]).mean()

    def inputs(series: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        steps, level = _windows(series, ends, season)
        angle = 2 * np.pi * (ends[:, None] - WINDOW + np.arange(WINDOW)) / season
        return np.stack([steps / scale, np.sin(angle), np.cos(angle)], -1), level

    ends = np.arange(WINDOW, len(training) - horizon + 1)
    x, level = inputs(training, ends)
    y = (training[ends[:, None] + np.arange(horizon)] - level) / scale
    cut = len(ends) - len(ends) // 10
    model = keras.Sequential(
        [keras.Input((WINDOW, 3)), ForgetGateLSTM(UNITS), keras.layers.Dense(horizon)]
    )
    model.compile(keras.optimizers.Adam(3e-3, global_clipnorm=1.0), "mae")
    best = keras.callbacks.EarlyStopping(patience=EPOCHS, restore_best_weights=True)
    # No target of training lies in what the validation targets cover.
    model.fit(
        x[: cut - horizon],
        y[: cut - horizon],
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_data=(x[cut:], y[cut:]),
        callbacks=[best],
        verbose=0,
    )

    def forecast(history: np.ndarray, asked: int) -> np.ndarray:
        x, level = inputs(history, np.array([len(history)]))
        return (np.asarray(model(x.astype("float32")))[0] * scale + level[0])[:asked]

    return forecast


def monthly_series() -> dict[str, np.ndarray]:
    """Two monthly series that statsmodels carries: CO2 over Mauna Loa, 1958 to 2001, and the sea's
    temperature where El Niño is measured, 1950 to 2010.

    Raises:
        UserError: statsmodels is not installed.
    """
    if find_spec("statsmodels") is None:
        raise UserError('the series come with statsmodels; pip install "lstm-recipes[lab]"')
    from statsmodels.datasets import co2, elnino

    weekly = co2.load_pandas().data["co2"]
    months = weekly.resample("MS").mean().interpolate()
    sea = elnino.load_pandas().data.drop(columns="YEAR").to_numpy("float64")
    return {"CO2, Mauna Loa": months.to_numpy("float64"), "El Niño, sea": sea.ravel()}


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """MASE by series and forecaster: one number each, and of the LSTM one a seed."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, series in monthly_series().items():
        training = series[: len(series) - YEARS * HORIZON]
        makers: dict[str, Callable[[], Forecast]] = {
            NAIVE: lambda: seasonal_naive(SEASON),
            ETS: lambda: holt_winters(SEASON),
            ARIMA: lambda training=training: sarima(SEASON, training),
        }
        for seed in range(seeds):
            makers[f"{LSTM}, seed {seed}"] = lambda training=training, seed=seed: lstm(
                SEASON, HORIZON, training, seed
            )
        found[name] = {}
        for maker, make in makers.items():
            mean = lambda make=make, series=series: float(  # noqa: E731
                rolling_mase(make(), series, SEASON, HORIZON, YEARS).mean()
            )
            method = maker.partition(",")[0]
            found[name].setdefault(method, []).append(part(f"{name}: {maker}", mean))
    return {"mase": found}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """It holds if on every series the LSTM's mean over the seeds is below the seasonal naive
    forecast's and at most 1.05 times the better classical model's; in part if it is below the
    seasonal naive forecast's on every series."""
    said, below, near = [], [], []
    for name, mase in numbers["mase"].items():
        mean = {method: float(np.mean(values)) for method, values in mase.items()}
        below.append(mean[LSTM] < mean[NAIVE])
        near.append(mean[LSTM] <= 1.05 * min(mean[ETS], mean[ARIMA]))
        rows = ", ".join(
            f"{method} {value:.2f}" for method, value in mean.items() if method != LSTM
        )
        spread = f" ± {np.std(mase[LSTM], ddof=1):.2f}" if len(mase[LSTM]) > 1 else ""
        said.append(f"{name}: LSTM {mean[LSTM]:.2f}{spread}, {rows}")
    verdict = "holds" if all(below) and all(near) else "holds in part"
    return f"MASE; {'; '.join(said)}", verdict if all(below) else "does not hold"


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """A bar a forecaster, the LSTM's seeds as dots; a part a series."""
    for axes, (name, mase) in zip(
        figure.subplots(1, len(numbers["mase"]), sharey=True), numbers["mase"].items(), strict=True
    ):
        colors = ["C0" if method == LSTM else "0.7" for method in mase]
        means = [float(np.mean(values)) for values in mase.values()]
        axes.barh([*mase], means, color=colors, height=0.6)
        axes.plot(mase[LSTM], [LSTM] * len(mase[LSTM]), "k.", markersize=5)
        for place, (mean, values) in enumerate(zip(means, mase.values(), strict=True)):
            axes.annotate(f" {mean:.2f}", (max(mean, *values, 0), place), va="center", fontsize=9)
        axes.set(title=name, xlabel="MASE, smaller is better")
        axes.margins(x=0.18)
        axes.grid(False, axis="y")


FORECASTING = Argument(
    says="A small LSTM forecasts a seasonal series better than repeating the last season does, and "
    "as well as the classical models",
    source="after Hewamalage, Bergmeir & Bandara 2021; MASE of Hyndman & Koehler 2006",
    minutes=4,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Bars of the scaled error of four forecasters on two monthly series: repeating the last "
    "season, Holt-Winters, SARIMA and the LSTM, whose seeds are dots",
    seeds=3,
)
