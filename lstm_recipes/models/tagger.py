"""The tagger: words, characters, a bidirectional recurrent layer, a CRF over the tags."""

from typing import Any, Literal

import keras
from keras import ops

from lstm_recipes.layers import CRF
from lstm_recipes.models.char_lm import LAYERS
from lstm_recipes.models.characters import CharacterWords

CASES = 6  # no word, and the five of data.word_features
CASE_SIZE = 8


def tagger(
    tags: int,
    *,
    vector_size: int,
    characters: int = 0,
    allowed: Any = None,
    layer: str = "forget",
    layers: int = 1,
    units: int = 200,
    character_encoder: Literal["cnn", "lstm", "none"] = "cnn",
    character_size: int = 30,
    character_units: int = 50,
    dropout: float = 0.5,
    recurrent_dropout: float = 0.0,
    crf: bool = True,
    precision: str = "float32",
) -> keras.Model:
    """A model that scores each tag at each word (Huang, Xu & Yu 2015; Lample et al. 2016; Ma & Hovy
    2016).

    In: ``vectors`` float32 ``[batch, words, vector_size]``, ``case`` int32 ``[batch, words]`` (0
    where there is no word), ``characters`` int32 ``[batch, words, characters]``. Out: emissions
    float32 ``[batch, words, tags]``, of the `CRF` layer, which is the last one.

    Args:
        tags: How many tags there are.
        vector_size: Width of the words' vectors, which are the caller's.
        characters: How many characters there are, 0 for none included.
        allowed: Which tags may follow which; see `CRF`.
        layer: A name of ``LAYERS``.
        layers: How many bidirectional layers.
        units: Width of each, each way.
        character_encoder: How a word is read by its characters; ``"none"`` is not at all.
        character_size: Width of a character's vector.
        character_units: Width of a word's vector that is made of its characters.
        dropout: Rate on the characters' vectors, and before and after each recurrent layer.
        recurrent_dropout: Rate on h_{t-1}, one mask a sentence.
        crf: Without it neighbouring tags do not see each other: a softmax at each word, which is a
            CRF whose transitions are zero and stay so.
        precision: A Keras dtype policy; emissions are float32 under any.

    >>> model = tagger(9, vector_size=100, characters=90, units=8)
    >>> words = {"vectors": ops.zeros((2, 5, 100)), "case": ops.ones((2, 5), "int32"),
    ...          "characters": ops.ones((2, 5, 12), "int32")}
    >>> model(words).shape
    TensorShape([2, 5, 9])
    """
    vectors = keras.Input((None, vector_size), name="vectors")
    case = keras.Input((None,), dtype="int32", name="case")
    spelling = keras.Input((None, None), dtype="int32", name="characters")
    mask = ops.not_equal(case, 0)
    parts = [vectors, keras.layers.Embedding(CASES, CASE_SIZE, dtype=precision)(case)]
    if character_encoder != "none":
        parts.append(
            CharacterWords(
                characters,
                character_encoder,
                character_size,
                character_units,
                dropout,
                dtype=precision,
            )(spelling)
        )
    x = keras.layers.Concatenate(dtype=precision)(parts)
    for _ in range(layers):
        x = keras.layers.Dropout(dropout, dtype=precision)(x)
        recurrent = LAYERS[layer](
            units, return_sequences=True, recurrent_dropout=recurrent_dropout, dtype=precision
        )
        x = keras.layers.Bidirectional(recurrent, dtype=precision)(x, mask=mask)
    x = keras.layers.Dropout(dropout, dtype=precision)(x)
    scores = keras.layers.Dense(tags, dtype="float32")(x)
    emissions = CRF(allowed if crf else None, trainable=crf, name="crf")(scores, mask=mask)
    inputs = {"vectors": vectors, "case": case, "characters": spelling}
    return keras.Model(inputs, emissions, name="tagger")
