"""How many layers, at equal numbers of weights, and with residual connections or without."""

from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.characters import Characters, bits_by_seed, shakespeare
from lstm_recipes.lab.equal_size import units_for
from lstm_recipes.lab.learner import Learner
from lstm_recipes.lab.ngram import NGram
from lstm_recipes.layers import ForgetGateLSTM, Residual

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHARACTERS, WEIGHTS = 65, 40_000
DEPTHS = (1, 2, 4, 6)
STEPS, BATCH, TIME, RATE = 2000, 32, 50, 0.005  # six plain layers pass the bigram at some 1,000
MATTERS = 0.02
"""From how many bits per character on a difference counts."""


def stack(depth: int, residual: bool, units: int, characters: int = CHARACTERS) -> keras.Model:
    """Layers of LSTM over each other, all as wide as the characters' vectors; with ``residual``
    each layer's input is added to its output.

    >>> model = stack(3, True, 5)
    >>> [layer.name.split("_")[0] for layer in model.layers]
    ['embedding', 'residual', 'residual', 'residual', 'dense']
    """
    model = keras.Sequential([keras.Input((None,), dtype="int32")])
    model.add(keras.layers.Embedding(characters, units))
    for _ in range(depth):
        layer = ForgetGateLSTM(units, return_sequences=True)
        model.add(Residual(layer) if residual else layer)
    model.add(keras.layers.Dense(characters))
    return model


def bigram_bits(text: Characters, time: int) -> float:
    """Bits per character of counting what follows each character, on the windows that the stacks
    are measured on: who is not past that has not begun to use a state."""
    bigram = NGram(2, range(len(text.vocabulary)))
    bigram.fit([text.train.tolist()])
    x, y = text.validation(128, time)
    windows = np.concatenate([x, y[:, -1:]], axis=1).tolist()
    nats = [-bigram.log_probabilities(window)[1:].mean() for window in windows]
    return float(np.mean(nats) / np.log(2.0))


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """Bits per character by depth and seed, and those of a bigram model."""
    text = shakespeare()
    bigram = part("bigram", lambda: bigram_bits(text(), TIME))
    rows: dict[str, dict[str, list]] = {}
    for name, residual in (("plain", False), ("residual", True)):
        rows[name] = {"bits": [], "weights": [], "units": []}
        for depth in DEPTHS:
            units = units_for(partial(stack, depth, residual), WEIGHTS, 128)
            model = stack(depth, residual, units)
            learner = Learner(model, RATE)
            budget = {"steps": STEPS, "batch": BATCH, "time": TIME}
            named = f"{name}, {depth} layers, {STEPS} steps"
            found = bits_by_seed(part, named, learner, text, seeds, **budget)
            rows[name]["bits"].append(found)
            rows[name]["units"].append(units)
            rows[name]["weights"].append(model.count_params())
    return {"depths": DEPTHS, "steps": STEPS, "bigram": bigram, "rows": rows}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """Two halves, each a difference of means of more than 0.02 bits per character: two plain layers
    are better than one; and the deepest stack is better with residuals than without. One half
    alone: in part. A half of which a net is not past the bigram is not judged, and so does not
    count: such a net has hardly begun to learn."""
    depths = list(numbers["depths"])
    plain, residual = (np.mean(numbers["rows"][n]["bits"], axis=1) for n in ("plain", "residual"))
    two = depths.index(2)
    bits = {name: row["bits"] for name, row in numbers["rows"].items()}
    halves = {
        "two layers": (bits["plain"][0], bits["plain"][two]),
        "residuals": (bits["plain"][-1], bits["residual"][-1]),
    }
    judged = {n: max(*worse, *better) < numbers["bigram"] for n, (worse, better) in halves.items()}
    gains = {name: np.mean(worse) - np.mean(better) for name, (worse, better) in halves.items()}
    kept = sum(judged[name] and gain > MATTERS for name, gain in gains.items())
    rows = [f"{d}: {p:.3f} and {r:.3f}" for d, p, r in zip(depths, plain, residual, strict=True)]
    weights = [w for row in numbers["rows"].values() for w in row["weights"]]
    said = "bits per character on windows of the validation part, by the number of layers, plain "
    said += f"and with residuals, after {numbers['steps']:,} steps of Adam: {', '.join(rows)}; "
    said += f"{min(weights):,} to {max(weights):,} weights each. A bigram model has "
    said += f"{numbers['bigram']:.3f}"
    left_out = [name for name, is_judged in judged.items() if not is_judged]
    if left_out:
        said += f". Not judged, for a net is not past the bigram: {' and '.join(left_out)}"
    return said, ("does not hold", "holds in part", "holds")[kept]


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Bits per character by depth."""
    axes = figure.subplots()
    depths = numbers["depths"]
    for k, (name, row) in enumerate(numbers["rows"].items()):
        axes.plot(depths, np.mean(row["bits"], axis=1), marker="o", color=f"C{k}", label=name)
        axes.plot(depths, row["bits"], ".", color=f"C{k}", alpha=0.5)
    axes.axhline(numbers["bigram"], color="grey", linestyle=":", linewidth=1, label="bigram")
    axes.set(xlabel="layers", ylabel="bits per character")
    axes.set_xticks(depths, [str(depth) for depth in depths])
    axes.legend(fontsize=8, loc="upper left")


STACKING = Argument(
    says="At equal numbers of weights two layers are better than one, and deep stacks need "
    f"residual connections (here after {STEPS:,} steps of Adam)",
    source="Graves 2013; Wu et al. 2016, section 3.1; Karpathy, Johnson & Li 2015",
    minutes=14,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Bits per character on tiny Shakespeare against 1 to 6 layers of LSTM with equally many "
    "weights in all, with residual connections and without, beside a bigram model",
    seeds=2,
)
