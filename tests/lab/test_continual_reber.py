"""Streams without marked ends: the pool, the rule at every step, and the trials."""

import itertools
import json
from dataclasses import replace
from functools import partial

import numpy as np

from lstm_recipes.cli import main
from lstm_recipes.lab import claims
from lstm_recipes.lab.claims import claim_of
from lstm_recipes.lab.continual_reber import stream
from lstm_recipes.lab.forward_rule import ForwardRule, initial_weights
from lstm_recipes.lab.reber import SYMBOLS, successors
from lstm_recipes.lab.stream_rule import StreamRule
from lstm_recipes.lab.stream_trials import StreamTrials, pool_of

TASK = claim_of("continual-reber-decay").task


def pool(trials):
    return pool_of([stream(np.random.default_rng(seed), 20) for seed in range(trials)])


def texts_of(symbols, next_start):
    """The strings of a circle."""
    text = "".join(SYMBOLS[k] for k in symbols)
    ends = [*sorted(set(next_start.tolist()) - {0}), len(text)]
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def test_a_stream_is_strings_and_what_may_follow():
    symbols, wanted, next_start = stream(np.random.default_rng(0), 50)
    texts = texts_of(symbols, next_start)
    assert len(texts) == 50
    expected = [ways for text in texts for ways in (*successors(text), "B")]
    found = ["".join(s for s, w in zip(SYMBOLS, row, strict=True) if w) for row in wanted]
    assert [sorted(a) for a in found] == [sorted(b) for b in expected]
    following = np.roll(symbols, -1)
    assert wanted[np.arange(len(symbols)), following].all()  # around the circle too


def test_a_pool_is_each_trials_own():
    circle = pool(2)
    alone = stream(np.random.default_rng(1), 20)
    length = circle.length[1]
    assert length == len(alone[0])
    for rows, own in zip(circle[:3], alone, strict=True):
        np.testing.assert_array_equal(rows[1, :length], own)


def test_the_rule_is_that_of_every_step_until_an_error_ends_the_stream():
    """One trial, by the rule for sequences, step by step."""
    wiring = TASK.wiring
    weights = initial_weights(wiring, [0], 0.2, TASK.biases)
    circle = pool(1)
    for tolerance, ends in ((2.0, 0), (0.0, 30)):
        rule = ForwardRule(wiring, 0.5, every_step=True)
        streams = StreamRule(rule, decay=1.0, tolerance=tolerance)
        hidden, output, now = streams.train(*weights, streams.start(1), circle, 30)
        assert int(now.ended[0]) == ends
        each = ForwardRule(wiring, 0.5, every_step=True, update_each_step=True)
        if not ends:  # one long sequence
            x, wanted = circle.inputs[:, :30].T[None], circle.wanted[0, :30][None, ..., None]
            expected = each.train(*weights, x, wanted, np.zeros((1, 1), "int32"))[:2]
            assert int(now.place[0]) == 30 == int(now.age[0])
        else:  # sequences of one symbol, the first of each string
            places = [0]
            for _ in range(29):
                places.append(circle.next_start[0, places[-1]])
            x, wanted = circle.inputs[0, places][:, None, None], circle.wanted[0, places][:, None]
            start = np.zeros((30, 1), "int32")
            expected = each.train(*weights, x, wanted[..., None], start)[:2]
        np.testing.assert_allclose(hidden, expected[0], atol=1e-5)
        np.testing.assert_allclose(output, expected[1], atol=1e-5)


def test_an_outside_hand_resets_the_network_after_each_string():
    """As if each were a sequence of its own."""
    weights = initial_weights(TASK.wiring, [0], 0.2, TASK.biases)
    circle = pool(1)
    first = int(circle.next_start[0, 0])
    both = first, int(circle.next_start[0, first])
    rule = ForwardRule(TASK.wiring, 0.5, every_step=True)
    streams = StreamRule(rule, tolerance=2.0, longest=30, resets=True)
    *found, now = streams.train(*weights, streams.start(1), circle, both[1])
    assert int(now.age[0]) == both[1] and not any(part.numpy().any() for part in now.state[2:3])
    each = ForwardRule(TASK.wiring, 0.5, every_step=True, update_each_step=True)
    expected = weights
    for begin, end in zip((0, first), both, strict=True):
        x = circle.inputs[:, begin:end].T[None]
        wanted = circle.wanted[0, begin:end][None, ..., None]
        expected = each.train(*expected, x, wanted, np.zeros((1, 1), "int32"))[:2]
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)

    # Where nothing is learnt too: a tolerance that only what was reset exceeds, or only the other.
    off = []
    for begin in (first, 0):
        x = circle.inputs[:, begin : both[1]].T[None]
        y = rule.outputs(*found, x, np.zeros((1, 1), "int32")).numpy()[0, first - begin :, :, 0]
        off.append(abs(y - circle.wanted[0, first : both[1]]).max())
    circle.wanted[0, :first] = np.nan
    go = lambda resets: StreamRule(  # noqa: E731
        rule, tolerance=np.mean(off), longest=both[1], resets=resets
    ).error_free(*found, np.zeros(1, "int32"), circle, np.array([True]))
    assert off[0] != off[1] and (go(True) == both[1]) == (off[0] < off[1])
    assert (go(False) == both[1]) == (off[1] < off[0])


def test_the_rate_fades_along_a_stream():
    wiring = TASK.wiring
    weights = initial_weights(wiring, [0], 0.2, TASK.biases)
    circle = pool(1)
    rule = ForwardRule(wiring, 0.5, every_step=True)
    never = StreamRule(rule, decay=0.0, tolerance=2.0)  # 0 to the power of 0 is 1
    after = [never.train(*weights, never.start(1), circle, steps)[0] for steps in (1, 2)]
    np.testing.assert_array_equal(*after)
    assert (after[0].numpy() != weights[0]).any()


def test_momentum_makes_the_last_change_again():
    wiring = TASK.wiring
    weights = initial_weights(wiring, [0], 0.2, TASK.biases)
    circle = pool(1)
    rule = ForwardRule(wiring, 0.5, every_step=True)
    once = StreamRule(rule, decay=0.0, tolerance=2.0, momentum=0.5)
    first, _, now = once.train(*weights, once.start(1), circle, 1)
    second = once.train(*weights, once.start(1), circle, 2)[0]
    np.testing.assert_allclose(second - first, 0.5 * (first - weights[0]), atol=1e-6)
    np.testing.assert_allclose(now.last[0], first - weights[0], atol=1e-6)


def test_nothing_is_wrong_where_nothing_is_asked():
    weights = initial_weights(TASK.wiring, [0], 0.2, TASK.biases)
    circle = pool(1)
    silent = circle._replace(wanted=np.full_like(circle.wanted, np.nan))
    rule = StreamRule(ForwardRule(TASK.wiring, 0.5), tolerance=0.0)
    hidden, _, now = rule.train(*weights, rule.start(1), silent, 20)
    assert int(now.ended[0]) == 0 and (hidden.numpy() == weights[0]).all()
    first = StreamRule(ForwardRule(TASK.wiring, 0.5), tolerance=0.0, first_asked=False)
    *_, now = first.train(*weights, first.start(1), circle, 20)
    assert int(now.ended[0]) == 10  # each stream errs at its second step


def test_how_long_a_network_goes_without_an_error():
    wiring = TASK.wiring
    weights = initial_weights(wiring, [0, 1], 0.2, TASK.biases)
    circle = pool(2)
    asked, place = np.array([True, False]), np.zeros(2, "int32")
    for tolerance, expected in ((2.0, [25, 0]), (0.0, [0, 0])):
        rule = StreamRule(ForwardRule(wiring, 0.5), tolerance=tolerance, longest=25)
        found = rule.error_free(*weights, place, circle, asked)
        assert found.numpy().tolist() == expected


def test_trials_go_on_and_stop(tmp_path):
    task = replace(TASK, sample=partial(stream, strings=200), chunk=500, longest=3, most_steps=4000)
    whole = StreamTrials(task, [0, 1]).run()
    assert whole["weights"] == 424 and len(whole["error_free"]) == 2
    StreamTrials(replace(task, most_steps=1000), [0, 1], tmp_path).run()
    again = json.loads(json.dumps(StreamTrials(task, [0, 1], tmp_path).run()))
    assert again | {"seconds": 0} == whole | {"seconds": 0}
    assert whole["succeeded"] == 2 or whole["steps"] == 4000
    few = StreamTrials(replace(task, limit=1, longest=1000), [0]).run()
    assert few["succeeded"] == 0 and few["steps"] == 500 and few["good"] == 0
    assert few["seen"][0] >= 1 and few["tests"] == 10


def test_streams_that_do_not_differ_are_tested_once():
    task = claim_of("periodic-cosine-10").task
    task = replace(task, chunk=200, most_steps=400, longest=100, tolerance=2.0)
    found = StreamTrials(task, [0, 1]).run()
    assert found["succeeded"] == 2 and found["tests"] == 0 and found["wrong"] == [None, None]
    alike = StreamTrials(replace(task, drawn=True), [0, 1])
    assert alike.run() | {"seconds": 0} == found | {"seconds": 0, "tests": 10, "wrong": [0, 0]}


def test_streams_that_are_tested_again_are_others():
    task = replace(TASK, sample=partial(stream, strings=50))
    trials = StreamTrials(task, [0, 1])
    circles = [trials.pool.inputs, trials.tests.inputs, trials.others.inputs]
    for one, other in itertools.combinations(circles, 2):
        few = min(one.shape[1], other.shape[1])
        assert (one[:, :few] != other[:, :few]).any(axis=1).all()


def test_the_command(tmp_path, monkeypatch, capsys):
    task = replace(TASK, sample=partial(stream, strings=200), chunk=500, most_steps=500)
    monkeypatch.setitem(
        claims.CLAIMS, "streams", lambda: replace(claim_of("continual-reber-decay"), task=task)
    )
    assert main(["lab", "run", "streams", "--seeds", "2", "--folder", str(tmp_path)]) == 0
    assert "does not hold" in capsys.readouterr().out
    assert json.loads((tmp_path / "streams-2" / "result.json").read_text())["steps"] == 500
