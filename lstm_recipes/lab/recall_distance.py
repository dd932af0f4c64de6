"""How far back a trained net recalls a symbol, and what is lost where it does not."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.gradient_flow import gradient_flow
from lstm_recipes.lab.learner import Learner
from lstm_recipes.lab.recall import FEATURES, SYMBOLS, recall
from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = {"LSTM": ForgetGateLSTM, "CEC": CECLSTM, "GRU": GRU}
DISTANCES = (50, 100, 200, 500, 1000, 2000)
UNITS, BATCH, STEPS, RATE, SHORTEST, BOUND = 32, 32, 700, 0.005, 5, 200
TESTED, TRACED = 128, 8


def told_apart(states: Any, classes: Any) -> float:
    """How much of what a state varies by is the class: the variance of the classes' means, as a
    share of all variance (η²). 1: nothing but the class; 0: nothing of it.

    Args:
        states: float ``[sequences, units]``; anyone's.
        classes: int ``[sequences]``.

    >>> told_apart([[1.0], [1.0], [3.0], [3.0]], [0, 0, 1, 1])
    1.0
    >>> told_apart([[1.0], [3.0], [1.0], [3.0]], [0, 0, 1, 1])
    0.0
    """
    states, classes = np.asarray(states, "float64"), np.asarray(classes)
    means = {k: states[classes == k].mean(0) for k in set(classes.tolist())}
    between = np.stack([means[k] for k in classes.tolist()]) - states.mean(0)
    return float((between**2).sum() / ((states - states.mean(0)) ** 2).sum())


def network(kind: str) -> keras.Model:
    """One layer that gives its states too, and the logits of the symbols."""
    inputs = keras.Input((None, FEATURES))
    output, *_ = LAYERS[kind](UNITS, return_state=True)(inputs)
    return keras.Model(inputs, keras.layers.Dense(SYMBOLS)(output))


def distances(draw: np.random.Generator) -> Any:
    """A distance for each step: any, the short ones as often as the long ones in the logarithm, up
    to a bound that rises during the first half."""
    for step in range(STEPS):
        bound = max(SHORTEST + 1.0, BOUND * min(1.0, 2.0 * step / STEPS))
        yield round(float(np.exp(draw.uniform(np.log(SHORTEST), np.log(bound)))))


def trained(learner: Learner, seed: int) -> dict[str, list[float]]:
    """By distance: the share recalled, the share of an error that is left, and how well the state
    that carries (c, or the GRU's h) tells the symbols apart."""
    draw = np.random.default_rng(seed)
    learner.begin(seed)
    learner.learn(recall(draw, BATCH, distance) for distance in distances(draw))
    layer = learner.model.layers[1]
    found: dict[str, list[float]] = {"right": [], "left": [], "told": []}
    for distance in DISTANCES:
        x, y = recall(draw, TESTED, distance)
        found["right"].append(learner.right(x, y))
        found["told"].append(told_apart(layer(x[:, :-1])[-1], y))
    x, _ = recall(draw, TRACED, max(DISTANCES) + 1)
    left = gradient_flow(layer, x[:, 1:-1], DISTANCES, seed=seed)
    return found | {"left": np.median(left, axis=1).tolist()}


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """By layer: of every seed the share recalled, and medians of what explains it."""
    rows = {}
    for kind in LAYERS:
        learner = Learner(network(kind), RATE)
        found = [
            part(f"{kind}, seed {seed}", lambda seed=seed, learner=learner: trained(learner, seed))
            for seed in range(seeds)
        ]
        rows[kind] = {"right": [one["right"] for one in found]} | {
            key: np.median([one[key] for one in found], axis=0).tolist() for key in ("left", "told")
        }
    return {"distances": DISTANCES, "bound": BOUND, "rows": rows}


RECALLED, VANISHED, DILUTED = 0.9, 0.01, 0.1
"""From which share recalled on nothing is forgotten; below which share of an error it has vanished;
from which share of a state's variance noise has diluted it."""


def dilution_or_gradient(right: float, left: float, noise: float) -> str:
    """What makes a trained net forget: noise that dilutes the state, or an error that has vanished?

    An error that has vanished keeps a net from learning a distance, and does not by itself make
    one forget that has learnt shorter ones: a state that goes back to the same few values keeps
    a symbol and for that reason passes no error on (Bengio, Simard & Frasconi 1994, on latching).

    Args:
        right: The share recalled.
        left: The share of an error that is left over the distance.
        noise: The share of the state's variance that is not the symbol.

    >>> dilution_or_gradient(right=1.0, left=1e-5, noise=1e-4)
    'neither: it recalls 100%, though only 1e-05 of an error is left, and 0.0001 of the state
    is noise'
    >>> dilution_or_gradient(right=0.2, left=0.5, noise=0.6)
    'dilution: it recalls 20%, 0.5 of an error is left, and 0.6 of the state is noise'
    """
    there = {"dilution": noise >= DILUTED, "the gradient": left < VANISHED}
    kept = right >= RECALLED
    causes = [cause for cause, is_there in there.items() if is_there and not kept]
    cause = " and ".join(causes) or "neither"
    though = "though only " if kept and there["the gradient"] else ""
    return (
        f"{cause}: it recalls {right:.0%}, {though}{left:.1g} of an error is left, and "
        f"{noise:.1g} of the state is noise"
    )


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """It holds if the LSTMs recall at least 0.9 at 200 and less at 500, on average; it does not
    hold if they recall at least 0.9 at 1,000; all else is in part. Why is said by the farthest
    distance, as `dilution_or_gradient` judges it."""
    at = list(numbers["distances"])
    right = {kind: np.mean(row["right"], axis=0) for kind, row in numbers["rows"].items()}
    lstm = {d: right["LSTM"][at.index(d)] for d in (200, 500, 1000)}
    verdict = "holds" if lstm[200] >= 0.9 > lstm[500] else "holds in part"
    verdict = "does not hold" if lstm[1000] >= 0.9 else verdict
    rows = []
    for kind, share in right.items():
        row = numbers["rows"][kind]
        rows.append(
            f"{kind} "
            + ", ".join(
                f"{share[k]:.0%} ({row['left'][k]:.1g}, {1 - row['told'][k]:.1g})"
                for k in map(at.index, (200, 500, 1000, 2000))
            )
        )
    said = "recalled at 200, 500, 1,000 and 2,000 steps (share of an error left, share of the "
    said += f"state's variance that is not the symbol), trained up to {numbers['bound']}: "
    said += "; ".join(rows)
    row = numbers["rows"]["LSTM"]
    why = dilution_or_gradient(right["LSTM"][-1], row["left"][-1], 1 - row["told"][-1])
    return f"{said}. Dilution or gradient? For the LSTM at {at[-1]:,} steps {why}", verdict


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """What is recalled, what an error has left, and what the state tells apart."""
    shown, error, told = figure.subplots(1, 3)
    at = numbers["distances"]
    for kind, row in numbers["rows"].items():
        shown.plot(at, np.mean(row["right"], axis=0), marker="o", markersize=4, label=kind)
        error.plot(at, np.maximum(row["left"], 1e-9), marker="o", markersize=4)
        told.plot(at, np.maximum(1.0 - np.array(row["told"]), 1e-7), marker="o", markersize=4)
    shown.axhline(1 / SYMBOLS, color="grey", linestyle=":", linewidth=1)
    shown.set(ylim=(0, 1.05), title="recalled")
    error.set(yscale="log", title="error left")
    told.set(yscale="log", ylim=(5e-8, 2), title="noise in the state")
    for axes in (shown, error, told):
        axes.axvline(numbers["bound"], color="grey", linestyle="--", linewidth=1)
        axes.set(xscale="log", xlabel="distance")
        axes.set_title(axes.get_title(), fontsize=10)
    shown.legend(fontsize=8, loc="center left")


RECALL_DISTANCE = Argument(
    says="An LSTM forgets after 300 to 500 tokens",
    source="said on the web",
    minutes=6,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Against distance, for nets trained up to 200 steps: the share of symbols recalled, the "
    "share of an error that is left going back, and the share of the state's variance that is "
    "not the symbol, for LSTM, CEC and GRU",
    seeds=2,
)
