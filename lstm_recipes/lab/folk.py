"""A GRU over melodies, beside counting."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.melodies import ALPHABET, Melody, melody
from lstm_recipes.lab.ngram import NGram
from lstm_recipes.layers import GRU

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAIN, VALID, TEST = 4_000, 200, 400
ORDERS = (2, 3, 4, 5, 6, 8, 10)
UNITS, EMBEDDING, BATCH, STEPS, LOOKS = 128, 24, 32, 1_500, 10


def tunes() -> tuple[list[Melody], list[Melody], list[Melody]]:
    """To train, to choose and to test with; the same for every model and seed."""
    draw = np.random.default_rng(1)
    found = [melody(draw) for _ in range(TRAIN + VALID + TEST)]
    return found[:TRAIN], found[TRAIN : TRAIN + VALID], found[TRAIN + VALID :]


def counted(train: list[Melody], valid: list[Melody]) -> NGram:
    """The n-gram model whose order is best on the tunes to choose with."""

    def loss(order: int) -> tuple[float, NGram]:
        model = NGram(order, ALPHABET)
        model.fit(tune.text for tune in train)
        found = [model.log_probabilities(tune.text) for tune in valid]
        return -np.concatenate(found).mean(), model

    return min(map(loss, ORDERS), key=lambda pair: pair[0])[1]


def arrays(found: list[Melody]) -> tuple[np.ndarray, np.ndarray]:
    """int32 ``[tunes, longest + 1]``, 0 before each tune's first letter and behind its last; and
    which of the targets, ``[tunes, longest]``, there are."""
    longest = max(len(tune.text) for tune in found)
    ids = np.zeros((len(found), longest + 1), "int32")
    for row, tune in zip(ids, found, strict=True):
        row[1 : len(tune.text) + 1] = [1 + ALPHABET.index(letter) for letter in tune.text]
    return ids, ids[:, 1:] > 0


class Network:
    """A GRU that reads a tune and says each next letter, trained by Adam with half a cosine."""

    def __init__(self, seed: int):
        keras.utils.set_random_seed(seed)
        self.draw = np.random.default_rng(seed)
        letters = len(ALPHABET) + 1
        self.model = keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                keras.layers.Embedding(letters, EMBEDDING),
                GRU(UNITS, return_sequences=True),
                keras.layers.Dense(letters),
            ]
        )
        schedule = keras.optimizers.schedules.CosineDecay(4e-3, STEPS)
        self.optimizer = keras.optimizers.Adam(schedule, global_clipnorm=1.0)
        self.step = tf.function(self._step, reduce_retracing=True, autograph=False)

    def nats(self, ids: Any) -> Any:
        """float ``[tunes, letters]``: of each letter minus its log-probability."""
        logits = self.model(ids[:, :-1])
        return tf.nn.sparse_softmax_cross_entropy_with_logits(ids[:, 1:], logits)

    def _step(self, ids: Any, there: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self.nats(ids) * there) / tf.reduce_sum(there)
        variables = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def train(self, train: list[Melody], valid: list[Melody]) -> None:
        """Keep the weights that are best on the tunes to choose with, of ``LOOKS`` looks."""
        ids, there = arrays(train)
        ids, there = tf.constant(ids), tf.constant(there.astype("float32"))
        best = np.inf, self.model.get_weights()
        for step in range(STEPS):
            chosen = self.draw.integers(0, len(train), BATCH)
            self.step(tf.gather(ids, chosen), tf.gather(there, chosen))
            if (step + 1) % max(1, STEPS // LOOKS) == 0:
                loss = np.concatenate(self.losses(valid)).mean()
                best = min(best, (loss, self.model.get_weights()), key=lambda pair: pair[0])
        self.model.set_weights(best[1])

    def losses(self, found: list[Melody]) -> list[np.ndarray]:
        """Of each tune float ``[letters]``, in nats."""
        ids, there = arrays(found)
        nats = np.concatenate([self.nats(part) for part in np.array_split(ids, 4)])
        return [row[mask] for row, mask in zip(nats, there, strict=True)]


def summary(found: list[Melody], losses: list[np.ndarray]) -> dict[str, Any]:
    """Nats a letter: of all, of phrases that are new, of phrases that come again, and by bar."""
    nats = np.concatenate(losses)
    repeated = np.concatenate([tune.repeated for tune in found])
    bar = np.concatenate([tune.bar for tune in found])
    return {
        "all": float(nats.mean()),
        "new": float(nats[~repeated].mean()),
        "repeated": float(nats[repeated].mean()),
        "bars": [float(nats[bar == k].mean()) for k in range(bar.max() + 1)],
    }


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """Held-out losses of the grammar itself, of counting and of the network, a seed each."""
    train, valid, test = tunes()

    def count() -> dict[str, Any]:
        model = counted(train, valid)
        losses = [-model.log_probabilities(tune.text) for tune in test]
        return summary(test, losses) | {"order": model.order}

    def learn(seed: int) -> dict[str, Any]:
        network = Network(seed)
        network.train(train, valid)
        return summary(test, network.losses(test))

    return {
        "grammar": part("grammar", lambda: summary(test, [tune.nats for tune in test])),
        "n-gram": part("n-gram", count),
        "GRU": [part(f"GRU, seed {seed}", lambda seed=seed: learn(seed)) for seed in range(seeds)],
    }


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """It holds if every network's held-out loss is below the n-gram model's, and every one's on
    phrases that come again at most 0.8 times its own on new ones; in part if only the first."""
    counting, grammar, networks = numbers["n-gram"], numbers["grammar"], numbers["GRU"]
    better = all(one["all"] < counting["all"] for one in networks)
    form = all(one["repeated"] <= 0.8 * one["new"] for one in networks)
    mean = {key: float(np.mean([one[key] for one in networks])) for key in ("new", "repeated")}
    values = [one["all"] for one in networks]
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    said = (
        f"nats a letter, held out: GRU {np.mean(values):.3f}{spread}, {counting['order']}-gram "
        f"{counting['all']:.3f}, the grammar itself {grammar['all']:.3f}; phrases new and again: "
        f"GRU {mean['new']:.3f} and {mean['repeated']:.3f}, {counting['order']}-gram "
        f"{counting['new']:.3f} and {counting['repeated']:.3f}, grammar {grammar['new']:.3f} and "
        f"{grammar['repeated']:.3f}"
    )
    if not better:
        return said, "does not hold"
    return said, "holds" if form else "holds in part"


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Loss by bar."""
    axes = figure.subplots()
    bars = np.arange(1, len(numbers["grammar"]["bars"]) + 1)
    network = np.mean([one["bars"] for one in numbers["GRU"]], axis=0)
    axes.plot(bars, network, marker="o", markersize=4, label="GRU")
    label = f"{numbers['n-gram']['order']}-gram"
    axes.plot(bars, numbers["n-gram"]["bars"], marker="s", markersize=4, label=label)
    axes.plot(bars, numbers["grammar"]["bars"], "k--", linewidth=1, label="the grammar itself")
    for end in (4, 8, 12):
        axes.axvline(end + 0.5, color="0.6", linewidth=0.8)
    axes.set(xlabel="bar (lines: a new phrase begins)", ylabel="nats a letter, held out")
    axes.set(xticks=bars, ylim=(0, None))
    axes.grid(False, axis="x")
    axes.legend(loc="lower left", fontsize=9)


FOLK = Argument(
    says="A recurrent network learns melodies better than counting does, and their form, phrases "
    "that come again (melodies here of a small grammar, whose own loss is known)",
    source="after Eck & Schmidhuber 2002; Sturm, Santos, Ben-Tal & Korshunova 2016",
    minutes=12,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Held-out loss by bar, for the GRU, the best n-gram model and the grammar itself, which "
    "falls where phrases come again",
    seeds=3,
)
