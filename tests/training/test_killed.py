"""Runs that are killed anywhere: what goes on from there ends as if nothing had happened.

SIGKILL leaves on the disk what is there at that moment, and nothing is cleaned up. So one unbroken
run is pictured: wherever it is about to change the disk, to do a step or to validate, its folder is
copied as it is, and a resumed run starts from one of the copies. (Processes that are really killed
are in tests/recipes.)
"""

import os
import random
import shutil
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from lstm_recipes.recipes import char_rnn, ner, translate
from lstm_recipes.training import fit as module
from lstm_recipes.training.checkpoint import BEFORE
from lstm_recipes.training.fit import CHECKPOINT, fit
from lstm_recipes.training.run_folder import RunFolder

from ..data.pair_corpus import write_pairs_folder
from ..data.tagged_corpus import write_corpus
from ..recipes import runs

POINTS = 20
KINDS = {"step", "validation", "fsync", "replace", "mkdir", "rmtree", "half a row", "epoch"}
SIZES = {
    "char-rnn": char_rnn.CharRNN(
        units=6,
        embedding=4,
        recurrent_dropout=0.2,
        batch_size=6,
        time=20,
        learning_rate=0.02,
        steps=25,
        validate_every=6,
    ),
    "ner": ner.NER(
        units=4,
        character_size=3,
        character_units=4,
        vector_size=5,
        batch_size=6,
        learning_rate=0.02,
        epochs=None,
        steps=13,
        validate_every=3,
    ),
    "translate": translate.Translate(
        tokens="words",
        attention="none",
        units=6,
        embedding=4,
        scheduled_sampling=0.2,
        batch_size=10,
        learning_rate=0.02,
        epochs=None,
        steps=17,
        validate_every=4,
    ),
}
"""An epoch and a bit of the small text, and two epochs and a half of the others."""


class Started(Exception):
    """All is ready for the first step."""


@pytest.fixture(scope="module", params=SIZES)
def recipe(request, text_file, tmp_path_factory) -> SimpleNamespace:
    """A recipe's task on small data, compiled once for all runs, with its folder before its first
    step and the values of its variables."""
    folder = tmp_path_factory.mktemp("killed")
    train = {"char-rnn": char_rnn, "ner": ner, "translate": translate}[request.param].train
    data = {
        "char-rnn": {"text": text_file},
        "ner": {"data": write_corpus(folder / "corpus", sentences=(30, 6, 6))},
        "translate": {"data": str(write_pairs_folder(folder / "pairs"))},
    }
    made = SimpleNamespace(name=request.param, start=folder / "start")

    def ready(task: Any, run: RunFolder, budget: Any, **options: Any) -> None:
        made.task, made.budget, made.options = task, budget, options
        raise Started

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Started):
        patch.setattr(module, "fit", ready)
        train(SIZES[request.param], made.start, **data[request.param])
    RunFolder(made.start).unlock()
    made.initial = values(made.task)
    return made


def values(task: Any) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(v.value) for v in task.variables]


def assign(task: Any, arrays: list[np.ndarray]) -> None:
    for variable, value in zip(task.variables, arrays, strict=True):
        variable.assign(value)


def go(recipe: SimpleNamespace, folder: Path) -> SimpleNamespace:
    """Train in a folder, from nothing or from what is there; and all numbers of how it ended."""
    fresh = not any((folder / "last").glob("*.npz"))
    # What the task had of another run tells nothing: the checkpoint has to tell all.
    assign(recipe.task, recipe.initial if fresh else [np.ones_like(v) for v in recipe.initial])
    trained = fit(recipe.task, RunFolder(folder), recipe.budget, **recipe.options)
    with zipfile.ZipFile(folder / "best.keras") as file:
        best = file.read("model.weights.h5")
    bits = [value.tobytes() for value in values(recipe.task)]
    return SimpleNamespace(steps=trained["steps"], rows=runs.log(folder), best=best, values=bits)


class Film:
    """Copies of a folder, one wherever a process could die."""

    def __init__(self, folder: Path, copies: Path, patch: pytest.MonkeyPatch):
        self.folder, self.copies = folder, copies
        self.pictures: list[tuple[str, Path]] = []
        for owner, name in ((os, "fsync"), (os, "replace"), (os, "mkdir"), (shutil, "rmtree")):
            self.before(owner, name, name, patch)

    def before(self, owner: Any, name: str, kind: str, patch: pytest.MonkeyPatch) -> None:
        """Take a picture whenever this function is called."""
        done = getattr(owner, name)

        def called(*args: Any, **options: Any) -> Any:
            self.take(kind, done)
            return done(*args, **options)

        patch.setattr(owner, name, called)

    def take(self, kind: str, done: Callable | None = None) -> None:
        if self.busy:
            return
        self.busy = True
        copy = self.copies / f"{len(self.pictures):03d}"
        shutil.copytree(self.folder, copy)
        self.pictures.append((kind, copy))
        self.busy = False

    busy = False


@pytest.fixture
def film(recipe, tmp_path, monkeypatch):
    """A run without a break, and pictures of it."""
    folder = Path(shutil.copytree(recipe.start, tmp_path / "whole"))
    with monkeypatch.context() as patch:
        film = Film(folder, tmp_path / "copies", patch)
        film.before(recipe.task, "validate", "validation", patch)
        step_of, per_epoch = recipe.task.train_step, recipe.task.steps_per_epoch

        def train_step(step: int, rate: float) -> float:
            film.take("step" if step % per_epoch else "epoch")
            return step_of(step, rate)

        patch.setattr(recipe.task, "train_step", train_step)
        film.whole = go(recipe, folder)
    for (_, earlier), (_, picture) in pairwise([*film.pictures]):
        if len(row := log(picture)) > len(log(earlier)):  # of which half may have been written
            half = Path(shutil.copytree(picture, picture.with_name(f"{picture.name}-half")))
            (half / "log.csv").write_bytes(row[:-7])
            film.pictures.append(("half a row", half))
    return film


def log(folder: Path) -> bytes:
    return (folder / "log.csv").read_bytes() if (folder / "log.csv").exists() else b""


def chosen(pictures: list[tuple[str, Path]], number: int) -> list[tuple[str, Path]]:
    """So many of them at random, but of each kind one at least."""
    draw = random.Random(0)
    draw.shuffle(pictures)
    firsts = list({kind: (kind, path) for kind, path in pictures}.values())
    others = [one for one in pictures if one not in firsts]
    return [*firsts, *others][:number]


def test_a_run_that_was_killed_anywhere_ends_as_an_unbroken_one(recipe, film):
    points = chosen(film.pictures, POINTS)
    assert len(points) == POINTS and {kind for kind, _ in points} == KINDS
    for kind, folder in points:
        resumed = go(recipe, folder)
        assert resumed == film.whole, (kind, folder.name)


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(recipe, film, capsys):
    folder = next(path for kind, path in reversed(film.pictures) if kind == "step")
    with (folder / CHECKPOINT).open("r+b") as file:
        file.seek(2000)
        file.write(bytes(99))
    assert go(recipe, folder) == film.whole
    said = capsys.readouterr().err
    assert f"the checkpoint {folder / CHECKPOINT} is damaged (" in said
    assert ": going on from the one before it\n" in said
    assert (folder / "last" / BEFORE).exists()
