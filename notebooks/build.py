"""Make the notebooks from their sources, run them, or check that they are up to date.

    python notebooks/build.py                  make every NAME.ipynb from NAME.py
    python notebooks/build.py --check          exit with 1 if a NAME.ipynb is not what NAME.py makes
    python notebooks/build.py --execute        run all of them, into build/notebooks
    python notebooks/build.py --execute NAME   run one

The sources are in jupytext's py:percent form, and they are what people edit.
"""

import argparse
import hashlib
import os
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).resolve().parent
EXECUTED = FOLDER.parent / "build" / "notebooks"  # git ignores build/
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def sources(folder: Path = FOLDER) -> list[Path]:
    """The .py form of every notebook; the folder's programs begin otherwise."""
    return sorted(
        path for path in folder.glob("*.py") if path.read_text("utf-8").startswith("# %%")
    )


def make(source: Path) -> nbformat.NotebookNode:
    """The notebook that a source makes: no outputs, and the same whenever it is made.

    A cell's id comes from the file's name and the cell's place, not from chance.
    """
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first with cell ids
    notebook.metadata = nbformat.from_dict(METADATA)
    for index, cell in enumerate(notebook.cells):
        cell.id = hashlib.sha256(f"{source.name}:{index}".encode()).hexdigest()[:8]
    nbformat.validate(notebook)
    return notebook


def text_of(notebook: nbformat.NotebookNode) -> str:
    """A notebook as it stands in its file."""
    return nbformat.writes(notebook) + "\n"


def stale(folder: Path = FOLDER) -> list[Path]:
    """The .ipynb files that are missing, differ from what their sources make, or have none."""
    wanted = {source.with_suffix(".ipynb"): text_of(make(source)) for source in sources(folder)}
    found = {path: path.read_text("utf-8") for path in folder.glob("*.ipynb")}
    return sorted(p for p in wanted.keys() | found.keys() if wanted.get(p) != found.get(p))


def execute(source: Path, folder: Path, timeout: int | None = None) -> nbformat.NotebookNode:
    """Run a notebook in a folder and leave it there with its outputs, those of a failed run too.

    Args:
        source: The .py form.
        folder: Where it runs and is written.
        timeout: The most seconds that one cell may take.

    Raises:
        CellExecutionError: A cell failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    notebook = make(source)
    notebook.metadata["fast"] = os.environ.get("LSTM_RECIPES_FAST") == "1"  # not for a page
    client = NotebookClient(
        notebook,
        timeout=timeout,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    finally:
        (folder / source.with_suffix(".ipynb").name).write_text(text_of(notebook), "utf-8")
    return notebook


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--execute", nargs="?", const="", metavar="NAME", help="run one notebook, or all"
    )
    choice.add_argument("--check", action="store_true", help="exit with 1 if one is out of date")
    arguments = parser.parse_args()

    if arguments.check:
        old = stale()
        for path in old:
            print(f"{path.name} is not what its source makes; make it anew", file=sys.stderr)
        return 1 if old else 0

    if arguments.execute is None:
        for source in sources():
            source.with_suffix(".ipynb").write_text(text_of(make(source)), "utf-8")
            print(source.with_suffix(".ipynb").name)
        return 0

    chosen = [s for s in sources() if arguments.execute in ("", s.stem)]
    if not chosen:
        names = ", ".join(source.stem for source in sources())
        parser.error(f"there is no notebook {arguments.execute!r}; there is {names}")
    for source in chosen:
        began = time.perf_counter()
        try:
            execute(source, EXECUTED)
        except CellExecutionError as error:
            print(f"{source.name} failed:\n{error}", file=sys.stderr)
            return 1
        print(f"{source.stem}: {time.perf_counter() - began:.0f} seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
