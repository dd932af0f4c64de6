"""The recipe ner on data and numbers that are out of the ordinary, or make no sense."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.recipes.ner import NER, evaluate, train

from .runs import TAGGER, log


def write(folder: Path, **splits: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in splits.items():
        (folder / f"{name}.txt").write_text(text, "utf-8")
    return folder


def test_one_sentence_no_test_split_and_tags_that_training_lacks(tmp_path, capfd):
    """An entity of valid is longer than all of train; the loss is a number all the same."""
    data = write(
        tmp_path / "one",
        train="Ada B-PER\nByron I-PER\nslept O\n",
        valid="Ada I-PER\nKing I-PER\nByron I-PER\nLovelace I-PER\nslept O\n",
    )
    run = tmp_path / "run"
    numbers = replace(TAGGER, steps=2, validate_every=1, characters="none")
    found = train(numbers, run, data)
    assert found["split"] == "valid" and list(found["types"]) == ["PER"]
    assert not (run / "test.conll").exists()
    assert all(0 < float(row["validation_loss"]) < 20 for row in log(run))
    with pytest.raises(UserError, match=r"has no test\.conll"):
        evaluate(run, split="test")
    said = capfd.readouterr().err.splitlines()[0]
    assert said == "one: 1 training sentences, tags in IOB2, 1 of them repaired"
    assert json.loads((run / "config.json").read_text())["data"]["repaired"] == 1


LEGAL = "Ada B-PER\nslept O\n\n"


@pytest.mark.parametrize(
    ("splits", "options", "message"),
    [
        (None, [], "the folder .*nowhere cannot be read"),
        ({"train": LEGAL}, [], "has no file for valid; looked for valid or validation or val"),
        ({"train": LEGAL, "valid": "Zo\xeb B-PER\n"}, [], r"valid\.txt is not UTF-8: .*line 1"),
        ({"train": LEGAL + "a b c\n", "valid": LEGAL}, [], r"train\.txt, line 4: a row has 3 col"),
        ({"train": LEGAL + "a PER\n", "valid": LEGAL}, [], r"train\.txt, line 4: 'PER' is no tag"),
        ({"train": "a O\n", "valid": LEGAL}, [], r"train\.txt has 1 sentences and no entity"),
        ({"train": LEGAL, "valid": "a I-PER\nb B-PER\nc B-PER"}, ["--strict"], "line 1: .*illegal"),
        ({"train": LEGAL, "valid": "a B-ORG\n"}, [], r"valid\.txt, line 1: .*'B-ORG' is of a type"),
        ({"train": LEGAL, "valid": LEGAL}, ["--tag-column", "-3"], "has 2 columns, and none with"),
        ({"train": LEGAL, "valid": LEGAL}, ["--tag-column=NER"], "has no column named 'NER'"),
        ({"train": LEGAL, "valid": LEGAL}, ["--vectors", "no/such"], "there is no file no/such"),
        ({"train": LEGAL, "valid": LEGAL, "test": ""}, [], r"test\.txt is empty"),
    ],
)
def test_bad_data_is_one_sentence_and_leaves_no_folder(fails, tmp_path, splits, options, message):
    data = tmp_path / "nowhere"
    if splits is not None:
        data.mkdir()
        for name, text in splits.items():
            (data / f"{name}.txt").write_bytes(text.encode("latin-1"))
    run = tmp_path / "runs/run"
    assert re.search(message, fails("ner", "train", "--run", run, "--data", data, *options))
    assert not run.parent.exists()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        (name, 0)
        for name in (
            *("layers", "units", "character_size", "character_units", "vector_size"),
            *("batch_size", "patience", "validate_every", "steps", "epochs", "minutes"),
            *("learning_rate", "clip_norm"),
        )
    ]
    + [(name, n) for name in ("dropout", "recurrent_dropout", "word_dropout") for n in (-0.1, 1.0)]
    + [(name, -1) for name in ("warmup", "weight_decay", "vector_learning_rate", "seed")]
    + [("learning_rate", np.nan), ("dropout", np.nan), ("epochs", np.inf), ("seed", 2**32)],
)
def test_numbers_that_make_no_sense_are_refused_before_anything_is_written(
    tmp_path, corpus, name, wrong
):
    with pytest.raises(UserError, match=f"^{name} is {wrong}; give a number "):
        budget = {"epochs": None} if name in ("steps", "minutes") else {}
        train(replace(NER(), **budget | {name: wrong}), tmp_path / "run", corpus)
    assert not (tmp_path / "run").exists()


def test_characters_by_an_lstm_need_an_even_width(tmp_path, corpus):
    numbers = replace(TAGGER, characters="lstm", character_units=5)
    with pytest.raises(UserError, match=r"^character_units is 5; give a number that is even"):
        train(numbers, tmp_path / "run", corpus)
    replace(numbers, characters="cnn").check()
    assert not (tmp_path / "run").exists()
