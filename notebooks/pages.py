"""Make the site's tutorial pages from executed notebooks.

    python notebooks/pages.py            make the pages whose sources have changed
    python notebooks/pages.py NAME       make one, changed or not

A page is docs/tutorials/NAME.md with its pictures in docs/tutorials/NAME/. It says of which source
it was made, so a page whose source has not changed is left as it is. A changed one is executed
first, in full, which takes the minutes that the notebook states, and keeps
build/notebooks/NAME.ipynb: where only words have changed since then, its outputs serve again.

A cell's metadata, `# %% alt="..."` in the source, describes its picture to who cannot see it, and
`quotes="..."` names whose text its output quotes and may not be published: the page leaves it out.
"""

import argparse
import base64
import hashlib
import re
import sys
from pathlib import Path

import nbformat

from build import EXECUTED, FOLDER, execute, make, sources

PAGES = FOLDER.parent / "docs" / "tutorials"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def source_hash(source: Path) -> str:
    """What a page says of the source it was made of."""
    return hashlib.sha256(source.read_bytes()).hexdigest()[:16]


def stale(source: Path, pages: Path = PAGES) -> bool:
    """Whether a source's page is missing or was made of another."""
    page = pages / f"{source.stem}.md"
    return not page.exists() or source_hash(source) not in page.read_text("utf-8").split("\n", 1)[0]


def executed(source: Path, folder: Path = EXECUTED) -> nbformat.NotebookNode:
    """The notebook with outputs: of an earlier run of the same code, or else of one made now."""
    notebook, kept = make(source), folder / f"{source.stem}.ipynb"
    earlier = nbformat.read(kept, as_version=4) if kept.exists() else None
    fast = earlier is not None and earlier.metadata.get("fast")
    if earlier is None or fast or _code(earlier) != _code(notebook):
        print(f"{source.stem} is executed; it says how many minutes that takes", file=sys.stderr)
        return execute(source, folder)
    for cell, before in zip(_code_cells(notebook), _code_cells(earlier), strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    return notebook


def write_page(notebook: nbformat.NotebookNode, source: Path, pages: Path = PAGES) -> Path:
    """Write a notebook's page and its pictures, in place of those there are.

    Raises:
        ValueError: A cell did not run, a picture has no description, or it was a fast run, which
            tests a notebook and teaches nothing.
    """
    if notebook.metadata.get("fast"):
        raise ValueError(f"{source.stem} ran with LSTM_RECIPES_FAST=1; run it without")
    name, pictures = source.stem, pages / source.stem
    written: dict[str, bytes] = {}
    parts = [
        f"<!-- Made by notebooks/pages.py from notebooks/{name}.py, {source_hash(source)}. -->"
    ]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code":
            parts.append(_fenced(cell.source, "python"))
            parts += _outputs(cell, name, written)
    title, rest = parts[1].split("\n", 1)  # a notebook begins with its title
    parts[1] = f"{title}\n\n{_links(name)}\n{rest}"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("*.png"):
        old.unlink()
    for file, content in written.items():
        (pages / file).write_bytes(content)
    page = pages / f"{name}.md"
    page.write_text("\n\n".join(parts) + "\n", "utf-8")
    return page


def _code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _code(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in _code_cells(notebook)]


def _links(name: str) -> str:
    """How a reader gets the notebook itself."""
    return (
        f"[Download the notebook]({name}.ipynb){{ download }}. It runs where the package is "
        "[installed](../install.md), and on [Colab](https://colab.research.google.com/), where one "
        "uploads it and installs the package first."
    )


def _fenced(text: str, language: str) -> str:
    """A code block, whose fence no line of the text can be taken for."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _outputs(cell: nbformat.NotebookNode, name: str, written: dict[str, bytes]) -> list[str]:
    """A cell's outputs as Markdown; its pictures are added to those to be written."""
    if not cell.execution_count:
        raise ValueError(f"{name} has a cell that did not run: {cell.source[:60]!r}")
    quotes = cell.metadata.get("quotes")
    if quotes:
        return [
            f"*The output quotes {quotes}, and so is left out here: run the notebook to see it.*"
        ]
    parts = []
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            alt = cell.metadata.get("alt")
            if not alt:
                raise ValueError(f'{name} has a picture without alt="...": {cell.source[:60]!r}')
            file = f"{name}/{len(written) + 1}.png"
            written[file] = base64.b64decode(data["image/png"])
            parts.append(f"![{alt}]({file})")
        elif output.output_type == "error":
            raise ValueError(f"{name} failed: {output.evalue}")
        else:
            text = output.get("text") or data.get("text/plain", "")
            text = ANSI.sub("", text).replace(str(Path.home()), "~").rstrip("\n")
            parts.append(_fenced(text, "{ .text .output }"))
    return parts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", help="make this page, changed or not")
    asked = parser.parse_args().name
    chosen = [s for s in sources() if s.stem == asked or (asked is None and stale(s))]
    if asked and not chosen:
        parser.error(f"no notebook {asked!r}; there is {', '.join(s.stem for s in sources())}")
    for source in chosen:
        print(write_page(executed(source), source).relative_to(FOLDER.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
