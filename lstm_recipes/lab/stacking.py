"""How many layers, at equal numbers of weights, and with residual connections or without."""

from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.characters import bits_by_seed, shakespeare
from lstm_recipes.lab.equal_size import units_for
from lstm_recipes.lab.learner import Learner
from lstm_recipes.layers import ForgetGateLSTM, Residual

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHARACTERS, WEIGHTS = 65, 40_000
DEPTHS = (1, 2, 4, 6)
STEPS, BATCH, TIME, RATE = 300, 32, 50, 0.005
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


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """Bits per character by depth and seed."""
    text = shakespeare()
    rows: dict[str, dict[str, list]] = {}
    for name, residual in (("plain", False), ("residual", True)):
        rows[name] = {"bits": [], "weights": [], "units": []}
        for depth in DEPTHS:
            units = units_for(partial(stack, depth, residual), WEIGHTS, 128)
            model = stack(depth, residual, units)
            learner = Learner(model, RATE)
            budget = {"steps": STEPS, "batch": BATCH, "time": TIME}
            found = bits_by_seed(part, f"{name}, {depth} layers", learner, text, seeds, **budget)
            rows[name]["bits"].append(found)
            rows[name]["units"].append(units)
            rows[name]["weights"].append(model.count_params())
    return {"depths": DEPTHS, "steps": STEPS, "rows": rows}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """Two halves, each a difference of means of more than 0.02 bits per character: two plain layers
    are better than one; and the deepest stack is better with residuals than without. One half
    alone: in part."""
    depths = list(numbers["depths"])
    plain, residual = (np.mean(numbers["rows"][n]["bits"], axis=1) for n in ("plain", "residual"))
    deeper = plain[0] - plain[depths.index(2)] > MATTERS
    helps = plain[-1] - residual[-1] > MATTERS
    rows = [f"{d}: {p:.3f} and {r:.3f}" for d, p, r in zip(depths, plain, residual, strict=True)]
    weights = [w for row in numbers["rows"].values() for w in row["weights"]]
    said = "bits per character on windows of the validation part, by the number of layers, plain "
    said += f"and with residuals, after {numbers['steps']} steps of Adam: {', '.join(rows)}; "
    said += f"{min(weights):,} to {max(weights):,} weights each"
    return said, ("does not hold", "holds in part", "holds")[int(deeper) + int(helps)]


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Bits per character by depth."""
    axes = figure.subplots()
    depths = numbers["depths"]
    for k, (name, row) in enumerate(numbers["rows"].items()):
        axes.plot(depths, np.mean(row["bits"], axis=1), marker="o", color=f"C{k}", label=name)
        axes.plot(depths, row["bits"], ".", color=f"C{k}", alpha=0.5)
    axes.set(xlabel="layers", ylabel="bits per character")
    axes.set_xticks(depths, [str(depth) for depth in depths])
    axes.legend(fontsize=8, loc="upper left")


STACKING = Argument(
    says="At equal numbers of weights two layers are better than one, and deep stacks need "
    "residual connections",
    source="Graves 2013; Wu et al. 2016, section 3.1; Karpathy, Johnson & Li 2015",
    minutes=8,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Bits per character on tiny Shakespeare against 1 to 6 layers of LSTM with equally many "
    "weights in all, with residual connections and without, after a few hundred steps",
    seeds=2,
)
