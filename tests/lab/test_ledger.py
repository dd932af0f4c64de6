"""Each row of the ledger is a stored run's, with its command, versions, seeds and date."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from lstm_recipes.lab.arguments import ARGUMENTS
from lstm_recipes.lab.claim import verdict
from lstm_recipes.lab.claims import CLAIMS, claim_of

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "benchmarks" / "results").glob("lab*/*.json"))
CLAIM_FILES = [f for f in FILES if f.parent.name != "lab" or f.stem[:-2] in CLAIMS]


def test_there_are_rows_and_all_are_known():
    names = {file.stem.removesuffix("-0") for file in FILES}
    assert names and names <= set(CLAIMS) | set(ARGUMENTS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_row_says_how_it_was_made(file):
    result = json.loads(file.read_text())
    network = file.parent.name.removeprefix("lab").removeprefix("-")
    name = file.stem.removesuffix("-0")
    shown = f"lstm-recipes lab run {name}" + (f" --network {network}" if network else "")
    assert result["command"] == shown and result["config"] == name
    assert result["versions"]["tensorflow"] and result["machine"] and result["commit"]
    assert date.fromisoformat(result["date"]) <= date.today()
    assert result["metrics"]["seconds"] > 0


@pytest.mark.parametrize("file", CLAIM_FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_tasks_row_is_its_trials(file):
    found = json.loads(file.read_text())["metrics"]
    claim = claim_of(file.stem.removesuffix("-0"))
    counts = [count for count in found["sequences"] if count is not None]
    assert found["seeds"] == len(found["sequences"]) == len(found["wrong"]) >= 10
    tested = sum(n is not None for n in found["wrong"])
    assert found["succeeded"] == len(counts) and tested == (len(counts) if found["tests"] else 0)
    assert found["mean_sequences"] == (round(np.mean(counts)) if counts else None)
    assert all(count <= found["limit"] for count in counts)
    if file.parent.name == "lab":
        assert found["verdict"] == verdict(claim, found)
        assert found["claim"] == claim.says and found["source"] == claim.source
        assert found["paper_sequences"] == claim.sequences
        assert found["weights"] == claim.task.wiring.weights
    else:
        assert found["weights"] >= claim.task.wiring.weights and "verdict" not in found


MEASURED = [n for n in ARGUMENTS if (ROOT / f"benchmarks/results/lab/{n}-0.json").exists()]


@pytest.mark.parametrize("name", MEASURED)
def test_an_arguments_row_is_what_its_numbers_say(name):
    found = json.loads((ROOT / "benchmarks/results/lab" / f"{name}-0.json").read_text())["metrics"]
    argument = ARGUMENTS[name]
    assert (found["measured"], found["verdict"]) == argument.judge(found["numbers"])
    assert found["claim"] == argument.says and found["source"] == argument.source
    assert found["picture"] == argument.shows and found["seeds"] == argument.seeds
    assert (ROOT / "docs" / "pictures" / "lab" / f"{name}.svg").exists()
