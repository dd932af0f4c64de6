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
    context_units: int = 0,
    topic_units: int = 0,
    context_dropout: float = 0.0,
    dropout: float = 0.5,
    recurrent_dropout: float = 0.0,
    crf: bool = True,
    precision: str = "float32",
) -> keras.Model:
    """A model that scores each tag at each word (Huang, Xu & Yu 2015; Lample et al. 2016; Ma & Hovy
    2016).

    In: ``vectors`` float32 ``[batch, words, vector_size]``, ``case`` int32 ``[batch, words]`` (0
    where there is no word), ``characters`` int32 ``[batch, words, characters]``, and with
    ``context_units`` ``context`` float32 ``[batch, words, 3 vector_size + 6]``, of `word_context`.
    Out: emissions float32 ``[batch, words, tags]``, of the `CRF` layer, which is the last one.

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
        context_units: Width of a word's vector that is made of its other occurrences (Chieu & Ng
            2003); 0 for none, nor a topic.
        topic_units: Width of the vector that is made of all words around.
        context_dropout: Rate on both.
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
    inputs = {"vectors": vectors, "case": case, "characters": spelling}
    if context_units:
        inputs["context"] = keras.Input((None, 3 * vector_size + CASES), name="context")
        seen = keras.layers.Dropout(context_dropout, dtype=precision)(inputs["context"])
        beside, topic = seen[..., :-vector_size], seen[..., -vector_size:]
        parts.append(keras.layers.Dense(context_units, "relu", dtype=precision)(beside))
        parts.append(keras.layers.Dense(topic_units, "tanh", dtype=precision)(topic))
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
    return keras.Model(inputs, emissions, name="tagger")


def word_context(place: Any, left: Any, right: Any, cases: Any, around: Any, ranges: Any) -> Any:
    """What a tagger sees of the sentences around: of a word's other occurrences the vectors of the
    words to their left and to their right, averaged, and how they are written; and of all words
    around the average.

    Args:
        place: int32 ``[occurrences]``: which word, sentence · length + position.
        left, right: float ``[occurrences, size]``: the vectors beside each occurrence.
        cases: float ``[batch, words, 6]``, of `data.word_context.Context`.
        around: float ``[words around, size]``: the vectors of the words around.
        ranges: int32 ``[batch, 2]``: which of them are around each sentence.

    Returns:
        float ``[batch, words, 3 size + 6]``; zeros but for the last ``size`` for a word that occurs
        once.

    >>> left, right = ops.array([[1.0], [3.0]]), ops.array([[0.0], [1.0]])
    >>> around = ops.array([[4.0], [6.0]])
    >>> seen = word_context(
    ...     ops.array([1, 1]), left, right, ops.zeros((1, 2, 6)), around, ops.array([[0, 2]])
    ... )
    >>> ops.convert_to_numpy(seen)[0][:, [0, 1, -1]]
    array([[0. , 0. , 5. ],
           [2. , 0.5, 5. ]], dtype=float32)
    """
    batch, words = ops.shape(cases)[:2]
    beside = ops.concatenate([left, right, ops.ones_like(left[:, :1])], axis=-1)
    sums = ops.segment_sum(beside, place, num_segments=batch * words)
    beside = sums[:, :-1] / ops.maximum(sums[:, -1:], 1.0)
    beside = ops.reshape(beside, (batch, words, 2 * left.shape[-1]))
    # Of all words up to each; a difference of two is the sum of those between.
    sums = ops.cumsum(ops.pad(around, ((1, 0), (0, 0))), axis=0)
    count = ops.maximum(ops.cast(ranges[:, 1:] - ranges[:, :1], "float32"), 1.0)
    topic = (ops.take(sums, ranges[:, 1], axis=0) - ops.take(sums, ranges[:, 0], axis=0)) / count
    topic = ops.broadcast_to(topic[:, None], (batch, words, left.shape[-1]))
    return ops.concatenate([beside, cases, topic], axis=-1)
