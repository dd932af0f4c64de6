"""The forget gate's first bias: how long an untrained LSTM remembers, and what it learns then."""

from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.gradient_flow import gradient_flow
from lstm_recipes.lab.learner import Learner
from lstm_recipes.lab.recall import FEATURES, SYMBOLS, recall
from lstm_recipes.layers import ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BIASES = (-1.0, 0.0, 1.0, 2.0, 4.0)
UNITS, LAG, STEPS, BATCH, RATE, TESTED = 32, 50, 400, 32, 0.01, 512
LAGS = (1, 2, 4, 8, 16, 32, 64, 128)
LEARNT = 0.9


def theory(bias: float) -> float:
    """After how many steps σ(bias)^k is a half, the input and h left out of account.

    >>> round(theory(0.0), 6), round(theory(1.0), 2), round(theory(4.0), 1)
    (1.0, 2.21, 38.2)
    """
    return float(np.log(2.0) / np.log1p(np.exp(-bias)))


def half_life(layer: keras.layers.RNN, inputs: Any, state: int = -1, seed: int = 0) -> float:
    """After how many steps half of an error on a state is left, going back through a layer.

    Args:
        layer: A recurrent layer made with ``return_state=True``; anyone's.
        inputs: float ``[sequences, time, features]``; lags of 1, 2, 4, … steps are measured, as far
            as they reach, and what lies between follows an exponential.
        state: Which of the layer's states; the last is c in an LSTM and h elsewhere.
        seed: Of the errors.

    Returns:
        The number of steps, of the median sequence; infinity if more than half is left at the end.

    >>> layer = ForgetGateLSTM(4, unit_forget_bias=False, kernel_initializer="zeros",
    ...     recurrent_initializer="zeros", return_state=True)
    >>> round(half_life(layer, np.zeros((1, 8, 3), "float32")), 4)  # σ(0) a step
    1.0
    """
    lags = [lag for lag in LAGS if lag <= inputs.shape[1]]
    left = np.median(gradient_flow(layer, inputs, lags, state, seed), axis=1)
    steps, halvings = np.array([0, *lags]), -np.log2(np.maximum([1.0, *left], 1e-30))
    if halvings.max() < 1.0:
        return float("inf")
    k = int(np.argmax(halvings >= 1.0))
    return float(np.interp(1.0, halvings[k - 1 : k + 1], steps[k - 1 : k + 1]))


def network() -> keras.Model:
    """One layer of LSTM and the logits of the symbols."""
    layers = [keras.Input((None, FEATURES)), ForgetGateLSTM(UNITS), keras.layers.Dense(SYMBOLS)]
    return keras.Sequential(layers)


def with_bias(model: keras.Model, bias: float) -> None:
    """Set the forget gates' bias."""
    variable = model.layers[0].cell.bias
    value = variable.numpy()
    value[UNITS : 2 * UNITS] = bias
    variable.assign(value)


def untrained(seed: int, bias: float, truncated: bool) -> float | None:
    """The half-life of a new layer's c; None if it is longer than the longest lag."""
    keras.utils.set_random_seed(seed)
    initial = keras.initializers.Constant(bias)
    layer = ForgetGateLSTM(
        UNITS, forget_bias_initializer=initial, truncated_gradient=truncated, return_state=True
    )
    x, _ = recall(np.random.default_rng(seed), 16, max(LAGS))
    found = half_life(layer, x[:, 1:], seed=seed)
    return found if np.isfinite(found) else None


def trained(learner: Learner, seed: int, bias: float) -> float:
    """The share that a net recalls which began with the bias."""
    draw = np.random.default_rng(seed)
    learner.begin(seed, lambda model: with_bias(model, bias))
    learner.learn(recall(draw, BATCH, LAG) for _ in range(STEPS))
    return learner.right(*recall(draw, TESTED, LAG))


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """By bias and seed, half-lives of c (in all, and through c alone) and what is learnt."""
    rows: dict[str, list] = {"half_lives": [], "half_lives_c_alone": [], "right": []}
    learner = Learner(network(), RATE)
    makes = {
        "half_lives": ("half-life", lambda s, b: untrained(s, b, False)),
        "half_lives_c_alone": ("half-life, c alone", lambda s, b: untrained(s, b, True)),
        "right": ("recall", lambda s, b: trained(learner, s, b)),
    }
    for b in BIASES:
        for key, (said, make) in makes.items():
            named = {f"{said}, bias {b:g}, seed {s}": partial(make, s, b) for s in range(seeds)}
            rows[key].append([part(name, one) for name, one in named.items()])
    return {"biases": BIASES, "theory": [theory(b) for b in BIASES]} | rows


def medians(rows: list) -> np.ndarray:
    """Of each row; None counts as infinitely long."""
    return np.median([[np.inf if v is None else v for v in row] for row in rows], axis=1)


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """Two halves. Half-lives: the median through c alone is within a quarter of theory at each
    bias; theory leaves the input and the way through h out of account, so what is left in all is
    said and not judged. Learning, by means over nets: at the largest bias at least 0.9 is recalled,
    at 0 less, and no larger bias is worse than a smaller one by more than 0.05. One half alone: in
    part."""
    biases = list(numbers["biases"])
    lives, alone = (medians(numbers[key]) for key in ("half_lives", "half_lives_c_alone"))
    as_said = bool((abs(alone / numbers["theory"] - 1.0) < 0.25).all())
    right = np.array(numbers["right"])
    mean = right.mean(1)
    learns = mean[-1] >= LEARNT > mean[biases.index(0.0)]
    learns = bool(learns and (np.diff(mean) > -0.05).all())
    columns = (numbers["theory"], alone, lives)
    say = lambda v: f"{v:.1f}" if np.isfinite(v) else f"over {max(LAGS)}"  # noqa: E731
    rows = [
        f"bias {b:g}: {', '.join(say(c[k]) for c in columns)}; {mean[k]:.0%} "
        f"({right[k].min():.0%} to {right[k].max():.0%})"
        for k, b in enumerate(biases)
    ]
    said = "half-life of c in steps, as σ(b)^k says, through c alone, and in all (through h too); "
    said += f"and recalled over {LAG} steps after {STEPS} steps of Adam, on average (worst to best "
    said += f"net). {'. '.join(row.capitalize() for row in rows)}"
    return said, ("does not hold", "holds in part", "holds")[as_said + learns]


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Half-lives on the left, what is learnt on the right."""
    lives, learnt = figure.subplots(1, 2)
    biases = numbers["biases"]
    many = np.linspace(min(biases), max(biases), 50)
    lives.plot(many, [theory(b) for b in many], color="grey", label="ln 2 / −ln σ(b)")
    for key, marker, label in (
        ("half_lives_c_alone", "o", "c alone"),
        ("half_lives", "^", "in all"),
    ):
        found = np.minimum(medians(numbers[key]), max(LAGS))
        lives.plot(biases, found, marker, label=label)
    lives.axhline(max(LAGS), color="grey", linestyle=":", linewidth=1)
    lives.text(biases[0], max(LAGS) * 1.1, f"{max(LAGS)} or more", fontsize=8)
    lives.set(yscale="log", xlabel="first forget bias", ylabel="half-life of c in steps")
    lives.set(ylim=(0.3, 300))
    lives.legend(fontsize=8, loc="lower right")
    right = np.array(numbers["right"])
    learnt.plot(biases, right.mean(1), color="C2", label="mean")
    for k, row in enumerate(right.T):
        learnt.plot(biases, row, "o", color="C2", markersize=4, label=None if k else "one net")
    learnt.axhline(1 / SYMBOLS, color="grey", linestyle=":", label="guessing")
    learnt.set(ylim=(0, 1.05), xlabel="first forget bias", ylabel=f"recall over {LAG} steps")
    learnt.legend(fontsize=8, loc="center left")


FORGET_BIAS = Argument(
    says="A cell whose forget bias starts at b keeps half of itself for ln 2 / −ln σ(b) steps, so "
    "with a larger first bias an LSTM learns longer lags",
    source="Gers, Schmidhuber & Cummins 2000; Jozefowicz, Zaremba & Sutskever 2015",
    minutes=4,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Half-life of an untrained cell state against the first forget bias: through c alone on "
    "the curve that the bias gives, in all on it too at small biases and above it at large ones; "
    "and the share of symbols recalled after training, by bias",
    seeds=3,
)
