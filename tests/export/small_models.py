"""Small models with weights that leave nothing out, and what Keras makes of some input."""

from typing import Any

import keras
import numpy as np

from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM, PeepholeLSTM
from lstm_recipes.models.tagger import tagger

SIZE = 7
"""Of the vocabulary."""


def drawn(model: keras.Model, scale: float = 0.5) -> keras.Model:
    """The model with every weight drawn, so that no peephole, bias or transition is zero."""
    draw = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(draw.normal(size=weight.shape) * scale)
    return model


def all_layers() -> keras.Model:
    """The four layers on top of each other, with their states in and out as `char_lm` has them."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(SIZE, 3)(tokens)
    states, new = [], []
    layers = [CECLSTM(4, block_size=2), ForgetGateLSTM(3), PeepholeLSTM(4, block_size=2), GRU(5)]
    for layer in layers:
        layer.return_sequences = layer.return_state = True
        own = [keras.Input((width,)) for width in keras.tree.flatten(layer.cell.state_size)]
        x, *after = layer(x, initial_state=own)
        states, new = states + own, new + after
    logits = keras.layers.Dense(SIZE)(x)
    return drawn(keras.Model([tokens, *states], [logits, *new]))


def small_tagger() -> keras.Model:
    """A tagger of five tags, the second of which may not follow the first."""
    allowed = np.ones((6, 6), bool)
    allowed[0, 1] = False
    sizes = {"character_size": 2, "character_units": 3, "context_units": 2, "topic_units": 2}
    return drawn(tagger(5, vector_size=4, characters=9, units=3, allowed=allowed, **sizes))


def words(model: keras.Model) -> dict[str, np.ndarray]:
    """A sentence of five words and two places of padding, as a tagger reads it."""
    draw = np.random.default_rng(1)
    context = model.input["context"].shape[-1]
    return {
        "vectors": draw.normal(size=(1, 7, 4)).astype("float32"),
        "case": np.array([[1, 2, 3, 4, 5, 0, 0]], "int32"),
        "characters": draw.integers(0, 9, (1, 7, 6)).astype("int32"),
        "context": draw.normal(size=(1, 7, context)).astype("float32"),
    }


def some_input(model: keras.Model, batch: int, time: int) -> dict[str, np.ndarray]:
    """Tokens and states for a model of characters."""
    draw = np.random.default_rng(2)
    states = {
        f"state_{k}": draw.normal(size=(batch, s.shape[1])).astype("float32")
        for k, s in enumerate(model.inputs[1:])
    }
    return {"tokens": draw.integers(0, SIZE, (batch, time)).astype("int32"), **states}


def by_keras(model: keras.Model, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the model itself makes of it, by the names of the signatures."""
    output, *states = (part.numpy() for part in model(list(given.values())))
    return {"output": output, **{f"state_{k}": s for k, s in enumerate(states)}}


def assert_alike(found: dict[str, Any], wanted: dict[str, Any], atol: float = 1e-5) -> None:
    """The same names, and the same numbers to rounding."""
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=atol, err_msg=name)
