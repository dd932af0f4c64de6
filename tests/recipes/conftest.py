"""Runs that take seconds to train, made once for all tests of the recipes."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lstm_recipes.data import load_corpus
from lstm_recipes.recipes import ner
from lstm_recipes.training.trained_tagger import TrainedTagger

from ..data.tagged_corpus import write_corpus
from .runs import TAGGER, Killed, last_kept


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Path:
    """A tagged corpus of 30 sentences to train on."""
    return write_corpus(tmp_path_factory.mktemp("corpus") / "fake", sentences=(30, 12, 12))


@pytest.fixture(scope="session")
def unbroken_tagger(corpus, tmp_path_factory) -> Path:
    """A run of TAGGER without a break, with its last checkpoint. Read it, or copy it."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    with last_kept():
        ner.train(TAGGER, folder, corpus)
    return folder


@pytest.fixture(scope="session")
def learned(tmp_path_factory) -> SimpleNamespace:
    """A tagger that has learned its corpus, and has moved since; the corpus is gone."""
    folder = tmp_path_factory.mktemp("learned")
    source = write_corpus(folder / "fake")
    sizes = {"units": 32, "character_units": 20, "vector_size": 30}
    numbers = ner.NER(**sizes, epochs=8, batch_size=8, learning_rate=0.01, warmup=20, patience=9)
    given = ner.train(numbers, folder / "first", source)
    loaded = load_corpus(source)
    shutil.rmtree(source)
    run = (folder / "first").rename(folder / "moved")
    return SimpleNamespace(run=run, given=given, corpus=loaded, tagger=TrainedTagger(run))


@pytest.fixture
def stop_at() -> Iterator[Callable[[type, int, str], None]]:
    """Has the next runs of a task stopped in a step: by Ctrl-C, or dead at once."""
    with pytest.MonkeyPatch.context() as patch:

        def stop(task: type, stop_step: int, how: str) -> None:
            patch.undo()
            done = task.train_step

            def train_step(self, step, rate):
                if step == stop_step:
                    if how == "killed":
                        raise Killed
                    os.kill(os.getpid(), signal.SIGINT)
                return done(self, step, rate)

            patch.setattr(task, "train_step", train_step)

        yield stop
