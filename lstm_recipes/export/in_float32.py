"""A model of mixed precision as the same one in float32: bfloat16 is for training."""

from typing import Any

import keras

MIXED = {"mixed_bfloat16", "mixed_float16"}
HALF = {"bfloat16", "float16"}


def in_float32(model: keras.Model) -> keras.Model:
    """The model itself, or if one of its layers computes in half precision, one like it that does
    not, with the same weights.

    Weights are float32 under a mixed policy, so nothing is lost; few runtimes multiply in bfloat16,
    and states that go in and out are then of a type that every language has.

    >>> from lstm_recipes.models.char_lm import char_lm
    >>> model = in_float32(char_lm(9, units=4, precision="mixed_bfloat16"))
    >>> {layer.compute_dtype for layer in model.layers}
    {'float32'}
    """
    layers = model._flatten_layers()
    if not any(layer.compute_dtype in HALF for layer in layers):
        return model
    config = keras.saving.serialize_keras_object(model)
    config.pop("compile_config", None)
    new = keras.saving.deserialize_keras_object(_replaced(config))
    new.set_weights(model.get_weights())
    return new


def _replaced(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _replaced(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(map(_replaced, config))
    return "float32" if isinstance(config, str) and config in MIXED | HALF else config
