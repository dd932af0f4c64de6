"""A stream of strings that never ends: what a cell state does that cannot forget."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.learner import Learner
from lstm_recipes.lab.reber import SYMBOLS, embedded_reber, successors
from lstm_recipes.lab.state_traces import trace
from lstm_recipes.layers import CECLSTM, ForgetGateLSTM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS, STREAMS, LENGTH = 16, 4, 10_000
BATCH, WINDOW, STEPS, RATE = 16, 32, 1000, 0.005
LAYERS = {"CECLSTM": CECLSTM, "ForgetGateLSTM": ForgetGateLSTM}


def stream(draw: np.random.Generator, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Strings of the embedded Reber grammar, one right behind the other, with no mark between them.

    Returns:
        The symbols, int ``[length + 1]``; what may stand after each but the last, bool
        ``[length, 7]``.

    >>> ids, legal = stream(np.random.default_rng(0), 20)
    >>> "".join(SYMBOLS[k] for k in ids)
    'BPBPVPXTTTTVVEPEBPBPV'
    >>> "".join(s for s, may in zip(SYMBOLS, legal[15], strict=True) if may)
    'B'
    """
    ids: list[int] = []
    legal: list[list[bool]] = []
    while len(ids) <= length:
        text = embedded_reber(draw)
        ids += [SYMBOLS.index(symbol) for symbol in text]
        legal += [[s in may for s in SYMBOLS] for may in [*successors(text), "B"]]
    return np.array(ids[: length + 1]), np.array(legal[:length])


def mean_cell(layer: keras.layers.RNN, inputs: Any) -> np.ndarray:
    """How large an LSTM's cell state is at each step: the mean of |c| over units and sequences.

    Args:
        layer: An LSTM of this package or of Keras.
        inputs: float ``[batch, time, features]``.

    Returns:
        float ``[time]``.

    >>> layer = CECLSTM(2, kernel_initializer="zeros", recurrent_initializer="zeros",
    ...     bias_initializer=keras.initializers.Constant(50.0))  # 2 goes in at each step
    >>> mean_cell(layer, np.zeros((1, 4, 3), "float32")).round(4).tolist()
    [2.0, 4.0, 6.0, 8.0]
    """
    return abs(trace(layer, inputs)["c"]).mean((0, 2))


def growth(cell: Any) -> float:
    """The mean of the last tenth of the steps over that of the first.

    >>> growth(np.arange(100) + 0.5)
    19.0
    """
    tenth = len(cell) // 10
    return float(np.mean(cell[-tenth:]) / np.mean(cell[:tenth]))


def network(kind: str) -> keras.Model:
    """A layer that carries its state from one window to the next, and the next symbol's logits."""
    layer = LAYERS[kind](UNITS, return_sequences=True, stateful=True)
    symbols = len(SYMBOLS)
    inputs = keras.Input((WINDOW, symbols), batch_size=BATCH)
    return keras.Sequential([inputs, layer, keras.layers.Dense(symbols)])


def windows(draw: np.random.Generator, count: int) -> Any:
    """Windows of parallel streams, each where the one before ended, and their next symbols."""
    ids = np.stack([stream(draw, count * WINDOW)[0] for _ in range(BATCH)])
    for start in range(0, count * WINDOW, WINDOW):
        here = ids[:, start : start + WINDOW + 1]
        yield np.eye(len(SYMBOLS), dtype="float32")[here[:, :-1]], here[:, 1:]


def watched(model: keras.Model, seed: int) -> dict[str, Any]:
    """|c| along a stream and the share of legal predictions in its first and last tenth."""
    layer, dense = model.layers
    found = [stream(np.random.default_rng((seed, k)), LENGTH) for k in range(STREAMS)]
    ids, legal = (np.stack(rows) for rows in zip(*found, strict=True))
    seen = trace(layer, np.eye(len(SYMBOLS), dtype="float32")[ids[:, :-1]])
    said = np.asarray(dense(seen["h"])).argmax(-1)
    right = np.take_along_axis(legal, said[..., None], axis=-1)[..., 0].mean(0)
    cell, tenth = abs(seen["c"]).mean((0, 2)), LENGTH // 10
    return {
        "cell": [float(cell[k - 1]) for k in shown()],
        "growth": growth(cell),
        "legal": [float(right[:tenth].mean()), float(right[-tenth:].mean())],
    }


def shown() -> list[int]:
    """The steps that are drawn, closer together where the stream begins."""
    return sorted({round(k) for k in np.geomspace(1, LENGTH, 60)})


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """Medians over the seeds, of layers as first drawn and of layers trained on such a stream."""
    found: dict[str, list] = {}
    for kind in LAYERS:
        learner = Learner(network(kind), RATE)
        for seed in range(seeds):

            def both(seed: int = seed, learner: Learner = learner) -> dict[str, Any]:
                learner.begin(seed)
                learner.model.layers[0].reset_state()
                untrained = watched(learner.model, seed)
                learner.learn(windows(np.random.default_rng((seed, 99)), STEPS))
                return {"untrained": untrained, "trained": watched(learner.model, seed)}

            for when, rows in part(f"{kind}, seed {seed}", both).items():
                found.setdefault(f"{kind}, {when}", []).append(rows)
    rows = {
        name: {key: np.median([one[key] for one in many], axis=0).tolist() for key in many[0]}
        for name, many in found.items()
    }
    return {"steps": shown(), "rows": rows}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """|c| grows if it is at least 3 times as large in the last tenth of the stream as in the first
    (in a straight line it is 19 times), and stays if it is at most 1.5 times. It holds if the CEC's
    grows and the forget gate's stays, before training and after; in part, if at one of them."""
    rows = numbers["rows"]
    good = [
        rows[f"CECLSTM, {when}"]["growth"] >= 3 and rows[f"ForgetGateLSTM, {when}"]["growth"] <= 1.5
        for when in ("untrained", "trained")
    ]
    grows = "; ".join(f"{name} {row['growth']:.2g}" for name, row in rows.items())
    legal = "; ".join(
        f"{name.split(',')[0]} {row['legal'][0]:.1%} and {row['legal'][1]:.1%}"
        for name, row in rows.items()
        if name.endswith(", trained")
    )
    said = (
        f"mean |c| in the last tenth of {numbers['steps'][-1]:,} symbols over that in the first: "
    )
    said += f"{grows}. Legal predictions in the first and the last tenth, trained: {legal}"
    return said, ("does not hold", "holds in part", "holds")[sum(good)]


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Untrained layers on the left, trained ones on the right."""
    for axes, when in zip(
        figure.subplots(1, 2, sharey=True), ("untrained", "trained"), strict=True
    ):
        for kind in LAYERS:
            axes.plot(numbers["steps"], numbers["rows"][f"{kind}, {when}"]["cell"], label=kind)
        axes.set(xscale="log", yscale="log", xlabel="symbols of the stream", title=when)
        if when == "untrained":
            axes.set(ylabel="mean |c|")
            axes.legend(fontsize=8, loc="upper left")


STREAM = Argument(
    says="Without a forget gate the cell state grows without bound on a stream that is never "
    "reset; with one it does not",
    source="Gers, Schmidhuber & Cummins 2000, section 2",
    minutes=3,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Mean size of the cell state along a stream of embedded Reber strings, before and after "
    "training on such a stream: the CEC's rises to the end, the forget gate's stays level",
    seeds=3,
)
