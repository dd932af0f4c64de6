"""The rule of 1997, forwards in time, gives the truncated gradient of the package's layers."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_recipes.lab.forward_rule import ForwardRule, initial_weights
from lstm_recipes.lab.wiring import Wiring

WIRINGS = [
    Wiring(3, 2, blocks=2, block_size=2),
    Wiring(3, 2, blocks=2, gate_feedback=False, hidden_bias=False, output_bias=False),
    Wiring(3, 2, blocks=2, block_size=3, forget_gate=True, hidden_bias="gates", direct=True),
    Wiring(3, 2, blocks=2, block_size=3, forget_gate=True, peepholes=True),
    Wiring(
        *(3, 2, 1),
        forget_gate=True,
        peepholes=True,
        gate_feedback=False,
        activation="linear",
        output_activation="linear",
        logistic=False,
    ),
    Wiring(3, 2, blocks=2, activation="sigmoid", output_activation="linear"),
]


def changes(wiring, every_step, x, target, start):
    """What the rule adds to the weights at a learning rate of 1, and the weights before."""
    weights = initial_weights(wiring, [1, 2], bound=0.7)
    rule = ForwardRule(wiring, 1.0, every_step=every_step)
    *after, found = (a.numpy() for a in rule.train(*weights, x, target, start))
    np.testing.assert_allclose(rule.outputs(*weights, x, start)[0], found[0], atol=1e-6)
    return weights, [new - old for new, old in zip(after, weights, strict=True)], found


@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("number", range(len(WIRINGS)))
def test_changes_are_the_layers_truncated_gradient(number, every_step):
    wiring, steps, trials = WIRINGS[number], 7, 2
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, steps, 3, trials)).astype("float32")
    shape = (1, steps, 2, trials) if every_step else (1, 2, trials)
    target, start = rng.random(shape).astype("float32"), np.array([[0, 2]], "int32")
    (hidden, output), found, y = changes(wiring, every_step, x, target, start)
    for k in range(trials):
        model = wiring.model(hidden[..., k], output[..., k])
        begin = start[0, k]
        with tf.GradientTape() as tape:
            outputs = model(x[0, begin:, :, k][None])[0]
            outputs = outputs if every_step else outputs[-1]
            wanted = target[0, begin:, :, k] if every_step else target[0, :, k]
            loss = 0.5 * tf.reduce_sum(tf.square(outputs - wanted))
        shown = y[0, begin:, :, k] if every_step else y[0, :, k]
        np.testing.assert_allclose(shown, outputs, atol=1e-6)
        expected = [-np.array(g) for g in tape.gradient(loss, model.trainable_variables)]
        biases = wiring.hidden_mask[-1], wiring.output_mask[-1]
        rows = wiring.cells + wiring.inputs * wiring.direct
        edges = [wiring.inputs, wiring.inputs + wiring.fed_back]
        *parts, peepholes = np.split(found[0][:-1, :, k], edges)
        parts += [found[0][-1, biases[0], k]] * bool(wiring.hidden_bias)
        parts += [wiring._peephole(peepholes)] if wiring.peepholes else []
        parts += [found[1][:rows, :, k]] + [found[1][-1, biases[1], k]] * wiring.output_bias
        for one, two in zip(parts, expected, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-6)
        for change, mask in zip(found, (wiring.hidden_mask, wiring.output_mask), strict=True):
            assert not change[~mask].any()


def test_where_nothing_is_asked_nothing_is_learnt():
    wiring = Wiring(2, 2, blocks=1)
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(1, 3, 2, 2)), rng.random((1, 3, 2, 2))
    data = x.astype("float32"), np.zeros((1, 2), "int32")
    silent = np.full(target.shape, np.nan, "float32")
    (before, _), changed, _ = changes(wiring, True, data[0], silent, data[1])
    assert not any(change.any() for change in changed) and before.any()
    one, two = target.astype("float32"), target.astype("float32")
    one[0, 1:], two[0, 1, 0], two[0, 2] = np.nan, np.nan, np.nan
    (_, first, _), (_, second, _) = (
        changes(wiring, True, data[0], part, data[1]) for part in (one, two)
    )
    assert (first[0] != second[0]).any()  # the second output of the second step counts


def test_symbols_by_number_are_one_hot_vectors():
    wiring = Wiring(5, 2, blocks=2)
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 5, (3, 6, 2)).astype("int32")
    target, start = rng.random((3, 2, 2)).astype("float32"), rng.integers(0, 3, (3, 2))
    weights = initial_weights(wiring, [3, 4], bound=0.5)
    one, two = (
        ForwardRule(wiring, 0.5).train(*weights, x, target, start.astype("int32"))
        for x in (ids, np.moveaxis(np.eye(5, dtype="float32")[ids], 3, 2))
    )
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


RULE = ForwardRule(Wiring(2, 1, blocks=2, block_size=2), 0.5)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=2, max_size=2), st.integers(0, 99))
def test_trials_do_not_see_each_other_nor_what_stands_before_their_start(starts, seed):
    rng = np.random.default_rng(seed)
    x, target = rng.normal(size=(2, 9, 2, 2)), rng.random((2, 1, 2))
    start = np.array([starts, starts[::-1]], "int32")
    weights = initial_weights(RULE.wiring, [5, 6], bound=0.7)
    x, target = x.astype("float32"), target.astype("float32")
    found = RULE.train(*weights, x, target, start)
    other = x.copy()
    for k in range(2):
        other[k, : start[k, 0], :, 0] = 99.0
    other[..., 1] += 1.0
    again = RULE.train(*weights, other, target, start)
    for one, two in zip(found, again, strict=True):
        np.testing.assert_array_equal(one[..., 0], two[..., 0])


def test_at_every_step_or_after_the_sequence():
    """With one step the two are the same; with more they are not."""
    wiring = Wiring(2, 1, blocks=1)
    weights = initial_weights(wiring, [0], bound=0.7)
    rng = np.random.default_rng(0)
    for steps, same in ((1, True), (3, False)):
        x, target = rng.normal(size=(1, steps, 2, 1)), rng.random((1, steps, 1, 1))
        data = x.astype("float32"), target.astype("float32"), np.zeros((1, 1), "int32")
        one, two = (
            ForwardRule(wiring, 0.5, every_step=True, update_each_step=each).train(*weights, *data)
            for each in (True, False)
        )
        assert np.allclose(one[0], two[0], atol=1e-7) == same


def test_first_weights_are_each_seeds_own():
    wiring = Wiring(2, 1, blocks=2, block_size=2, hidden_bias="gates")
    hidden, output = initial_weights(wiring, [7, 8], 0.1, {"i": [-3.0, -6.0]})
    alone, _ = initial_weights(wiring, [8], 0.1, {"i": [-3.0, -6.0]})
    assert (hidden[..., 1] == alone[..., 0]).all() and (hidden[..., 0] != hidden[..., 1]).any()
    assert hidden[-1, :2].tolist() == [[-3.0, -3.0], [-6.0, -6.0]]
    assert not hidden[~wiring.hidden_mask].any() and np.abs(output).max() <= 0.1
