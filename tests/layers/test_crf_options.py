"""The CRF layer's options: constraints and what Keras has for weights; and what it refuses."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import CRF

from .crf_models import ALLOWED, PADDED, TAGS, X, Y, nats, ready
from .helpers import array, assert_close, assert_same, numpy


def test_constraints_in_training_and_decoding():
    """Random scores that favour what is forbidden: never decoded, learned around, finite."""
    allowed = np.ones((TAGS + 1, TAGS + 1), bool)
    allowed[0, 1] = allowed[1, 0] = allowed[TAGS, 2] = False
    tags = np.where(X == 2, 1, 0)
    tags = np.repeat(tags[:, :1], 6, axis=1)  # all of one kind
    model, crf = ready(crf=CRF(allowed))
    crf.set_weights([np.where(allowed[:-1, :-1], 0.0, 50.0), np.eye(TAGS)[2] * 50, np.zeros(TAGS)])
    losses = model.fit(X, tags, epochs=6, batch_size=16, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    for weight in model.get_weights():
        assert np.isfinite(weight).all()
    outputs = model.predict(PADDED, verbose=0)
    best, log_p = crf.k_best(outputs, 7)
    for row in np.concatenate([crf.decode(outputs)[:, None], best], axis=1)[PADDED.any(axis=1)]:
        for way in row:
            way = way[way >= 0]
            assert all(allowed[a, b] for a, b in zip([-1, *way], [*way, -1], strict=True))
    assert (np.exp(log_p).sum(axis=1) < 1 + 1e-5).all()


def test_scores_of_forbidden_neighbours_do_not_train():
    model, crf = ready(crf=CRF(ALLOWED), optimizer="sgd")
    tags = np.zeros_like(Y)
    before = numpy(crf.transitions.value).copy()
    model.fit(X, tags, verbose=0)
    assert_same(numpy(crf.transitions.value)[~ALLOWED[:-1, :-1]], before[~ALLOWED[:-1, :-1]])
    assert (numpy(crf.transitions.value) != before)[ALLOWED[:-1, :-1]].all()


def test_regularizer():
    model, _ = ready(crf=CRF(transitions_regularizer=keras.regularizers.L2(0.5)))
    plain = nats(model, X, Y).mean()
    weights = model.get_weights()[-3:]
    expected = plain + 0.5 * sum((w**2).sum() for w in weights)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_constraint():
    model, crf = ready(crf=CRF(transitions_constraint="non_neg"))
    model.fit(X, Y, epochs=3, verbose=0)
    for weight in crf.get_weights():
        assert (weight >= 0).all() and (weight > 0).any()


def test_initializer():
    crf = CRF(transitions_initializer=keras.initializers.Constant(0.5))
    crf.build((None, None, TAGS))
    assert [w.shape for w in crf.weights] == [(3, 3), (3,), (3,)]
    assert all((numpy(w.value) == 0.5).all() for w in crf.weights)


def test_not_trainable():
    """With scores of zero that stay so it is a softmax at each step."""
    model, crf = ready(crf=CRF(trainable=False))
    crf.set_weights([np.zeros_like(w) for w in crf.get_weights()])
    outputs = model.predict(X, verbose=0)
    assert_same(crf.decode(outputs), outputs.argmax(axis=-1).astype("int32"))
    assert_close(crf.marginals(outputs), ops.softmax(outputs))
    model.fit(X, Y, verbose=0)
    assert not any(w.any() for w in crf.get_weights())


@pytest.mark.parametrize(
    ("allowed", "match"),
    [
        (np.ones((3, 4), bool), r"\(3, 4\).*tags \+ 1"),
        (np.ones(4, bool), r"\(4,\).*tags \+ 1"),
        (np.zeros((4, 4), bool), "no sequence"),
        (np.ones((4, 4), bool) & (np.arange(4)[:, None] < 3), "no sequence"),
        (np.array([[1, 0, 0], [0, 1, 1], [1, 0, 0]]), "no sequence"),
    ],
)
def test_what_is_allowed_must_be_so(allowed, match):
    with pytest.raises(ValueError, match=match):
        CRF(allowed)


def test_a_long_way_to_the_end_is_allowed():
    """Each tag leads to the next one alone, and the last one to the end."""
    CRF(np.roll(np.eye(9, dtype=bool), 1, axis=1))


def test_inputs():
    with pytest.raises(ValueError, match=r"4 tags.*\(4, 4\).*\(5, 5\) is needed"):
        CRF(ALLOWED)(array(2, 5, 4))
    with pytest.raises(ValueError, match=r"\(2, 5\).*\[batch, time, tags\]"):
        CRF()(array(2, 5))
    with pytest.raises(ValueError, match=r"\(2, 5, 3, 1\).*\[batch, time, tags\]"):
        CRF()(array(2, 5, 3, 1))
    with pytest.raises(ValueError, match="number of tags"):
        CRF()(keras.Input((5, None)))


@pytest.mark.parametrize("wrong", [TAGS, -2])
def test_true_tags_that_are_none(wrong):
    """The loss is NaN, on every backend, rather than that of another tag."""
    model, _ = ready()
    tags = Y.copy()
    tags[0, 0] = wrong
    assert np.isnan(model.evaluate(X, tags, verbose=0))
    masked = X.copy()
    masked[0, 0] = 0
    assert np.isfinite(model.evaluate(masked, tags, verbose=0))


def test_true_tags_of_another_shape():
    with pytest.raises(ValueError, match=r"y_true.*6, 3\).*\[batch, time\]"):
        ready()[0].evaluate(X, np.eye(TAGS)[Y], verbose=0)


@pytest.mark.parametrize("length", [4, 8])
def test_true_tags_of_another_length(length):
    with pytest.raises(Exception, match=r"(?i)shape|broadcast|dimension"):
        ready()[0].evaluate(X, np.zeros((16, length), int), verbose=0)


def test_weights_of_steps():
    """Which Keras would spread over the batch where there are as many steps as sequences."""
    with pytest.raises(ValueError, match="one for each sequence"):
        ready()[0].evaluate(X[:6], Y[:6], sample_weight=np.ones((6, 6)), verbose=0)
