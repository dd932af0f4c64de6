"""Draw docs/pictures/error_carousel.svg: how much of an error is left k steps further back.

    python docs/pictures/error_carousel.py

An error of norm 1 is put in at the last step's state, c for the LSTMs and h for the Elman
network, and carried back k steps by the gradient. Untrained layers of 32 units with Keras'
initial weights, inputs of unit variance; the median of 32 sequences, seed 0.
"""

from pathlib import Path

import keras
import matplotlib
import numpy as np

from lstm_recipes.lab.gradient_flow import gradient_flow
from lstm_recipes.layers import CECLSTM, ForgetGateLSTM

matplotlib.use("svg")
import matplotlib.pyplot as plt

UNITS, SEQUENCES, FEATURES = 32, 32, 8
STEPS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000)


def main() -> None:
    """Measure and draw."""
    keras.utils.set_random_seed(0)
    inputs = np.random.default_rng(0).normal(size=(SEQUENCES, max(STEPS), FEATURES))
    inputs = inputs.astype("float32")
    layers = {
        "CECLSTM, truncated gradient (1997)": CECLSTM(
            UNITS, truncated_gradient=True, return_state=True
        ),
        "ForgetGateLSTM, forget bias 1": ForgetGateLSTM(UNITS, return_state=True),
        "Elman network (keras SimpleRNN)": keras.layers.SimpleRNN(UNITS, return_state=True),
    }
    plt.rcParams.update({"svg.hashsalt": "lstm-recipes", "font.size": 11, "svg.fonttype": "path"})
    figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    for (name, layer), color, marker in zip(
        layers.items(), ("#0072b2", "#d55e00", "#009e73"), "os^", strict=True
    ):
        left = np.median(gradient_flow(layer, inputs, STEPS), axis=1)
        print(
            f"{name:36}",
            *(f"{steps}: {value:.3g}" for steps, value in zip(STEPS, left, strict=True)),
        )
        shown = [(s, v) for s, v in zip(STEPS, left, strict=True) if v > 1e-12]
        axes.plot(*zip(*shown, strict=True), color=color, marker=marker, markersize=4, label=name)
    axes.set(xscale="log", yscale="log", ylim=(1e-12, 30))
    axes.set(xlabel="steps back in time, k", ylabel="share of the error left")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).with_suffix(".svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
