"""The run folder: files that are whole, runs that are not lost, folders that are not ours."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from lstm_recipes import __version__
from lstm_recipes.data import fingerprint
from lstm_recipes.data.text import Vocabulary
from lstm_recipes.errors import UserError
from lstm_recipes.training.run_folder import FILES, LOCK, RunFolder

COLUMNS = ("step", "epoch", "seconds", "train_loss", "validation_loss", "learning_rate")

DEFAULTS = {"units": 256, "layer": "forget"}
NUMBERS = {"units": 8, "layer": "forget"}
DATA = {"name": "sea.txt", "sha256": fingerprint("the sea"), "characters": 7}


def begin(path, overwrite=False) -> RunFolder:
    run = RunFolder(path)
    run.begin("char-rnn", NUMBERS, DATA, overwrite)
    Vocabulary.of("the sea").save(run / "vocabulary.json")
    return run


def row(step: int) -> dict:
    return dict.fromkeys(COLUMNS, 0.5) | {"step": step}


def content(folder) -> dict:
    return {p.relative_to(folder): p.is_file() and p.read_bytes() for p in folder.rglob("*")}


def test_config_says_what_the_run_is(tmp_path):
    config = begin(tmp_path / "a" / "run").read_json("config")
    assert config == {
        "recipe": "char-rnn",
        "version": __version__,
        "numbers": NUMBERS,
        "data": DATA,
    }


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        (False, "holds an interrupted run; --resume goes on with it, --overwrite starts anew"),
        (True, "holds a finished run; --overwrite starts anew"),
    ],
)
def test_a_second_start_names_the_ways_on_and_touches_nothing(tmp_path, finished, said):
    run = begin(tmp_path)
    if finished:
        run.write_json("metrics", {})
    before = content(tmp_path)
    with pytest.raises(UserError, match=said):
        begin(tmp_path)
    assert content(tmp_path) == before


def test_overwrite_removes_all_of_a_run_and_nothing_else(tmp_path):
    run = begin(tmp_path)
    for folder in ("last", ".best.part", "tensorboard"):
        (run / folder).mkdir()
        (run / folder / "file").write_text("old")
    for name in {*FILES} - {p.name for p in tmp_path.iterdir()}:
        (run / name).write_text("old")
    assert {p.name for p in tmp_path.iterdir()} == {*FILES, LOCK}
    (tmp_path / ".vectors.npz.0123abcd.part").write_text("half")  # killed while it was written
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "export").mkdir()
    run.start(overwrite=True)
    assert {p.name for p in tmp_path.iterdir()} == {"notes.txt", "export", LOCK}


def test_a_run_with_a_damaged_config_can_be_overwritten(tmp_path):
    begin(tmp_path)
    (tmp_path / "config.json").write_text('{"recipe": ')
    with pytest.raises(UserError, match="--overwrite"):
        begin(tmp_path)
    assert begin(tmp_path, overwrite=True).read_json("config")["numbers"] == NUMBERS


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "files",
    [
        {"thesis.tex": "years"},
        {"config.json": '{"port": 80}'},
        {"config.json": "not json", "main.py": ""},
        {"config.json": "[1, 2]"},
        {"config.json": "1"},
        {"config.json": "null"},
    ],
)
def test_a_folder_that_is_no_run_is_left_alone(tmp_path, files, overwrite):
    for name, inside in files.items():
        (tmp_path / name).write_text(inside)
    (tmp_path / "folder").mkdir()
    before = content(tmp_path)
    with pytest.raises(UserError, match="files in it that are no run; name another folder"):
        begin(tmp_path, overwrite)
    assert content(tmp_path) == before


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("where", ["file", "file/run"])
def test_a_file_is_no_place_for_a_run(tmp_path, where, overwrite):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=r"cannot be made .* --run DIR"):
        begin(tmp_path / where, overwrite)
    assert (tmp_path / "file").read_text() == "mine"


def test_an_empty_folder_will_do(tmp_path):
    assert begin(tmp_path).exists


# --- resuming --------------------------------------------------------------------------------


def test_resume_gives_the_numbers_of_the_run(tmp_path):
    run = begin(tmp_path)
    assert run.resume(DEFAULTS, DEFAULTS) == NUMBERS  # nothing was asked for
    assert run.resume(NUMBERS, DEFAULTS) == NUMBERS  # the same was asked for


def test_resume_refuses_another_number(tmp_path):
    with pytest.raises(UserError, match="units=8, and 16 was asked for now; leave out --units"):
        begin(tmp_path).resume(DEFAULTS | {"units": 16}, DEFAULTS)


def test_a_finished_run_has_its_metrics_before_it_loses_what_resuming_needs(
    tmp_path, monkeypatch, capsys
):
    run = begin(tmp_path)
    (run / "last").mkdir()
    (run / ".best.part").mkdir()
    (run / ".best.part/best.keras").write_text("half")
    assert run.finished() is None and capsys.readouterr().err == ""
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", kill)
        with pytest.raises(KeyboardInterrupt):
            run.finish({"f1": 90.5})
    assert run.finished() is None and (run / "last").exists()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", kill)
        with pytest.raises(KeyboardInterrupt):
            run.finish({"f1": 90.5})
    assert (run / "last").exists()
    assert run.finished() == {"f1": 90.5}
    assert capsys.readouterr().err == f"the run in {tmp_path} has finished: nothing is left to do\n"
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {"config.json", "vocabulary.json", "metrics.json"}
    assert run.finish({"f1": 91}) == {"f1": 91}


def kill(*_):
    raise KeyboardInterrupt


def test_resume_needs_a_run(tmp_path):
    with pytest.raises(UserError, match="holds no run to resume"):
        RunFolder(tmp_path / "nothing").resume(DEFAULTS, DEFAULTS)


def test_resume_needs_the_same_data(tmp_path):
    run = begin(tmp_path)
    run.check_data(DATA | {"name": "copy.txt"}, "give the same")
    with pytest.raises(
        UserError,
        match=r"on sea\.txt \(7 characters\) and sea\.txt \(8\) is other data; give the same$",
    ):
        run.check_data(DATA | {"sha256": "other", "characters": 8}, "give the same")


def test_resume_needs_the_same_of_each_part_of_the_data(tmp_path):
    run = RunFolder(tmp_path)
    parts = {"vectors": {"name": "glove.txt", "sha256": "1"}, "splits": {"train": 3}}
    run.begin("ner", NUMBERS, DATA | parts, overwrite=False)
    same = {"vectors": {"name": "copy.txt", "sha256": "1"}, "splits": {"train": 3}}
    run.check_data(DATA | same, "give the same")
    with pytest.raises(
        UserError,
        match=r"with other vectors \(glove\.txt\) than these \(none\); give the same --vectors to",
    ):
        run.check_data(DATA | {"vectors": {"name": "none", "sha256": "2"}}, "give the same")


# --- damage ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inside", [b"", b'{"numbers": {"uni', b"\xff\xfe{}", b"[1]", b"null", b"\0" * 90]
)
def test_damaged_json_is_told_in_a_sentence(tmp_path, inside):
    run = begin(tmp_path)
    (tmp_path / "config.json").write_bytes(inside)
    with pytest.raises(UserError, match=r"config\.json is damaged \(.+\); take it from"):
        run.read_json("config")


@pytest.mark.parametrize("config", [{}, {"numbers": None}, {"numbers": {"units": 8}, "data": {}}])
def test_a_config_without_its_parts_is_told_in_a_sentence(tmp_path, config):
    run = begin(tmp_path)
    run.write_json("config", {"recipe": "char-rnn"} | config)
    with pytest.raises(UserError, match=r"config\.json lacks .*layer; take it from"):
        run.resume(DEFAULTS, DEFAULTS)
    with pytest.raises(UserError, match=r"config\.json lacks name, sha256, characters"):
        run.check_data(DATA, "give the same")


def test_a_missing_file_is_told_with_the_folder(tmp_path):
    with pytest.raises(UserError, match=f"{tmp_path} has no metrics.json"):
        begin(tmp_path).read_json("metrics")


# --- writing ---------------------------------------------------------------------------------


def test_text_comes_back_character_by_character(tmp_path):
    text = "\ufeffmark\r\n\rreturns\r\r\n é🚢\n"
    run = begin(tmp_path)
    run.write_text("validation.txt", text)
    assert run.read_text("validation.txt") == text
    (run / "validation.txt").write_bytes(b"caf\xe9")
    with pytest.raises(UserError, match=r"validation\.txt is damaged"):
        run.read_text("validation.txt")


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    run = begin(tmp_path)
    before = content(tmp_path)

    monkeypatch.setattr(os, "replace", kill)
    for write in (
        lambda: run.write_json("config", {"other": 1}),
        lambda: run.write_json("metrics", {"other": 1}),
        lambda: run.write_text("validation.txt", "half"),
    ):
        with pytest.raises(KeyboardInterrupt):
            write()
    assert content(tmp_path) == before


def test_the_log_grows_by_rows_and_is_cut_to_a_step(tmp_path):
    run = begin(tmp_path)
    run.cut_log(0)  # nothing to cut
    assert not (run / "log.csv").exists()
    for step in (10, 20, 30):
        run.log(row(step))
    grown = (run / "log.csv").read_bytes()
    assert grown.count(b"\n") == 4 and b"\r" not in grown
    assert grown.startswith(",".join(COLUMNS).encode())
    run.cut_log(20)
    cut = (run / "log.csv").read_bytes()
    assert grown.startswith(cut) and cut.count(b"\n") == 3
    run.log(row(30))
    assert (run / "log.csv").read_bytes() == grown


@pytest.mark.parametrize("half", ["3", "30,0.5,0.", "\0\0\0\0", "\ufffd,,,,,", '"'])
def test_a_half_written_row_is_dropped(tmp_path, half):
    run = begin(tmp_path)
    run.log(row(10))
    whole = (run / "log.csv").read_bytes()
    with (run / "log.csv").open("a", encoding="utf-8") as file:
        file.write(half)
    run.cut_log(10)
    assert (run / "log.csv").read_bytes() == whole


def test_the_home_folder_may_be_abbreviated(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert json.loads((begin("~/runs/sea") / "config.json").read_text())["recipe"] == "char-rnn"
    assert (tmp_path / "runs/sea/config.json").exists()


# --- two processes, one folder ---------------------------------------------------------------

OTHER = """
import sys, time
from lstm_recipes.training.run_folder import RunFolder
RunFolder(sys.argv[1]).lock()
print("locked", flush=True)
time.sleep(60)
"""


def test_a_folder_in_which_another_process_trains(tmp_path):
    begin(tmp_path)
    RunFolder(tmp_path).unlock()
    command = [sys.executable, "-c", OTHER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "locked\n"
            before = content(tmp_path)
            for start in (
                lambda: begin(tmp_path, overwrite=True),
                lambda: RunFolder(tmp_path).resume(NUMBERS, DEFAULTS),
            ):
                with pytest.raises(
                    UserError, match=rf"process {other.pid} is training in .* --run"
                ):
                    start()
            assert content(tmp_path) == before
        finally:
            other.kill()
    RunFolder(tmp_path).resume(NUMBERS, DEFAULTS)  # a lock ends with its process
    RunFolder(tmp_path).resume(NUMBERS, DEFAULTS)  # and does not keep out the process itself
    RunFolder(tmp_path).unlock()
    assert not (tmp_path / LOCK).exists()


# --- other versions --------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["99.0.0", "0.99.1", "0.2.0rc1"])
def test_a_run_of_a_newer_version_is_refused_and_left_alone(tmp_path, version):
    run = begin(tmp_path)
    run.write_json("config", run.read_json("config") | {"version": version})
    run.unlock()
    before = content(tmp_path)
    wanted = re.escape(
        f"is of version {version} of lstm-recipes, and this is {__version__}; install"
    )
    with pytest.raises(UserError, match=wanted):
        run.check_version()
    with pytest.raises(UserError, match=wanted):
        run.resume(DEFAULTS, DEFAULTS)
    run.unlock()
    assert content(tmp_path) == before


def test_a_run_of_an_older_version_is_read_with_a_word_and_not_resumed(tmp_path, capsys):
    run = begin(tmp_path)
    run.write_json("config", run.read_json("config") | {"version": "0.0.9"})
    run.check_version()
    said = capsys.readouterr().err
    assert f"is of version 0.0.9 of lstm-recipes, and this is {__version__}: what" in said
    with pytest.raises(UserError, match=r"go on with 0\.0\.9, or start anew with --overwrite"):
        run.resume(DEFAULTS, DEFAULTS)


@pytest.mark.parametrize("version", [__version__, f"{__version__}.post1", "0.1.7"])
def test_a_run_of_this_version_needs_no_word(tmp_path, capsys, version):
    run = begin(tmp_path)
    run.write_json("config", run.read_json("config") | {"version": version})
    assert run.resume(DEFAULTS, DEFAULTS) == NUMBERS
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("version", ["", "new", 7, None, ["0.1"], "9" * 400 + ".1"])
def test_a_version_that_is_none_is_damage(tmp_path, version):
    run = begin(tmp_path)
    run.write_json("config", run.read_json("config") | {"version": version})
    with pytest.raises(UserError, match=r"config\.json is damaged \(its version is "):
        run.check_version()


# --- killed as it began ----------------------------------------------------------------------


def test_a_start_that_was_killed_can_be_started_again(tmp_path):
    (tmp_path / ".config.json.0123abcd.part").write_text('{"reci')
    (tmp_path / LOCK).write_text("1")
    assert begin(tmp_path).exists


def test_a_run_that_had_not_yet_read_the_model_it_begins_with_cannot_go_on(tmp_path):
    run = RunFolder(tmp_path)
    run.begin("char-rnn", NUMBERS, DATA, False, tmp_path / "old")
    with pytest.raises(UserError, match=r"had read the model of .*old; start anew with --overwr"):
        run.check_begun()
    (run / "last").mkdir()
    (run / "last/checkpoint.npz").write_text("weights")
    run.check_begun()


@pytest.mark.parametrize("total", ["9", 0, -1, 2.5, True, [1]])
def test_a_total_that_is_none_is_damage(tmp_path, total):
    run = begin(tmp_path)
    assert run.total_steps() is None
    run.write_json("config", run.read_json("config") | {"total_steps": total})
    with pytest.raises(UserError, match=r"config\.json is damaged \(total_steps is "):
        run.total_steps()


def test_a_log_that_lost_its_head_is_begun_anew(tmp_path):
    run = begin(tmp_path)
    for half in ("", "step,epo", "step,epoch,seconds,train_loss,validation_loss,learning_rate\n"):
        (run / "log.csv").write_text(half)
        run.cut_log(0)
        run.log(row(10))
        assert (run / "log.csv").read_text() == ",".join(COLUMNS) + "\n10,0.5,0.5,0.5,0.5,0.5\n"
        (run / "log.csv").unlink()


def test_a_file_that_numbers_depend_on_is_known_again(tmp_path):
    run = begin(tmp_path)
    run.write_text("validation.txt", "the sea")
    run.require("validation.txt")  # no sum is known yet
    run.seal()
    run.require("validation.txt")
    for changed in ("the see", "the sea ", ""):
        run.write_text("validation.txt", changed)
        with pytest.raises(UserError, match=r"validation\.txt is damaged \(it is no longer what"):
            run.read_text("validation.txt")
    run.write_text("validation.txt", "the sea")
    assert run.read_text("validation.txt") == "the sea"
    for sums in (None, [], {"validation.txt": None}):  # of a run that keeps none
        run.write_json("config", run.read_json("config") | {"sha256": sums})
        run.require("validation.txt")
