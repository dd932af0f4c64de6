"""Networks side by side are what each would be alone, in the package's layers and in Keras'."""

from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.cli import main
from lstm_recipes.errors import UserError
from lstm_recipes.lab import by_adam, claims
from lstm_recipes.lab.by_adam import ByAdam, ReberByAdam
from lstm_recipes.lab.claims import claim_of
from lstm_recipes.lab.long_lag import distractors
from lstm_recipes.lab.side_by_side import SideBySide, elman_networks, paper_networks, whose
from lstm_recipes.lab.trials import RecentRight, Task
from lstm_recipes.lab.wiring import Wiring

WIRINGS = {
    "blocks": Wiring(3, 2, blocks=2, block_size=2),
    "no biases": Wiring(3, 2, blocks=2, gate_feedback=False, hidden_bias=False, output_bias=False),
    "forget": Wiring(3, 1, blocks=2, block_size=2, forget_gate=True, hidden_bias="gates"),
    "direct": Wiring(3, 2, blocks=2, forget_gate=True, gate_feedback=False, direct=True),
    "peepholes": Wiring(
        3, 1, blocks=2, forget_gate=True, peepholes=True, output_activation="linear"
    ),
}


def alone(wiring, seed, elman):
    """One of the networks as a model of its own, logits out."""
    if not elman:
        own = paper_networks(wiring, [seed], 0.5, {})
    else:
        own = elman_networks(wiring, [seed])
    x = keras.Input((None, wiring.inputs))
    h, *_ = own.layer(x)
    seen = keras.layers.Concatenate()([h, x]) if own.direct else h
    bias = elman or wiring.output_bias
    model = keras.Model(x, keras.layers.Dense(wiring.outputs, use_bias=bias)(seen))
    model.set_weights(own.weights[0])
    return model


@pytest.mark.parametrize("elman", [False, True])
@pytest.mark.parametrize("name", WIRINGS)
def test_a_step_is_the_step_of_each_alone(name, elman):
    wiring, seeds = WIRINGS[name], [3, 4, 5]
    networks = elman_networks(wiring, seeds) if elman else paper_networks(wiring, seeds, 0.5, {})
    both = SideBySide(networks, wiring.inputs, learning_rate=0.01)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 6, wiring.inputs)).astype("float32")
    target = rng.random((4, wiring.outputs)).astype("float32")
    start = np.zeros(4, "int32")
    before = both.learn(x, target, start).numpy()
    after = both.outputs(x, start).numpy()
    for k, seed in enumerate(seeds):
        model = alone(wiring, seed, elman)
        np.testing.assert_allclose(before[..., k], tf.sigmoid(model(x)[:, -1]), atol=1e-6)
        optimizer = keras.optimizers.Adam(0.01, clipnorm=None)
        with tf.GradientTape() as tape:
            losses = tf.nn.sigmoid_cross_entropy_with_logits(target, model(x)[:, -1])
            loss = tf.reduce_sum(losses) / 4
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, model.trainable_variables), 1.0)
        optimizer.apply(gradients, model.trainable_variables)
        np.testing.assert_allclose(after[..., k], tf.sigmoid(model(x)[:, -1]), atol=2e-5)


@pytest.mark.parametrize("elman", [False, True])
def test_each_sequence_counts_from_its_own_start(elman):
    """Where there is a target at every step: a sequence alone, out of its first step."""
    wiring, starts = WIRINGS["blocks"], np.array([0, 2, 5], "int32")
    networks = elman_networks(wiring, [3, 4]) if elman else paper_networks(wiring, [3, 4], 0.5, {})
    both = SideBySide(networks, wiring.inputs, learning_rate=0.01, every_step=True)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 6, wiring.inputs)).astype("float32")
    target = rng.random((3, 6, wiring.outputs)).astype("float32")
    before = both.learn(x, target, starts).numpy()
    after = both.outputs(x, starts).numpy()
    model, optimizer = alone(wiring, 4, elman), keras.optimizers.Adam(0.01)
    with tf.GradientTape() as tape:
        logits = [model(x[k : k + 1, start:])[0] for k, start in enumerate(starts)]
        targets = [target[k, start:] for k, start in enumerate(starts)]
        cost = tf.nn.sigmoid_cross_entropy_with_logits
        loss = tf.add_n([tf.reduce_sum(cost(*pair)) for pair in zip(targets, logits, strict=True)])
        loss /= 3
    gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, model.trainable_variables), 1.0)
    optimizer.apply(gradients, model.trainable_variables)
    for k, start in enumerate(starts):
        np.testing.assert_allclose(before[k, start:, :, 1], tf.sigmoid(logits[k]), atol=1e-6)
        again = tf.sigmoid(model(x[k : k + 1, start:])[0])
        np.testing.assert_allclose(after[k, start:, :, 1], again, atol=2e-5)


def test_what_stands_before_the_start_is_not_seen():
    both = SideBySide(elman_networks(WIRINGS["blocks"], [0, 1]), 3, learning_rate=0.01)
    ids = np.array([[0, 1, 2, 0], [2, 2, 2, 0]], "int32")
    found = both.outputs(ids, np.array([0, 3], "int32")).numpy()
    ids[1, :3] = 1
    again = both.outputs(ids, np.array([0, 3], "int32")).numpy()
    np.testing.assert_array_equal(found, again)
    vectors = np.eye(3, dtype="float32")[ids]
    np.testing.assert_allclose(both.outputs(vectors, np.array([0, 3], "int32")), found, atol=1e-6)


@pytest.mark.parametrize("name", ["adding-100", "temporal-order-4", "two-sequence-3"])
def test_an_elman_network_has_no_fewer_weights_than_the_papers(name):
    wiring = claim_of(name).task.wiring
    networks = elman_networks(wiring, [0])
    weights = sum(part.size for part in networks.weights[0])
    units = networks.layer.units
    assert weights >= wiring.weights
    assert (units - 1) * (wiring.inputs + units + wiring.outputs) + wiring.outputs < wiring.weights


def test_without_a_network():
    networks = replace(elman_networks(WIRINGS["blocks"], [0]), weights=[])
    with pytest.raises(UserError, match="there are no networks; give at least one seed"):
        SideBySide(networks, 3, learning_rate=0.01)


def test_columns_that_are_not_each_others():
    assert whose([1, 2], 2).tolist() == [0, 1, 0, 0, 1, 1]


EASY = Task(
    wiring=Wiring(6, 2, blocks=2),
    sample=partial(distractors, lag=1, symbols=2),
    learning_rate=0.5,
    bound=0.2,
    learnt=RecentRight(tolerance=0.4, last=100),
    limit=6000,
    chunk=100,
    tests=50,
)


@pytest.mark.parametrize("elman", [False, True])
def test_they_learn_and_stop(elman, monkeypatch):
    found = ByAdam(EASY, [0, 1, 2], elman).run()
    assert found["succeeded"] == 3 and max(found["wrong"]) <= 5
    assert found["weights"] >= EASY.wiring.weights
    monkeypatch.setattr(by_adam, "SECONDS", 0)
    found = ByAdam(EASY, [0], elman).run()
    assert found["succeeded"] == 0 and found["seconds"] == 0.0


def test_all_learn_from_the_same_strings_of_the_grammar():
    task = replace(claim_of("reber-4x1").task, limit=1000, tests=20)
    trials = ReberByAdam(task, [0, 1])
    assert trials.x.shape[-1] == 1 and trials.x.shape[0] == 512
    before = trials._outputs(trials.x, trials.start)
    found = trials.run()
    assert found["judged"] == 512 and len(found["wrong_in_the_end"]) == 2
    after = trials._outputs(trials.x, trials.start)
    begun = np.arange(63)[:, None] >= trials.start[:, None]
    off = [(abs(y - trials.target).mean(2) * begun).sum() for y in (before, after)]
    assert off[1] < 0.6 * off[0]


def test_the_command_and_what_it_cannot_do(tmp_path, monkeypatch, capsys):
    easy = replace(claim_of("adding-100"), task=EASY, sequences=500)
    monkeypatch.setitem(claims.CLAIMS, "easy", lambda: easy)
    command = ["lab", "run", "easy", "--seeds", "2", "--folder", str(tmp_path)]
    assert main([*command, "--network", "elman"]) == 0
    assert "verdict" not in capsys.readouterr().out
    assert (tmp_path / "easy-elman-2" / "result.json").exists()
    assert main(["lab", "run", "noise-free-100", "--network", "adam"]) == 1
    sentence = "noise-free-100 has no row for 'adam'; give paper or elman"
    assert sentence in capsys.readouterr().err
    assert main(["lab", "run", "two-sequence-guessed", "--network", "adam"]) == 1
    assert "two-sequence-guessed has no row for 'adam'; give paper" in capsys.readouterr().err
    assert claim_of("noise-free-100").networks == ["paper", "elman"]
    assert claim_of("adding-100").networks == ["paper", "adam", "elman"]
    assert claim_of("adding-100-linear").networks == ["paper"]  # they have logistic outputs


@pytest.mark.parametrize("name", claims.CLAIMS)
def test_what_stands_beside_a_claim(name):
    """What can be made, and has time to be judged."""
    claim = claim_of(name)
    wiring, (first, *beside) = claim.task.wiring, claim.networks
    assert first == "paper"
    assert wiring.logistic or not beside or name.startswith("periodic-")  # from 0 to 1 anyway
    assert "adam" not in beside or (wiring.output_gate and wiring.recurrent)
    if beside and isinstance(claim.task, Task):
        counted = claim.task.learnt.counted
        judged = claim.task.learnt.last
        assert claim.task_beside.limit == claim.sequences + (0 if counted else judged) >= judged


def test_no_elman_network_is_there_twice():
    seen = []
    for claim in map(claim_of, claims.CLAIMS):
        if "elman" in claim.networks:
            task, units = claim.task, elman_networks(claim.task.wiring, [0]).layer.units
            stop = task.learnt if isinstance(task, Task) else task.tolerance
            seen.append((units, repr(task.sample), stop))
    assert len(seen) == len(set(seen)) > 30
