"""The character language model: embedding, recurrent layers, a softmax over the characters."""

import keras
from keras import ops

from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM, PeepholeLSTM

LAYERS = {
    "cec": CECLSTM,
    "forget": ForgetGateLSTM,
    "peephole": PeepholeLSTM,
    "gru": GRU,
    "keras_lstm": keras.layers.LSTM,
    "keras_gru": keras.layers.GRU,
}
"""The recurrent layers by the names that the command line knows."""


def char_lm(
    vocabulary_size: int,
    *,
    layer: str = "forget",
    layers: int = 1,
    units: int = 256,
    embedding: int = 128,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    precision: str = "float32",
) -> keras.Model:
    """A model that says, after each character, how likely every next one is.

    Its recurrent state is an input and an output, not hidden in the layers: one model serves
    training on 64 streams, evaluation on one and sampling on any number, and whoever calls it
    holds the state. In ``[tokens, *states]``, out ``[logits, *states]``: tokens int32
    ``[batch, time]``, logits float32 ``[batch, time, vocabulary]``, states ``[batch, units]``,
    layer by layer, h before c.

    Args:
        vocabulary_size: How many characters there are.
        layer: A name of ``LAYERS``.
        layers: How many recurrent layers.
        units: Width of each.
        embedding: Width of the vector that stands for a character.
        dropout: Rate after every recurrent layer, where training.
        recurrent_dropout: Rate on h_{t-1}, one mask a window.
        precision: A Keras dtype policy; logits are float32 under any.

    >>> model = char_lm(65, layers=2, units=8)
    >>> logits, *states = model([ops.zeros((3, 5), "int32"), *initial_state(model, 3)])
    >>> logits.shape, len(states)
    (TensorShape([3, 5, 65]), 4)
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(vocabulary_size, embedding, dtype=precision)(tokens)
    states, new_states = [], []
    for depth in range(layers):
        if dropout and depth:
            x = keras.layers.Dropout(dropout, dtype=precision)(x)
        recurrent = LAYERS[layer](
            units,
            return_sequences=True,
            return_state=True,
            recurrent_dropout=recurrent_dropout,
            dtype=precision,
        )
        own = [
            keras.Input(zero.shape[1:], dtype=keras.backend.standardize_dtype(zero.dtype))
            for zero in recurrent.get_initial_state(1)
        ]
        x, *new = recurrent(x, initial_state=own)
        states, new_states = states + own, new_states + new
    if dropout:
        x = keras.layers.Dropout(dropout, dtype=precision)(x)
    logits = keras.layers.Dense(vocabulary_size, dtype="float32")(x)
    return keras.Model([tokens, *states], [logits, *new_states], name="char_lm")


def initial_state(model: keras.Model, batch_size: int) -> list:
    """The zero states of a character model for ``batch_size`` sequences."""
    return [ops.zeros((batch_size, s.shape[1]), dtype=s.dtype) for s in model.inputs[1:]]
