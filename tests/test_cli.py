"""The command line: what it says, where it says it, and how it ends."""

import inspect
import io
import re
import subprocess
import sys

import pytest

from lstm_recipes.data import read_text
from lstm_recipes.recipes import RECIPES
from lstm_recipes.recipes.char_rnn import CharRNN
from lstm_recipes.recipes.ner import NER

from .full_disk import no_file_beyond

QUICK = ("--units", 8, "--embedding", 4, "--batch-size", 6, "--time", 10, "--steps", 1)


def start(*arguments: object, **options) -> subprocess.CompletedProcess:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "lstm_recipes.cli", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        **options,
    )


# --- usage -----------------------------------------------------------------------------------


def test_the_recipes_are_listed(command):
    for arguments in (["list"], ["--help"], ["-h"]):
        answer = command(*arguments)
        assert answer.status == 0 and answer.err == ""
        for name, (_, about) in RECIPES.items():
            assert re.search(f"{name} +{about}", answer.out)


def test_no_command_is_a_usage_error(command):
    assert command().status == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-recipe"], "there is no recipe 'no-such-recipe'; there is char-rnn"),
        (["char-rnn"], "train, evaluate, sample"),
        (["char-rnn", "frobnicate"], "frobnicate"),
        (["char-rnn", "evaluate"], "The folder that train wrote"),
        (["char-rnn", "evaluate", "a", "b"], "b"),
        (["char-rnn", "evaluate", "a", "--preset", "best"], "--preset"),
        (["char-rnn", "train", "--preset", "nonsense"], "'nonsense' .*'default', 'best'"),
        (["char-rnn", "train", "--preset"], "--preset"),
        (["char-rnn", "train", "--nonsense", "3"], "--nonsense"),
        (["char-rnn", "train", "--units", "many"], "--units.*'many'"),
        (["char-rnn", "train", "--units", "1.5"], "--units.*'1.5'"),
        (["char-rnn", "train", "--layer", "transformer"], "'transformer'.*--layer.*keras_gru"),
        (["char-rnn", "train", "--precision", "float8"], "'float8'"),
        (["char-rnn", "sample", "a", "--length", "long"], "--length.*'long'"),
        (["ner"], "train, evaluate, tag"),
        (["ner", "sample", "a"], "sample"),
        (["ner", "tag"], "The folder that train wrote"),
        (["ner", "tag", "a", "--output", "xml"], "'xml'.*--output.*'color', 'conll', 'json'"),
        (["ner", "evaluate", "a", "--split", "train"], "'train'.*--split"),
        (["ner", "train", "--scheme", "BIO"], "'BIO'.*--scheme.*'IOB1', 'IOB2', 'IOBES'"),
        (["ner", "train", "--characters", "rnn"], "'rnn'.*--characters"),
        (["ner", "train", "--no-strict"], "--no-strict"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(
    command, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    answer = command(*arguments)
    assert answer.status == 2
    assert answer.out == ""
    assert re.search(message, plain(answer.err))
    assert not list(tmp_path.iterdir())


def plain(boxed: str) -> str:
    """Help without its boxes and line breaks."""
    return " ".join(re.sub("[╭╮╰╯─│]", " ", boxed).split())


@pytest.mark.parametrize(
    ("recipe", "numbers", "presets", "options"),
    [
        ("char-rnn", CharRNN, "default,best", "text init-from add-characters resume overwrite"),
        ("ner", NER, "default", "data word-column tag-column strict vectors resume overwrite"),
    ],
)
def test_help_explains_every_number(command, recipe, numbers, presets, options):
    answer = command(recipe, "train", "--help")
    assert answer.status == 0 and answer.err == ""
    text = plain(answer.out)
    assert f"--preset {{{presets}}} A named set of numbers" in text
    meant = r'^    (\w+): .*?(?:  # (.+)|\n    """([^"]+)""")$'  # beside a number, or below it
    meanings = re.findall(meant, inspect.getsource(numbers), re.MULTILINE)
    assert [name for name, *_ in meanings] == list(numbers.__dataclass_fields__)
    for name, beside, below in meanings:
        meaning = re.escape(" ".join((beside or below).split()))
        option = rf"--(no-)?{name.replace('_', '-')} (\S+ )?"
        assert re.search(rf"{option}{meaning} \(default: ", text), name
    for option in ("run", *options.split()):
        assert re.search(rf"--{option} (\S+ )?[A-Z]", text), option


def test_a_preset_sets_the_defaults_of_the_others(command):
    text = plain(command("char-rnn", "train", "--preset", "best", "--units", "7", "--help").out)
    assert "Width of each layer. (default: 512)" in text
    assert "one on top of the other. (default: 2)" in text


@pytest.mark.parametrize(
    ("recipe", "verb"),
    [("char-rnn", "evaluate"), ("char-rnn", "sample"), ("ner", "evaluate"), ("ner", "tag")],
)
def test_help_of_the_other_verbs(command, recipe, verb):
    answer = command(recipe, verb, "--help")
    assert answer.status == 0
    assert "The folder that train wrote." in plain(answer.out)


# --- train: where it may and may not ---------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--units", 0], "units is 0; give a number of at least 1"),
        (["--dropout", 1.5], "dropout is 1.5; give a number from 0 to below 1"),
        (["--learning-rate", -1], "learning_rate is -1.0; give a number above 0"),
        (["--steps", 0], "steps is 0; give a number of at least 1"),
        (["--epochs", 0], "epochs is 0.0; give a number above 0"),
        (["--minutes", -3], "minutes is -3.0; give a number above 0"),
        (["--epochs", 1, "--minutes", 1], "epochs and minutes are given; give one of them"),
        (["--steps", 9, "--epochs=1"], "steps and epochs are given; give one of them"),
    ],
)
def test_numbers_that_make_no_sense(fails, tmp_path, text_file, options, message):
    run = tmp_path / "run"
    assert fails("char-rnn", "train", "--run", run, "--text", text_file, *options) == message
    assert not run.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file .*; give the path of a UTF-8 text file"),
        (b"", "is empty; give a file with text in it"),
        (b"\x7fELF\0\0\0" * 50, "is a binary file"),
        ("Grüße ".encode("latin-1") * 99, "is not UTF-8: .* at line 1, byte 2 "),
        ("sea ".encode("utf-16") * 99, "looks like UTF-16"),
        (b"the sea", "a text of 7 characters splits into 6 for training and 1 "),
        (b"the sea " * 7, "a text of 50 characters is too short for windows of 50; give"),
    ],
)
def test_a_bad_text_is_one_sentence_and_leaves_no_folder(fails, tmp_path, content, message):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    run = tmp_path / "runs/run"
    assert re.search(message, fails("char-rnn", "train", "--run", run, "--text", path))
    assert not run.parent.exists()


def test_a_folder_is_no_text(fails, tmp_path):
    assert "is a folder" in fails("char-rnn", "train", "--run", tmp_path / "a", "--text", tmp_path)


def test_a_second_start_names_both_ways_on(fails, copied, text_file):
    said = fails("char-rnn", "train", "--run", copied, "--text", text_file)
    assert "holds a finished run; --overwrite starts anew" in said


def test_overwrite_starts_anew_and_keeps_what_is_not_the_runs(command, copied, text_file):
    (copied / "notes.txt").write_text("mine")
    where = ("--run", copied, "--text", text_file, "--overwrite")
    answer = command("char-rnn", "train", *where, *QUICK)
    assert answer.status == 0
    assert (copied / "log.csv").read_text().count("\n") == 2
    assert (copied / "notes.txt").read_text() == "mine"
    # What it prints are results, and the progress is not among them.
    assert answer.err.startswith("step 1: training ")
    assert re.search(r"^split +validation\nnats per character +\d\.\d+\n", answer.out)
    assert re.search(r"^steps +1$", answer.out, re.MULTILINE)
    again = command("char-rnn", "evaluate", copied)
    assert again.err == ""
    assert set(again.out.splitlines()) < set(answer.out.splitlines())


@pytest.mark.parametrize("flag", ["--overwrite", "--resume", None])
def test_a_folder_with_other_files_is_left_alone(fails, tmp_path, text_file, flag):
    (tmp_path / "thesis.tex").write_text("years")
    (tmp_path / "config.json").write_text('{"port": 80}')
    where = ("--run", tmp_path, "--text", text_file)
    said = fails("char-rnn", "train", *where, *([flag] if flag else []))
    assert "holds no run to resume" in said or "files in it that are no run" in said
    assert {p.name for p in tmp_path.iterdir()} == {"thesis.tex", "config.json"}


def test_there_must_be_something_to_resume(fails, tmp_path, text_file):
    run = tmp_path / "nothing"
    said = fails("char-rnn", "train", "--run", run, "--text", text_file, "--resume")
    assert "holds no run to resume; leave out --resume to start one" in said
    assert not run.exists()


def test_resume_refuses_another_number(fails, copied, text_file):
    where = ("--run", copied, "--text", text_file, "--resume")
    said = fails("char-rnn", "train", *where, "--layers", 3)
    assert "was started with layers=2, and 3 was asked for now; leave out --layers" in said
    said = fails("char-rnn", "train", *where, "--minutes", 3)
    assert "was started with minutes=None, and 3.0 was asked for now; leave out" in said


@pytest.mark.parametrize("other", ["the sea and the wind\n" * 50, "Ganz andere Zeichen!\n" * 50])
def test_resume_refuses_another_text(fails, copied, tmp_path, other):
    """Whether its characters are known or not."""
    path = tmp_path / "other.txt"
    path.write_text(other)
    said = fails("char-rnn", "train", "--run", copied, "--text", path, "--resume")
    assert re.search(r"started on sea\.txt \(2,\d+ .*other\.txt \(1,050\) is other data", said)


def test_init_from_refuses_other_characters_and_sizes_and_leaves_no_folder(
    fails, trained, text_file, tmp_path
):
    run, new = tmp_path / "run", tmp_path / "new.txt"
    new.write_text("Zzyzx the sea\n" * 50)
    where = ("--run", run, "--init-from", trained)
    said = fails("char-rnn", "train", *where, "--text", new)
    assert "4 characters" in said and "'Z' (U+005A), 'z' " in said and "--add-characters" in said
    said = fails("char-rnn", "train", *where, "--text", text_file, "--units", 16)
    assert "units=10, and 16 was asked for now; leave out --units to go on from it" in said
    said = fails("char-rnn", "train", *where[:3], tmp_path, "--text", text_file)
    assert f"{tmp_path} has no best.keras" in said
    assert not run.exists()


def test_a_run_that_explodes_stops_with_advice(fails, tmp_path, text_file):
    run = tmp_path / "run"
    wild = ("--learning-rate", 1e6, "--clip-norm", 1e6, "--steps", 40)
    said = fails("char-rnn", "train", "--run", run, "--text", text_file, *QUICK[:-2], *wild)
    pattern = r"the loss has exploded to \d+\.\d at step \d+ \(learning rate \d.*, gradient norm \d"
    assert re.match(pattern, said)
    assert "start anew with --overwrite and a smaller --learning-rate" in said
    assert not (run / "best.keras").exists()


def test_a_disk_that_is_full_from_the_first_is_one_sentence(fails, tmp_path, text_file):
    (tmp_path / "short.txt").write_text("the sea " * 40)
    run = ("--run", tmp_path / "run", "--text")
    with no_file_beyond(400):  # enough for the sentence, and the ids of the short text
        said = fails("char-rnn", "train", *run, tmp_path / "short.txt", *QUICK)
        full = fails("char-rnn", "train", *run, text_file, *QUICK, "--overwrite")
    assert re.match(rf"the data .* kept in {tmp_path}/run \(File too large\) behind 0 bytes", full)
    assert said.startswith("a file cannot be written (File too large); make room for it, or name")


# --- damage ----------------------------------------------------------------------------------


def test_a_damaged_run_is_one_sentence(fails, copied, text_file):
    resume = ("train", "--run", copied, "--text", text_file, "--resume")
    (copied / "metrics.json").unlink()  # as of a run that has not finished
    (copied / "last").mkdir()
    (copied / "last/checkpoint.npz").touch()
    for name, content, arguments in (
        ("last/checkpoint.npz", b"PK", resume),
        ("best.keras", b"PK", ("evaluate", copied)),
        ("best.keras", b"", ("sample", copied)),
        ("best.keras", b"PK", ("train", "--run", copied / "new", "--init-from", copied)),
        ("config.json", b'{"numbers": {"un', resume),
        ("config.json", b'{"recipe": "char-rnn"}', resume),
        ("vocabulary.json", b'{"characters": ["a', ("evaluate", copied)),
        ("vocabulary.json", b"[]", resume),
        ("validation.txt", b"\xff", ("evaluate", copied)),
    ):
        before = (copied / name).read_bytes()
        (copied / name).write_bytes(content)
        said = fails("char-rnn", *arguments)
        assert str(copied / name) in said
        assert re.search("is damaged|lacks layer, .*take it from an undamaged copy", said)
        (copied / name).write_bytes(before)
    assert not (copied / "new").exists()


@pytest.mark.parametrize(
    "verb", ["char-rnn evaluate", "char-rnn sample", "ner evaluate", "ner tag"]
)
def test_a_folder_without_a_run_is_one_sentence(fails, tmp_path, monkeypatch, verb):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Rome")))
    for folder in (tmp_path, tmp_path / "nothing"):
        assert f"{folder} has no best.keras: it is not the folder of a run" in fails(
            *verb.split(), folder
        )


def test_a_damaged_metrics_json_is_told_where_it_is_needed(command, fails, copied, text_file):
    (copied / "metrics.json").write_text("{")
    assert command("char-rnn", "evaluate", copied).status == 0
    said = fails("char-rnn", "train", "--run", copied, "--text", text_file, "--resume")
    assert f"{copied / 'metrics.json'} is damaged (" in said


def test_a_table_shows_text_as_it_is(capsys):
    """Neither `:dog:` nor `[b]` is markup; where there is no terminal a row is one line."""
    from lstm_recipes.cli import _print

    example = f":dog: [b] {'long ' * 25}→ x"
    _print({"f1": 91.2, "parameters": 1234, "mistakes": [{"gold": "PER", "example": example}]})
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "f1                       91.2"
    assert lines[1] == "parameters               1,234"
    assert lines[-1] == f"PER   {example}"


# --- evaluate --------------------------------------------------------------------------------


def test_evaluate_prints_results_alone_and_tensorflow_is_quiet(copied, tmp_path):
    done = start("char-rnn", "evaluate", copied, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    found = dict(re.split("  +", line) for line in done.stdout.splitlines())
    assert list(found) == [
        "split",
        "nats per character",
        "bits per character",
        "characters",
        "parameters",
    ]
    recorded = re.search(r'"nats_per_character": ([\d.]+)', (copied / "metrics.json").read_text())
    assert float(found["nats per character"]) == pytest.approx(float(recorded[1]), abs=1e-4)


# --- sample ----------------------------------------------------------------------------------


@pytest.fixture
def written(command, trained):
    """What ``sample`` writes to standard output."""

    def sample(*options: object) -> str:
        answer = command("char-rnn", "sample", trained, *options)
        assert answer.status == 0
        assert answer.err == ""
        return answer.out

    return sample


def test_a_sample_is_the_prompt_and_as_many_characters_as_asked_for(written, text):
    out = written("--prompt", "the moon 日", "--length", 100, "--seed", 1)
    assert out.startswith("the moon 日") and out.endswith("\n")
    assert len(out) == len("the moon 日") + 100 + 1
    assert set(out) <= set(text)


def test_the_same_seed_writes_the_same_text(written):
    one, two, other = (written("--length", 70, "--seed", seed) for seed in (5, 5, 6))
    assert one == two != other
    assert one.startswith("\n")  # the prompt that nobody gave


def test_several_samples_stand_one_after_the_other(written):
    out = written("--samples", 3, "--prompt", "sea", "--length", 20, "--seed", 1)
    texts = re.split(r"--- (\d) of 3 ---\n", out)
    assert texts[0] == "" and texts[1::2] == ["1", "2", "3"]
    assert all(t.startswith("sea") and len(t) == 3 + 20 + 1 for t in texts[2::2])
    assert len(set(texts[2::2])) == 3


def test_a_prompt_may_come_from_a_file_of_several_lines(written, tmp_path):
    path = tmp_path / "prompt.txt"
    path.write_bytes("the sea —\r\nnaïve café\n🚢 ".encode())
    out = written("--prompt-file", path, "--length", 10, "--top-k", 3, "--top-p", 0.9)
    assert out.startswith("the sea —\nnaïve café\n🚢 ")
    assert len(out) == len(read_text(path)) + 10 + 1


def test_unknown_characters_of_a_prompt(written, fails, trained):
    said = fails("char-rnn", "sample", trained, "--prompt", "Zthe sea€")
    assert "2 of the prompt's characters: 'Z' (U+005A), '€' (U+20AC); " in said
    out = written("--prompt", "Zthe sea€", "--drop-unknown", "--length", 0)
    assert out == "the sea\n"
    for options in (["--prompt", ""], ["--prompt", "Z", "--drop-unknown"]):
        assert "the prompt is empty" in fails("char-rnn", "sample", trained, *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--length", -1], "length is -1; give"),
        (["--samples", 0], "samples is 0; give"),
        (["--samples", -2], "samples is -2; give"),
        (["--temperature", -0.5], "temperature is -0.5; give"),
        (["--temperature", "nan"], "temperature is nan; give"),
        (["--top-k", 0], "top_k is 0; give"),
        (["--top-p", 0], "top_p is 0.0; give"),
        (["--top-p", 1.5], "top_p is 1.5; give"),
        (["--seed", -1], "seed is -1; give"),
        (["--seed", 2**63], f"seed is {2**63}; give"),
        (["--prompt-file", "no/such/file"], "there is no file no/such/file; give"),
    ],
)
def test_a_sample_that_makes_no_sense(fails, trained, options, message):
    assert fails("char-rnn", "sample", trained, *options).startswith(message)


def test_a_large_seed_will_do(written):
    assert len(written("--length", 5, "--seed", 2**63 - 1)) == 7


def test_a_closed_pipe_ends_it_without_a_word(trained):
    """Closed while a text comes, as by ``| head -c 10``; and before all is printed at the end."""
    for arguments, reader in (
        (f"char-rnn sample {trained} --length 3000", "head -c 10"),
        ("list", ":"),
    ):
        pipe = f"set -o pipefail; {sys.executable} -m lstm_recipes.cli {arguments} | {reader}"
        done = subprocess.run(["bash", "-c", pipe], capture_output=True, timeout=300)
        assert (done.returncode, done.stderr) == (0, b"")
        assert len(done.stdout) == (10 if arguments != "list" else 0)
