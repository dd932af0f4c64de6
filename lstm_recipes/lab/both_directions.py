"""Both directions: what a tagger gains by reading from the right too, and why it cannot write."""

from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.equal_size import units_for
from lstm_recipes.lab.learner import Learner
from lstm_recipes.layers import ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS, KEYS, CHANCE = 6, 2, 0.2
LENGTH, WEIGHTS, STEPS, BATCH, RATE, TESTED = 20, 4000, 400, 32, 0.01, 512
WATCHED = 9
"""The step whose output's gradient is drawn."""


def keys(draw: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Words, some of them one of two keys, and at each step which key is the next and the last one.

    Returns:
        x one-hot float32 ``[count, 20, 6]``, the first two words being the keys; of each step the
        next key at or after it, and the last one at or before it, int32 ``[count, 20]``; 2 where
        there is none.

    >>> x, following, before = keys(np.random.default_rng(1), 1)
    >>> x.argmax(-1)[0].tolist()
    [2, 5, 0, 3, 3, 3, 2, 5, 4, 1, 2, 4, 3, 4, 5, 3, 1, 2, 3, 5]
    """
    is_key = draw.random((count, LENGTH)) < CHANCE
    words = draw.integers(KEYS, WORDS, (count, LENGTH))
    ids = np.where(is_key, draw.integers(0, KEYS, (count, LENGTH)), words)
    found = []
    for row in (ids[:, ::-1], ids):
        label, now = np.empty_like(ids), np.full(count, KEYS)
        for t in range(LENGTH):
            now = label[:, t] = np.where(row[:, t] < KEYS, row[:, t], now)
        found.append(label)
    following, before = found[0][:, ::-1], found[1]
    return np.eye(WORDS, dtype="float32")[ids], following.astype("int32"), before.astype("int32")


def ceiling() -> float:
    """The share of next keys that nothing can beat which sees no word to the right: a key is known
    where it stands; elsewhere one can only guess one of the two, or, near the end, that none comes.

    >>> round(ceiling(), 3)
    0.603
    """
    none = (1.0 - CHANCE) ** np.arange(LENGTH - 1, -1, -1)  # no key in all that is still to come
    return float((CHANCE + (1.0 - CHANCE) * np.maximum(none, (1.0 - none) / KEYS)).mean())


def input_gradient(model: keras.Model, inputs: Any, step: int, seed: int = 0) -> np.ndarray:
    """How much an output depends on the input of each step: |(∂y_t / ∂x_s)ᵀ e| for all s.

    Args:
        model: Gives ``[batch, time, …]`` of ``[batch, time, features]``; anyone's.
        inputs: Float.
        step: t, of the output.
        seed: Of the random direction e, of norm 1.

    Returns:
        float ``[time]``, the mean over the batch. A model can generate only if all is 0 after t:
        what is still to be written is not there yet to be read.

    >>> layer = ForgetGateLSTM(3, return_sequences=True)
    >>> found = input_gradient(layer, np.ones((2, 5, 4), "float32"), 2)
    >>> (found > 0).tolist()
    [True, True, True, False, False]
    """
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = model(inputs)[:, step]
    shape = tf.shape(output)
    error = tf.math.l2_normalize(tf.random.stateless_normal(shape, (seed, 2)), axis=-1)
    gradient = tape.gradient(output, inputs, output_gradients=error)
    return np.linalg.norm(np.asarray(gradient, "float64"), axis=-1).mean(0)


def network(both: bool, units: int) -> keras.Model:
    """A tagger that reads from the left, or from both sides."""
    layer = ForgetGateLSTM(units, return_sequences=True)
    layer = keras.layers.Bidirectional(layer) if both else layer
    return keras.Sequential([keras.Input((None, WORDS)), layer, keras.layers.Dense(KEYS + 1)])


def trained(learner: Learner, seed: int) -> dict[str, Any]:
    """The share that is right of the next and of the last key, each learnt by itself, and what the
    first one's output depends on."""
    draw = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for which, key in ((1, "next"), (2, "last")):
        learner.begin(seed)
        batches = (keys(draw, BATCH) for _ in range(STEPS))
        learner.learn((batch[0], batch[which]) for batch in batches)
        test = keys(draw, TESTED)
        found[key] = learner.right(test[0], test[which])
        if key == "next":
            found["depends"] = input_gradient(learner.model, test[0][:64], WATCHED, seed).tolist()
    return found


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """One way and both, with about as many weights."""
    rows = {}
    for both, name in ((False, "one direction"), (True, "both directions")):
        model = network(both, units_for(partial(network, both), WEIGHTS, 128))
        learner = Learner(model, RATE)
        found = [
            part(f"{name}, seed {seed}", lambda seed=seed, learner=learner: trained(learner, seed))
            for seed in range(seeds)
        ]
        rows[name] = {"weights": model.count_params()} | {
            key: [one[key] for one in found] for key in ("next", "last", "depends")
        }
    return {"ceiling": ceiling(), "watched": WATCHED, "rows": rows}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """Two halves. Tagging: on average both directions are right on at least 0.95 of the next keys,
    and one direction on at most 0.02 more than can be without the right context. Generating: the
    output depends on later inputs with both directions, and with one on none. One half: in part."""
    one, both = (numbers["rows"][f"{name}"] for name in ("one direction", "both directions"))
    tags = np.mean(both["next"]) >= 0.95 and np.mean(one["next"]) <= numbers["ceiling"] + 0.02
    after = numbers["watched"] + 1
    later = {name: np.array(row["depends"])[:, after:] for name, row in numbers["rows"].items()}
    shut = later["one direction"].max() == 0.0 and later["both directions"].sum(1).min() > 0.0
    shares = {
        name: np.mean([np.array(v)[after:].sum() / np.sum(v) for v in row["depends"]])
        for name, row in numbers["rows"].items()
    }
    said = f"the next key: one direction {np.mean(one['next']):.1%} (without the right context at "
    said += f"most {numbers['ceiling']:.1%}), both {np.mean(both['next']):.1%}; the last key: "
    said += f"{np.mean(one['last']):.1%} and {np.mean(both['last']):.1%}, with {one['weights']:,} "
    said += f"and {both['weights']:,} weights. Of what an output's gradient says it depends on, "
    said += f"later inputs are {shares['one direction']:.0%} and {shares['both directions']:.0%}"
    return said, ("does not hold", "holds in part", "holds")[int(tags) + int(shut)]


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """What is right on the left, what an output depends on on the right."""
    right, depends = figure.subplots(1, 2)
    for k, (name, row) in enumerate(numbers["rows"].items()):
        means = [np.mean(row[key]) for key in ("next", "last")]
        right.bar(np.arange(2) + 0.4 * k - 0.2, means, width=0.38, color=f"C{k}")
        lines = np.mean(row["depends"], axis=0)
        depends.plot(range(len(lines)), lines, marker="o", markersize=4, label=name)
    right.axhline(
        numbers["ceiling"], xmax=0.5, color="black", linestyle=":", label="most from the left"
    )
    right.set(ylim=(0, 1.2), ylabel="right")
    right.set_xticks([0, 1], ["the next key", "the last key"])
    right.legend(fontsize=8, loc="upper left")
    depends.axvline(numbers["watched"], color="grey", linestyle="--", linewidth=1)
    depends.set(xlabel="step of the input", ylabel=f"gradient of output {numbers['watched']}")
    depends.legend(fontsize=8, loc="upper left")
    depends.set_ylim(0, 1.35 * depends.get_ylim()[1])


BOTH_DIRECTIONS = Argument(
    says="A bidirectional LSTM tags better where the right context decides, and cannot generate: "
    "its output depends on what comes later",
    source="Schuster & Paliwal 1997; Graves & Schmidhuber 2005",
    minutes=2,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="The share of right tags with one direction and with both, where the next key is asked "
    "for and where the last one is; and how much one step's output depends on each input: with one "
    "direction on none behind it, with both on those too",
    seeds=3,
)
