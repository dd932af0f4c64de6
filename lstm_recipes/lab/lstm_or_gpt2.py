"""How fast an LSTM of 2.5 million weights and GPT-2 read and write, on the same processor."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.timing import in_turns
from lstm_recipes.layers import ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHARACTERS, EMBEDDING, UNITS = 65, 64, 750
GPT2 = {
    "vocabulary_size": 50_257,
    "num_layers": 12,
    "num_heads": 12,
    "hidden_dim": 768,
    "intermediate_dim": 3_072,
    "max_sequence_length": 1_024,
}
BATCHES, LENGTH, CLAIMED = (1, 32), 64, 15.0
PIECE = 1_115_394 / (301_966 + 36_059)
"""Characters a token of GPT-2: tiny Shakespeare's, by the tokens that nanoGPT's
data/shakespeare/readme.md counts. Of English in general OpenAI says about 4, by which GPT-2 were
faster still."""


class LSTMReader:
    """A language model of characters: what it reads, and one step of what it writes."""

    def __init__(self) -> None:
        self.vocabulary = CHARACTERS
        self.embedding = keras.layers.Embedding(CHARACTERS, EMBEDDING)
        self.lstm = ForgetGateLSTM(UNITS, return_state=True)
        self.head = keras.layers.Dense(CHARACTERS)
        self.read(tf.zeros((1, 1), "int32"))
        parts = (self.embedding, self.lstm, self.head)
        self.weights = sum(part.count_params() for part in parts)

    def read(self, ids: Any) -> Any:
        """The logits behind the last of int32 ``[batch, time]``."""
        return self.head(self.lstm(self.embedding(ids))[0])

    def cache(self, batch: int) -> Any:
        return self.lstm.get_initial_state(batch)

    def write(self, ids: Any, cache: Any) -> tuple[Any, Any]:
        """The logits behind int32 ``[batch]``, and the states."""
        output, states = self.lstm.cell(self.embedding(ids), cache)
        return self.head(output), states


class GPT2Reader:
    """GPT-2, its weights drawn at random, which takes as long; likewise."""

    def __init__(self) -> None:
        from keras_hub.models import GPT2Backbone, GPT2CausalLM

        self.vocabulary = GPT2["vocabulary_size"]
        self.backbone = GPT2Backbone(**GPT2)
        self.model = GPT2CausalLM(self.backbone)
        self.weights = self.backbone.count_params()

    def read(self, ids: Any) -> Any:
        given = {"token_ids": ids, "padding_mask": tf.ones_like(ids)}
        return self.backbone.token_embedding(self.backbone(given)[:, -1], reverse=True)

    def cache(self, batch: int) -> Any:
        """Keys and values of twice ``LENGTH`` steps, half of them written."""
        heads = GPT2["num_heads"]
        shape = (batch, GPT2["num_layers"], 2, 2 * LENGTH, heads, GPT2["hidden_dim"] // heads)
        return tf.zeros(shape)

    def write(self, ids: Any, cache: Any) -> tuple[Any, Any]:
        logits, _, cache = self.model.call_with_cache(ids[:, None], cache, LENGTH)
        return logits[:, 0], cache


def tokens_per_second(
    models: dict[str, Any], batch: int, length: int, turns: int = 5
) -> dict[str, dict[str, float]]:
    """Of each model, reading so many tokens at once and writing one after those; medians of turns.

    Args:
        models: By name; each has a ``vocabulary``, ``read(ids)``, ``cache(batch)`` and
            ``write(ids, cache)``, as `LSTMReader` has.
        batch: Sequences side by side; their tokens all count.
        length: How many tokens of each are read.
        turns: How many times each is timed.
    """
    draw = np.random.default_rng(0)
    found: dict[str, dict[str, float]] = {}
    for what in ("reading", "writing"):
        calls: dict[str, Callable[[], Any]] = {}
        for name, model in models.items():
            shape = (batch, length) if what == "reading" else (batch,)
            ids = tf.constant(draw.integers(0, model.vocabulary, shape), "int32")
            if what == "reading":
                calls[name] = partial(_done, tf.function(model.read), ids)
            else:
                calls[name] = partial(_done, tf.function(model.write), ids, model.cache(batch))
        tokens = batch * (length if what == "reading" else 1)
        seconds = in_turns(calls, turns)
        found[what] = {name: tokens / quartiles[1] for name, quartiles in seconds.items()}
    return found


def _done(call: Callable[..., Any], *given: Any) -> None:
    """A call, until what it gives is there."""
    keras.tree.flatten(call(*given))[0].numpy()


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """Tokens a second by batch, by reading and writing, and by model."""
    models: dict[str, Any] = {}

    def speeds(batch: int) -> dict[str, Any]:
        models.update(models or {"LSTM": LSTMReader(), "GPT-2": GPT2Reader()})
        weights = {name: model.weights for name, model in models.items()}
        return {"weights": weights, "speed": tokens_per_second(models, batch, LENGTH)}

    found = {
        str(batch): part(f"batch {batch}", lambda batch=batch: speeds(batch)) for batch in BATCHES
    }
    return {
        "weights": next(iter(found.values()))["weights"],
        "speed": {batch: one["speed"] for batch, one in found.items()},
    }


def _ratios(numbers: dict[str, Any]) -> dict[str, float]:
    """The LSTM's tokens a second over GPT-2's."""
    return {
        f"{what}, batch {batch}": speed["LSTM"] / speed["GPT-2"]
        for batch, by in numbers["speed"].items()
        for what, speed in by.items()
    }


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """The claim says text, so characters count. It holds if the LSTM takes at least 15 times
    GPT-2's characters a second in reading and in writing, alone and in a batch; in part if in at
    least one of the four. Tokens a second are said beside it."""
    tokens = _ratios(numbers)
    characters = {what: ratio / PIECE for what, ratio in tokens.items()}
    weights = ", ".join(f"{name} {n / 1e6:.1f} M" for name, n in numbers["weights"].items())
    said = "; ".join(f"{what} {r:.1f}x ({tokens[what]:.0f}x)" for what, r in characters.items())
    enough = [ratio >= CLAIMED for ratio in characters.values()]
    verdict = "holds" if all(enough) else "holds in part" if any(enough) else "does not hold"
    return (
        f"weights {weights}; characters a second (and tokens) of the LSTM in those of GPT-2: "
        f"{said}. The LSTM's token is a character and GPT-2's {PIECE:.1f} on tiny Shakespeare",
        verdict,
    )


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Characters a second, on a logarithmic axis."""
    axes = figure.subplots()
    ratios = [ratio / PIECE for ratio in _ratios(numbers).values()]
    rows = [
        (f"{what}, batch {batch}", speed | {"GPT-2": PIECE * speed["GPT-2"]})
        for batch, by in numbers["speed"].items()
        for what, speed in by.items()
    ]
    for name, mark in (("LSTM", "o"), ("GPT-2", "s")):
        label = f"{name}, {numbers['weights'][name] / 1e6:.1f} M weights"
        axes.plot([speed[name] for _, speed in rows], range(len(rows)), mark, label=label)
    for place, ((_, speed), ratio) in enumerate(zip(rows, ratios, strict=True)):
        low, high = sorted(speed.values())
        axes.plot([low, high], [place, place], color="0.7", zorder=0)
        axes.annotate(f"{ratio:.1f}×", ((low * high) ** 0.5, place + 0.12), ha="center")
    axes.set(xscale="log", xlabel="characters a second", ylim=(-0.5, len(rows) - 0.3))
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=2)


LSTM_OR_GPT2 = Argument(
    says="An LSTM of 2.5 million weights processes text 15 times as fast as GPT-2 (117 million) on "
    "a CPU",
    source="said on the web",
    minutes=8,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Characters a second of the LSTM and of GPT-2, reading and writing, alone and in a batch "
    "of 32, with the ratio of each pair",
)
