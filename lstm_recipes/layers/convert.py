"""Weights and settings from and to Keras' own layers, where the maths is the same."""

from typing import Any

import keras

from lstm_recipes.layers.forget_lstm import ForgetGateLSTM
from lstm_recipes.layers.gru import GRU

PAIRS = ((keras.layers.LSTM, ForgetGateLSTM), (keras.layers.GRU, GRU))
ONLY_OURS = {
    "output_activation": None,
    "block_size": 1,
    "gate_feedback": False,
    "truncated_gradient": False,
    "input_bias_initializer": None,
    "forget_bias_initializer": None,
    "output_bias_initializer": None,
}
ONLY_KERAS = ("implementation", "use_cudnn")


def from_keras(layer: keras.layers.Layer) -> ForgetGateLSTM | GRU:
    """A new layer of ours with the settings and, if it is built, the weights of a Keras layer.

    Args:
        layer: A ``keras.layers.LSTM`` (gives a ``ForgetGateLSTM``) or ``keras.layers.GRU``.

    Raises:
        TypeError: For any other layer.

    >>> import keras
    >>> ours = from_keras(keras.layers.LSTM(8, return_sequences=True))
    >>> type(ours).__name__, ours.units, ours.return_sequences
    ('ForgetGateLSTM', 8, True)
    """
    for theirs, ours in PAIRS:
        if isinstance(layer, theirs):
            config = {k: v for k, v in layer.get_config().items() if k not in ONLY_KERAS}
            return _with_weights(ours.from_config(config), layer)
    raise TypeError(f"from_keras takes a keras.layers.LSTM or GRU; received {layer!r}.")


def to_keras(layer: ForgetGateLSTM | GRU) -> keras.layers.Layer:
    """A new ``keras.layers.LSTM`` or ``GRU`` with the settings and weights of a layer of ours.

    Args:
        layer: A ``ForgetGateLSTM`` without blocks, gate feedback, truncated gradient, gate-only
            biases or an output activation of its own, or a ``GRU``.

    Raises:
        TypeError: For a layer that Keras has no equal of.
        ValueError: For a setting that Keras has no equal of; the message names it.

    >>> to_keras(GRU(8)).units
    8
    """
    for theirs, ours in PAIRS:
        if isinstance(layer, ours):
            return _with_weights(theirs.from_config(_keras_config(layer)), layer)
    raise TypeError(f"to_keras takes a ForgetGateLSTM or GRU; received {layer!r}.")


def _keras_config(layer: Any) -> dict[str, Any]:
    config = layer.get_config()
    if config.get("output_activation") == config["activation"]:
        config["output_activation"] = None
    other = {k: config.pop(k) for k in ONLY_OURS if k in config}
    different = [f"{k}={v!r}" for k, v in other.items() if v != ONLY_OURS[k]]
    if config["use_bias"] == "gates":
        different.append("use_bias='gates'")
    if different:
        raise ValueError(
            f"{layer.name} has {', '.join(different)}, which keras.layers.LSTM cannot have; "
            "only layers without it convert."
        )
    return config


def _with_weights(new: Any, layer: Any) -> Any:
    if layer.built:
        batch = keras.tree.flatten(layer.states)[0].shape[0] if layer.stateful else None
        new.build((batch, None, layer.cell.kernel.shape[0]))
        new.set_weights(layer.get_weights())
    return new
