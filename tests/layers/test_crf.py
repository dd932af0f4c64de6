"""The CRF layer in models: training, decoding, masks, precisions, compilers."""

import time

import keras
import numpy as np
import pytest

from lstm_recipes.layers import CRF, linear_chain
from lstm_recipes.layers.crf import MASKED, CRFLoss

from . import chain_reference as reference
from .chain_reference import Problem
from .crf_models import PADDED, QUICK, TAGS, X, Y, data, fitted, nats, network, ready
from .helpers import (
    BACKEND,
    array,
    assert_close,
    assert_same,
    dtype_of,
    every_mask,
    numpy,
    randomize,
    tensorflow_only,
)


def test_fit_learns_what_only_transitions_tell():
    model, crf = fitted(X, Y)
    unseen, tags = data(seed=1)
    outputs = model.predict(unseen, verbose=0)
    assert_same(crf.decode(outputs), tags.astype("int32"))
    assert (outputs.argmax(-1) != tags).any()  # what a step sees alone is not enough


def test_the_loss_is_the_mean_over_sequences():
    model, _ = ready()
    expected = nats(model, PADDED, Y)
    assert expected[3] == 0  # nothing in it to be wrong about
    assert model.evaluate(PADDED, Y, verbose=0) == pytest.approx(expected.mean(), rel=1e-5)
    history = model.fit(PADDED, Y, batch_size=16, verbose=0).history
    assert history["loss"][0] == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("shape", [(16,), (16, 1)])
def test_sample_weights(shape):
    """As Keras has it: the weighted sum over the number of sequences."""
    model, _ = ready()
    weights = np.linspace(0, 2, 16, dtype="float32")
    found = model.evaluate(PADDED, Y, sample_weight=weights.reshape(shape), verbose=0)
    assert found == pytest.approx((weights * nats(model, PADDED, Y)).mean(), rel=1e-5)


def test_weights_of_zero_do_not_train():
    model, _ = ready(optimizer="sgd")
    before = model.get_weights()
    model.fit(X, Y, sample_weight=np.zeros(16), verbose=0)
    assert_same(model.get_weights(), before)


@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight", "none"])
def test_reductions(reduction):
    model, crf = ready()
    expected, outputs = nats(model, PADDED, Y), model(PADDED)
    found = CRFLoss(crf, reduction=reduction)(Y, outputs)
    total = {"sum": expected.sum(), "mean_with_sample_weight": expected.mean(), "none": expected}
    assert_close(found, np.array(total[reduction]), 1e-5)


def test_partly_labelled():
    """-1 is not known: what is left still teaches."""
    known = np.where(np.random.default_rng(0).random(Y.shape) < 0.6, Y, -1)
    model, crf = fitted(X, known)
    expected = nats(model, X, known).mean()
    assert model.evaluate(X, known, verbose=0) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert_same(crf.decode(model.predict(X, verbose=0)), Y.astype("int32"))
    assert model.evaluate(X, np.full_like(Y, -1), verbose=0) == pytest.approx(0, abs=1e-5)


@every_mask
def test_decoding_masked_outputs(mask):
    """The outputs alone tell what counts."""
    model, crf = ready()
    words = np.where(mask, X[:3, :5], 0)
    outputs = model.predict(words, verbose=0)
    assert outputs.dtype == "float32"
    assert_same(outputs == np.float32(MASKED), np.repeat(~mask[:, :, None], TAGS, axis=2))
    tags, (best, log_p), chances = (
        crf.decode(outputs),
        crf.k_best(outputs, 3),
        crf.marginals(outputs),
    )
    assert tags.dtype == best.dtype == "int32"
    assert_same(best[:, 0], tags)
    assert_same(tags == -1, ~mask)
    assert_close(chances.sum(axis=-1), mask.astype("float32"))
    p = Problem(outputs, tags, mask, numpy(tuple(crf.chain)))
    for row, (emissions, _) in enumerate(p.rows()):
        scores = reference.ranked(emissions, p.chain)[1]
        number, total = min(3, len(scores)), reference.logsumexp(scores)
        assert_close(log_p[row, :number], scores[:3] - total)
        chosen = best[row, :number][:, mask[row]]
        assert_close(reference.score(emissions, chosen, p.chain), scores[:3])
    assert_close(crf.log_likelihood(outputs, tags), log_p[:, 0])


def test_decoding_follows_the_weights():
    """It is compiled once for all layers and shapes; the scores are those of now."""
    outputs = array(5, 7, TAGS)
    for seed, length in ((0, 7), (1, 7), (1, 3), (2, 1)):
        crf = CRF()
        crf.build((None, None, TAGS))
        for scale in (1.0, 3.0):
            randomize(crf, seed, scale)
            part = outputs[:, :length]
            assert_same(crf.decode(part), linear_chain.viterbi(part, crf.chain)[0])
            assert_close(crf.marginals(part), linear_chain.marginals(part, crf.chain))


def test_decoding_again_is_quick():
    """Much quicker than each step by itself."""
    crf, outputs = CRF(), array(8, 50, 17)
    crf(outputs)

    def seconds(decode) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()
            decode()
            times.append(time.process_time() - start)
        return min(times)

    plain = seconds(lambda: numpy(linear_chain.viterbi(outputs, crf.chain)))
    assert seconds(lambda: crf.decode(outputs)) < plain / 4


def test_no_sequences_are_no_question():
    crf = CRF()
    with pytest.raises(ValueError, match=r"^k is 0; ask for at least 1"):
        crf.k_best(crf(array(2, 5, TAGS)), 0)


def test_a_mask_that_is_given():
    """To the layer itself, of numbers as well; its output carries no mask on."""
    crf, x = CRF(), array(3, 5, TAGS)
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [1, 0, 1, 0, 1]])
    outputs = crf(x, mask=mask)
    assert_same(numpy(outputs)[..., 0] == MASKED, mask == 0)
    assert getattr(outputs, "_keras_mask", None) is None
    assert_same(crf(x), x)


def test_summary_and_shapes():
    model, _ = network()
    lines = []
    model.summary(print_fn=lines.append)
    assert any("chain (CRF)" in line and "15" in line for line in "\n".join(lines).split("\n"))
    assert model.output_shape == (None, None, TAGS)
    assert model.compute_output_shape((2, 5)) == (2, 5, TAGS)
    assert model.outputs[0].dtype == "float32"


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float16", "float64"])
def test_precision(policy):
    """Emissions of any precision; scores of neighbours, outputs and sums in float32."""
    keras.config.set_dtype_policy(policy)
    model, crf = ready(optimizer="adam")
    assert model.outputs[0].dtype == dtype_of(model(X)) == "float32"
    if (BACKEND, policy) != ("jax", "float64"):  # JAX has 32 bits by default
        assert dtype_of(model.layers[-2](model.layers[0](X))) != "float32"
    before = model.evaluate(X, Y, verbose=0)
    model.fit(X, Y, batch_size=8, verbose=0)
    assert np.isfinite(before) and model.evaluate(X, Y, verbose=0) < before
    assert all(dtype_of(w) in ("float32", policy) for w in crf.weights)


@tensorflow_only
def test_jit_compile(tmp_path):
    """XLA gives the same steps; batches of a size that was not known train too."""
    import tensorflow as tf

    (one, _), (other, _) = ready(jit_compile=True), ready(jit_compile=False)
    for model in (one, other):
        model.fit(PADDED, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    assert_close(one.get_weights(), other.get_weights(), 1e-5)
    lengths = tf.data.Dataset.from_generator(
        lambda: ((X[:4, :n], Y[:4, :n]) for n in (1,)),
        output_signature=(tf.TensorSpec([None, None], "int32"),) * 2,
    )
    assert np.isfinite(one.fit(lengths, verbose=0).history["loss"][0])


@pytest.mark.parametrize("length", [1, 4])
def test_run_eagerly(length):
    (one, _) = ready(run_eagerly=True, jit_compile=False)
    (other, _) = ready(jit_compile=BACKEND == "jax")
    for model in (one, other):
        model.fit(PADDED[:, :length], Y[:, :length], batch_size=16, shuffle=False, verbose=0)
    assert_close(one.get_weights(), other.get_weights(), 1e-5)


@tensorflow_only
def test_batches_of_any_size_and_length():
    import tensorflow as tf

    model, _ = ready(jit_compile=False)
    sizes = [(4, 6), (3, 1), (1, 5)]
    batches = tf.data.Dataset.from_generator(
        lambda: ((X[:b, :n], Y[:b, :n]) for b, n in sizes),
        output_signature=(tf.TensorSpec([None, None], "int32"),) * 2,
    )
    expected = np.concatenate([nats(model, X[:b, :n], Y[:b, :n]) for b, n in sizes])
    assert model.evaluate(batches, verbose=0) == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("time", [1, None])
def test_one_step(time):
    """Start, emission and end: no neighbours."""
    model, crf = network(time=time)
    model.compile("adam", loss=crf.loss, **QUICK)
    randomize(model)
    expected = nats(model, X[:, :1], Y[:, :1]).mean()
    assert model.evaluate(X[:, :1], Y[:, :1], verbose=0) == pytest.approx(expected, rel=1e-5)
    model.fit(X[:, :1], Y[:, :1], verbose=0)
    outputs = model.predict(X[:, :1], verbose=0)
    assert crf.decode(outputs).shape == (16, 1)
    assert crf.k_best(outputs, 5)[0].shape == (16, 5, 1)
