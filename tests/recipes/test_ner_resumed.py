"""Runs of the recipe ner that are stopped and go on."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from lstm_recipes.recipes.ner import NER, train
from lstm_recipes.training.tagging import TaggingTask
from lstm_recipes.training.trained_tagger import TrainedTagger

from ..data.tagged_corpus import write_corpus
from .runs import TAGGER, Killed, assert_same_run, checkpoint, last_kept, log, metrics, options

PROGRAM = """
import sys, time
from lstm_recipes.cli import main
from lstm_recipes.quiet import load_tensorflow

load_tensorflow()
from lstm_recipes.training.tagging import TaggingTask

def slowly(self, step, rate, train_step=TaggingTask.train_step):
    if step > 11:
        time.sleep(0.5)
    return train_step(self, step, rate)

TaggingTask.train_step = slowly
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_that_was_killed_and_then_stopped_ends_as_an_unbroken_one(
    unbroken_tagger, command, corpus, tmp_path, stop_at
):
    run = ("--run", str(tmp_path / "run"), "--data", str(corpus))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "ner", "train", *run, *options(TAGGER)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("step 10:"):
            process.kill()
    assert process.stdout.read() == ""
    process.wait(60)
    assert lines[0] == "fake: 30 training sentences, tags in IOB2, 0 of them repaired\n"
    assert [line.split(":")[0] for line in lines[1:]] == ["step 5", "step 10"]
    # Dead before or after the checkpoint, with the best model of step 10 in the folder.
    assert checkpoint(tmp_path / "run")["number_step"] in (5, 10)
    stop_at(TaggingTask, 12, "interrupted")
    answer = command("ner", "train", "--resume", *run)
    assert (answer.status, answer.out) == (130, "")
    assert answer.err.endswith(
        "stopped after step 13; the same command with --resume goes on from there\n"
    )
    assert checkpoint(tmp_path / "run")["number_step"] == 13
    stop_at(TaggingTask, -1, "never")
    with last_kept():
        train(TAGGER, tmp_path / "run", corpus, resume=True)
    assert_same_run(tmp_path / "run", unbroken_tagger, TrainedTagger)


def test_early_stopping_counts_through_a_break(corpus, tmp_path, stop_at):
    """With hardly any learning no development F1 is better than the first."""
    still = {"learning_rate": 1e-12, "vector_learning_rate": 0.0, "validate_every": 2}
    numbers = replace(TAGGER, **still, patience=3, layer="keras_gru", characters="none")
    stop_at(TaggingTask, 5, "killed")
    with pytest.raises(Killed):
        train(numbers, tmp_path / "run", corpus)
    assert checkpoint(tmp_path / "run")["number_since_best"] == 1
    stop_at(TaggingTask, -1, "never")
    train(numbers, tmp_path / "run", corpus, resume=True)
    assert [int(row["step"]) for row in log(tmp_path / "run")] == [2, 4, 6, 8]
    assert metrics(tmp_path / "run")["steps"] == 8


def test_a_finished_run_resumed_says_so_and_changes_nothing(
    command, unbroken_tagger, corpus, tmp_path, stop_at
):
    """But for last/, which is left where a run was killed at its very end."""
    run = shutil.copytree(unbroken_tagger, tmp_path / "run")
    stop_at(TaggingTask, 0, "killed")
    answer = command("ner", "train", "--resume", "--run", run, "--data", corpus)
    assert answer.status == 0
    assert answer.err == f"the run in {run} has finished: nothing is left to do\n"
    assert re.search(rf"^f1 +{metrics(run)['f1']}$", answer.out, re.MULTILINE)
    assert not (run / "last").exists()
    for path in run.iterdir():
        if path.is_file():
            assert path.read_bytes() == (unbroken_tagger / path.name).read_bytes()
    assert train(NER(), run, corpus, resume=True) == json.loads((run / "metrics.json").read_text())


def test_a_run_that_was_killed_while_it_was_measured_is_measured(
    unbroken_tagger, corpus, tmp_path, stop_at
):
    run = shutil.copytree(unbroken_tagger, tmp_path / "run")
    (run / "metrics.json").unlink()
    (run / "test.conll").unlink()
    stop_at(TaggingTask, -1, "never")
    with last_kept():
        train(NER(), run, corpus, resume=True)
    assert_same_run(run, unbroken_tagger, TrainedTagger)
    (run / "metrics.json").unlink()
    train(NER(), run, corpus, resume=True)
    assert metrics(run) == metrics(unbroken_tagger)
    assert not (run / "last").exists()


def test_another_seed_is_another_run(unbroken_tagger, corpus, tmp_path):
    train(replace(TAGGER, seed=1, steps=5), tmp_path, corpus)
    assert log(tmp_path)[0]["train_loss"] != log(unbroken_tagger)[0]["train_loss"]


def test_resume_refuses_other_data_vectors_and_numbers(unbroken_tagger, corpus, tmp_path, fails):
    run = shutil.copytree(unbroken_tagger, tmp_path / "run")
    where = ("ner", "train", "--resume", "--run", run)
    other = write_corpus(tmp_path / "other", seed=1, sentences=(31, 12, 12))
    said = fails(*where, "--data", other)
    assert "was started on fake (30 sentences) and other (31) is other data; give the same" in said
    vectors = tmp_path / "small.txt"
    vectors.write_text("the 1 2 3 4 5 6\n")
    said = fails(*where, "--data", corpus, "--vectors", vectors)
    assert "started with other vectors (none) than these (small.txt); give the same --vect" in said
    said = fails(*where, "--data", corpus, "--scheme", "IOB1")
    assert "was started with scheme=IOBES, and IOB1 was asked for now; leave out --scheme" in said
    assert_same_run(run, unbroken_tagger, TrainedTagger)


def test_a_second_start_names_both_ways_on(fails, unbroken_tagger, corpus):
    said = fails("ner", "train", "--run", unbroken_tagger, "--data", corpus)
    assert "holds a finished run; --overwrite starts anew" in said
