"""Models with a CRF that the tests of the layer share: small, and easily reckoned by hand."""

import keras
import numpy as np
import pytest

from lstm_recipes.layers import CRF

from . import chain_reference as reference
from .chain_reference import Problem
from .helpers import BACKEND, numpy, randomize

TAGS = 3
ALLOWED = np.ones((TAGS + 1, TAGS + 1), bool)
ALLOWED[0, 2] = ALLOWED[1, 1] = False
# Most models take a few steps alone, for which a graph is not worth its making.
QUICK = {"jit_compile": True} if BACKEND == "jax" else {"run_eagerly": True, "jit_compile": False}


def network(kind: str = "sequential", crf: CRF | None = None, time: int | None = None) -> tuple:
    """A model whose steps do not see each other but for the CRF, and that layer."""
    crf = CRF(name="chain") if crf is None else crf
    stack = [
        keras.Input((time,), dtype="int32"),
        keras.layers.Embedding(8, 6, mask_zero=True),
        keras.layers.Dense(TAGS),
        crf,
    ]
    if kind == "sequential":
        return keras.Sequential(stack), crf
    x = stack[0]
    for layer in stack[1:]:
        x = layer(x)
    model = keras.Model(stack[0], x)
    if kind == "nested":
        outer = keras.Input((time,), dtype="int32")
        model = keras.Model(outer, model(outer))
    if kind == "nested sequential":
        model = keras.Sequential(
            [keras.Input((time,), dtype="int32"), network("sequential", crf)[0]]
        )
    return model, crf


KINDS = ("sequential", "functional", "nested")
every_kind = pytest.mark.parametrize("kind", KINDS)


def data(batch: int = 16, time: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The first word has a tag of its own; whatever word follows has the tag that comes next."""
    rng = np.random.default_rng(seed)
    words = rng.integers(4, 8, (batch, time))
    words[:, 0] = rng.integers(1, 4, batch)
    return words, (words[:, :1] + np.arange(time)) % TAGS


X, Y = data()
PADDED = X.copy()
PADDED[0, 3:] = PADDED[1, :2] = PADDED[2, 1:4] = PADDED[3] = 0  # right, left, a gap, all of it


def ready(kind: str = "sequential", crf: CRF | None = None, **options) -> tuple:
    model, crf = network(kind, crf)
    options = {"optimizer": "adam", **(QUICK if "jit_compile" not in options else {}), **options}
    model.compile(loss=crf.loss, **options)
    return randomize(model), crf


def nats(model: keras.Model, words: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """-log p of each sequence by brute force, the emissions from the model without its CRF."""
    layers = [layer for layer in model._flatten_layers(include_self=False)]
    embedding, dense, crf = (
        next(layer for layer in layers if isinstance(layer, kind))
        for kind in (keras.layers.Embedding, keras.layers.Dense, CRF)
    )
    emissions = numpy(dense(embedding(words)))
    return -reference.log_likelihood(Problem(emissions, tags, words != 0, numpy(tuple(crf.chain))))


def fitted(words: np.ndarray, tags: np.ndarray, steps: int = 60) -> tuple:
    """A model trained in a graph, with the optimizer's steps in one epoch."""
    model, crf = ready(optimizer=keras.optimizers.Adam(0.2), jit_compile=BACKEND == "jax")
    words, tags = np.tile(words, (steps, 1)), np.tile(tags, (steps, 1))
    model.fit(words, tags, batch_size=16, verbose=0)
    return model, crf


def trains(model: keras.Model) -> None:
    """fit lowers the loss, and changes the scores of neighbours that the loss and decode use."""
    crf = next(m for m in model._flatten_layers() if isinstance(m, CRF))
    before, weights = model.evaluate(X, Y, verbose=0), crf.get_weights()
    model.fit(X, Y, batch_size=16, verbose=0)
    assert model.evaluate(X, Y, verbose=0) < before
    for one, other in zip(crf.get_weights(), weights, strict=True):
        assert (one != other).any()
    crf.set_weights([np.zeros_like(w) for w in weights])
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(nats(model, X, Y).mean(), rel=1e-5)
