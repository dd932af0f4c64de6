"""The translation recipe: a run that learns, its folder alone, lines in and lines out."""

import io
import json
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lstm_recipes.cli import main
from lstm_recipes.data.pairs import Pairs
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary
from lstm_recipes.errors import UserError
from lstm_recipes.recipes.translate import PRESETS, Translate, build, evaluate, load, train
from lstm_recipes.training.ablation import ABLATIONS, ablation_of, rows_of
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained_translator import TrainedTranslator
from lstm_recipes.training.translation import TranslationTask

from ..data.pair_corpus import sentences, write_pairs_folder
from .runs import Killed, log, metrics

NUMBERS = Translate(
    tokens="words",
    units=24,
    embedding=12,
    batch_size=10,
    learning_rate=0.02,
    warmup=10,
    epochs=15,
    dropout=0.1,
)
SHORT = replace(
    NUMBERS,
    attention="none",  # which is compiled soonest
    units=6,
    embedding=4,
    epochs=None,
    steps=17,
    validate_every=5,
    beam=1,
)
"""17 steps are two epochs and a half."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_pairs_folder(tmp_path_factory.mktemp("pairs") / "data")


@pytest.fixture(scope="module")
def learned(tmp_path_factory) -> SimpleNamespace:
    """A translator that has learned its corpus, and has moved since; the corpus is gone."""
    place = tmp_path_factory.mktemp("learned")
    source = write_pairs_folder(place / "data")
    given = train(NUMBERS, place / "first", str(source))
    shutil.rmtree(source)
    run = (place / "first").rename(place / "moved")
    return SimpleNamespace(run=run, given=given)


@pytest.fixture(scope="module")
def unbroken(folder, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("unbroken") / "run"
    train(SHORT, run, str(folder))
    return run


def translated(capsys, monkeypatch, text, run, *options) -> list[str]:
    stdin = SimpleNamespace(buffer=io.BytesIO(text.encode("utf-8")))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["translate", "translate", str(run), *map(str, options)]) == 0
    return capsys.readouterr().out.split("\n")[:-1]


def test_it_learns_what_it_has_not_seen(learned):
    """Fifteen sentences that were not among the seventy."""
    assert learned.given["exact"] >= 80 and learned.given["bleu"] >= 80
    assert learned.given["split"] == "test" and learned.given["sentences"] == 15
    assert json.loads((learned.run / "metrics.json").read_text()) == learned.given
    names = {path.name for path in learned.run.iterdir()}
    wanted = "config.json vocabulary.json valid.tsv test.tsv best.keras log.csv metrics.json"
    assert names == {*wanted.split(), "tensorboard"}


def test_the_folder_alone_gives_the_same_scores(learned):
    again = evaluate(learned.run)
    samples, by_length = again.pop("samples"), again.pop("by source length")
    assert [(row["words"], row["sentences"]) for row in by_length] == [("0 to 10", 15)]
    assert {k: learned.given[k] for k in again if k != "coverage_penalty"} == {
        k: v for k, v in again.items() if k != "coverage_penalty"
    }
    assert len(samples) == 15
    assert [row["chrf"] for row in samples] == sorted((r["chrf"] for r in samples), reverse=True)


def test_int8_says_what_it_costs(learned, no_collection):
    found = evaluate(learned.run, int8=True)
    assert found["bleu_before"] == learned.given["bleu"]
    assert found["nats_per_token_before"] == learned.given["nats_per_token"]
    assert abs(found["nats_per_token_change"]) < 0.005 and 0 <= found["bleu_change_p"] <= 1
    for name in ("bleu", "nats_per_token"):
        change = found[name] - found[f"{name}_before"]
        assert found[f"{name}_change"] == pytest.approx(change, abs=0.011)


def test_int8_lines_come_from_int8_kernels(learned, no_collection, monkeypatch):
    seen = []
    writing = "lstm_recipes.decoding.write_translations.write_translations"
    monkeypatch.setattr(writing, lambda translator, *others, **options: seen.append(translator))
    assert main(["translate", "translate", str(learned.run), "--int8"]) == 0
    floats = [w.path for w in seen[0].models[0].weights if len(w.shape) > 1 and w.dtype != "int8"]
    assert [path.rsplit("/", 1)[1] for path in floats] == ["score_kernel"]


def test_lines_in_are_lines_out(learned, capsys, monkeypatch):
    text = f"red cat sleeps.\n\n   \n🦜 שלום 日本語\n{'old dog ' * 250}\nbig sea sings.\n"
    lines = translated(capsys, monkeypatch, text, learned.run)
    assert len(lines) == 6
    assert lines[0] == "chat rouge dort." and lines[5] == "mer grand chante."
    assert lines[1] == lines[2] == ""


def test_an_unknown_word_is_copied_from_where_the_model_looks(learned, capsys, monkeypatch):
    [line] = translated(capsys, monkeypatch, "red zebra sleeps.\n", learned.run)
    assert "<unk>" not in line


def test_white_space_is_no_sentence(learned, capsys, monkeypatch):
    """Nor is it part of one: training has not seen it."""
    lines = translated(
        capsys, monkeypatch, " \t\n\tred cat sleeps. \nred cat sleeps.\n", learned.run
    )
    assert lines[0] == "" and lines[1] == lines[2] != ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--beam", "0"], "beam is 0; give a number of at least 1"),
        (["--n-best", "9"], "n_best is 9; give a number of at most the beam, 5"),
        (["--length-penalty=-1"], "length_penalty is -1.0; give a number of at least 0"),
        (["--no-repeat-ngram=-2"], "no_repeat_ngram is -2; give a number of at least 0"),
    ],
)
def test_a_search_that_makes_no_sense_is_one_sentence(learned, capsys, options, said):
    assert main(["translate", "translate", str(learned.run), *options]) == 1
    assert said in capsys.readouterr().err


def test_coverage_needs_attention(unbroken):
    with pytest.raises(UserError, match="no attention, whose coverage"):
        TrainedTranslator(unbroken).translate(["red cat sleeps."], coverage_penalty=0.2)


def test_n_best_with_scores(learned, capsys, monkeypatch):
    text = "red cat sleeps.\n\nold dog runs.\n"
    options = ("--n-best", 3, "--beam", 4, "--scores")
    lines = translated(capsys, monkeypatch, text, learned.run, *options)
    assert len(lines) == 9 and lines[3:6] == ["", "", ""]
    for three in (lines[:3], lines[6:]):
        scores = [float(line.split("\t")[0]) for line in three]
        assert scores == sorted(scores, reverse=True)


def test_two_runs_that_are_one_translate_as_one(learned, capsys, monkeypatch):
    text = "sad man eats.\nshy bird runs.\n"
    alone = translated(capsys, monkeypatch, text, learned.run)
    assert translated(capsys, monkeypatch, text, learned.run, "--ensemble", learned.run) == alone


def test_attention_finds_the_word_that_was_translated(learned):
    [[best]] = TrainedTranslator(learned.run).translate(["red cat sleeps."], beam=1)
    assert best.attention.shape == (len(best.tokens), len(best.source))
    assert (best.attention >= 0).all() and (best.attention.sum(1) <= 1 + 1e-5).all()


@pytest.mark.parametrize("ending", ["html", "png"])
def test_a_picture_of_attention(learned, capsys, monkeypatch, tmp_path, ending):
    path = tmp_path / f"map.{ending}"
    translated(capsys, monkeypatch, "red <cat> sleeps.\n", learned.run, "--attention", path)
    content = path.read_bytes()
    assert content[:4] == b"\x89PNG" if ending == "png" else b"&lt;" in content


def test_what_cannot_be_drawn_is_one_sentence(learned, unbroken, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"red cat sleeps.\n")))
    assert main(["translate", "translate", str(learned.run), "--attention", "a.gif"]) == 1
    assert "ends in .html or .png" in capsys.readouterr().err


def test_lines_that_are_not_utf_8_are_one_sentence(learned, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"fine\n\xff\n")))
    assert main(["translate", "translate", str(learned.run)]) == 1
    assert "not UTF-8" in capsys.readouterr().err


def test_a_killed_run_that_goes_on_ends_as_an_unbroken_one(folder, unbroken, tmp_path, stop_at):
    stop_at(TranslationTask, 8, "killed")
    with pytest.raises(Killed):
        train(SHORT, tmp_path / "run", str(folder))
    stop_at(TranslationTask, -1, "killed")
    train(SHORT, tmp_path / "run", str(folder), resume=True)
    assert log(tmp_path / "run") == log(unbroken)
    assert metrics(tmp_path / "run") == metrics(unbroken)


def test_resuming_on_other_data_is_refused(unbroken, folder, tmp_path):
    run = shutil.copytree(unbroken, tmp_path / "run")
    with pytest.raises(UserError, match="is other data"):
        train(SHORT, run, str(folder), source="fr", target="en", resume=True)


def test_an_ensemble_needs_one_vocabulary(learned, unbroken, tmp_path):
    other = shutil.copytree(unbroken, tmp_path / "other")
    found = json.loads((other / "vocabulary.json").read_text())
    found["reverse"] = True
    (other / "vocabulary.json").write_text(json.dumps(found))
    RunFolder(other).seal()
    with pytest.raises(UserError, match="another vocabulary"):
        TrainedTranslator(learned.run, [other])


@pytest.mark.usefixtures("graphs_as_they_are")
@pytest.mark.parametrize("preset", ["sutskever", "gnmt"])  # the others are trained above
def test_every_system_trains(folder, tmp_path, preset):
    """Sutskever 2014, Bahdanau 2014 and GNMT 2016 are settings of one model."""
    small = {"units": 6, "embedding": 6, "layers": min(PRESETS[preset].layers, 3), "beam": 1}
    numbers = replace(PRESETS[preset], **small, epochs=None, steps=2)
    found = train(numbers, tmp_path / "run", str(folder))
    assert np.isfinite(found["bleu"]) and found["steps"] == 2


def test_presets_are_the_papers():
    sutskever, gnmt = PRESETS["sutskever"], PRESETS["gnmt"]
    assert (sutskever.layers, sutskever.units, sutskever.reverse) == (4, 1000, True)
    assert (sutskever.optimizer, sutskever.schedule, sutskever.learning_rate) == (
        "sgd",
        "halving",
        0.7,
    )
    assert (sutskever.batch_size, sutskever.loss_per, sutskever.clip_norm) == (128, "sentence", 5.0)
    assert sutskever.initial_scale == 0.08 and not sutskever.bidirectional
    assert (gnmt.layers, gnmt.residual_from, gnmt.tokens) == (8, 3, "wordpiece")
    pairs = Pairs("few", ("en", "fr"), sentences(), sentences(), [], {}, "")
    vocabulary = TranslationVocabulary.of(pairs, "words")
    model = build(replace(gnmt, units=8, embedding=8), vocabulary)
    assert len(model.encoder) == len(model.decoder) == 8
    named = [type(layer).__name__ for layer in model.encoder]
    assert named == ["Bidirectional", "ForgetGateLSTM", *["Residual"] * 6]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"units": 7}, "even"), ({"dropout": 1.0}, "below 1"), ({"beam": 0}, "at least 1")],
)
def test_numbers_that_make_no_sense(wrong, said):
    with pytest.raises(UserError, match=said):
        replace(Translate(), **wrong).check()


@pytest.mark.parametrize("name", ABLATIONS)
def test_rows_of_an_ablation_differ_in_what_it_is_of(name):
    wanted = rows_of(name, PRESETS["bahdanau"])
    rows = [asdict(numbers) for numbers in wanted.values()]
    differ = {key for key in rows[0] if len({row[key] for row in rows}) > 1}
    assert (
        differ
        == {
            "reversal": {"reverse"},
            "attention": {"attention"},
            "depth": {"layers", "residual_from"},
            "tokens": {"tokens", "vocabulary", "minimum_count"},
        }[name]
    )
    for numbers in wanted.values():
        numbers.check()
        # One that reads both ways reads a source and its reverse alike.
        assert name != "reversal" or not numbers.bidirectional


@pytest.mark.usefixtures("graphs_as_they_are")
def test_an_ablation_compares_its_rows(folder, tmp_path, capsys):
    ablation = ablation_of(replace(SHORT, steps=1), load, train)
    options = {"data": str(folder), "target": "fr", "beams": (2,), "runs": tmp_path}
    scores, lengths, places = ablation("reversal", **options).values()
    assert [(row["row"], row["seed"]) for row in scores] == [("forward", "0"), ("reversed", "0")]
    assert all("BLEU, beam 2" in row and row["nats per token"] for row in scores)
    assert len(lengths) == len(places) == 2 and {"1.", "5."} <= set(places[0])

    options |= {"rows": ("reversed",)}
    scores, lengths, places = ablation("reversal", **options, seeds=2, ensembles=(2,)).values()
    assert [row["seed"] for row in scores] == ["0", "1", "2 together"]
    assert [bool(row["nats per token"]) for row in scores] == [True, True, False]
    assert len(lengths) == 3 and len(places) == 2
    capsys.readouterr()
    again = ablation("reversal", **options)
    assert [row["seed"] for row in next(iter(again.values()))] == ["0"]
    assert capsys.readouterr().err == ""  # nothing was trained or translated anew
    with pytest.raises(UserError, match="no row backwards; it has forward, reversed"):
        ablation("reversal", **options | {"rows": ("backwards",)})
    with pytest.raises(UserError, match="is other data; name another folder with --runs"):
        ablation("reversal", **options | {"source": "fr", "target": "en"})


@pytest.mark.parametrize(
    ("columns", "said"),
    [((1,), "--columns is 1; give two numbers"), ((0, 1), "--columns is 0 1"), ((2, 1), "a file")],
)
def test_columns_that_cannot_be(columns, said, folder, tmp_path):
    with pytest.raises(UserError, match=said):
        train(SHORT, tmp_path / "run", str(folder), columns=columns)


def test_columns_of_a_file_with_tabs(tmp_path):
    path = tmp_path / "few.tsv"
    path.write_text("".join(f"{target}\t{source}\n" for source, target in sentences()))
    pairs = load(str(path), "en", "fr", (2, 1))
    assert {*pairs.train, *pairs.valid, *pairs.test} == set(sentences())
