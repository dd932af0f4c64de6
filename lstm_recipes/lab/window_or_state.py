"""A window or a state: agreement with a subject that stands further and further back."""

from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from lstm_recipes.errors import UserError
from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.equal_size import units_for
from lstm_recipes.lab.learner import Learner
from lstm_recipes.layers import ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOUNS, OTHERS, PREPOSITION, VERB, WORDS = 8, 6, 14, 15, 16
WINDOWS = (4, 8)
DISTANCES = (1, 2, 3, 4, 6, 7, 8, 10, 15, 20, 30, 40)
BOUND, WEIGHTS, STEPS, BATCH, RATE, TESTED = 20, 5000, 4000, 32, 0.005, 512
"""That many steps because a window is shown a subject at its far edge in one batch of twenty."""


def agreement(draw: np.random.Generator, count: int, distance: int) -> tuple:
    """Sentences that begin with a noun and end where its verb is due: singular or plural?

    Between them stand other words, and now and then a preposition and a noun of its own number,
    which the verb does not agree with (Linzen, Dupoux & Goldberg 2016 call them attractors).

    Args:
        draw: What is drawn comes from here.
        count: How many sentences.
        distance: From the subject to the verb, at least 1.

    Returns:
        x one-hot float32 ``[count, distance + 1, 16]``: 4 singular nouns, 4 plural ones, 6 others,
        the preposition, the verb's place; the subject's number, int32 ``[count]``, 1 for plural.

    >>> x, plural = agreement(np.random.default_rng(0), 1, 8)
    >>> x.argmax(-1)[0].tolist(), plural.tolist()
    ([6, 11, 14, 4, 11, 11, 14, 6, 15], [1])
    """
    if distance < 1:
        raise UserError(f"the distance is {distance}; give one of at least 1")
    ids = np.empty((count, distance + 1), int)
    ids[:, 0], ids[:, -1] = draw.integers(0, NOUNS, count), VERB
    for t in range(1, distance):
        begins = (draw.random(count) < 0.15) & (t < distance - 1)
        other = np.where(begins, PREPOSITION, NOUNS + draw.integers(0, OTHERS, count))
        noun = draw.integers(0, NOUNS, count)
        ids[:, t] = np.where(ids[:, t - 1] == PREPOSITION, noun, other)
    return np.eye(WORDS, dtype="float32")[ids], (ids[:, 0] >= NOUNS // 2).astype("int32")


class LastWords(keras.layers.Layer):
    """The last steps side by side, with zeros in place of those before the first.

    >>> LastWords(3)(np.array([[[1.0], [2.0]]])).numpy().tolist()
    [[0.0, 1.0, 2.0]]
    """

    def __init__(self, width: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.width = width

    def call(self, x: Any) -> Any:
        padded = ops.pad(x, ((0, 0), (self.width, 0), (0, 0)))
        return ops.reshape(padded[:, -self.width :], (-1, self.width * x.shape[-1]))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"width": self.width}


def network(width: int | None, units: int) -> keras.Model:
    """A dense layer over a window, or an LSTM where none is given; and two logits."""
    window = [] if width is None else [LastWords(width)]
    layer = ForgetGateLSTM(units) if width is None else keras.layers.Dense(units, "tanh")
    return keras.Sequential([keras.Input((None, WORDS)), *window, layer, keras.layers.Dense(2)])


def by_distance(learner: Learner, seed: int) -> list[float]:
    """The share that is right at each distance, after learning at all distances up to the bound."""
    draw = np.random.default_rng(seed)
    learner.begin(seed)
    learner.learn(agreement(draw, BATCH, draw.integers(1, BOUND + 1)) for _ in range(STEPS))
    return [learner.right(*agreement(draw, TESTED, distance)) for distance in DISTANCES]


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """Windows and the LSTM, with about as many weights."""
    rows = {}
    for width in (*WINDOWS, None):
        name = "LSTM" if width is None else f"window of {width}"
        model = network(width, units_for(partial(network, width), WEIGHTS, 256))
        learner = Learner(model, RATE)
        found = [
            part(f"{name}, {STEPS} steps, seed {s}", partial(by_distance, learner, s))
            for s in range(seeds)
        ]
        rows[name] = {"weights": model.count_params(), "right": found}
    about = {"distances": DISTANCES, "windows": WINDOWS, "bound": BOUND, "steps": STEPS}
    return about | {"rows": rows}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """Two halves. Windows: right on at most 0.6 at each distance where the subject is not in the
    window; and, so that it is not for want of learning, on at least 0.9 where it is, on average
    over the distances (a subject at the far edge is learnt last, and how well says nothing of what
    lies beyond it). State: the LSTM is right on at least 0.9 at each distance that it was trained
    at. One half alone: in part."""
    at = np.array(numbers["distances"])
    mean = {name: np.mean(row["right"], axis=0) for name, row in numbers["rows"].items()}
    inside = {width: at < width for width in numbers["windows"]}
    windows = all(
        mean[f"window of {width}"][seen].mean() >= 0.9
        and mean[f"window of {width}"][~seen].max() <= 0.6
        for width, seen in inside.items()
    )
    state = bool(mean["LSTM"][at <= numbers["bound"]].min() >= 0.9)
    rows = [
        f"windows of {width} {mean[f'window of {width}'][seen].mean():.0%} with the subject in "
        f"sight (at the worst distance {mean[f'window of {width}'][seen].min():.0%}) and at most "
        f"{mean[f'window of {width}'][~seen].max():.0%} without"
        for width, seen in inside.items()
    ]
    lstm = ", ".join(f"{d} {mean['LSTM'][k]:.0%}" for k, d in enumerate(at) if d >= 8)
    said = f"after {numbers['steps']:,} steps of Adam {'; '.join(rows)}; LSTM, trained up to "
    said += f"{numbers['bound']}, by distance: {lstm}"
    return said, ("does not hold", "holds in part", "holds")[windows + state]


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """The share that is right against distance."""
    axes = figure.subplots()
    at = numbers["distances"]
    for name, row in numbers["rows"].items():
        axes.plot(at, np.mean(row["right"], axis=0), marker="o", markersize=4, label=name)
    axes.axvline(numbers["bound"], color="grey", linestyle="--", linewidth=1)
    axes.text(numbers["bound"] * 1.02, 0.3, "trained up to here", fontsize=8)
    axes.axhline(0.5, color="grey", linestyle=":", linewidth=1)
    axes.set(xscale="log", ylim=(0.25, 1.05), xlabel="words from subject to verb", ylabel="right")
    axes.set_xticks(at, [str(distance) for distance in at])
    axes.minorticks_off()
    axes.legend(fontsize=8, loc="lower left")


WINDOW_OR_STATE = Argument(
    says="A window of words knows nothing of what lies before it; a state keeps agreement over any "
    "distance that it was trained at",
    source="Elman 1990; Bengio et al. 2003; Linzen, Dupoux & Goldberg 2016",
    minutes=6,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="The share of verbs that agree against the distance from the subject: windows of 4 and 8 "
    "words are right as long as they hold the subject and guess further on; beside them an LSTM of "
    "as many weights",
    seeds=3,
)
