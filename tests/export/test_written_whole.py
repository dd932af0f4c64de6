"""A folder is whole or not there, whatever goes wrong."""

import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.export.written_whole import written_whole


def write(path, text, **options):
    with written_whole(path, **options) as folder:
        (folder / "mark").write_text(text)


def test_what_fails_leaves_nothing_and_what_was_there(tmp_path):
    path = tmp_path / "deep" / "export"

    def fail(**options):
        with pytest.raises(RuntimeError), written_whole(path, **options) as folder:
            (folder / "mark").write_text("half")
            raise RuntimeError

    fail()
    assert not list(path.parent.iterdir())
    write(path, "first")
    fail(overwrite=True)
    assert (path / "mark").read_text() == "first"
    write(path, "second", overwrite=True, own="mark")
    assert (path / "mark").read_text() == "second"
    assert [p.name for p in path.parent.iterdir()] == ["export"]


def test_what_is_not_ours_stays(tmp_path):
    path = tmp_path / "export"
    path.write_text("a file")
    for options, message in (({}, "is there already"), ({"overwrite": True}, "is no export")):
        with pytest.raises(UserError, match=message):
            write(path, "new", **options)
    assert path.read_text() == "a file"
    with pytest.raises(UserError, match=r"inside cannot be written \(File exists\); name"):
        write(path / "inside", "new")


def test_an_empty_folder_may_be_replaced(tmp_path):
    (tmp_path / "export").mkdir()
    write(tmp_path / "export", "new", overwrite=True, own="mark")
    assert (tmp_path / "export/mark").exists()
