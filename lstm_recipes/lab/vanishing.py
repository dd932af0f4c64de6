"""Vanishing and exploding gradients, and the carousel that does neither."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.gradient_flow import gradient_flow
from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS, SEQUENCES, FEATURES = 32, 16, 8
LAGS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
RADII = (0.8, 0.95, 1.0, 1.05)


def elman_of_radius(units: int, radius: float, seed: int = 0) -> keras.layers.SimpleRNN:
    """A linear Elman network, h_t = W x_t + U h_{t-1}, whose U has a spectral radius.

    Linear, because then the Jacobian of every step is U itself, and k steps back multiply an error
    by the radius to the power of k; a tanh can only make it smaller.

    >>> layer = elman_of_radius(4, 1.5)
    >>> float(abs(np.linalg.eigvals(layer.get_weights()[1])).max().round(5))
    1.5
    """
    layer = keras.layers.SimpleRNN(units, activation="linear", return_state=True)
    layer.build((None, None, FEATURES))
    u = np.random.default_rng(seed).normal(size=(units, units))
    u *= radius / abs(np.linalg.eigvals(u)).max()
    kernel, _, bias = layer.get_weights()
    layer.set_weights([kernel, u.astype("float32"), bias])
    return layer


def layers(seed: int) -> dict[str, tuple[keras.layers.RNN, tuple[int, ...]]]:
    """Untrained layers by name, with the states that an error goes back through: h is 0, c is 1."""
    keras.utils.set_random_seed(seed)
    carousel = CECLSTM(UNITS, truncated_gradient=True, return_state=True)
    found: dict[str, Any] = {
        "CECLSTM": (carousel, (1,)),
        "ForgetGateLSTM": (ForgetGateLSTM(UNITS, return_state=True), (0, 1)),
        "GRU": (GRU(UNITS, return_state=True), (0,)),
        "SimpleRNN": (keras.layers.SimpleRNN(UNITS, return_state=True), (0,)),
    }
    linear = {f"linear, radius {r}": (elman_of_radius(UNITS, r, seed), (0,)) for r in RADII}
    return found | linear


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """The share of an error that is left by layer and state: medians over sequences and seeds."""
    shares: dict[str, list] = {}
    for seed in range(seeds):
        x = np.random.default_rng(seed).normal(size=(SEQUENCES, max(LAGS), FEATURES))
        for name, (layer, states) in layers(seed).items():
            for state in states:
                key = f"{name}, {'hc'[state]}" if len(states) > 1 else name
                flow = lambda: gradient_flow(layer, x.astype("float32"), LAGS, state, seed).tolist()  # noqa: B023, E731
                shares.setdefault(key, []).append(part(f"{key}, seed {seed}", flow))
    medians = {key: np.median(found, axis=(0, 2)).tolist() for key, found in shares.items()}
    return {"lags": LAGS, "shares": medians}


def log_slope(lags: Sequence[int], shares: Sequence[float]) -> float:
    """The slope of the logarithm of what is left against the lag: the logarithm of the factor of
    a step. Of short lags (below 50), which direction the error has decides, and of what float32
    cannot hold nothing is known.

    >>> round(float(np.exp(log_slope([1, 50, 100, 500], [9.0, 0.9**50, 0.9**100, 0.0]))), 6)
    0.9
    """
    kept = [(k, np.log(v)) for k, v in zip(lags, shares, strict=True) if k >= 50 and v > 1e-30]
    return float(np.polyfit(*zip(*kept, strict=True), 1)[0])


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """It holds if, in the linear networks, the logarithm of what is left falls or rises with the
    lag by the logarithm of the radius, to 10 % of it (with radius 1, whose logarithm is 0, to 10 %
    of the smallest other one); if the Elman network's error has vanished; and if through the
    carousel's c all of it is left."""
    lags, shares = numbers["lags"], numbers["shares"]
    slopes = {r: log_slope(lags, shares[f"linear, radius {r}"]) for r in RADII}
    least = min(abs(np.log(r)) for r in RADII if r != 1.0)
    within = {r: 0.1 * max(least, abs(np.log(r))) for r in RADII}
    as_radius = all(abs(slope - np.log(r)) < within[r] for r, slope in slopes.items())
    flat = np.allclose(shares["CECLSTM"], 1.0, rtol=1e-4)
    vanished = shares["SimpleRNN"][-1] < 1e-6
    factors = ", ".join(f"{np.exp(slope):.3f} with {r:g}" for r, slope in slopes.items())
    named = ("SimpleRNN", "ForgetGateLSTM, c", "GRU")
    said = "; ".join(f"{name} {shares[name][-1]:.1g}" for name in named)
    said = (
        f"a step back multiplies an error, by the spectral radius: {factors}. Left of it after "
        f"{lags[-1]:,} steps: CEC with the truncated gradient of 1997 {shares['CECLSTM'][-1]:.4f}; "
        f"{said}"
    )
    return said, "holds" if as_radius and flat and vanished else "does not hold"


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Untrained layers on the left, the linear network's radii on the right."""
    ours, linear = figure.subplots(1, 2, sharey=True)
    for name, row in numbers["shares"].items():
        axes = linear if "radius" in name else ours
        shown = [(lag, v) for lag, v in zip(numbers["lags"], row, strict=True) if 1e-15 < v < 1e15]
        label = name.removeprefix("linear, radius ").replace("CECLSTM", "CECLSTM, truncated")
        axes.plot(*zip(*shown, strict=True), marker="o", markersize=3, label=label)
    for axes in (ours, linear):
        axes.set(xscale="log", yscale="log", ylim=(1e-12, 1e12), xlabel="steps back")
    ours.set(ylabel="share of an error left")
    ours.legend(fontsize=8, loc="upper left")
    linear.legend(title="spectral radius", fontsize=8, loc="upper left")


VANISHING = Argument(
    says="Errors vanish or explode going back through time, as the spectral radius to the power of "
    "the lag; through the constant error carousel, by the truncated gradient, they do neither",
    source="Hochreiter 1991; Bengio, Simard & Frasconi 1994; 1997, section 3",
    minutes=3,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Share of an error left against the lag, in untrained layers: flat at 1 for the CEC with "
    "the truncated gradient, falling for the forget gate, the GRU and the Elman network; falling, "
    "flat or rising with the radius on the right",
    seeds=3,
)
