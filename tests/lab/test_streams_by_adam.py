"""Streams by Adam: windows are parts of one, and an error ends it where the rule of 2000 says."""

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
from lstm_recipes.lab.forward_rule import ForwardRule, initial_weights
from lstm_recipes.lab.side_by_side import EVERYONES
from lstm_recipes.lab.spikes import spike_delays
from lstm_recipes.lab.stream_rule import StreamRule
from lstm_recipes.lab.stream_trials import StreamTrials
from lstm_recipes.lab.streams_by_adam import StreamsByAdam, StreamsSideBySide

REBER = replace(claim_of("continual-reber").task, sample=partial(stream, strings=50))
SPIKES = replace(
    claim_of("spike-delays-10-peepholes").task,
    sample=partial(spike_delays, shortest=10, kinds=2, spikes=100),
)
COSINE = replace(claim_of("periodic-cosine-10").task, chunk=10_000, longest=1000)


@pytest.mark.parametrize("task", [REBER, SPIKES], ids=["symbols", "spikes"])
@pytest.mark.parametrize("tolerance", [0.55, 0.7])
def test_an_untrained_network_errs_where_the_rule_of_2000_says(task, tolerance):
    """The same weights, circle and places; other code: layers here, the forward rule there."""
    seeds, longest = [0, 1, 2], 250
    task = replace(task, tolerance=tolerance, longest=longest, bound=0.5)
    trials = StreamsByAdam(task, seeds)
    weights = initial_weights(task.wiring, seeds, task.bound, task.biases)
    rule = StreamRule(
        ForwardRule(task.wiring, 0.5),
        tolerance=tolerance,
        longest=longest,
        first_asked=task.first_asked,
    )
    draw = np.random.default_rng(0)
    places = [trials._place(draw, trials.pool) for _ in range(6)]
    asked = np.array([True, False, True])
    found = trials._error_free(places, trials.pool, asked)
    every = [np.repeat(part, 3, axis=0) for part in trials.pool]
    expected = [
        rule.error_free(*weights, np.repeat(place, 3), type(trials.pool)(*every), asked).numpy()
        for place in places
    ]
    np.testing.assert_array_equal(found, expected)
    assert not found[:, 1].any() and found.max() <= longest


def test_a_network_learns_until_its_first_error_by_the_gradient_of_a_window():
    """Two windows of one network alone, out of layers; a step is not asked, and one stream is over
    before the second window."""
    tolerance = 0.55
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
    alive, going, lengths = np.ones((3, 2), bool), [True] * 3, []
    rng = np.random.default_rng(0)
    for _ in range(2):
        ids = rng.integers(0, 7, (3, 9))
        wanted = rng.uniform(0.1, 0.9, (3, 9, 7)).astype("float32")
        wanted[0, 5], wanted[1, :, 0] = 1.0, np.nan
        states, alive = both.learn(ids.astype("int32"), wanted, states, alive)
        x = np.eye(7, dtype="float32")[ids]
        with tf.GradientTape() as tape:
            h, *mine = own.layer(x, initial_state=mine)
            logits = dense(tf.concat([h, x], -1))
            said, losses = tf.sigmoid(logits).numpy(), []
            for k in range(3):
                for t in range(9):
                    asked = ~np.isnan(wanted[k, t])
                    if going[k]:
                        losses.append(
                            tf.reduce_sum(
                                tf.nn.sigmoid_cross_entropy_with_logits(
                                    wanted[k, t, asked], logits[k, t][asked]
                                )
                            )
                        )
                    off = abs(said[k, t] - wanted[k, t])[asked]
                    going[k] = going[k] and bool((off <= tolerance).all())
            lengths.append(len(losses))
            loss = tf.add_n(losses) / 3
        mine = [tf.stop_gradient(part) for part in mine]
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 1.0)
        optimizer.apply(gradients, variables)
        assert alive.numpy()[:, 0].tolist() == going
    assert lengths[0] < 27 and 0 < lengths[1] < 27 and not all(going)
    np.testing.assert_allclose(states[1][:, : REBER.wiring.cells], mine[1], atol=1e-5)
    for both_s, own_s, (rows, columns) in zip(
        both.variables, variables, both.networks.places, strict=True
    ):
        found = both_s.numpy()[..., columns == 0]
        if rows is not None:
            found = found[(rows == 0) | (rows == EVERYONES)]
        np.testing.assert_allclose(found, own_s.numpy(), atol=2e-5)


def test_nothing_is_asked_at_a_streams_first_spike():
    trials = StreamsByAdam(SPIKES, [0])
    x, wanted = trials._window([np.array([0])], trials.pool, 0, 40)
    assert x[0, 0] == 1 and np.isnan(wanted[0, 0])
    length = int(trials.pool.length[0])
    _, later = trials._window([np.array([0])], trials.pool, length, 40)  # around the circle
    assert later[0, 0] in (0, 1)


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
    monkeypatch.setattr(streams_by_adam, "STREAM", 200)
    task = replace(REBER, chunk=2000, most_steps=4000)
    claim = replace(claim_of("continual-reber"), task=task)
    monkeypatch.setitem(claims.CLAIMS, "streams", lambda: claim)
    command = ["lab", "run", "streams", "--seeds", "2", "--folder", str(tmp_path)]
    assert claim.method is StreamTrials and main([*command, "--network", "elman"]) == 0
    assert "verdict" not in capsys.readouterr().out
    found = json.loads((tmp_path / "streams-elman-2" / "result.json").read_text())
    assert found["steps"] == 4000 and found["seen"][0] == found["seen"][1] >= 20
