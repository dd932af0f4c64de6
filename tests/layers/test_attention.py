"""The attentions: scores, masks, gradients, Keras' own, precision, saving, bad input."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from lstm_recipes.layers import BahdanauAttention, LuongAttention

from .attention_reference import SCORES, attend
from .helpers import (
    BACKEND,
    array,
    assert_close,
    assert_same,
    dtype_of,
    gradients,
    masks,
    numpy,
    randomize,
    weighted_sum,
)
from .reference import complex_step

every_score = pytest.mark.parametrize("kind", SCORES)
POLICIES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}
QUERY, MEMORY = array(3, 2, 4), array(3, 5, 4, seed=1)
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)


def attention(kind: str, **options) -> keras.Layer:
    if kind in ("bahdanau", "normalized"):
        return BahdanauAttention(4, normalize=kind == "normalized", **options)
    return LuongAttention(**SCORES[kind], **options)


def ready(kind: str, query: int = 4, memory: int = 4, **options) -> keras.Layer:
    layer = attention(kind, **options)
    layer.build((None, query), (None, None, memory))
    return randomize(layer, scale=1.0)


def weights_of(layer: keras.Layer) -> dict:
    return {w.name: numpy(w.value).astype("float64") for w in layer.weights}


def expected(kind, weights, query, memory, mask) -> tuple:
    """The reference for many queries, ``[batch, steps, depth]``."""
    steps = [attend(kind, weights, query[:, t], memory, mask) for t in range(query.shape[1])]
    contexts, alphas = zip(*steps, strict=True)
    return np.stack(contexts, axis=1), np.stack(alphas, axis=1)


@st.composite
def problems(draw):
    batch, steps, source = (draw(st.integers(1, n)) for n in (3, 3, 6))
    memory = draw(st.integers(1, 4))
    kind = draw(st.sampled_from(sorted(SCORES)))
    query = memory if kind.endswith("dot") else draw(st.integers(1, 4))
    seed = draw(st.integers(0, 9))
    mask = draw(masks(batch, source))
    return (
        kind,
        array(batch, steps, query, seed=seed),
        array(batch, source, memory, seed=seed + 10),
        mask,
    )


@given(problems())
@settings(max_examples=60 if BACKEND == "tensorflow" else 15, deadline=None)
def test_against_the_reference(problem):
    kind, query, memory, mask = problem
    layer = ready(kind, query.shape[2], memory.shape[2])
    context, weights = numpy(layer(query, memory, memory_mask=mask))
    assert_close([context, weights], expected(kind, weights_of(layer), query, memory, mask))
    seen = np.ones(memory.shape[:2], bool) if mask is None else mask
    assert (weights >= 0).all()
    assert not weights[np.repeat(~seen[:, None], query.shape[1], axis=1)].any()
    sums = np.repeat(seen.any(axis=1)[:, None], query.shape[1], axis=1)
    assert_close(weights.sum(axis=-1), sums.astype("float32"))
    assert_close(layer(query[:, 0], memory, memory_mask=mask), [context[:, 0], weights[:, 0]])


@given(problems(), st.integers(1, 4))
@settings(max_examples=20 if BACKEND == "tensorflow" else 5, deadline=None)
def test_padding_changes_nothing(problem, more):
    """Masked places behind the memory, whatever stands there."""
    kind, query, memory, mask = problem
    layer = ready(kind, query.shape[2], memory.shape[2])
    mask = np.ones(memory.shape[:2], bool) if mask is None else mask
    context, weights = numpy(layer(query, memory, memory_mask=mask))
    longer = np.pad(memory, [(0, 0), (0, more), (0, 0)], constant_values=50.0)
    masked = np.pad(mask, [(0, 0), (0, more)])
    padded = numpy(layer(query, longer, memory_mask=masked))
    assert_close(padded, [context, np.pad(weights, [(0, 0), (0, 0), (0, more)])], 1e-6)


@every_score
def test_gradients(kind):
    """To the query, the memory and every weight; a row that is masked whole has none, not NaN."""
    layer = ready(kind, dtype="float64" if BACKEND == "tensorflow" else "float32")
    names = [w.name for w in layer.weights]
    query, memory = QUERY.astype("float64"), MEMORY.astype("float64")

    def loss(query, memory):
        return weighted_sum(list(layer(query, memory, memory_mask=MASK)))

    def reference(arrays):
        query, memory, *weights = arrays
        weights = dict(zip(names, weights, strict=True))
        return weighted_sum(list(expected(kind, weights, query, memory, MASK)))

    found = gradients(loss, layer.weights, [query, memory])
    exact = complex_step(reference, [query, memory, *weights_of(layer).values()])
    tolerance = 1e-10 if BACKEND == "tensorflow" else 1e-4
    assert_close([*found[len(names) :], *found[: len(names)]], exact, tolerance)
    assert not found[len(names)][2].any()


def test_bahdanau_by_hand():
    """One unit: e = 2 tanh(q + m), for q = 0 and m = 0, 1, −1; with v's length 3 instead of 2."""
    query, memory = np.zeros((1, 1), "float32"), np.array([[[0.0], [1.0], [-1.0]]], "float32")
    for normalize, extra, length in ((False, [], 2.0), (True, [np.array(3.0), np.zeros(1)], 3.0)):
        layer = BahdanauAttention(1, normalize=normalize)
        layer.build((1, 1), (1, 3, 1))
        layer.set_weights([np.ones((1, 1)), np.ones((1, 1)), np.array([[2.0]]), *extra])
        e = np.exp(length * 0.7615942 * np.array([0, 1, -1]))
        context, weights = layer(query, memory)
        assert_close(weights, (e / e.sum())[None], 1e-6)
        assert_close(context, np.array([[(e[1] - e[2]) / e.sum()]]), 1e-6)


def test_luong_by_hand():
    """exp(qᵀ m_j) = 2, 3 for the unit vectors; W swaps them; a scale of 2 squares them."""
    query, memory = np.log([[2.0, 3.0]]).astype("float32"), np.eye(2, dtype="float32")[None]
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    cases = [
        ({}, [], [0.4, 0.6]),
        ({"score": "general"}, [swap], [0.6, 0.4]),
        ({"scale": True}, [np.array(2.0)], [4 / 13, 9 / 13]),
    ]
    for options, weights, answer in cases:
        layer = LuongAttention(**options)
        layer.build((1, 2), (1, 2, 2))
        layer.set_weights(weights)
        assert_close(layer(query, memory), [np.array([answer])] * 2, 1e-6)


def test_where_the_weights_begin():
    """g at 1/√units, b at 0 and a scale of 1, as in the systems of 2015 and 2016."""
    layer = BahdanauAttention(16, normalize=True)
    layer(QUERY, MEMORY)
    start = {w.name: numpy(w.value) for w in layer.weights}
    assert start["score_length"] == 0.25
    assert not start["bias"].any()
    assert start["score_kernel"].any()
    scaled = LuongAttention(scale=True)
    assert_same(scaled(QUERY, MEMORY), LuongAttention()(QUERY, MEMORY))
    assert len(scaled.weights) == 1


def identity(depth: int) -> np.ndarray:
    return np.eye(depth, dtype="float32")


@pytest.mark.parametrize("mask", [None, np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], bool)])
def test_keras_own(mask):
    """AdditiveAttention is Bahdanau's without W and U; Attention is Luong's dot, and its concat
    the sum of tanh(q + m)."""
    query, memory = QUERY[:2], MEMORY[:2]
    v = array(4, seed=5)
    ours_to_theirs = [
        (BahdanauAttention(4), [identity(4), identity(4), v[:, None]]),
        (LuongAttention(), []),
        (LuongAttention(scale=True), [np.array(0.7)]),
        (LuongAttention("concat", 4), [np.vstack([identity(4)] * 2), np.full((4, 1), 0.7)]),
    ]
    theirs = [
        (keras.layers.AdditiveAttention(), [v]),
        (keras.layers.Attention(), []),
        (keras.layers.Attention(use_scale=True), [np.array(0.7)]),
        (keras.layers.Attention(score_mode="concat"), [np.array(0.7)]),
    ]
    for (layer, weights), (other, others) in zip(ours_to_theirs, theirs, strict=True):
        layer.build((None, 4), (None, None, 4))
        layer.set_weights(weights)
        other.build([(2, 2, 4), (2, 5, 4)])
        other.set_weights(others)
        found = layer(query, memory, memory_mask=mask)
        known = other([query, memory], mask=[None, mask], return_attention_scores=True)
        assert_close(found, known, 1e-6)


@every_score
def test_keys_are_made_once(kind):
    layer = ready(kind)
    keys = layer.keys(MEMORY)
    assert_same(layer(QUERY, MEMORY, keys=keys), layer(QUERY, MEMORY))
    if not kind.endswith("dot"):  # which looks at the memory alone
        other, _ = layer(QUERY, MEMORY, keys=layer.keys(-MEMORY))
        assert np.abs(numpy(other) - numpy(layer(QUERY, MEMORY)[0])).max() > 1e-3


@every_score
def test_far_scores(kind):
    """Scores far apart or far down neither overflow nor let a masked place in."""
    layer = ready(kind)
    for factor in (1e3, -1e6):
        query, memory = factor * QUERY, factor * MEMORY
        context, weights = numpy(layer(query, memory, memory_mask=MASK))
        assert np.isfinite(context).all()
        assert not weights[np.repeat(~MASK[:, None], 2, axis=1)].any()
        assert_close(weights[:2].sum(axis=-1), np.ones((2, 2)))


@pytest.mark.parametrize("policy", POLICIES)
@every_score
def test_mixed_precision(kind, policy):
    """Weights in float32, the context in the compute dtype; near the float32 layer."""
    layer, full = ready(kind, dtype=policy), ready(kind)
    context, weights = layer(QUERY, MEMORY, memory_mask=MASK)
    assert (dtype_of(context), dtype_of(weights)) == (POLICIES[policy], "float32")
    assert {w.dtype for w in layer.weights} <= {"float32"}
    assert_close([context, weights], full(QUERY, MEMORY, memory_mask=MASK), 0.1)
    assert_close(numpy(weights).sum(axis=-1), MASK.any(axis=1)[:, None].repeat(2, axis=1) * 1.0)


def test_scores_are_not_rounded():
    """257 and 256 are one number in bfloat16; their softmax is that of 1 and 0."""
    query = np.array([[1.0, 1.0]], "float32")
    memory = np.array([[[256.0, 1.0], [256.0, 0.0]]], "float32")
    _, weights = LuongAttention(dtype="mixed_bfloat16")(query, memory)
    assert_close(weights, np.array([[0.7310586, 0.2689414]]), 1e-6)


def model_of(layer: keras.Layer) -> keras.Model:
    """Both sides embedded, with masks of their own."""
    asked, asking = (keras.Input((None,), dtype="int32") for _ in range(2))
    embedding = keras.layers.Embedding(9, 4, mask_zero=True)
    context, weights = layer(embedding(asking), embedding(asked))
    return keras.Model([asking, asked], [context, weights])


@every_score
def test_in_a_functional_model(kind, tmp_path):
    """The memory's own mask counts; saved and loaded without being told of our classes."""
    layer = attention(kind, name="attention")
    model = randomize(model_of(layer))
    asking, asked = np.array([[1, 2, 0], [3, 4, 5]]), np.array([[5, 6, 7, 0], [8, 0, 0, 0]])
    context, weights = model([asking, asked])
    assert not numpy(weights)[np.repeat((asked == 0)[:, None], 3, axis=1)].any()
    assert_close(numpy(weights).sum(axis=-1), np.ones((2, 3)))
    assert_close(weights[1, :, 0], np.ones(3))
    if BACKEND == "tensorflow":
        assert_same(context._keras_mask, asking != 0)  # the query's, for what comes after
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_same(loaded([asking, asked]), [context, weights])
    assert loaded.get_layer("attention").get_config() == layer.get_config()


def test_symbolic_shapes_and_dtypes():
    layer = BahdanauAttention(4, dtype="mixed_bfloat16")
    context, weights = layer(keras.Input((7, 3)), keras.Input((None, 5)))
    assert (context.shape, weights.shape) == ((None, 7, 5), (None, 7, None))
    assert (context.dtype, weights.dtype) == ("bfloat16", "float32")
    context, weights = layer(keras.Input((3,)), keras.Input((6, 5)))
    assert (context.shape, weights.shape) == ((None, 5), (None, 6))


@pytest.mark.parametrize(
    "layer",
    [
        BahdanauAttention(3, normalize=True, kernel_initializer="zeros", name="a"),
        LuongAttention("concat", units=3, scale=True, kernel_initializer="ones", name="b"),
    ],
    ids=["bahdanau", "luong"],
)
def test_config(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    default = type(layer)(3).get_config() if layer.name == "a" else LuongAttention().get_config()
    same = {k for k, v in layer.get_config().items() if v == default[k]}
    assert same <= {"trainable", "dtype", "units"}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: BahdanauAttention(0), "units=0 was given"),
        (lambda: BahdanauAttention(True), "units=True was given"),
        (lambda: LuongAttention("cosine"), "score='cosine' was given"),
        (lambda: LuongAttention("concat"), "'concat' needs units"),
        (lambda: LuongAttention("dot", units=4), "units=4 were given"),
        (lambda: LuongAttention()(QUERY, MEMORY[:, :, :3]), "depth 4 and a memory of depth 3"),
        (lambda: LuongAttention()(QUERY, MEMORY[:, 0]), r"a memory of shape \(3, 4\)"),
        (lambda: BahdanauAttention(2)(QUERY[0, 0], MEMORY), r"a query of shape \(4,\)"),
        (lambda: BahdanauAttention(2).keys(MEMORY), "has no weights yet"),
        (
            lambda: BahdanauAttention(2)(keras.Input((None,)), keras.Input((5, 4))),
            "the last dimension of both must be known",
        ),
    ],
)
def test_errors(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_numbers_as_a_mask():
    """1 and 0, as the states of a loop carry it."""
    layer = ready("bahdanau")
    numbers = ops.convert_to_tensor(MASK.astype("float32"))
    assert_same(layer(QUERY, MEMORY, memory_mask=numbers), layer(QUERY, MEMORY, memory_mask=MASK))
