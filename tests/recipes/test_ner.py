"""The recipe ner: what it learns, with every option, and what a run leaves."""

import gzip
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from seqeval.metrics import f1_score

from lstm_recipes.data import load_corpus, word_table
from lstm_recipes.data.tag_schemes import convert, spans
from lstm_recipes.data.tagger_vocabulary import TaggerVocabulary
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.recipes.ner import NER, PRESETS, build, evaluate, train
from lstm_recipes.training.run_folder import FILES, UNFINISHED
from lstm_recipes.training.trained_tagger import TrainedTagger

from .runs import TAGGER, log, metrics


def test_it_learns_the_corpus_and_its_folder_alone_tells(learned):
    files = {"config.json", "vocabulary.json", "best.keras", "vectors.npz", "log.csv"}
    files |= {"metrics.json", "valid.conll", "test.conll", "tensorboard"}
    assert {p.name for p in learned.run.iterdir()} == files <= set(FILES) - set(UNFINISHED)
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


def test_the_files_say_what_was_trained(unbroken_tagger, corpus):
    config = json.loads((unbroken_tagger / "config.json").read_text())
    loaded = load_corpus(corpus)
    assert config["recipe"] == "ner" and config["numbers"] == asdict(TAGGER)
    data = config["data"]
    assert (data["name"], data["sha256"], data["sentences"]) == ("fake", loaded.sha256, 30)
    assert (data["scheme"], data["repaired"], data["vectors"]["name"]) == ("IOB2", 0, "none")
    assert [int(row["step"]) for row in log(unbroken_tagger)] == [5, 10, 15, 19]
    words = {w.lower() for s in loaded.train for w in s.words}
    trained = TrainedTagger(unbroken_tagger)
    assert set(trained.table.words) == words and trained.table.trained == len(words) + 1
    assert len(trained.tags) == 4 * 4 + 1
    assert metrics(unbroken_tagger)["steps"] == 19
    vocabulary = json.loads((unbroken_tagger / "vocabulary.json").read_text())
    assert list(vocabulary) == ["tags", "scheme", "cased", "characters", "window"]


def test_the_presets_make_sense():
    assert PRESETS["default"] == NER()
    for numbers in PRESETS.values():
        numbers.check()


@pytest.mark.usefixtures("graphs_as_they_are")
@pytest.mark.parametrize(
    "options",
    [
        {"layer": "cec", "characters": "lstm", "scheme": "IOB1", "layers": 2},
        {"layer": "peephole", "characters": "none", "crf": False, "scheme": "IOB2"},
        {"layer": "keras_gru", "cased": True, "scheme": "IOB2", "precision": "mixed_bfloat16"},
    ],
    ids=lambda options: " ".join(str(v) for v in options.values()),
)
def test_options_train_and_tag(corpus, tmp_path, options):
    numbers = replace(TAGGER, steps=2, **options)
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
    monkeypatch.setattr(word_table, "COMMONEST", 3)
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
    train(replace(TAGGER, **still), run, corpus, vectors=vectors)
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
    table = WordTable.of(loaded, None, size=6, seed=0, cased=False)
    vocabulary = TaggerVocabulary.of(loaded.train, "IOBES", cased=False)
    model = build(replace(TAGGER, layers=2), table, vocabulary)
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
    assert TaggerVocabulary.of(loaded.train, scheme, cased=False).tags == expected
    for sentence in loaded.test:
        assert set(convert(sentence.tags, "IOB2", scheme)) <= set(expected)
