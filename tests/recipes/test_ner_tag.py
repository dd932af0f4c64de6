"""What one does with a trained tagger: tag text in every form, and evaluate."""

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_recipes.data.tokens import tokenize
from lstm_recipes.recipes import ner
from lstm_recipes.training.trained_tagger import TrainedTagger

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


def test_of_several_files_each_line_of_json_has_its_own(tags, given, tmp_path):
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("He met Ada. She left.")
    two.write_text("Rome")
    given("Bonn")
    rows = [json.loads(line) for line in tags(one, two, "-", "--output", "json").splitlines()]
    assert [(row["file"], row["start"]) for row in rows] == [
        (str(one), 0),
        (str(one), 12),
        (str(two), 0),
        ("-", 0),
    ]
    assert all("file" not in json.loads(row) for row in tags(one, "--output", "json").splitlines())


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
