"""Steps in a row: an LSTM and self-attention of the same width, as sequences grow."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.timing import in_turns
from lstm_recipes.layers import ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEADS = 256, 4
LENGTHS = (64, 128, 256, 512, 1024, 2048)
BATCHES = (1, 64)
MOST_BYTES = 2**30
"""A larger attention matrix is not made."""
LSTM, ATTENTION = "LSTM", "self-attention"


def seconds_by_length(
    layers: Mapping[str, Callable[[Any], Any]],
    width: int,
    length: int,
    batch: int,
    turns: int = 5,
) -> dict[str, float]:
    """Median seconds of a forward pass of each layer over sequences of a length, in turns.

    Args:
        layers: By name, what takes float ``[batch, length, width]``: anyone's.
        width, length, batch: Of the input, which is Gaussian.
        turns: How many times each is timed.

    >>> halve = keras.layers.Rescaling(0.5)
    >>> list(seconds_by_length({"halve": halve}, width=4, length=8, batch=2, turns=2))
    ['halve']
    """
    draw = np.random.default_rng(0)
    x = tf.constant(draw.normal(size=(batch, length, width)).astype("float32"))
    compiled = {name: tf.function(layer, reduce_retracing=True) for name, layer in layers.items()}
    calls = {name: lambda call=call: call(x).numpy() for name, call in compiled.items()}
    return {name: quartiles[1] for name, quartiles in in_turns(calls, turns).items()}


def layers() -> dict[str, Callable[[Any], Any]]:
    """One layer of each kind, as wide as its input."""
    lstm = ForgetGateLSTM(WIDTH, return_sequences=True)
    attention = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
    return {LSTM: lambda x: lstm(x), ATTENTION: lambda x: attention(x, x)}


def score_bytes(batch: int, length: int) -> int:
    """Of all scores of one self-attention layer, float32."""
    return 4 * batch * HEADS * length * length


def state_bytes(batch: int) -> int:
    """Of h and c, float32."""
    return 4 * batch * 2 * WIDTH


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """Seconds by batch, layer and length; None where the scores would be too many."""
    found: dict[str, dict[str, list]] = {}
    made = layers()
    for batch in BATCHES:
        rows: dict[str, list] = {name: [] for name in made}
        for length in LENGTHS:
            fits = score_bytes(batch, length) <= MOST_BYTES
            chosen = {name: layer for name, layer in made.items() if fits or name == LSTM}
            seconds = part(
                f"batch {batch}, length {length}",
                lambda chosen=chosen, length=length, batch=batch: seconds_by_length(
                    chosen, WIDTH, length, batch
                ),
            )
            for name in rows:
                rows[name].append(seconds.get(name))
        found[str(batch)] = rows
    bytes_of = {
        str(batch): {LSTM: state_bytes(batch), ATTENTION: [score_bytes(batch, n) for n in LENGTHS]}
        for batch in BATCHES
    }
    return {"width": WIDTH, "lengths": LENGTHS, "seconds": found, "bytes": bytes_of}


def crossing(
    lengths: Sequence[int], one: Sequence[float], other: Sequence[float | None]
) -> float | None:
    """The length from which on ``one`` is the faster, between two measured ones on logarithmic
    axes; None if that is not seen.

    >>> crossing([100, 400], [2.0, 8.0], [1.0, 16.0])
    200.0
    """
    pairs = [(n, b / a) for n, a, b in zip(lengths, one, other, strict=True) if b is not None]
    for (n, before), (m, after) in pairwise(pairs):
        if before < 1 <= after:
            share = -np.log(before) / np.log(after / before)
            return float(round(n * (m / n) ** share))
    return None


def memory_crossing(length: int, state: float, scores: float) -> float:
    """The length at which the scores, which grow as its square, are as many bytes as the state.

    Args:
        length: Of some sequence.
        state: The state's bytes, which do not grow.
        scores: The scores' bytes at that length.

    >>> memory_crossing(100, 4.0, 400.0)
    10.0
    """
    return length * (state / scores) ** 0.5


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """The paper's sentence (section 4): self-attention is faster where the sequence is shorter than
    the layer is wide. It holds if that is so at every such length, alone and in a batch; in part if
    in one of these two."""
    said, faster = [], []
    for batch, rows in numbers["seconds"].items():
        triples = [*zip(numbers["lengths"], rows[LSTM], rows[ATTENTION], strict=True)]
        short = [(n, a, b) for n, a, b in triples if n < numbers["width"] and b is not None]
        faster.append(all(b < a for _, a, b in short))
        times = ", ".join(f"{a / b:.2g} at {n}" for n, a, b in triples if b is not None)
        where = crossing(numbers["lengths"], rows[LSTM], rows[ATTENTION])
        where = f"the lines cross at {where:,.0f}" if where else "the lines do not cross"
        said.append(f"batch {batch}: self-attention is faster by the factor {times}, {where}")
    batch, size = next(iter(numbers["bytes"].items()))
    length, scores = numbers["lengths"][-1], size[ATTENTION][-1]
    said.append(
        f"memory, computed and not measured: {length:,} steps need {scores / 2**20:,.0f} MiB of "
        f"scores and {size[LSTM] / 2**10:,.0f} KiB of state in batch {batch}; they are as large at "
        f"{memory_crossing(length, size[LSTM], scores):.0f} steps in any batch"
    )
    verdict = "holds" if all(faster) else "holds in part" if any(faster) else "does not hold"
    return f"width {numbers['width']}; {'; '.join(said)}", verdict


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Milliseconds against length, a part a batch; and bytes, which are computed."""
    *parts, memory = figure.subplots(1, len(numbers["seconds"]) + 1)
    for axes, (batch, rows) in zip(parts, numbers["seconds"].items(), strict=True):
        for (name, seconds), mark in zip(rows.items(), "os", strict=True):
            shown = [
                (n, 1000 * s)
                for n, s in zip(numbers["lengths"], seconds, strict=True)
                if s is not None
            ]
            axes.plot(*zip(*shown, strict=True), marker=mark, markersize=4, label=name)
        axes.axvline(numbers["width"], color="0.6", linewidth=0.8, linestyle="--")
        axes.set_xscale("log", base=2)
        axes.set(yscale="log", xlabel="length (dashed: width)", title=f"batch {batch}")
    parts[0].set(ylabel="milliseconds a forward pass")
    parts[0].legend(fontsize=9)
    size = next(iter(numbers["bytes"].values()))
    length, state, scores = numbers["lengths"][-1], size[LSTM], size[ATTENTION][-1]
    many = 2.0 ** np.arange(2, np.log2(length) + 1)
    memory.plot(many, np.full(len(many), state) / 2**10)
    memory.plot(many, scores * (many / length) ** 2 / 2**10)
    equal = memory_crossing(length, state, scores)
    memory.plot(equal, state / 2**10, "o", color="black", markersize=4)
    memory.annotate(f"{equal:.0f} steps", (1.3 * equal, state / 2**10 / 2.5), fontsize=9)
    memory.set_xscale("log", base=2)
    memory.set(yscale="log", xlabel="length", ylabel="KiB of scores or state", title="computed")


SEQUENTIAL = Argument(
    says="A recurrent layer takes O(n) operations in a row and self-attention O(1), so "
    "self-attention is faster where the sequence is shorter than the layer is wide",
    source="Vaswani et al. 2017, section 4 and table 1",
    minutes=6,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Milliseconds of a forward pass against the length, for an LSTM and one self-attention "
    "layer of the same width, alone and in a batch of 64; and, computed, the bytes of the scores, "
    "which rise as the square, and of the state, which are level: they cross at 11 steps",
)
