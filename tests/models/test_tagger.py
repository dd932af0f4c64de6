"""The tagger and its reading of characters."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.models.char_lm import LAYERS
from lstm_recipes.models.characters import CharacterWords
from lstm_recipes.models.tagger import tagger

RNG = np.random.default_rng(0)


def sentences(lengths=(5, 3), size=4, longest=7) -> dict[str, np.ndarray]:
    """Random sentences, padded with zeros as `WordFeatures` pads them."""
    shape = (len(lengths), max(lengths))
    there = np.arange(shape[1]) < np.array(lengths)[:, None]
    characters = RNG.integers(1, 20, (*shape, longest))
    spelled = np.arange(longest) < RNG.integers(1, longest + 1, shape)[..., None]
    return {
        "vectors": (RNG.normal(size=(*shape, size)) * there[..., None]).astype("float32"),
        "case": (RNG.integers(1, 6, shape) * there).astype("int32"),
        "characters": (characters * spelled * there[..., None]).astype("int32"),
    }


def small(**options) -> keras.Model:
    keras.utils.set_random_seed(0)
    sizes = dict(vector_size=4, characters=20, units=3, character_size=5, character_units=4)
    return tagger(6, **sizes | options)


def scores(model, words, **options) -> np.ndarray:
    return ops.convert_to_numpy(model(words, **options))


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_tags(layer):
    assert scores(small(layer=layer), sentences()).shape == (2, 5, 6)


@pytest.mark.parametrize("encoder", ["cnn", "lstm", "none"])
def test_padding_changes_nothing(encoder):
    """Neither words after a sentence's end nor characters after a word's end."""
    model, words = small(character_encoder=encoder, layers=2), sentences((5, 3), longest=7)
    both = scores(model, words)
    alone = {name: value[1:, :3] for name, value in words.items()}
    np.testing.assert_allclose(scores(model, alone)[0], both[1, :3], atol=1e-6)
    wider = words | {"characters": np.pad(words["characters"], ((0, 0), (0, 0), (0, 9)))}
    np.testing.assert_allclose(scores(model, wider), both, atol=1e-6)


@pytest.mark.parametrize("encoder", ["cnn", "lstm"])
def test_characters_are_read_to_the_end_and_no_further(encoder):
    layer = CharacterWords(30, encoder, size=5, units=6)
    words = np.array([[[3, 4, 5, 0], [3, 4, 6, 0], [3, 4, 5, 9]]], "int32")
    found = ops.convert_to_numpy(layer(words))[0]
    assert np.abs(found[0] - found[1]).max() > 1e-3
    assert np.abs(found[0] - found[2]).max() > 1e-3
    np.testing.assert_allclose(found[0], ops.convert_to_numpy(layer(words[:, :1, :3]))[0, 0], 1e-5)


def test_the_convolution_takes_the_greatest_of_each_filter():
    layer = CharacterWords(30, "cnn", size=5, units=6)
    word = np.array([7, 3, 9, 4])
    vectors = np.pad(ops.convert_to_numpy(layer(word[None, None])).reshape(-1), 0)
    embedded = np.pad(layer.embedding.get_weights()[0][word], ((1, 1), (0, 0)))
    kernel, bias = layer.encoder.get_weights()
    windows = [np.einsum("ks,ksu->u", embedded[t : t + 3], kernel) + bias for t in range(4)]
    np.testing.assert_allclose(vectors, np.max(windows, axis=0), atol=1e-5)


def test_neither_words_nor_characters_are_seen_where_they_are_not_wanted():
    words = sentences()
    other = words | {"characters": sentences()["characters"] * (words["characters"] > 0)}
    without, with_them = small(character_encoder="none"), small()
    assert (scores(without, words) == scores(without, other)).all()
    assert (scores(with_them, words) != scores(with_them, other)).any()


def test_without_a_crf_neighbours_do_not_see_each_other():
    allowed = np.ones((7, 7), bool)
    allowed[0, 1] = False
    model = small(crf=False, allowed=allowed)
    crf = model.get_layer("crf")
    assert not any(np.asarray(w).any() for w in crf.get_weights())
    assert not crf.trainable_weights and crf.allowed is None
    words, tags = sentences((4, 4)), RNG.integers(0, 6, (2, 4))
    emissions = model(words)
    softmax = ops.convert_to_numpy(ops.log_softmax(emissions))
    expected = np.take_along_axis(softmax, tags[..., None], axis=2).sum((1, 2))
    np.testing.assert_allclose(crf.log_likelihood(emissions, tags), expected, rtol=1e-5)
    assert (crf.decode(emissions) == softmax.argmax(-1)).all()
    assert len(small().get_layer("crf").trainable_weights) == 3


def test_dropout_is_there_in_training_alone():
    model, words = small(dropout=0.5, recurrent_dropout=0.3), sentences()
    assert (scores(model, words) == scores(model, words)).all()
    assert (scores(model, words, training=True) != scores(model, words)).any()


def test_bfloat16_scores_in_float32():
    model = small(precision="mixed_bfloat16")
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert model.output.dtype == "float32" and scores(model, sentences()).dtype == "float32"


@pytest.mark.parametrize("encoder", ["cnn", "lstm", "none"])
def test_it_saves_and_loads_without_custom_objects(tmp_path, encoder):
    allowed = np.ones((7, 7), bool)
    allowed[2, 3] = False
    model, words = small(character_encoder=encoder, allowed=allowed), sentences()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (scores(loaded, words) == scores(model, words)).all()
    assert (loaded.get_layer("crf").allowed == allowed).all()
