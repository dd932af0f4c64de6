"""Trials: the stop, going on, and the command."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from lstm_recipes.cli import main
from lstm_recipes.errors import UserError
from lstm_recipes.lab import claims, reber_trials
from lstm_recipes.lab.claim import verdict
from lstm_recipes.lab.claims import CLAIMS, claim_of
from lstm_recipes.lab.guessing import Guessing
from lstm_recipes.lab.long_lag import distractors, irregular
from lstm_recipes.lab.reber import encoded
from lstm_recipes.lab.stream_trials import StreamTrials
from lstm_recipes.lab.trials import SHUT, RecentRight, Task, Trials
from lstm_recipes.lab.wiring import Wiring

EASY = Task(
    wiring=Wiring(6, 2, blocks=2, hidden_bias=False, output_bias=False),
    sample=partial(distractors, lag=1, symbols=2),
    learning_rate=0.5,
    bound=0.2,
    learnt=RecentRight(tolerance=0.4, last=100),
    limit=4000,
    chunk=100,
    tests=50,
)


def test_they_learn_and_are_tested_and_can_be_interrupted(tmp_path):
    whole = Trials(EASY, [0, 1, 2]).run()
    assert whole["succeeded"] == 3 and max(whole["sequences"]) < 4000
    assert whole["mean_sequences"] == round(np.mean(whole["sequences"]))
    assert all(wrong <= 5 for wrong in whole["wrong"])
    Trials(replace(EASY, limit=500), [0, 1, 2], tmp_path).run()
    later = Trials(EASY, [0, 1, 2], tmp_path).run()
    assert later | {"seconds": 0} == whole | {"seconds": 0}
    lines = []
    assert Trials(EASY, [0, 1, 2], tmp_path).run(lines.append) == later
    assert lines[0].startswith("done before; --overwrite starts anew: ") and len(lines) == 1
    again = Trials(replace(EASY, limit=100), [0, 1, 2], tmp_path, overwrite=True).run()
    assert again["succeeded"] == 0 and again["mean_sequences"] is None
    assert again["seen"] == 100


def test_a_state_of_another_task_is_refused(tmp_path):
    Trials(replace(EASY, limit=100), [0], tmp_path).run()
    Trials(replace(EASY, limit=200), [0], tmp_path)
    other = replace(EASY, sample=partial(distractors, lag=2, symbols=2))
    for task, seeds in [(other, [0]), (EASY, [1]), (replace(EASY, learning_rate=0.4), [0])]:
        with pytest.raises(UserError, match="of another task, or of this one as another version"):
            Trials(task, seeds, tmp_path)


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"no"])
def test_a_damaged_state_is_said(tmp_path, damage):
    Trials(replace(EASY, limit=100), [0], tmp_path).run()
    path = tmp_path / "state.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"state\.npz is damaged; --overwrite starts anew"):
        Trials(EASY, [0], tmp_path)
    Trials(EASY, [0], tmp_path, overwrite=True)


def test_seeds_are_alone():
    """Each trial is the same whatever is trained beside it."""
    one, two = Trials(replace(EASY, limit=300), [4]), Trials(replace(EASY, limit=300), [3, 4])
    one.run()
    two.run()
    np.testing.assert_allclose(one.hidden[..., 0], two.hidden[..., 1], atol=1e-5)


def test_what_is_never_learnt_fails():
    found = Trials(replace(EASY, learning_rate=0.0, limit=300), [0]).run()
    assert found["succeeded"] == 0 and found["sequences"] == [None] == found["wrong"]


WEIGHTS = {  # of the papers' networks
    "reber-3x2": 276,
    "reber-4x1": 264,
    "noise-free": 10_504,
    "irregular": 10_504,
    "long-lag-50": 364,
    "long-lag-100": 664,
    "long-lag-200": 1_264,
    "long-lag-500": 3_064,
    "long-lag-1000": 6_064,
    "long-lag-1000-500": 3_064,
    "long-lag-1000-200": 1_264,
    "long-lag-1000-100": 664,
    "long-lag-1000-50": 364,
    "two-sequence": 102,
    "adding": 93,
    "multiplication": 93,
    "temporal-order-4": 156,
    "temporal-order-8": 308,
    "continual-reber": 424,
    "continual-reber-1997": 360,
    "spike-delays": 14,
    "timed-spikes": 14,
    "periodic": 14,
}


@pytest.mark.parametrize("name", CLAIMS)
def test_the_networks_are_the_papers_to_the_last_weight(name):
    peepholes = 3 * name.endswith("-peepholes")
    missing = 6 * 6 * name.endswith("-no-feedback")  # two cells and four gates, fed back to all
    known = max((key for key in WEIGHTS if name.startswith(key)), key=len)
    assert claim_of(name).task.wiring.weights == WEIGHTS[known] + peepholes - missing


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_are_complete(name):
    claim = claim_of(name)
    assert claim.source.startswith(("1996", "1997", "2000", "2002"))
    if claim.control is not None:
        control = claim_of(claim.control)
        assert claim.rate == 0.0 < control.rate and control.method is claim.method
        alike = {"wiring": claim.task.wiring, "sample": claim.task.sample}
        assert replace(control.task, **alike) == claim.task
    if claim.method is StreamTrials:
        return
    x, target, start, *_ = claim.task.sample(np.random.default_rng(0), 2)
    assert len(x) == len(target) == len(start) == 2
    assert target.shape[-1] == claim.task.wiring.outputs
    assert target.ndim == (3 if claim.task.every_step else 2)
    learnt = claim.task.learnt
    limit = 3 * claim.sequences + (0 if learnt.counted else learnt.last)
    assert claim.method is Guessing or claim.task.limit == limit


WITHOUT_OUTPUT_GATES = replace(
    claim_of("irregular-100").task, sample=partial(irregular, lag=4), chunk=50, tests=20
)
WITHOUT_OUTPUT_GATES = replace(
    WITHOUT_OUTPUT_GATES, wiring=replace(WITHOUT_OUTPUT_GATES.wiring, inputs=5, outputs=5)
)


def test_cells_come_when_the_error_has_stopped_decreasing():
    trials = Trials(WITHOUT_OUTPUT_GATES, [0, 1])
    cells, before = trials.task.wiring.cells, (trials.hidden[:-1], trials.output)
    trials.advance()
    np.testing.assert_array_equal(trials.hidden[:-1], before[0])  # of the cell nothing changes
    np.testing.assert_array_equal(trials.output[:cells], before[1][:cells])
    assert (trials.output[cells:-1] != before[1][cells:-1]).any()
    x, _, start = trials._draw(trials._draws(2), 3)
    found = trials._outputs(x, start)
    alone = trials.output * (np.arange(len(trials.output)) >= cells)[:, None, None]
    np.testing.assert_array_equal(trials.rule.outputs(trials.hidden, alone, x, start), found)

    chunk = trials.task.chunk
    worse, better = np.array([0.5, 0.5]), np.array([0.6, 0.4])
    trials.recent = np.repeat(np.stack([worse, better])[:, None], chunk, 0).repeat(2, 1)
    trials._add_cells()
    assert (trials.hidden[-1, 0] == [0.0, SHUT]).all()
    trials.advance()
    changed = (trials.hidden[:-1] != before[0]).any((0, 1))
    assert changed[0] and (trials.hidden[-1, 0, 0] == 0.0)


def test_where_only_the_last_symbol_can_be_told_only_it_counts():
    trials = Trials(replace(WITHOUT_OUTPUT_GATES, cells_later=False), [0])
    wanted = np.zeros((2, 3, 5, 1), "float32")
    found = wanted.copy()
    found[0, 0], found[1, 2, 4] = 0.9, 0.3
    assert trials._most_off(found, wanted)[:, 0] == pytest.approx([0.0, 0.3])
    assert trials._mean_off(found, wanted)[:, 0] == pytest.approx([0.3, 0.02])


def test_the_sequences_that_are_judged_count_where_the_paper_counts_them():
    counted = Trials(EASY, [0, 1]).run()["sequences"]
    learnt = replace(EASY.learnt, counted=False)
    others = Trials(replace(EASY, learnt=learnt), [0, 1]).run()["sequences"]
    assert [count - 100 for count in counted] == others


def test_targets_without_their_noise_are_what_counts():
    def noisy(draw, count):
        x, target, start = EASY.sample(draw, count)
        return x, target + draw.normal(0.0, 0.3, target.shape).astype("float32"), start, target

    found = Trials(replace(EASY, sample=noisy), [0, 1]).run()
    assert found["succeeded"] == 2 and max(found["wrong"]) <= 5


def test_what_is_predicted_of_the_grammar():
    """The most active outputs are those that may be next, at all steps since the string began."""
    texts = reber_trials.example_strings(np.random.default_rng(0), 3)
    _, _, start, legal = encoded(texts, 63)
    found = np.where(legal, 0.5, 0.1)
    assert reber_trials.all_predicted(found, legal, start).all()
    found[0, start[0] - 1] = 0.3  # before it began
    found[1, 60, legal[1, 60].argmin()] = 0.6
    assert reber_trials.all_predicted(found, legal, start).tolist() == [True, False, True]


def test_a_small_network_learns_some_of_the_grammar(monkeypatch):
    """Each has strings of its own, and is judged by the others too."""
    monkeypatch.setattr(reber_trials, "STRINGS", 8)
    task = replace(claim_of("reber-3x2").task, limit=300, chunk=50, tests=20)
    trials = reber_trials.ReberTrials(task, [0, 1])
    assert trials.x.shape == (16, 63, 2) and (trials.x[..., 0] != trials.x[..., 1]).any()
    x = trials._draw(trials.draws, 40)[0]
    for k in range(2):
        own = {tuple(row) for row in trials.x[:8, :, k]}
        assert {tuple(row) for row in x[:, :, k]} <= own
        ends = trials.x[:8, -3:, k].tolist()
        assert all(row in ends for row in x[:, -3:, k].tolist())
    found = trials.run()
    assert found["weights"] == 276 and trials.recent.shape == (16, 2, 2)
    assert trials.recent[:, 0].mean() <= 1.0 and found["succeeded"] in (0, 1, 2)


def test_guessing_solves_the_two_sequence_problem():
    """Each seed alone, and what it finds solves new sequences too; what cannot be solved is not."""
    task = claim_of("two-sequence-guessed").task
    found = Guessing(replace(task, tests=500), [0, 1]).run()
    assert found["succeeded"] == 2 and max(found["sequences"]) < 5000
    assert max(found["wrong"]) <= 25
    assert Guessing(replace(task, tests=500), [1]).run()["sequences"] == found["sequences"][1:]
    never = Guessing(replace(task, bound=0.0, limit=200), [0]).run()
    assert never["sequences"] == [None] and never["mean_sequences"] is None


def test_verdicts():
    claim = claim_of("adding-100")
    found = {"seeds": 10, "succeeded": 10, "mean_sequences": 148_000}
    assert verdict(claim, found) == "holds"
    assert verdict(claim, found | {"mean_sequences": 148_001}) == "holds in part"
    assert verdict(claim, found | {"succeeded": 5}) == "holds in part"
    rare = replace(claim, rate=0.4)
    assert verdict(rare, found | {"succeeded": 4}) == "holds"
    assert verdict(rare, found | {"succeeded": 3}) == "holds in part"
    assert verdict(rare, found | {"succeeded": 1}) == "does not hold"
    assert verdict(replace(claim, sequences=None), found) == "holds"
    never = replace(claim, rate=0.0)
    assert verdict(never, found | {"succeeded": 1}) == "does not hold"
    assert verdict(never, found | {"succeeded": 0, "mean_sequences": None}) == "holds"
    alone = found | {"succeeded": 0, "mean_sequences": None}
    assert verdict(never, alone | {"control_succeeded": 0}) == "not tested"
    assert verdict(never, alone | {"control_succeeded": 1}) == "holds"
    assert verdict(never, found | {"succeeded": 1, "control_succeeded": 0}) == "does not hold"
    failed = found | {"succeeded": 0, "mean_sequences": None}
    assert verdict(claim, failed) == "does not hold"


def test_the_command(tmp_path, monkeypatch, capsys):
    easy = replace(claim_of("adding-100"), task=EASY, sequences=1300)
    monkeypatch.setitem(claims.CLAIMS, "easy", lambda: easy)
    assert main(["lab", "run", "easy", "--seeds", "2", "--folder", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "verdict                  holds" in shown and "paper sequences          1,300" in shown
    kept = json.loads((tmp_path / "easy-2" / "result.json").read_text())
    assert kept["succeeded"] == 2 and len(kept["sequences"]) == 2
    assert main(["lab", "run", "easy", "--seeds", "2", "--folder", str(tmp_path)]) == 0
    assert "done before; --overwrite starts anew" in capsys.readouterr().err
    hopeless = replace(EASY, learning_rate=0.0, limit=200)
    never = replace(easy, task=hopeless, rate=0.0, control="easy")
    monkeypatch.setitem(claims.CLAIMS, "never", lambda: never)
    assert main(["lab", "run", "never", "--seeds", "2", "--folder", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "verdict                  holds" in said.out and "done before" in said.err
    kept = json.loads((tmp_path / "never-2" / "result.json").read_text())
    assert (kept["succeeded"], kept["control"], kept["control_succeeded"]) == (0, "easy", 2)
    assert main(["lab", "list"]) == 0
    assert "temporal-order-4" in capsys.readouterr().out


def test_errors_of_the_command(capsys, tmp_path):
    with pytest.raises(UserError, match="there is no claim 'nothing'; give one of reber"):
        claim_of("nothing")
    assert main(["lab", "run", "nothing", "--folder", str(tmp_path)]) == 1
    assert "there is no claim" in capsys.readouterr().err
    assert main(["lab", "run", "adding-100", "--seeds", "0"]) == 1
    assert "seeds is 0; give a number of at least 1" in capsys.readouterr().err
    (tmp_path / "file").touch()
    for name in ("adding-100", "rotated-resnet"):
        assert main(["lab", "run", name, "--folder", str(tmp_path / "file")]) == 1
        assert "cannot be made (Not a directory); give another --folder" in capsys.readouterr().err
    kept = tmp_path / "rotated-resnet-3" / "parts.json"
    kept.parent.mkdir()
    kept.write_text("{")
    assert main(["lab", "run", "rotated-resnet", "--folder", str(tmp_path)]) == 1
    assert "parts.json is damaged; --overwrite starts anew" in capsys.readouterr().err
