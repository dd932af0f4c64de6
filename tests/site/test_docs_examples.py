"""The Python on the pages runs: the blocks of a page one after the other, in one namespace.

A block that needs what is not there stands after a line ``<!-- not run: REASON -->``. The tutorials
are not run here: they are notebooks as they ran, and the notebooks have tests of their own.
"""

from pathlib import Path

import pytest

from .page_blocks import blocks

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if page.parent.name != "tutorials"]
PAGES = [page for page in PAGES if any(True for _ in blocks(page.read_text("utf-8")))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_on_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for line, reason, code in blocks(page.read_text("utf-8")):
        compiled = compile("\n" * line + code, str(page), "exec")  # an error tells the page's line
        if reason is None:
            exec(compiled, namespace)


def test_blocks_are_found_with_their_reasons_and_lines():
    first, second = "```python\n1\n```\n\n", "<!-- not run: a phone -->\n```python\n2\n```\n"
    text = "a\n" + first + second + "    ```python\n    3\n    ```\n"
    assert list(blocks(text)) == [(2, None, "1\n"), (7, "a phone", "2\n"), (10, None, "3\n")]
