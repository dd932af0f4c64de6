"""Every notebook is what its source makes, and runs."""

import importlib.util
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

for needed in ("jupytext", "nbclient"):
    pytest.importorskip(needed, reason=f"{needed} is missing: pip install -e '.[dev,notebooks]'")

FOLDER = Path(__file__).parents[2] / "notebooks"
_spec = importlib.util.spec_from_file_location("notebooks_build", FOLDER / "build.py")
build = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build)

SOURCES = build.sources()


def run_build(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(folder / "build.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder with build.py and one small notebook that is up to date."""
    shutil.copy(FOLDER / "build.py", tmp_path)
    (tmp_path / "small.py").write_text("# %% [markdown]\n# # Title\n\n# %%\n1 + 1\n")
    assert run_build(tmp_path).returncode == 0
    return tmp_path


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_committed_notebook_is_what_its_source_makes(source: Path):
    assert source.with_suffix(".ipynb").read_text("utf-8") == build.text_of(build.make(source)), (
        "make it anew: make notebooks"
    )


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_has_stable_ids_and_no_outputs(source: Path):
    notebook, again = build.make(source), build.make(source)
    ids = [cell.id for cell in notebook.cells]
    assert ids == [cell.id for cell in again.cells]
    assert len(set(ids)) == len(ids)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"


def test_an_edited_cell_keeps_every_id(copies: Path):
    before = build.make(copies / "small.py")
    source = (copies / "small.py").read_text().replace("1 + 1", "2 + 2")
    (copies / "small.py").write_text(source)
    after = build.make(copies / "small.py")
    assert [c.id for c in before.cells] == [c.id for c in after.cells]
    assert [c.source for c in before.cells] != [c.source for c in after.cells]


def test_making_again_changes_nothing(copies: Path):
    before = (copies / "small.ipynb").read_bytes()
    assert run_build(copies).returncode == 0
    assert (copies / "small.ipynb").read_bytes() == before


def test_check_finds_what_is_out_of_date(copies: Path):
    assert run_build(copies, "--check").returncode == 0

    with (copies / "small.py").open("a") as file:
        file.write("\n# %%\n2 + 2\n")
    changed = run_build(copies, "--check")
    assert changed.returncode == 1
    assert "small.ipynb" in changed.stderr

    (copies / "small.py").unlink()
    orphan = run_build(copies, "--check")
    assert orphan.returncode == 1
    assert "small.ipynb" in orphan.stderr


def test_a_failing_notebook_fails_the_run_and_keeps_its_outputs(copies: Path):
    (copies / "small.py").write_text("# %%\nprint('before')\n\n# %%\nassert 1 == 2\n")
    with pytest.raises(build.CellExecutionError, match="assert 1 == 2"):
        build.execute(copies / "small.py", copies / "out", timeout=120)
    assert "before" in (copies / "out" / "small.ipynb").read_text("utf-8")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_runs_in_fast_mode(source: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("LSTM_RECIPES_FAST", "1")
    monkeypatch.setenv("LSTM_RECIPES_CACHE", str(tmp_path / "nothing"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    notebook = build.execute(source, tmp_path, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code) and notebook.metadata["fast"]
    # Under a minute on two cores of today, three on those of 2017; counted in processor seconds, so
    # that it holds on a busy machine.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 6 * 60
    assert not (tmp_path / "nothing").exists()  # nothing was downloaded
