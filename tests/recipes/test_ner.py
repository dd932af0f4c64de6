"""The recipe ner: what it learns, runs that are stopped and go on, every option, tagging."""

import csv
import gzip
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from seqeval.metrics import f1_score

from lstm_recipes.data import load_corpus
from lstm_recipes.data.tag_schemes import convert, spans
from lstm_recipes.data.tokens import tokenize
from lstm_recipes.errors import UserError
from lstm_recipes.recipes import ner
from lstm_recipes.recipes.ner import NER, PRESETS, build, evaluate, look_up, tags_of, train
from lstm_recipes.training.run_folder import FILES
from lstm_recipes.training.tagging import TaggingTask
from lstm_recipes.training.trained_tagger import TrainedTagger

from ..data.tagged_corpus import write_corpus

SIZES = {"units": 5, "character_size": 4, "character_units": 4, "vector_size": 6}
NUMBERS = NER(
    **SIZES,
    dropout=0.3,
    recurrent_dropout=0.2,
    word_dropout=0.1,
    batch_size=4,
    learning_rate=0.02,
    warmup=5,
    epochs=None,
    steps=19,
    validate_every=5,
)
"""19 steps are two epochs and a half of the small corpus."""


class Killed(BaseException):
    """As SIGKILL does it: nothing more is done."""


def log(run) -> list[dict]:
    """log.csv without the clock."""
    with (Path(run) / "log.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def checkpoint(run) -> dict[str, np.ndarray]:
    with np.load(Path(run) / "last/checkpoint.npz") as file:
        return {name: file[name] for name in file if name != "number_seconds"}


def metrics(run) -> dict:
    found = json.loads((Path(run) / "metrics.json").read_text())
    return {k: v for k, v in found.items() if k not in ("train_seconds", "words_per_second")}


def assert_same_run(run, other) -> None:
    """The same numbers, the same weights to the bit, the same best model and vectors."""
    assert log(run) == log(other)
    assert metrics(run) == metrics(other)
    a, b = checkpoint(run), checkpoint(other)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    one, two = TrainedTagger(run), TrainedTagger(other)
    np.testing.assert_array_equal(one.table.matrix, two.table.matrix)
    for x, y in zip(one.model.get_weights(), two.model.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """A corpus of 30 sentences to train on."""
    return write_corpus(tmp_path_factory.mktemp("corpus") / "fake", sentences=(30, 12, 12))


@pytest.fixture(scope="module")
def unbroken(corpus, tmp_path_factory) -> Path:
    """A run of NUMBERS without a break."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    train(NUMBERS, folder, corpus)
    return folder


@pytest.fixture(scope="module")
def learned(tmp_path_factory) -> SimpleNamespace:
    """A run that has learned its corpus, and has moved since; the corpus is gone."""
    folder = tmp_path_factory.mktemp("learned")
    source = write_corpus(folder / "fake")
    numbers = NER(units=32, epochs=8, batch_size=8, learning_rate=0.01, warmup=20, patience=9)
    given = train(replace(numbers, character_units=20, vector_size=30), folder / "first", source)
    loaded = load_corpus(source)
    shutil.rmtree(source)
    run = (folder / "first").rename(folder / "moved")
    return SimpleNamespace(run=run, given=given, corpus=loaded, tagger=TrainedTagger(run))


@pytest.fixture
def stop_at(monkeypatch):
    """Has the next runs stopped in a step: by Ctrl-C, or dead at once."""
    done = TaggingTask.train_step

    def stop(stop_step: int, how: str) -> None:
        def train_step(self, step, rate):
            if step == stop_step:
                if how == "killed":
                    raise Killed
                os.kill(os.getpid(), signal.SIGINT)
            return done(self, step, rate)

        monkeypatch.setattr(TaggingTask, "train_step", train_step)

    return stop


# --- what it learns --------------------------------------------------------------------------


def test_it_learns_the_corpus_and_its_folder_alone_tells(learned):
    recorded = json.loads((learned.run / "metrics.json").read_text())
    assert learned.given == recorded
    assert recorded["split"] == "test" and recorded["f1"] >= 90
    again = evaluate(learned.run)
    assert again.pop("commonest mistakes") is not None
    assert again.items() <= recorded.items()
    assert recorded.keys() - again.keys() == {"steps", "train_seconds", "words_per_second"}


def test_the_scores_are_those_of_a_plain_count_and_of_seqeval(learned):
    found = learned.tagger.measure("test")
    assert found.sentences == learned.corpus.test
    gold = [spans(s.tags, "IOB2") for s in found.sentences]
    named = [spans(tags, "IOB2") for tags in found.tags]
    right = sum(len(set(a) & set(b)) for a, b in zip(gold, named, strict=True))
    precision, recall = right / sum(map(len, named)), right / sum(map(len, gold))
    assert found.scores["precision"] == pytest.approx(100 * precision, abs=0.006)
    assert found.scores["recall"] == pytest.approx(100 * recall, abs=0.006)
    f1 = 200 * precision * recall / (precision + recall)
    assert found.scores["f1"] == pytest.approx(f1, abs=0.006)
    by_seqeval = f1_score([list(s.tags) for s in found.sentences], found.tags)
    assert found.scores["f1"] == pytest.approx(100 * by_seqeval, abs=0.006)


def test_best_is_the_model_of_the_highest_f1_on_the_development_split(learned):
    """As the run keeps it, with rounded vectors, that model has that score."""
    measured = [float(row["validation_f1"]) for row in log(learned.run)]
    assert len(measured) == 8
    assert learned.tagger.measure("valid").scores["f1"] == pytest.approx(max(measured), abs=0.006)


def test_a_run_folder_is_complete(unbroken, corpus):
    assert {p.name for p in unbroken.iterdir()} == set(FILES) - {"validation.txt"}
    config = json.loads((unbroken / "config.json").read_text())
    loaded = load_corpus(corpus)
    assert config["recipe"] == "ner" and config["numbers"] == asdict(NUMBERS)
    data = config["data"]
    assert (data["name"], data["sha256"], data["sentences"]) == ("fake", loaded.sha256, 30)
    assert (data["scheme"], data["repaired"], data["vectors"]["name"]) == ("IOB2", 0, "none")
    assert [int(row["step"]) for row in log(unbroken)] == [5, 10, 15, 19]
    words = {w.lower() for s in loaded.train for w in s.words}
    trained = TrainedTagger(unbroken)
    assert set(trained.table.words) == words and trained.table.trained == len(words) + 1
    assert len(trained.tags) == 4 * 4 + 1
    assert metrics(unbroken)["steps"] == 19


def test_the_presets_make_sense():
    assert PRESETS["default"] == NER()
    for numbers in PRESETS.values():
        numbers.check()


# --- stopped and resumed ---------------------------------------------------------------------


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
    unbroken, command, corpus, tmp_path, stop_at
):
    run = ("--run", str(tmp_path / "run"), "--data", str(corpus))
    changed = {k: v for k, v in asdict(NUMBERS).items() if v != asdict(NER())[k] and v is not None}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in changed.items()]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "ner", "train", *run, *options],
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
    stop_at(12, "interrupted")
    answer = command("ner", "train", "--resume", *run)
    assert (answer.status, answer.out) == (130, "")
    assert answer.err.endswith(
        "stopped after step 13; the same command with --resume goes on from there\n"
    )
    assert checkpoint(tmp_path / "run")["number_step"] == 13
    stop_at(-1, "never")
    train(NUMBERS, tmp_path / "run", corpus, resume=True)
    assert_same_run(tmp_path / "run", unbroken)


def test_early_stopping_counts_through_a_break(corpus, tmp_path, stop_at):
    """With hardly any learning no development F1 is better than the first."""
    still = {"learning_rate": 1e-12, "vector_learning_rate": 0.0, "validate_every": 2}
    numbers = replace(NUMBERS, **still, patience=3, layer="keras_gru", characters="none")
    stop_at(5, "killed")
    with pytest.raises(Killed):
        train(numbers, tmp_path / "run", corpus)
    assert checkpoint(tmp_path / "run")["number_since_best"] == 1
    stop_at(-1, "never")
    train(numbers, tmp_path / "run", corpus, resume=True)
    assert [int(row["step"]) for row in log(tmp_path / "run")] == [2, 4, 6, 8]
    assert metrics(tmp_path / "run")["steps"] == 8


def test_a_finished_run_resumed_changes_nothing_and_another_seed_is_another_run(
    unbroken, corpus, tmp_path
):
    run = shutil.copytree(unbroken, tmp_path / "run")
    (run / "test.conll").unlink()  # as if it had been killed before that was written
    train(NER(), run, corpus, resume=True)
    assert_same_run(run, unbroken)
    other = tmp_path / "other"
    train(replace(NUMBERS, seed=1, steps=5), other, corpus)
    assert log(other)[0]["train_loss"] != log(unbroken)[0]["train_loss"]


def test_resume_refuses_other_data_vectors_and_numbers(unbroken, corpus, tmp_path, fails):
    run = shutil.copytree(unbroken, tmp_path / "run")
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
    assert_same_run(run, unbroken)


# --- every option ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"layer": "cec", "characters": "lstm", "scheme": "IOB1", "layers": 2},
        {"layer": "peephole", "characters": "none", "crf": False, "scheme": "IOB2"},
        {"layer": "gru", "cased": True, "precision": "mixed_bfloat16"},
        {"layer": "keras_lstm", "scheme": "IOB1", "crf": False, "characters": "lstm"},
        {"layer": "keras_gru", "scheme": "IOB2", "precision": "mixed_bfloat16"},
    ],
    ids=lambda options: " ".join(str(v) for v in options.values()),
)
def test_options_train_and_tag(corpus, tmp_path, options):
    numbers = replace(NUMBERS, steps=2, **options)
    run = tmp_path / "run"
    given = train(numbers, run, corpus)
    assert given["split"] == "test" and 0 <= given["f1"] <= 100
    trained = TrainedTagger(run)
    (measured,) = (float(row["validation_f1"]) for row in log(run))
    assert trained.measure("valid").scores["f1"] == pytest.approx(measured, abs=0.006)
    prefixes = {tag[0] for tag in trained.tags}
    assert prefixes == set("BIESO" if numbers.scheme == "IOBES" else "BIO")
    assert trained.features.cased == numbers.cased
    ((tags, confidences),) = trained.tag([["Ada", "met", "NEW", "york", "🚢"]], confidences=True)
    assert len(tags) == 5 and len(confidences) == len(spans(tags, "IOB2"))


def test_pretrained_vectors_are_begun_from_and_those_of_valid_and_the_commonest_kept(
    corpus, tmp_path, monkeypatch
):
    """With a learning rate of almost nothing they stay as they were, to float16."""
    monkeypatch.setattr(ner, "COMMONEST", 3)
    loaded = load_corpus(corpus)
    here = {w.lower() for s in loaded.train for w in s.words}
    valid = sorted({w.lower() for s in loaded.valid for w in s.words} - here)[0]
    test = sorted({w.lower() for s in loaded.test for w in s.words} - here - {valid})[0]
    words = ["first", "the", "third", "fourth", "0000-00-00", "leave", test, valid]
    rng = np.random.default_rng(0)
    rows = {word: rng.normal(size=7) for word in words}
    vectors = tmp_path / "vectors.txt.gz"
    text = "".join(f"{w} {' '.join(f'{n:.5f}' for n in row)}\n" for w, row in rows.items())
    vectors.write_bytes(gzip.compress(text.encode()))
    still = {"learning_rate": 1e-12, "vector_learning_rate": 1e-12, "steps": 1}
    run = tmp_path / "run"
    train(replace(NUMBERS, **still), run, corpus, vectors=vectors)
    table = TrainedTagger(run).table
    kept = {"first", "the", "third", "0000-00-00", "leave", valid}
    assert set(table.words) == here | kept
    assert table.matrix.shape[1] == 7
    for word in kept:
        row = table.matrix[1 + table.words.index(word)]
        np.testing.assert_allclose(row, rows[word], atol=2e-3)
    assert "1996-08-22" in here
    row = table.matrix[1 + table.words.index("1996-08-22")]
    np.testing.assert_allclose(row, rows["0000-00-00"], atol=2e-3)
    drawn = table.matrix[1 + table.words.index("police")]
    assert 0 < np.abs(drawn).max() <= (3 / 7) ** 0.5
    with np.load(run / "vectors.npz") as file:
        assert file["matrix"].dtype == np.float16
    assert json.loads((run / "config.json").read_text())["data"]["vectors"]["name"] == vectors.name
    # Tagging with the file changes the row of a word that the run did not keep.
    more = TrainedTagger(run, vectors)
    assert TrainedTagger(run).features.row(test) == 0
    np.testing.assert_allclose(more.table.matrix[more.features.row(test)], rows[test], atol=1e-5)


def test_a_build_is_the_model_of_the_numbers(corpus):
    loaded = load_corpus(corpus)
    table = look_up(loaded, NUMBERS, None)
    model = build(replace(NUMBERS, layers=2), table, "abc", tags_of(loaded.train, "IOBES"))
    recurrent = [layer for layer in model.layers if "bidirectional" in layer.name]
    assert [layer.forward_layer.units for layer in recurrent] == [5, 5]
    assert model.output.shape == (None, None, 17)


@pytest.mark.parametrize(
    ("scheme", "prefixes"), [("IOB1", "BI"), ("IOB2", "BI"), ("IOBES", "BEIS")]
)
def test_tags_are_all_that_entities_of_any_length_need(corpus, scheme, prefixes):
    loaded = load_corpus(corpus)
    types = ("LOC", "MISC", "ORG", "PER")
    expected = sorted(["O", *(f"{p}-{t}" for p in prefixes for t in types)])
    assert tags_of(loaded.train, scheme) == expected
    for sentence in loaded.test:
        assert set(convert(sentence.tags, "IOB2", scheme)) <= set(expected)


# --- corpora that are out of the ordinary -----------------------------------------------------


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
    numbers = replace(NUMBERS, steps=2, validate_every=1, characters="none")
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
    numbers = replace(NUMBERS, characters="lstm", character_units=5)
    with pytest.raises(UserError, match=r"^character_units is 5; give a number that is even"):
        train(numbers, tmp_path / "run", corpus)
    replace(numbers, characters="cnn").check()
    assert not (tmp_path / "run").exists()


def test_a_second_start_names_both_ways_on(fails, unbroken, corpus):
    said = fails("ner", "train", "--run", unbroken, "--data", corpus)
    assert "holds a finished run; --resume goes on with it, --overwrite starts anew" in said


# --- tagging ---------------------------------------------------------------------------------

TEXT = """Police in Sildoburg arrested Ada Bamun.

He met 🚢 ADA Kirus — "in" Tamwoia, שלום Carl Polfen!  Antidisestablishmentarianism{} The

price of oil rose again.
""".format("x" * 200)


@pytest.fixture
def given(monkeypatch):
    """Text for standard input."""

    def give(text: str | bytes) -> None:
        content = text if isinstance(text, bytes) else text.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


@pytest.fixture
def tags(command, learned, monkeypatch):
    """What ``ner tag`` writes to standard output, by a model that is loaded once."""

    def tagger(path: Path, vectors: Path | None) -> TrainedTagger:
        return learned.tagger if vectors is None else TrainedTagger(path, vectors)

    monkeypatch.setattr(ner, "TrainedTagger", tagger)

    def tag(*arguments: object) -> str:
        answer = command("ner", "tag", learned.run, *arguments)
        assert (answer.status, answer.err) == (0, "")
        return answer.out

    return tag


def test_text_comes_out_whole_with_its_entities(tags, given, tmp_path):
    given(TEXT)
    marked = tags()
    assert "[LOC Sildoburg]" in marked and "[PER Ada Bamun]" in marked
    assert re.sub(r"\[[A-Z]+ ([^]]*)\]", r"\1", marked) == TEXT
    file = tmp_path / "text.txt"
    file.write_text(TEXT)
    assert tags(file) == marked
    given(TEXT)
    assert tags(file, "-") == marked * 2


def test_conll_has_a_line_a_token(tags, given):
    given(TEXT)
    blocks = tags("--output", "conll").split("\n\n")
    assert blocks.pop() == ""
    tokens = [[token.text for token in sentence] for sentence in tokenize(TEXT)]
    assert [[row.split(" ")[0] for row in block.split("\n")] for block in blocks] == tokens
    assert "Ada B-PER\nBamun I-PER" in blocks[0]


def test_json_has_places_in_characters_and_probabilities(tags, given):
    given(TEXT)
    rows = [json.loads(line) for line in tags("--output", "json").splitlines()]
    assert len(rows) == len(tokenize(TEXT))
    entities = [entity for row in rows for entity in row["entities"]]
    assert {"PER", "LOC"} <= {entity["type"] for entity in entities}
    for row in rows:
        assert TEXT[row["start"] : row["end"]] == row["text"]
    for entity in entities:
        assert TEXT[entity["start"] : entity["end"]] == entity["text"]
        assert 0 < entity["confidence"] <= 1


def test_columns_come_out_line_by_line_with_one_more(tags, given, tmp_path):
    lines = ["-DOCSTART- -X-", "", "", "Police NN", "in IN", "Tamwoia NNP", "", "🚢 NN", ""]
    given("\n".join(lines) + "\n")
    rows = tags("--columns", "--output", "conll").split("\n")
    assert rows.pop() == ""
    assert len(rows) == len(lines)
    for line, row in zip(lines, rows, strict=True):
        assert row == line if not line else row.startswith(f"{line} ")
    assert rows[0].endswith(" O") and rows[5] == "Tamwoia NNP B-LOC"


@pytest.mark.parametrize("output", ["color", "conll", "json"])
@pytest.mark.parametrize("columns", [[], ["--columns"]])
def test_nothing_comes_out_of_nothing(tags, given, output, columns):
    given("")
    assert tags("--output", output, *columns) == ""


@pytest.mark.parametrize("output", ["conll", "json"])
def test_no_line_is_lost_of_white_space(tags, given, output):
    given("\n \n\n")
    assert tags("--output", output) == ""
    given("\n \n\n")
    expected = "\n \n\n" if output == "conll" else ""
    assert tags("--output", output, "--columns") == expected


def test_more_vectors_when_tagging(tags, fails, given, learned, tmp_path):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text(f"sildoburg {' '.join(['9.5'] * 30)}\n")
    given("Police in Sildoburg arrested Ada Bamun.")
    one = tags("--output", "json")
    given("Police in Sildoburg arrested Ada Bamun.")
    assert tags("--output", "json", "--vectors", vectors) != one
    vectors.write_text("sildoburg 1 2 3\n")
    given("Rome")
    said = fails("ner", "tag", learned.run, "--vectors", vectors)
    assert "the vectors have 3 numbers a word and the model was trained with 30; give" in said


def test_what_cannot_be_tagged_is_one_sentence(fails, given, learned, tmp_path):
    file = tmp_path / "text.txt"
    assert f"there is no file {file}" in fails("ner", "tag", learned.run, file)
    file.write_bytes(b"caf\xe9")
    assert "is not UTF-8" in fails("ner", "tag", learned.run, file)
    given(b"caf\xe9")
    assert "standard input is not UTF-8" in fails("ner", "tag", learned.run)
    file.write_text("a\tb\n\tc\n")
    assert f"{file}, line 2: there is no word" in fails(
        "ner", "tag", learned.run, file, "--columns"
    )


def test_a_folder_that_is_no_taggers_run_is_one_sentence(fails, tmp_path, learned):
    text = tmp_path / "text.txt"
    text.write_text("Rome")
    for verb in (("tag", tmp_path / "no", text), ("evaluate", tmp_path / "no")):
        assert f"{tmp_path / 'no'} has no best.keras: it is not" in fails("ner", *verb)
    other = tmp_path / "char-rnn"
    other.mkdir()
    (other / "best.keras").write_bytes(b"PK")
    (other / "vocabulary.json").write_text('{"characters": ["a", "b"]}')
    said = fails("ner", "tag", other, text)
    assert f"{other / 'vocabulary.json'} is not that of a tagger (it lacks 'tags')" in said
    run = shutil.copytree(learned.run, tmp_path / "run")
    (run / "best.keras").write_bytes(b"PK")
    for verb in (("tag", run, text), ("evaluate", run)):
        assert f"{run / 'best.keras'} is damaged (" in fails("ner", *verb)


def test_a_closed_pipe_ends_it_without_a_word(learned, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("He met Ada.\n" * 3000)
    command = f"{sys.executable} -m lstm_recipes.cli ner tag {learned.run} {text} --output conll"
    pipe = f"set -o pipefail; {command} | head -c 10"
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"He O\nmet O"


# --- evaluate --------------------------------------------------------------------------------


def test_evaluate_prints_tables_and_writes_the_mistakes(command, learned, tmp_path):
    mistakes = tmp_path / "mistakes.txt"
    answer = command("ner", "evaluate", learned.run, "--split", "valid", "--errors", mistakes)
    assert (answer.status, answer.err) == (0, "")
    found = learned.tagger.measure("valid")
    assert re.search(rf"^f1 +{found.scores['f1']}$", answer.out, re.MULTILINE)
    for kind, row in found.scores["types"].items():
        cells = [f"{row[name]:.2f}" for name in ("precision", "recall", "f1")]
        pattern = rf"^{kind} +{' +'.join(cells)} +{row['support']} *$"
        assert re.search(pattern, answer.out, re.MULTILINE), kind
    wrong = [
        (sentence, tags)
        for sentence, tags in zip(found.sentences, found.tags, strict=True)
        if list(sentence.tags) != tags
    ]
    blocks = mistakes.read_text().split("\n\n") if wrong else []
    assert len(blocks) == len(wrong)
    for block, (sentence, tags) in zip(blocks, wrong, strict=True):
        rows = [tuple(line.split("\t")) for line in block.strip("\n").split("\n")]
        assert rows == list(zip(sentence.words, sentence.tags, tags, strict=True))
