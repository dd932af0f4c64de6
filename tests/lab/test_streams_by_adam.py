"""Streams by Adam: windows are parts of one, and an error ends it where the rule of 2000 says."""

import itertools
import json
from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.cli import main
from lstm_recipes.lab import by_adam, claims, streams_by_adam
from lstm_recipes.lab.claims import claim_of
from lstm_recipes.lab.continual_reber import stream
from lstm_recipes.lab.spikes import spike_delays
from lstm_recipes.lab.stream_trials import StreamTrials
from lstm_recipes.lab.streams_by_adam import StreamsByAdam, StreamsSideBySide

REBER = replace(claim_of("continual-reber").task, sample=partial(stream, strings=50))
SPIKES = replace(
    claim_of("spike-delays-10-peepholes").task,
    sample=partial(spike_delays, shortest=10, kinds=2, spikes=100),
)
COSINE = replace(claim_of("periodic-cosine-10").task, chunk=10_000, longest=1000)


def parts_of(model, network):
    """The weights of one of the networks."""
    for variable, (rows, columns) in zip(model.variables, model.networks.places, strict=True):
        own = variable.numpy()[..., columns == network]
        yield own if rows is None else own[rows == network]


@pytest.mark.parametrize("task", [REBER, SPIKES], ids=["symbols", "spikes"])
@pytest.mark.parametrize("tolerance", [0.55, 0.7])
def test_an_untrained_network_errs_where_the_rule_of_2000_says(task, tolerance, monkeypatch):
    """The same weights, circles and places; other code: windows of layers here, the forward rule
    there."""
    monkeypatch.setattr(streams_by_adam, "TEST_WINDOW", 9)
    seeds, longest = [0, 1, 2], 250
    task = replace(task, tolerance=tolerance, longest=longest, bound=0.5)
    trials, alike = StreamsByAdam(task, seeds), StreamTrials(task, seeds)
    asked = np.array([True, False, True])
    found = trials._tested(trials.tests, asked)
    np.testing.assert_array_equal(found, alike._tested(alike.tests, asked))
    assert found.shape == (10, 3) and not found[:, 1].any() and found.max() <= longest
    if tolerance == 0.7:
        assert found.max() > 9


def test_a_network_learns_until_its_first_error_by_the_gradient_of_a_window():
    """Two windows of one network alone, out of layers; a step is not asked, and one stream is over
    before the second window."""
    tolerance = 0.45
    own = by_adam.networks(REBER, [3], elman=False)
    both = by_adam.networks(REBER, [3, 4], elman=False)
    both = StreamsSideBySide(both, 7, 0.01, tolerance)
    dense = keras.layers.Dense(7)
    own.layer.build((None, None, 7))
    dense.build((None, REBER.wiring.cells + 7))
    variables = own.layer.trainable_variables + dense.trainable_variables
    for variable, value in zip(variables, own.weights[0], strict=True):
        variable.assign(value)
    optimizer = keras.optimizers.Adam(0.01)
    states, mine = both.begin(3), own.layer.get_initial_state(3)
    goes_on, lengths = np.zeros((3, 2), bool), []
    rng = np.random.default_rng(0)
    for _ in range(2):
        ids = rng.integers(0, 7, (3, 9, 2))
        wanted = rng.uniform(0.1, 0.9, (3, 9, 7, 2)).astype("float32")
        wanted[0, 5], wanted[1, :, 0] = 1.0, np.nan
        states, right = both.learn(ids.astype("int32"), wanted, states, goes_on, np.ones(2, bool))
        x, asks = np.eye(7, dtype="float32")[ids[..., 0]], wanted[..., 0]
        mine = [state * goes_on[:, :1] for state in mine]
        with tf.GradientTape() as tape:
            h, *mine = own.layer(x, initial_state=mine)
            logits = dense(tf.concat([h, x], -1))
            losses, going = [], [True] * 3
            for k, t in itertools.product(range(3), range(9)):
                asked = ~np.isnan(asks[k, t])
                if going[k]:
                    target, said = asks[k, t, asked], logits[k, t][asked]
                    cost = tf.nn.sigmoid_cross_entropy_with_logits(target, said)
                    losses.append(tf.reduce_sum(cost))
                    going[k] = bool((abs(tf.sigmoid(said) - target) <= tolerance).numpy().all())
            loss = tf.add_n(losses) / 3
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 1.0)
        optimizer.apply(gradients, variables)
        lengths.append(len(losses))
        assert right.numpy()[:, 0].tolist() == going
        goes_on = right.numpy()
    assert lengths[0] < 27 and not all(going) and any(going)
    np.testing.assert_allclose(states[1][:, : REBER.wiring.cells], mine[1], atol=1e-5)
    for found, own_s in zip(parts_of(both, 0), variables, strict=True):
        np.testing.assert_allclose(found, own_s.numpy(), atol=2e-5)


def test_nothing_is_asked_at_a_streams_first_spike():
    trials = StreamsByAdam(SPIKES, [0, 1])
    places, ages = np.zeros((2, 2), int), np.array([[0, 0], [0, 100]])
    x, wanted = trials._window(places, ages, trials.pool, 40)
    assert x.shape == (2, 40, 2, 1) and wanted.shape == (2, 40, 1, 2)
    assert x[0, 0, 0] == 1 and np.isnan(wanted[0, 0, 0]).all()
    for network, first in ((0, 0), (1, 100)):
        own = (first + np.arange(40)) % trials.pool.length[network]
        np.testing.assert_array_equal(x[1, :, network], trials.pool.inputs[network][own])


def test_a_network_is_the_same_whatever_learns_beside_it():
    task = replace(REBER, chunk=5000, most_steps=5000)
    two, one = StreamsByAdam(task, [3, 4]), StreamsByAdam(task, [4])
    two.run()
    one.run()
    assert two.ended[1] == one.ended[0] > 10
    for both, alone in zip(parts_of(two.model, 1), parts_of(one.model, 0), strict=True):
        np.testing.assert_allclose(both, alone, atol=1e-4)


def test_who_has_done_stays_as_it_was():
    trials = StreamsByAdam(replace(REBER, chunk=2000), [3, 4])
    before = [[*parts_of(trials.model, k)] for k in (0, 1)]
    trials._learn(np.array([False, True]))
    after = [[*parts_of(trials.model, k)] for k in (0, 1)]
    assert all((a == b).all() for a, b in zip(before[0], after[0], strict=True))
    assert any((a != b).any() for a, b in zip(before[1], after[1], strict=True))


def test_what_explodes_is_an_error_and_moves_nothing_else():
    trials = StreamsByAdam(replace(REBER, chunk=1000), [0, 1])
    dense = trials.model.dense.kernel
    own = trials.model.networks.places[-1][1] == 0
    dense.assign(np.where(own, np.nan, dense.numpy()))
    for _ in range(2):
        trials._learn(np.ones(2, bool))
    assert trials.ended[0] == 2 * trials.streams  # each at its first step
    assert all(np.isfinite(part).all() for part in parts_of(trials.model, 1))


def test_a_cosine_is_learnt_by_an_elman_network():
    """One of two. Streams that are all alike are learnt from and tested one at a time."""
    trials = StreamsByAdam(COSINE, [5, 8], elman=True)
    while not trials.succeeded and trials.steps < 300_000:
        trials.advance()
    found = trials.result()
    assert found["succeeded"] and found["tests"] == 0
    assert found["weights"] >= COSINE.wiring.weights


def test_five_minutes_at_most(monkeypatch):
    monkeypatch.setattr(by_adam, "SECONDS", 0)
    found = StreamsByAdam(COSINE, [0, 1]).run()
    assert found["succeeded"] == 0 and found["steps"] == 0 and found["seen"] == [0, 0]


def test_the_command(tmp_path, monkeypatch, capsys):
    task = replace(REBER, chunk=2000, most_steps=4000)
    claim = replace(claim_of("continual-reber"), task=task)
    monkeypatch.setitem(claims.CLAIMS, "streams", lambda: claim)
    command = ["lab", "run", "streams", "--seeds", "2", "--folder", str(tmp_path)]
    assert claim.method is StreamTrials and main([*command, "--network", "elman"]) == 0
    assert "verdict" not in capsys.readouterr().out
    found = json.loads((tmp_path / "streams-elman-2" / "result.json").read_text())
    assert found["steps"] == 4000 and all(20 <= count <= 40 for count in found["seen"])
