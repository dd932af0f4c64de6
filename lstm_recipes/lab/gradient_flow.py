"""How much of an error is left when it has gone back through time."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def gradient_flow(
    layer: keras.layers.RNN, inputs: Any, lags: Sequence[int], state: int = -1, seed: int = 0
) -> np.ndarray:
    """The share of an error at the last step that is left some steps further back.

    A random error e of norm 1 is put in at a state s_T, and what arrives at the same state k steps
    earlier is measured:

        |(∂s_T / ∂s_{T-k})ᵀ e|

    In an Elman network that is a product of k Jacobians and shrinks or grows with their spectral
    radius to the power of k (Hochreiter 1991; Bengio, Simard & Frasconi 1994); through the cell of
    `CECLSTM` with the truncated gradient it is the error itself (Hochreiter & Schmidhuber 1997).

    Args:
        layer: A recurrent layer made with ``return_state=True``; anyone's.
        inputs: float ``[sequences, time, features]``; of each lag k the last k steps are read,
            beginning from zero states.
        lags: The numbers k, each at most ``time``.
        state: Which of the layer's states; the last is c in an LSTM and h elsewhere.
        seed: Of the errors.

    Returns:
        float ``[lags, sequences]``.

    Raises:
        ValueError: The layer does not return its states, or a lag is longer than the inputs.

    >>> from lstm_recipes.layers import CECLSTM
    >>> layer = CECLSTM(4, truncated_gradient=True, return_state=True)
    >>> gradient_flow(layer, np.ones((1, 1000, 3), "float32"), [1, 1000]).round(4).tolist()
    [[1.0], [1.0]]
    """
    if not layer.return_state:
        raise ValueError(f"{layer.name} does not return its states; make it with return_state=True")
    inputs = tf.convert_to_tensor(inputs)
    if max(lags) > inputs.shape[1]:
        raise ValueError(
            f"a lag of {max(lags)} was given and the inputs have {inputs.shape[1]} steps; give "
            "longer inputs or shorter lags"
        )
    found = []
    for lag in lags:
        before = keras.tree.flatten(layer.get_initial_state(inputs.shape[0]))
        shape = before[state].shape
        error = tf.math.l2_normalize(tf.random.stateless_normal(shape, (seed, 1)), axis=1)
        with tf.GradientTape() as tape:
            tape.watch(before)
            after = layer(inputs[:, -lag:], initial_state=before)[1:]
        gradient = tape.gradient(
            after[state],
            before[state],
            output_gradients=error,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,  # truncated: h is no way back
        )
        found.append(np.linalg.norm(np.asarray(gradient, "float64"), axis=1))
    return np.array(found)
