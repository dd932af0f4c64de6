"""GRU or LSTM: weights, time and what is learnt, at equal size."""

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.equal_size import units_for
from lstm_recipes.lab.learner import Learner
from lstm_recipes.lab.recall import FEATURES, SYMBOLS, recall
from lstm_recipes.layers import GRU, ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = {"LSTM": ForgetGateLSTM, "GRU": GRU}
WEIGHTS = 5000
DISTANCES = (8, 16, 32, 64, 128, 256, 512)  # learnt one after the other
COMPARED = (64, 512)
STEPS, LONG_STEPS = 80, 20
"""Of Adam, at each distance: up to 100, and over, where they take longer."""
BATCH, RATE, TESTED = 32, 0.005, 256


def network(kind: str, units: int) -> keras.Model:
    """One layer and the logits of the symbols."""
    layers = [keras.Input((None, FEATURES)), LAYERS[kind](units), keras.layers.Dense(SYMBOLS)]
    return keras.Sequential(layers)


def milliseconds(learner: Learner, distance: int, steps: int = 10) -> float:
    """How long a step of learning takes: the median of some, the net and Adam left as they were.

    The first call is not counted, for it may compile.
    """
    model, adam = learner.model, learner.optimizer
    kept = model.get_weights(), [v.numpy() for v in adam.variables]
    x, y = recall(np.random.default_rng(0), BATCH, distance)
    taken = []
    for _ in range(steps + 1):
        began = time.perf_counter()
        learner.learn([(x, y)])
        taken.append(1000 * (time.perf_counter() - began))
    model.set_weights(kept[0])
    for variable, value in zip(adam.variables, kept[1], strict=True):
        variable.assign(value)
    return float(np.median(taken[1:]))


def trained(learner: Learner, seed: int) -> dict[str, list[float]]:
    """The share recalled at each distance, right after it was learnt, and the milliseconds of a
    step at those that are compared."""
    draw = np.random.default_rng(seed)
    learner.begin(seed)
    found: dict[str, list[float]] = {"right": [], "milliseconds": []}
    for distance in DISTANCES:
        if distance in COMPARED:
            found["milliseconds"].append(milliseconds(learner, distance))
        steps = STEPS if distance <= 100 else LONG_STEPS
        learner.learn(recall(draw, BATCH, distance) for _ in range(steps))
        found["right"].append(learner.right(*recall(draw, TESTED, distance)))
    return found


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """By layer, what each seed learns; both have about as many weights."""
    rows = {}
    for kind in LAYERS:
        model = network(kind, units_for(partial(network, kind), WEIGHTS, 128))
        learner = Learner(model, RATE)
        found = [
            part(f"{kind}, seed {seed}", lambda seed=seed, learner=learner: trained(learner, seed))
            for seed in range(seeds)
        ]
        rows[kind] = {
            "units": model.layers[0].units,
            "weights": model.count_params(),
            "right": [one["right"] for one in found],
            "milliseconds": np.median([one["milliseconds"] for one in found], axis=0).tolist(),
        }
    return {"distances": DISTANCES, "compared": COMPARED, "rows": rows}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """At a distance they are as good as each other if their means differ by at most 0.05 and at
    least one is over 0.5. It holds if they are at both distances; in part, if at one."""
    rows, at = numbers["rows"], list(numbers["distances"])
    as_good, said = 0, []
    for k, distance in enumerate(numbers["compared"]):
        mean = {n: np.mean(row["right"], axis=0)[at.index(distance)] for n, row in rows.items()}
        as_good += bool(abs(mean["LSTM"] - mean["GRU"]) <= 0.05 and max(mean.values()) > 0.5)
        shares = [f"{n} {m:.0%} and {rows[n]['milliseconds'][k]:.0f} ms" for n, m in mean.items()]
        said.append(f"over {distance} steps {', '.join(shares)} a step of Adam")
    sizes = [f"{n} {row['units']} units, {row['weights']:,} weights" for n, row in rows.items()]
    said = f"recalled {'; '.join(said)}; {'; '.join(sizes)}"
    return said, ("does not hold", "holds in part", "holds")[as_good]


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """What is recalled on the left, the time of a step on the right."""
    shown, taken = figure.subplots(1, 2, width_ratios=(2, 1))
    at = numbers["distances"]
    for k, (kind, row) in enumerate(numbers["rows"].items()):
        shown.plot(at, np.mean(row["right"], axis=0), marker="o", color=f"C{k}", label=kind)
        shown.plot(at, np.array(row["right"]).T, color=f"C{k}", alpha=0.3, linewidth=1)
        places = np.arange(len(numbers["compared"])) + 0.4 * k - 0.2
        taken.bar(places, row["milliseconds"], width=0.38, color=f"C{k}")
    shown.axhline(1 / SYMBOLS, color="grey", linestyle=":", linewidth=1)
    shown.set(xscale="log", ylim=(0, 1.05), xlabel="distance", ylabel="recalled")
    shown.set_xticks(at, [str(distance) for distance in at])
    shown.minorticks_off()
    shown.legend(fontsize=8, loc="center left")
    taken.set(xlabel="distance", ylabel="milliseconds a step")
    taken.set_xticks(range(len(numbers["compared"])), [str(d) for d in numbers["compared"]])


GRU_OR_LSTM = Argument(
    says="GRU or LSTM: with as many weights one learns as well as the other, at short lags and at "
    "long ones",
    source="Chung et al. 2014; Jozefowicz, Zaremba & Sutskever 2015; Greff et al. 2017",
    minutes=3,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="The share of symbols that GRUs and LSTMs of equal size recall, right after each of the "
    "distances from 8 to 512 was learnt, one line a net and their mean; and the time of a step",
    seeds=3,
)
