"""The numbers in the README and the docs are those of the result files."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module", autouse=True)
def benchmarks():
    """The folder that a benchmark is run in, and imports from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield


@pytest.fixture(scope="module")
def tables(benchmarks):
    spec = importlib.util.spec_from_file_location("tables", ROOT / "benchmarks" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_show_the_results_that_are_there(tables):
    for page in tables.PAGES:
        text = (ROOT / page).read_text()
        assert "<!-- table " in text
        assert tables.filled(text) == text, f"run python benchmarks/tables.py: {page} is stale"


def test_a_changed_number_is_noticed(tables):
    text = (ROOT / "README.md").read_text()
    changed = text.replace(" | 1 |", " | 2 |")
    assert changed != text and tables.filled(changed) == text


def test_spread_over_seeds():
    from page_tables.shared import spread

    assert spread([1.5], 4) == "1.5000"
    assert spread([1.0, 2.0, 3.0], 2) == "2.00 ± 1.00"


def test_every_result_says_how_it_was_made():
    paths = sorted((ROOT / "benchmarks" / "results").rglob("*.json"))
    assert paths
    for path in paths:
        result = json.loads(path.read_text())
        assert path.stem == f"{result['config']}-{result['seed']}", path
        for name in ("command", "commit", "date", "versions", "machine", "metrics"):
            assert result[name], (path, name)
