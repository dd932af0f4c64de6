"""How much of an error is left when it has gone back through time."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.errors import UserError


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
        lags: The numbers k, each at least 1 and at most ``time``.
        state: Which of the layer's states; the last is c in an LSTM and h elsewhere.
        seed: Of the errors.

    Returns:
        float ``[lags, sequences]``.

    Raises:
        UserError: It is no recurrent layer or does not return its states, there is no such state,
            or a lag cannot be.

    >>> from lstm_recipes.layers import CECLSTM
    >>> layer = CECLSTM(4, truncated_gradient=True, return_state=True)
    >>> gradient_flow(layer, np.ones((1, 1000, 3), "float32"), [1, 1000]).round(4).tolist()
    [[1.0], [1.0]]
    """
    # What wraps a recurrent layer has states of two directions, or none of its own.
    if not isinstance(layer, keras.layers.RNN):
        raise UserError(
            f"a {type(layer).__name__} was given; give one recurrent layer, made with "
            "return_state=True"
        )
    if not layer.return_state:
        raise UserError(f"{layer.name} does not return its states; make it with return_state=True")
    inputs = tf.convert_to_tensor(inputs)
    lags = list(lags)
    if not lags or min(lags) < 1:
        raise UserError(f"the lags are {lags}; give some, each of at least 1")
    if max(lags) > inputs.shape[1]:
        raise UserError(
            f"a lag of {max(lags)} was given and the inputs have {inputs.shape[1]} steps; give "
            "longer inputs or shorter lags"
        )
    states = len(keras.tree.flatten(layer.get_initial_state(inputs.shape[0])))
    if not -states <= state < states:
        raise UserError(
            f"state {state} was asked for and {layer.name} has {states}; give from {-states} to "
            f"{states - 1}"
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
