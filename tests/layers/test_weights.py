"""Initializers, regularizers and constraints reach the weights that they are named for."""

import keras
import numpy as np
import pytest

from lstm_recipes.layers import PeepholeLSTM

from .helpers import LAYERS, array, built, every_layer, numpy

NAMES = {
    "kernel": "kernel",
    "recurrent": "recurrent_kernel",
    "bias": "bias",
    "peephole": "peephole",
}


def prefixes(kind: str) -> list[str]:
    return [p for p in NAMES if p != "peephole" or kind == "peephole"]


@every_layer
def test_initializers(kind):
    """As a string, a class with arguments, or a config."""
    constants = {p: keras.initializers.Constant(k + 2) for k, p in enumerate(prefixes(kind))}
    layer = LAYERS[kind](4, **{f"{p}_initializer": c for p, c in constants.items()})
    layer.build((None, None, 3))
    for k, prefix in enumerate(constants):
        values = set(numpy(getattr(layer.cell, NAMES[prefix]).value).ravel())
        unit_bias = {1} if prefix == "bias" and kind in ("forget", "peephole") else set()
        assert values == {k + 2} | unit_bias
    config = {"class_name": "Constant", "config": {"value": 9.0}}
    other = LAYERS[kind](4, kernel_initializer=config, recurrent_initializer="zeros")
    other.build((None, None, 3))
    assert set(other.get_weights()[0].ravel()) == {9}
    assert set(other.get_weights()[1].ravel()) == {0}


@every_layer
def test_regularizers(kind):
    """The layer's losses are the penalties of its weights, and no others."""
    options = {
        f"{p}_regularizer": keras.regularizers.L2(k + 1) for k, p in enumerate(prefixes(kind))
    }
    layer = built(LAYERS[kind](4, **options))
    expected = [
        (k + 1) * (numpy(getattr(layer.cell, NAMES[p]).value) ** 2).sum()
        for k, p in enumerate(prefixes(kind))
    ]
    layer(array(2, 5, 3))
    np.testing.assert_allclose(sorted(map(float, layer.losses)), sorted(expected), rtol=1e-5)
    assert not built(LAYERS[kind](4)).losses


@every_layer
def test_activity_regularizer(kind):
    layer = built(LAYERS[kind](4, activity_regularizer=keras.regularizers.L1(2.0)))
    outputs = numpy(layer(array(2, 5, 3)))
    np.testing.assert_allclose(float(sum(layer.losses)), 2.0 * np.abs(outputs).sum() / 2, rtol=1e-5)


@every_layer
def test_constraints_hold_after_a_step_of_fit(kind):
    layer = built(LAYERS[kind](4, **{f"{p}_constraint": "non_neg" for p in prefixes(kind)}))
    assert all((w < 0).any() for w in layer.get_weights())
    model = keras.Sequential([keras.Input((None, 3)), layer])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(array(2, 5, 3), array(2, 4), verbose=0)
    assert all((w >= 0).all() for w in layer.get_weights())


def test_peepholes_have_a_regularizer_and_a_constraint_of_their_own():
    layer = built(
        PeepholeLSTM(
            4,
            peephole_initializer="ones",
            peephole_regularizer="l1",
            peephole_constraint=keras.constraints.MaxNorm(0.1, axis=1),
        )
    )
    np.testing.assert_allclose(
        float(sum(layer.losses)), 0.01 * np.abs(layer.get_weights()[3]).sum(), rtol=1e-5
    )
    model = keras.Sequential([keras.Input((None, 3)), layer])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(array(2, 5, 3), array(2, 4), verbose=0)
    *others, peephole = layer.get_weights()
    assert (np.linalg.norm(peephole, axis=1) < 0.1 + 1e-6).all()
    assert all(np.linalg.norm(w) > 0.1 for w in others)


@every_layer
def test_trainable(kind):
    """A frozen layer learns nothing; a thawed one does."""
    frozen = LAYERS[kind](4, trainable=False)
    frozen.build((None, None, 3))
    assert frozen.trainable_weights == []
    assert len(frozen.non_trainable_weights) == len(frozen.weights)
    frozen.trainable = True
    assert frozen.trainable_weights == frozen.weights


@every_layer
@pytest.mark.parametrize("features", [1, 3])
def test_weights_have_names_that_tell_them_apart(kind, features):
    layer = LAYERS[kind](4, name="mine")
    layer.build((None, None, features))
    names = [NAMES[p] for p in prefixes(kind)]
    assert [w.path.split("/")[-1] for w in layer.weights] == names
    assert all("mine" in w.path for w in layer.weights)
