"""What peepholes gain on text, at equal units."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.characters import bits_by_seed, shakespeare
from lstm_recipes.lab.learner import Learner
from lstm_recipes.layers import ForgetGateLSTM, PeepholeLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = {"ForgetGateLSTM": ForgetGateLSTM, "PeepholeLSTM": PeepholeLSTM}
CHARACTERS, UNITS = 65, 64
STEPS, BATCH, TIME, RATE = 600, 32, 50, 0.005
MODEST = 0.05


def network(kind: str, characters: int = CHARACTERS) -> keras.Model:
    """Vectors of the characters, one layer, and the logits of the next."""
    layer = LAYERS[kind](UNITS, return_sequences=True)
    vectors = keras.layers.Embedding(characters, UNITS)
    inputs = keras.Input((None,), dtype="int32")
    return keras.Sequential([inputs, vectors, layer, keras.layers.Dense(characters)])


def gains(without: Any, having: Any) -> dict[str, float]:
    """What pairs of losses say of a change: the mean gain, its standard error, and the share of
    pairs that gain.

    >>> gains([2.0, 2.0, 2.0], [1.5, 1.75, 2.0])
    {'mean': 0.25, 'error': 0.144, 'better': 0.667}
    """
    found = np.asarray(without, "float64") - np.asarray(having, "float64")
    error = found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else 0.0
    rows = {"mean": found.mean(), "error": error, "better": (found > 0).mean()}
    return {name: round(float(value), 3) for name, value in rows.items()}


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """Bits per character of each seed; a seed's nets read the same windows."""
    text = shakespeare()
    rows = {}
    for kind in LAYERS:
        model = network(kind)
        learner = Learner(model, RATE)
        budget = {"steps": STEPS, "batch": BATCH, "time": TIME}
        found = bits_by_seed(part, kind, learner, text, seeds, **budget)
        rows[kind] = {"bits": found, "weights": model.count_params()}
    return {"steps": STEPS, "rows": rows}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """By the mean gain in bits per character: it holds from 0 to 0.05; in part from −0.05 to 0,
    where nothing much is gained or lost; beyond either it does not."""
    without, having = (numbers["rows"][kind] for kind in LAYERS)
    found = gains(without["bits"], having["bits"])
    said = "bits per character on windows of the validation part after "
    said += f"{numbers['steps']} steps of Adam: {np.mean(without['bits']):.3f} without peepholes "
    said += f"({without['weights']:,} weights), {np.mean(having['bits']):.3f} with "
    said += f"({having['weights']:,}); a gain of {found['mean']:.3f} ± {found['error']:.3f}, "
    said += f"in {found['better']:.0%} of the seeds"
    if 0.0 <= found["mean"] <= MODEST:
        return said, "holds"
    return said, "holds in part" if -MODEST <= found["mean"] < 0.0 else "does not hold"


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Each seed's pair, joined by a line."""
    axes = figure.subplots()
    pairs = np.array([row["bits"] for row in numbers["rows"].values()])
    axes.plot([0, 1], pairs, color="grey", alpha=0.6, linewidth=1)
    for k, row in enumerate(pairs):
        axes.plot([k] * len(row), row, "o", color=f"C{k}")
        axes.plot([k - 0.08, k + 0.08], [row.mean()] * 2, color=f"C{k}", linewidth=3)
    axes.set(xlim=(-0.5, 1.5), ylabel="bits per character, validation windows")
    axes.set_xticks([0, 1], list(numbers["rows"]))


PEEPHOLES_GAIN = Argument(
    says="Peepholes bring modest gains, if any, where nothing has to be timed",
    source="Gers, Schraudolph & Schmidhuber 2002; Greff et al. 2017",
    minutes=4,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Bits per character on tiny Shakespeare without peepholes and with them, a line for each "
    "seed's pair of nets and a bar for the means",
    seeds=3,
)
