"""GRU or LSTM: weights, time and what is learnt, at equal size."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.equal_size import units_for
from lstm_recipes.lab.learner import Learner
from lstm_recipes.lab.recall import FEATURES, SYMBOLS, recall
from lstm_recipes.lab.timing import in_turns
from lstm_recipes.layers import GRU, ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = {"LSTM": ForgetGateLSTM, "GRU": GRU}
WEIGHTS = 5000
DISTANCES = (8, 16, 32, 64, 128, 256, 512)  # learnt one after the other
COMPARED = (64, 512)
STEPS, BATCH, RATE, TESTED = 80, 32, 0.005, 256  # at each distance


def network(kind: str, units: int) -> keras.Model:
    """One layer and the logits of the symbols."""
    layers = [keras.Input((None, FEATURES)), LAYERS[kind](units), keras.layers.Dense(SYMBOLS)]
    return keras.Sequential(layers)


def milliseconds(learners: Mapping[str, Learner], distance: int, turns: int = 7) -> dict:
    """How long a step of learning takes by layer: medians of turns, in which each has one.

    The nets learn in it; begin anew afterwards.
    """
    batch = recall(np.random.default_rng(0), BATCH, distance)
    calls = {kind: partial(learner.learn, [batch]) for kind, learner in learners.items()}
    return {kind: 1000 * found[1] for kind, found in in_turns(calls, turns).items()}


def trained(learner: Learner, seed: int) -> list[float]:
    """The share recalled at each distance, right after it was learnt."""
    draw = np.random.default_rng(seed)
    learner.begin(seed)
    right = []
    for distance in DISTANCES:
        learner.learn(recall(draw, BATCH, distance) for _ in range(STEPS))
        right.append(learner.right(*recall(draw, TESTED, distance)))
    return right


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """By layer, the time of a step, and what each seed learns; both have about as many weights."""
    learners = {
        kind: Learner(network(kind, units_for(partial(network, kind), WEIGHTS, 128)), RATE)
        for kind in LAYERS
    }
    taken = [part(f"step, {d} back", lambda d=d: milliseconds(learners, d)) for d in COMPARED]
    rows = {}
    for kind, learner in learners.items():
        right = [
            part(f"{kind}, {STEPS} steps, seed {seed}", partial(trained, learner, seed))
            for seed in range(seeds)
        ]
        rows[kind] = {
            "units": learner.model.layers[0].units,
            "weights": learner.model.count_params(),
            "right": right,
            "milliseconds": [by[kind] for by in taken],
        }
    return {"distances": DISTANCES, "compared": COMPARED, "steps": STEPS, "rows": rows}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """At a distance they are as good as each other if their means differ by at most 0.05 and at
    least one is over 0.5. It holds if they are at both distances; in part, if at one."""
    rows, at = numbers["rows"], list(numbers["distances"])
    as_good, said = 0, []
    for k, distance in enumerate(numbers["compared"]):
        mean = {n: np.mean(row["right"], axis=0)[at.index(distance)] for n, row in rows.items()}
        as_good += bool(abs(mean["LSTM"] - mean["GRU"]) <= 0.05 and max(mean.values()) > 0.5)
        worst = {n: np.min(row["right"], axis=0)[at.index(distance)] for n, row in rows.items()}
        shares = [
            f"{n} {m:.0%} (worst net {worst[n]:.0%}) and {rows[n]['milliseconds'][k]:.0f} ms"
            for n, m in mean.items()
        ]
        said.append(f"over {distance} steps {', '.join(shares)} a step of Adam")
    sizes = [f"{n} {row['units']} units, {row['weights']:,} weights" for n, row in rows.items()]
    said = f"recalled, after {numbers['steps']} steps of Adam at each distance, {'; '.join(said)}; "
    said += "; ".join(sizes)
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
    minutes=6,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="The share of symbols that GRUs and LSTMs of equal size recall, right after each of the "
    "distances from 8 to 512 was learnt, one line a net and their mean; and the time of a step",
    seeds=5,
)
