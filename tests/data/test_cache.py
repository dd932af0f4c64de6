"""Files are whole or absent."""

import os
from pathlib import Path

import pytest

from lstm_recipes.data.cache import cache_folder, write_atomically


def test_the_cache_folder_is_the_environments_or_in_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("LSTM_RECIPES_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("LSTM_RECIPES_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "lstm_recipes"


def test_writing_replaces_the_whole_file_with_ordinary_permissions(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"a long old content")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_an_interrupted_write_leaves_the_old_file_and_no_other(monkeypatch, tmp_path, failing):
    def interrupt(*_):
        raise KeyboardInterrupt

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, failing, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_no_folder_is_made_by_the_way(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(Path(tmp_path, "absent", "file"), b"")
