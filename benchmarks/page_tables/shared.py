"""What the tables share: the result files, a line of cells, and where figures were measured."""

import json
import statistics
from collections.abc import Callable, Iterable

from machine import ROOT

NOTHING = "No run is recorded yet."
LAYER_ROWS = {
    "layer-cec": "`CECLSTM`",
    "layer-forget": "`ForgetGateLSTM`",
    "layer-peephole": "`PeepholeLSTM`",
    "layer-gru": "`GRU`",
    "layer-keras_lstm": "`keras.layers.LSTM`",
}
"""Configurations that differ in the layer alone."""


def results(recipe: str) -> dict[str, list[dict]]:
    """The results of a recipe by configuration, each a list over seeds."""
    found: dict[str, list[dict]] = {}
    for path in sorted((ROOT / "benchmarks" / "results" / recipe).glob("*.json")):
        result = json.loads(path.read_text())
        found.setdefault(result["config"], []).append(result)
    return found


def line(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def spread(values: list[float], digits: int) -> str:
    """The mean and, of several, the standard deviation."""
    mean = f"{statistics.mean(values):,.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def where(runs: list[dict]) -> str:
    """Where and when the figures were measured, and what disturbed them."""
    if not runs:
        return NOTHING
    dates = sorted({run["date"] for run in runs})
    machines = sorted({run["machine"] for run in runs})
    versions = sorted({f"Keras {run['versions']['keras']}" for run in runs})
    tensorflow = sorted({f"TensorFlow {run['versions']['tensorflow']}" for run in runs})
    lines = [
        f"n is the number of seeds; ± is the standard deviation over them; seconds and speed are "
        f"medians, validation included. Measured on {', '.join(machines)}; "
        f"{', '.join(tensorflow)}, {', '.join(versions)}; {', '.join(dates)}."
    ]
    noted: dict[str, list[str]] = {}
    for run in runs:
        noted.setdefault(run["note"], []).append(f"{run['config']}-{run['seed']}")
    everything = len(noted) == 1
    lines += [
        f"{'All runs' if everything else ', '.join(names)}: {note}."
        for note, names in noted.items()
        if note
    ]
    return "\n".join(lines)


def trained_table(
    head: str,
    row: Callable[[str, list[dict]], str],
    names: dict[str, str],
    found: dict[str, list[dict]],
) -> str:
    """Models by configuration, those that have been trained, in the order of their names."""
    present = {config: found[config] for config in names if config in found}
    if not present:
        return NOTHING
    rows = [row(names[config], runs) for config, runs in present.items()]
    return "\n".join([head, *rows, "", where([run for runs in present.values() for run in runs])])


def measured_on(result: dict) -> str:
    """Where and when a benchmark ran."""
    said = (
        f"Measured on {result['machine']}; TensorFlow {result['versions']['tensorflow']}, Keras "
        f"{result['versions']['keras']}; {result['date']}."
    )
    note = result["note"]
    return said + (f" {note[0].upper()}{note[1:]}." if note else "")
