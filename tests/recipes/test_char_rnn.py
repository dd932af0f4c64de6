"""The char-RNN recipe: runs that are stopped and go on, what is published, what is sampled."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lstm_recipes.data import Vocabulary, fingerprint, split
from lstm_recipes.errors import UserError
from lstm_recipes.recipes.char_rnn import PRESETS, CharRNN, build, evaluate, sample, train
from lstm_recipes.training.fit import Interrupted
from lstm_recipes.training.language_model import CharacterLoss, LanguageModelTask
from lstm_recipes.training.run_folder import FILES, UNFINISHED
from lstm_recipes.training.trained import SIZE, TrainedCharLM

from .runs import Killed, assert_same_run, checkpoint, last_kept, log, options

NUMBERS = CharRNN(
    layer="forget",
    units=8,
    embedding=4,
    dropout=0.3,
    recurrent_dropout=0.2,
    batch_size=6,
    time=10,
    learning_rate=0.02,
    steps=57,
    validate_every=10,
)
"""57 steps are one epoch and a half of the text."""


@pytest.fixture(scope="module")
def unbroken(text_file, tmp_path_factory):
    """Runs without a break, each made when it is first asked for."""

    @cache
    def run(numbers: CharRNN) -> Path:
        folder = tmp_path_factory.mktemp("unbroken") / "run"
        with last_kept():
            train(numbers, folder, text_file)
        return folder

    return run


# --- stopped and resumed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "precision", "stops"),
    [
        ("forget", "float32", [(13, "interrupted"), (47, "killed")]),
        ("keras_lstm", "mixed_bfloat16", [(36, "killed"), (41, "interrupted")]),
    ],
)
def test_a_stopped_run_ends_as_an_unbroken_one(
    unbroken, text_file, tmp_path, stop_at, layer, precision, stops
):
    numbers = replace(NUMBERS, layer=layer, precision=precision)
    run = tmp_path / "run"
    for number, (step, how) in enumerate(stops):
        stop_at(LanguageModelTask, step, how)
        with pytest.raises((Killed, Interrupted)):
            train(numbers, run, text_file, resume=number > 0)
        at = checkpoint(run)
        assert at["number_step"] == (step + 1 if how == "interrupted" else step // 10 * 10)
        states = [at[name] for name in sorted(at) if name.startswith("variable_")][-2:]
        assert all(np.abs(state).max() > 0 for state in states)  # h and c of the streams
        assert states[0].shape == (6, 8)
    stop_at(LanguageModelTask, -1, "never")
    with last_kept():
        train(numbers, run, text_file, resume=True)
    assert_same_run(run, unbroken(numbers), TrainedCharLM)


PROGRAM = """
import sys, time
from lstm_recipes.cli import main
from lstm_recipes.quiet import load_tensorflow

load_tensorflow()
from lstm_recipes.training.language_model import LanguageModelTask

def slowly(self, step, rate, train_step=LanguageModelTask.train_step):
    if step > 21:
        time.sleep(0.25)
    return train_step(self, step, rate)

LanguageModelTask.train_step = slowly
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def stopped(text_file, tmp_path_factory):
    """Two runs of the command, stopped by a signal soon after step 20: the folder, the exit
    status and standard error of each."""
    folder = tmp_path_factory.mktemp("stopped")
    running = {}
    for name in ("SIGINT", "SIGKILL"):
        run = ["--run", str(folder / name), "--text", str(text_file)]
        running[name] = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "char-rnn", "train", *run, *options(NUMBERS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
    found = {}
    for name, process in running.items():
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("step 20:"):
                process.send_signal(getattr(signal, name))
        assert process.stdout.read() == ""
        found[name] = (folder / name, process.wait(60), lines)
    return found


def test_ctrl_c_ends_the_command_with_130_and_what_to_do(stopped):
    _, status, lines = stopped["SIGINT"]
    assert status == 130
    *steps, last = lines
    assert [line.split(":")[0] for line in steps] == ["step 10", "step 20"]  # and no other noise
    assert last.startswith("lstm-recipes: stopped after step 2")
    assert last.endswith("; the same command with --resume goes on from there\n")
    assert stopped["SIGKILL"][1] == -signal.SIGKILL


@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_a_stopped_command_ends_as_an_unbroken_run(stopped, unbroken, command, text_file, name):
    run, _, _ = stopped[name]
    assert 20 <= checkpoint(run)["number_step"] < 50
    with last_kept():
        answer = command("char-rnn", "train", "--resume", "--run", run, "--text", text_file)
    assert answer.status == 0
    assert_same_run(run, unbroken(NUMBERS), TrainedCharLM)


def test_a_finished_run_resumed_says_so_and_changes_nothing(
    unbroken, command, text_file, tmp_path, stop_at
):
    """But for last/, which is left where a run was killed at its very end."""
    run = shutil.copytree(unbroken(NUMBERS), tmp_path / "run")
    stop_at(LanguageModelTask, 0, "killed")
    answer = command("char-rnn", "train", "--resume", "--run", run, "--text", text_file)
    assert answer.status == 0
    assert answer.err == f"the run in {run} has finished: nothing is left to do\n"
    assert f"steps                    {NUMBERS.steps}\n" in answer.out
    assert not (run / "last").exists()
    for path in run.iterdir():
        if path.is_file():
            assert path.read_bytes() == (unbroken(NUMBERS) / path.name).read_bytes()


def test_a_finished_run_has_nothing_that_only_resuming_needs(trained):
    files = {"config.json", "vocabulary.json", "validation.txt", "best.keras", "log.csv"}
    files |= {"metrics.json", "tensorboard"}
    assert {p.name for p in trained.iterdir()} == files <= set(FILES) - set(UNFINISHED)


def test_another_seed_is_another_run(unbroken):
    one, two = unbroken(NUMBERS), unbroken(replace(NUMBERS, seed=1))
    assert log(one)[0]["train_loss"] != log(two)[0]["train_loss"]
    assert json.loads((two / "config.json").read_text())["numbers"]["seed"] == 1


# --- what a run writes -----------------------------------------------------------------------


def test_the_files_say_what_was_trained(unbroken, text, text_file):
    run = unbroken(NUMBERS)
    config = json.loads((run / "config.json").read_text())
    assert config["numbers"] == asdict(NUMBERS)
    assert config["total_steps"] == 57
    assert config["data"] == {
        "name": text_file.name,
        "sha256": fingerprint(text),
        "characters": len(text),
    }
    assert Vocabulary.load(run / "vocabulary.json") == Vocabulary.of(text)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["split"] == "validation" and metrics["steps"] == 57
    assert metrics["train_seconds"] > 0 and metrics["characters_per_second"] > 0
    assert [int(row["step"]) for row in log(run)] == [10, 20, 30, 40, 50, 57]
    assert [file.stat().st_size > 0 for file in (run / "tensorboard").iterdir()] == [True]


def test_best_is_the_model_of_the_lowest_validation_loss_in_the_log(trained):
    """The validation text is short, so that the estimate in training is the whole of it."""
    lowest = min(float(row["validation_loss"]) for row in log(trained))
    assert evaluate(trained)["nats_per_character"] == pytest.approx(lowest, abs=2e-5)


def test_it_has_learned_something(trained, text):
    assert evaluate(trained)["nats_per_character"] < np.log(len(set(text))) - 0.8


def test_train_gives_back_what_metrics_json_keeps(text_file, tmp_path):
    numbers = replace(NUMBERS, layer="gru", steps=1)
    given = train(numbers, tmp_path / "run", text_file)
    assert given == json.loads((tmp_path / "run/metrics.json").read_text())


def test_the_presets_make_sense():
    assert PRESETS["default"] == CharRNN()
    for numbers in PRESETS.values():
        numbers.check()


def test_a_build_is_the_model_of_the_numbers(text):
    model = build(replace(NUMBERS, layers=2), Vocabulary.of(text))
    assert [layer.units for layer in model.layers if hasattr(layer, "cell")] == [8, 8]
    assert model.outputs[0].shape == (None, None, len(set(text)))


# --- the published number --------------------------------------------------------------------


class NumPyLSTM:
    """The trained model as one would write it down: a character in, log-probabilities out."""

    def __init__(self, weights: list[np.ndarray]):
        self.embedding, *cells, self.kernel, self.bias = (w.astype("float64") for w in weights)
        self.cells = [cells[k : k + 3] for k in range(0, len(cells), 3)]
        self.h = [np.zeros(len(u)) for _, u, _ in self.cells]
        self.c = [np.zeros(len(u)) for _, u, _ in self.cells]

    def __call__(self, character: int) -> np.ndarray:
        def sigmoid(z):
            return 1 / (1 + np.exp(-z))

        x = self.embedding[character]
        for k, (w, u, b) in enumerate(self.cells):
            i, f, g, o = np.split(x @ w + self.h[k] @ u + b, 4)
            self.c[k] = sigmoid(f) * self.c[k] + sigmoid(i) * np.tanh(g)
            x = self.h[k] = sigmoid(o) * np.tanh(self.c[k])
        logits = x @ self.kernel + self.bias
        return logits - np.log(np.exp(logits).sum())


@pytest.fixture
def by_hand(trained) -> NumPyLSTM:
    return NumPyLSTM(TrainedCharLM(trained).model.get_weights())


def test_the_published_number_is_the_whole_split_in_order_from_the_zero_state(
    trained, text, by_hand
):
    """The run has moved and its text is gone: the folder alone is enough."""
    _, validation = split(text)
    assert len(validation) == len(text) - int(0.9 * len(text))
    ids = Vocabulary.of(text).encode(validation)
    nats = -np.mean([by_hand(a)[b] for a, b in pairwise(ids)])
    recorded = json.loads((trained / "metrics.json").read_text())
    measured = evaluate(trained)
    assert measured["characters"] == len(validation) - 1
    assert measured["nats_per_character"] == pytest.approx(nats, abs=1e-5)
    assert measured["nats_per_character"] == pytest.approx(recorded["nats_per_character"], abs=1e-4)
    assert measured["bits_per_character"] == pytest.approx(nats / np.log(2), abs=1e-5)


# --- sampling --------------------------------------------------------------------------------


def test_greedy_text_is_the_likeliest_character_each_time(trained, text, by_hand, capsys):
    vocabulary = Vocabulary.of(text)
    *read, last = vocabulary.encode("the moon")
    for character in read:
        by_hand(character)
    written = [last]
    for _ in range(70):
        written.append(int(by_hand(written[-1]).argmax()))
    sample(trained, prompt="the moon", length=70, temperature=0)
    assert capsys.readouterr().out == "the moo" + vocabulary.decode(written) + "\n"


# --- going on from a trained model -----------------------------------------------------------


def test_training_goes_on_from_old_weights_with_more_characters(trained, text, tmp_path):
    """With a learning rate of almost nothing the model stays the old one."""
    new = tmp_path / "new.txt"
    new.write_text("Zürich€\n" + text[100:1500], "utf-8")
    unasked = {name: getattr(CharRNN(), name) for name in SIZE}
    still = {"learning_rate": 1e-12, "weight_decay": 0.0, "dropout": 0.0, "recurrent_dropout": 0.0}
    numbers = replace(NUMBERS, steps=1, **unasked, **still)
    run = tmp_path / "run"
    with pytest.raises(UserError, match=r"3 characters .*: 'Z' \(U\+005A\), 'ü' .*--add-char"):
        train(numbers, run, new, init_from=trained)
    assert not run.exists()

    train(numbers, run, new, init_from=trained, add_characters=True)
    old, now = TrainedCharLM(trained), TrainedCharLM(run)
    size = len(old.vocabulary)
    assert now.vocabulary.characters == (*old.vocabulary.characters, "Z", "ü", "€")
    assert now.folder.read_json("config")["numbers"] == asdict(
        replace(numbers, layer="forget", layers=2, units=10, embedding=8)
    )
    before, after = old.model.get_weights(), now.model.get_weights()
    np.testing.assert_allclose(after[0][:size], before[0], atol=1e-9)
    np.testing.assert_allclose(after[-2][:, :size], before[-2], atol=1e-9)
    assert float(log(run)[0]["train_loss"]) < np.log(size) - 0.5


def test_the_old_folder_may_be_the_new_one(copied, text_file):
    """The old model is in memory before --overwrite removes its folder."""
    before = CharacterLoss(TrainedCharLM(copied).model)
    numbers = replace(CharRNN(), steps=1, learning_rate=1e-12, batch_size=6, time=10)
    train(numbers, copied, text_file, init_from=copied, overwrite=True)
    after = TrainedCharLM(copied)
    assert after.folder.read_json("config")["numbers"]["units"] == 10
    ids = after.vocabulary.encode(after.folder.read_text("validation.txt"))
    assert after.measure()["nats_per_character"] == pytest.approx(before(ids), abs=1e-3)


# --- what makes no sense ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wrong"),
    [(name, n) for name in ("layers", "units", "embedding", "batch_size", "time") for n in (0, -1)]
    + [("validate_every", 0), ("steps", 0), ("steps", -1), ("warmup", -1), ("weight_decay", -0.1)]
    + [(name, rate) for name in ("dropout", "recurrent_dropout") for rate in (-0.1, 1.0, 1.5)]
    + [(name, n) for name in ("learning_rate", "clip_norm") for n in (0, -1, np.nan, np.inf)]
    + [(name, n) for name in ("epochs", "minutes") for n in (0, -1, np.nan, np.inf)]
    + [("seed", -1), ("seed", 2**32), ("dropout", np.nan), ("weight_decay", np.nan)],
)
def test_numbers_that_make_no_sense_are_refused_before_anything_is_written(
    tmp_path, text_file, name, wrong
):
    with pytest.raises(UserError, match=f"^{name} is {wrong}; give a number "):
        budget = {"steps": None} if name in ("epochs", "minutes") else {}
        train(replace(CharRNN(), **budget | {name: wrong}), tmp_path / "run", text_file)
    assert not (tmp_path / "run").exists()
