"""A cell's state drifts while nothing is learnt, and its output stops changing with it."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.forward_rule import initial_weights
from lstm_recipes.lab.long_lag import distractors
from lstm_recipes.lab.state_traces import trace
from lstm_recipes.lab.stream import mean_cell
from lstm_recipes.lab.wiring import Wiring

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SYMBOLS, LENGTH, SEQUENCES = 1000, 1000, 4  # experiment 2c's longest
BIAS = -6.0
FED_BACK, ALONE, BIASED = "fed back", "not fed back", f"fed back, input gates from −{-BIAS:g}"
SHOWN = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def let_through(layer: keras.layers.RNN, inputs: Any) -> np.ndarray:
    """What share of an error at an LSTM's output reaches its cells, of what would at c = 0: the
    slope h'(c) of the output function, over h'(0).

    Args:
        layer: An LSTM of this package or of Keras.
        inputs: float ``[batch, time, features]``.

    Returns:
        float ``[batch, time, units]``.

    Raises:
        ValueError: The layer has no cell state, or its output function is flat at 0.

    >>> from lstm_recipes.layers import CECLSTM
    >>> layer = CECLSTM(1, kernel_initializer="zeros", recurrent_initializer="zeros",
    ...     bias_initializer=keras.initializers.Constant(50.0))  # 2 goes in at each step
    >>> let_through(layer, np.zeros((1, 3, 1), "float32"))[0, :, 0].round(4)
    array([0.42  , 0.0707, 0.0099], dtype=float32)
    """
    seen = trace(layer, inputs)
    if "c" not in seen:
        raise ValueError(f"{layer.name} has no cell state; give an LSTM")
    h = getattr(layer.cell, "output_activation", None) or layer.cell.activation
    c = tf.constant(np.append(seen["c"].ravel(), 0.0), "float32")
    with tf.GradientTape() as tape:
        tape.watch(c)
        shown = h(c)
    slope = tape.gradient(shown, c).numpy()
    if slope[-1] == 0.0:
        raise ValueError(f"{layer.name}'s output function is flat at 0; give one that is not")
    return (slope[:-1] / slope[-1]).reshape(*inputs.shape[:2], -1)


def network(kind: str, seed: int) -> keras.layers.RNN:
    """The cells of experiment 2c before they have learnt anything."""
    biased = kind == BIASED
    wiring = Wiring(SYMBOLS + 4, 2, blocks=2, hidden_bias=biased and "gates", output_bias=False)
    biases = {"i": [BIAS] * 2, "o": [0.0] * 2} if biased else {}
    hidden, output = initial_weights(wiring, [seed], bound=0.2, biases=biases)
    if kind == ALONE:
        hidden[wiring.inputs : -1] = 0.0
    return wiring.model(hidden[..., 0], output[..., 0]).layers[1]


def watched(kind: str, seed: int) -> dict[str, Any]:
    """|c| and what is let through, step by step: means of the cells and sequences."""
    draw = np.random.default_rng((seed, 3))
    x, _, start = distractors(draw, SEQUENCES, lag=LENGTH, symbols=SYMBOLS)
    x = np.stack([row[first : first + LENGTH] for row, first in zip(x, start, strict=True)])
    x = np.eye(SYMBOLS + 4, dtype="float32")[x]
    layer = network(kind, seed)
    steps = np.array(SHOWN) - 1
    size = mean_cell(layer, x)[steps]
    left = let_through(layer, x).mean((0, 2))[steps]
    return {"size": size.tolist(), "left": left.tolist()}


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """Medians over the networks."""
    rows = {}
    for kind in (FED_BACK, ALONE, BIASED):
        many = [
            part(f"{kind}, seed {seed}", lambda seed=seed, kind=kind: watched(kind, seed))
            for seed in range(seeds)
        ]
        rows[kind] = {key: np.median([one[key] for one in many], 0).tolist() for key in many[0]}
    return {"steps": SHOWN, "rows": rows}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """It holds if after the longest lag less than a hundredth of an error gets through where gates
    and cells are fed back, ten times as much where they are not, and more than half of it where the
    input gates begin shut; in part, if only the first two are so."""
    rows = numbers["rows"]
    ends = {kind: (row["size"][-1], row["left"][-1]) for kind, row in rows.items()}
    said = "; ".join(f"{kind} {size:.2g} and {left:.2%}" for kind, (size, left) in ends.items())
    said = (
        f"size of the state after {numbers['steps'][-1]:,} distractors, before any learning, and "
        f"what of an error still gets through to it: {said}"
    )
    if ends[FED_BACK][1] >= 0.01 or ends[ALONE][1] < 0.1:
        return said, "does not hold"
    return said, "holds" if ends[BIASED][1] > 0.5 else "holds in part"


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """The state's size on the left, what gets through on the right."""
    sizes, shares = figure.subplots(1, 2)
    for (kind, row), mark in zip(numbers["rows"].items(), "os^", strict=True):
        sizes.plot(numbers["steps"], row["size"], marker=mark, markersize=4, label=kind)
        shares.plot(numbers["steps"], row["left"], marker=mark, markersize=4)
    for axes in (sizes, shares):
        axes.set(xscale="log", xlabel="steps")
    sizes.set(yscale="log", ylim=(1e-4, 1e4), ylabel="size of the state, |c|")
    sizes.legend(fontsize=8, loc="upper left")
    shares.set(ylabel="of an error let through, h'(c) / h'(0)", ylim=(0, 1.05))


DRIFT = Argument(
    says="Where gates and cells are fed back the state of an untrained cell drifts, over a long "
    "sequence, to where its output is flat and no error gets in; input gates that begin shut keep "
    "it small",
    source="1997, section 4, on networks of its experiment 2c",
    minutes=1,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="Size of the cell state and the share of an error that gets through to it, by steps, in "
    "untrained networks: where gates and cells are fed back the state grows in step with time and "
    "next to nothing gets through after 500 steps; without feedback, and with input gates that "
    "begin shut, it stays small",
    seeds=10,
)
