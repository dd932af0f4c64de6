"""An LSTM over time beside a residual network over depth: where they are one, and where not."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.lab.argument import Argument, Parts
from lstm_recipes.lab.state_traces import trace
from lstm_recipes.layers import CECLSTM, ForgetGateLSTM, Residual

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS, FEATURES, SEQUENCES, BLOCKS = 16, 8, 8, 50
DEPTHS, DEEP_STEPS, CLASSES = (2, 4, 8, 16), 10, 8
OPEN = 100.0  # σ(100) is 1 in float32


def residual_stack(
    layer: keras.layers.RNN, inputs: Any, first_alone: bool = False, draw: Any = None
) -> np.ndarray:
    """The residual network over depth that a layer of LSTM with open gates is over time.

    Block t adds to its input c what one dense layer makes of it, and of the input x_t:

        c ← c + tanh(c U_c + x_t W_c + b_c)

    Args:
        layer: An LSTM of this package that is built; W_c, U_c and b_c are its own, of all blocks.
        inputs: float ``[batch, blocks, features]``.
        first_alone: Only the first block sees an input, as in a residual network.
        draw: Where to draw from, then each block has U_c's entries in an order of its own.

    Returns:
        c after each block, float32 ``[batch, blocks, units]``.

    >>> layer = open_gates(ForgetGateLSTM, 4)
    >>> x = np.random.default_rng(0).normal(size=(2, 9, 3)).astype("float32")
    >>> bool(np.allclose(layer(x)[0], residual_stack(layer, x), atol=1e-5))
    True
    """
    cell, place = layer.cell, layer.cell.columns.index("c")
    w, u, b = (
        cell.split(v)[place].numpy() for v in (cell.kernel, cell.recurrent_kernel, cell.bias)
    )
    c, found = np.zeros((len(inputs), layer.units), "float32"), []
    for t in range(inputs.shape[1]):
        own = u if draw is None else draw.permuted(u.ravel()).reshape(u.shape)
        x = inputs[:, t] @ w if t == 0 or not first_alone else 0.0
        c = c + np.tanh(c @ own + x + b)
        found.append(c)
    return np.stack(found, axis=1)


def open_gates(layer_class: Any, units: int, **options: Any) -> keras.layers.RNN:
    """An LSTM whose gates are all 1, and whose h is c."""
    gates = ("input", "output") + (("forget",) if layer_class is not CECLSTM else ())
    wide = {f"{gate}_bias_initializer": keras.initializers.Constant(OPEN) for gate in gates}
    options = {"activation": "tanh", "output_activation": "linear"} | wide | options
    return layer_class(units, return_sequences=True, return_state=True, **options)


def gradient_norms(model: keras.Model, x: Any, y: Any) -> list[float]:
    """The norm of the cross-entropy's gradient at the weights of each layer, the lowest first.

    Args:
        model: Gives logits; anyone's. Layers without weights are left out.
        x: What it is called on.
        y: The classes, int.

    >>> net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    >>> len(gradient_norms(net, np.ones((4, 2), "float32"), np.zeros(4, "int32")))
    2
    """
    layers = [layer for layer in model.layers if layer.trainable_variables]
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
    gradients = tape.gradient(loss, [layer.trainable_variables for layer in layers])
    return [float(tf.linalg.global_norm(found)) for found in gradients]


def deep(depth: int, residual: bool) -> keras.Model:
    """Layers of LSTM over each other, all of one width, and the logits of the last step."""
    model = keras.Sequential([keras.Input((DEEP_STEPS, UNITS))])
    for _ in range(depth):
        layer = ForgetGateLSTM(UNITS, return_sequences=True)
        model.add(Residual(layer) if residual else layer)
    model.add(keras.layers.Lambda(lambda h: h[:, -1]))
    model.add(keras.layers.Dense(CLASSES))
    return model


def apart(c: Any, other: Any) -> float:
    """The largest difference, as a share of the largest c."""
    return float(abs(np.asarray(c) - other).max() / abs(np.asarray(c)).max())


def turned(seed: int) -> dict[str, float]:
    """How far LSTMs over time and stacks over depth are apart, with one thing changed each time."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(SEQUENCES, BLOCKS, FEATURES)).astype("float32")
    keras.utils.set_random_seed(seed)
    cec, forget = (open_gates(kind, UNITS) for kind in (CECLSTM, ForgetGateLSTM))
    gated = ForgetGateLSTM(UNITS, output_activation="linear")
    c, _ = forget(x)[0].numpy(), gated(x)
    kept, column = gated.get_weights(), slice(2 * UNITS, 3 * UNITS)
    for mine, its in zip(kept, forget.get_weights(), strict=True):
        mine[..., column] = its[..., column]
    gated.set_weights(kept)
    return {
        "CEC, gates open": apart(cec(x)[0], residual_stack(cec, x)),
        "forget gate, all open": apart(c, residual_stack(forget, x)),
        "input to block 1 alone": apart(c, residual_stack(forget, x, first_alone=True)),
        "each block its own weights": apart(c, residual_stack(forget, x, draw=draw)),
        "gates as first drawn": apart(c, trace(gated, x)["c"]),
    }


def measure(part: Parts, seeds: int) -> dict[str, Any]:
    """The largest differences of all seeds, and the lowest layer's gradient by depth."""
    differences: dict[str, float] = {}
    lowest: dict[str, list] = {"plain": [], "residual": []}
    for seed in range(seeds):
        for name, value in part(f"turned, seed {seed}", lambda seed=seed: turned(seed)).items():
            differences[name] = max(differences.get(name, 0.0), value)
        for name, rows in lowest.items():

            def by_depth(seed: int = seed, residual: bool = name == "residual") -> list[float]:
                draw = np.random.default_rng(seed)
                x = draw.normal(size=(SEQUENCES, DEEP_STEPS, UNITS)).astype("float32")
                y = draw.integers(0, CLASSES, SEQUENCES).astype("int32")
                keras.utils.set_random_seed(seed)
                return [gradient_norms(deep(depth, residual), x, y)[0] for depth in DEPTHS]

            rows.append(part(f"{name}, seed {seed}", by_depth))
    medians = {name: np.median(rows, axis=0).tolist() for name, rows in lowest.items()}
    return {"blocks": BLOCKS, "differences": differences, "depths": DEPTHS, "lowest": medians}


def judge(numbers: dict[str, Any]) -> tuple[str, str]:
    """It holds if time and depth are one to rounding (1e-4 of the largest c) with the gates open
    and with gates as they are first drawn; in part, if with the gates open alone."""
    rows = numbers["differences"]
    same = rows["CEC, gates open"] < 1e-4 and rows["forget gate, all open"] < 1e-4
    gates_too = rows["gates as first drawn"] < 1e-4
    said = (
        f"largest difference after up to {numbers['blocks']} blocks, as a share of the largest c: "
    )
    said += ", ".join(f"{name} {value:.1g}" for name, value in rows.items())
    plain, residual = (numbers["lowest"][name] for name in ("plain", "residual"))
    few, many = numbers["depths"][0], numbers["depths"][-1]
    said += f"; the lowest layer's gradient from {few} to {many} layers: {plain[0]:.1g} to "
    said += f"{plain[-1]:.1g} plain, {residual[0]:.1g} to {residual[-1]:.1g} with residuals"
    return said, ("holds" if gates_too else "holds in part") if same else "does not hold"


def draw(numbers: dict[str, Any], figure: "Figure") -> None:
    """Differences on the left, gradients by depth on the right."""
    same, deeper = figure.subplots(1, 2, width_ratios=(1.2, 1))
    rows = numbers["differences"]
    places = range(len(rows))
    same.barh(places, [max(v, 1e-8) for v in rows.values()], color=["C0", "C0", "C1", "C1", "C1"])
    same.set(xscale="log", xlim=(1e-8, 10), xlabel="difference, as a share of |c|")
    same.set_yticks(places, list(rows), fontsize=8)
    same.invert_yaxis()
    for name, row in numbers["lowest"].items():
        deeper.plot(numbers["depths"], row, marker="o", label=name)
    deeper.set(xscale="log", yscale="log", xlabel="layers", ylabel="gradient at the lowest")
    deeper.set_xticks(numbers["depths"], [str(depth) for depth in numbers["depths"]])
    deeper.minorticks_off()
    deeper.legend(fontsize=8)


ROTATED_RESNET = Argument(
    says="An LSTM is a ResNet turned by 90 degrees: what the cell is over time, the residual "
    "connection is over depth",
    source="said on the web; Hochreiter & Schmidhuber 1997; He et al. 2016; Wu et al. 2016",
    minutes=2,
    measure=measure,
    judge=judge,
    draw=draw,
    shows="How far an LSTM over time and a residual stack over depth are apart: rounding with "
    "open gates, as much as the state itself with inputs, weights or gates changed; and the "
    "gradient at the lowest of 2 to 16 layers, with residuals and without",
    seeds=3,
)
