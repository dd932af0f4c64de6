"""A notebook's page: its words, its code, what that printed and drew."""

import base64
import importlib.util
import sys
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("jupytext", reason="jupytext is missing: pip install -e '.[dev,notebooks]'")
pytest.importorskip("nbclient", reason="nbclient is missing: pip install -e '.[dev,notebooks]'")

FOLDER = Path(__file__).parents[2] / "notebooks"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SOURCE = """# %% [markdown]
# # Sums
#
# Two and two.

# %%
print("a\\n```\\nb")

# %% alt="One dot"
display(Image)

# %% quotes="a poet"
print("verses")

# %%
2 + 2
"""


@pytest.fixture(scope="module")
def pages():
    sys.path.insert(0, str(FOLDER))  # as when it runs as a program: its neighbour is build.py
    try:
        spec = importlib.util.spec_from_file_location("notebook_pages", FOLDER / "pages.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "sums.py"
    path.write_text(SOURCE, "utf-8")
    return path


def ran(pages, source: Path) -> nbformat.NotebookNode:
    """The notebook as if it had run."""
    notebook = pages.make(source)
    picture = {"image/png": base64.b64encode(PIXEL).decode(), "text/plain": "<Figure>"}
    outputs = [
        nbformat.v4.new_output("stream", text=f"a\n```\n{Path.home()}/b\n"),
        nbformat.v4.new_output("display_data", data=picture),
        nbformat.v4.new_output("stream", text="verses\n"),
        nbformat.v4.new_output("execute_result", data={"text/plain": "4"}, execution_count=4),
    ]
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, (cell, output) in enumerate(zip(cells, outputs, strict=True), 1):
        cell.outputs, cell.execution_count = [output], number
    return notebook


def test_a_page_has_words_code_and_outputs_in_order(pages, source, tmp_path):
    page = pages.write_page(ran(pages, source), source, tmp_path)
    text = page.read_text("utf-8")
    in_order = ["# Sums", "Download the notebook", "Two and two.", "```python\n2 + 2", "\n4\n"]
    assert [text.find(part) for part in in_order] == sorted(text.find(part) for part in in_order)
    assert all(part in text for part in in_order)
    assert "````{ .text .output }\na\n```\n~/b\n````" in text  # a longer fence, and nobody's home
    assert "![One dot](sums/1.png)" in text
    assert (tmp_path / "sums" / "1.png").read_bytes() == PIXEL


def test_what_may_not_be_published_is_left_out(pages, source, tmp_path):
    text = pages.write_page(ran(pages, source), source, tmp_path).read_text("utf-8")
    assert "verses\n" not in text and "The output quotes a poet" in text


def test_a_picture_needs_a_description(pages, source, tmp_path):
    source.write_text(SOURCE.replace(' alt="One dot"', ""), "utf-8")
    with pytest.raises(ValueError, match="picture without alt"):
        pages.write_page(ran(pages, source), source, tmp_path)


def test_a_cell_that_did_not_run_makes_no_page(pages, source, tmp_path):
    with pytest.raises(ValueError, match="did not run"):
        pages.write_page(pages.make(source), source, tmp_path)
    assert not (tmp_path / "sums.md").exists()


def test_pictures_of_an_earlier_page_go(pages, source, tmp_path):
    (tmp_path / "sums").mkdir()
    (tmp_path / "sums" / "9.png").write_bytes(PIXEL)
    pages.write_page(ran(pages, source), source, tmp_path)
    assert [path.name for path in (tmp_path / "sums").iterdir()] == ["1.png"]


def test_a_page_is_stale_when_its_source_has_changed(pages, source, tmp_path):
    assert pages.stale(source, tmp_path)
    pages.write_page(ran(pages, source), source, tmp_path)
    assert not pages.stale(source, tmp_path)
    source.write_text(SOURCE + "\n# %% [markdown]\n# More.\n", "utf-8")
    assert pages.stale(source, tmp_path)


def test_outputs_serve_again_where_only_words_have_changed(pages, source, tmp_path, monkeypatch):
    kept = tmp_path / "executed"
    kept.mkdir()
    (kept / "sums.ipynb").write_text(nbformat.writes(ran(pages, source)), "utf-8")
    monkeypatch.setattr(pages, "execute", lambda *_: pytest.fail("it was executed again"))
    source.write_text(SOURCE.replace("Two and two.", "Two and two are four."), "utf-8")
    text = pages.write_page(pages.executed(source, kept), source, tmp_path).read_text("utf-8")
    assert "are four" in text and "\n4\n" in text


def test_changed_code_is_executed(pages, source, tmp_path, monkeypatch):
    kept = tmp_path / "executed"
    kept.mkdir()
    (kept / "sums.ipynb").write_text(nbformat.writes(ran(pages, source)), "utf-8")
    source.write_text(SOURCE.replace("2 + 2", "2 + 3"), "utf-8")
    monkeypatch.setattr(pages, "execute", lambda source, folder: ("executed", source, folder))
    assert pages.executed(source, kept) == ("executed", source, kept)


def test_a_fast_run_makes_no_page(pages, source, tmp_path, monkeypatch):
    kept, fast = tmp_path / "executed", ran(pages, source)
    kept.mkdir()
    fast.metadata["fast"] = True
    (kept / "sums.ipynb").write_text(nbformat.writes(fast), "utf-8")
    monkeypatch.setattr(pages, "execute", lambda *_: fast)
    with pytest.raises(ValueError, match="sums ran with LSTM_RECIPES_FAST=1; run it without"):
        pages.write_page(pages.executed(source, kept), source, tmp_path)
    monkeypatch.setattr(pages, "execute", lambda *_: "executed again")
    assert pages.executed(source, kept) == "executed again"


@pytest.mark.parametrize("name", ["char_rnn", "history", "long_lag", "ner", "translation"])
def test_a_tutorial_on_the_site_is_of_its_notebook_as_it_stands(pages, name):
    assert not pages.stale(FOLDER / f"{name}.py"), "make it anew: make site"
