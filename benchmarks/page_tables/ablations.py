"""Translators that differ in one thing."""

import math
from collections.abc import Callable

from page_tables.shared import NOTHING, line, results

ABLATIONS = {
    "reversal": {"forward": "source as it stands", "reversed": "source reversed"},
    "attention": {"none": "none", "luong": "Luong's", "bahdanau": "Bahdanau's"},
    "depth": {
        f"{depth}-{kind}": f"{depth} layers, {kind}"
        for depth in (2, 4, 8)
        for kind in ("plain", "residual")
    },
    "tokens": {name: name for name in ("words", "wordpieces", "characters")},
}


def ablation(name: str, columns: Callable[[dict], dict[str, str]]) -> str:
    """Runs that differ in one thing; of several seeds each has a line."""
    found = results(f"translate-{name}")
    runs = [run for row in ABLATIONS[name] for run in found.get(row, [])]
    shown = [run for run in runs if columns(run["metrics"])]
    if not shown:
        return NOTHING
    titles = list(columns(shown[0]["metrics"]))
    head = ["", "seed", *titles]
    lines = [line(head), "| --- " * len(head) + "|"]
    for run in shown:
        cells = columns(run["metrics"])
        first = [ABLATIONS[name][run["config"]], run["metrics"]["seed"]]
        lines.append(line(first + [cells.get(title, "") for title in titles]))
    dates = ", ".join(sorted({run["date"] for run in runs}))
    about = (
        f"{runs[0]['metrics']['sentences']:,} test sentences of Multi30k, en → de; measured on "
        f"{runs[0]['machine']}; TensorFlow {runs[0]['versions']['tensorflow']}, Keras "
        f"{runs[0]['versions']['keras']}; {dates}."
    )
    notes = sorted({run["note"] for run in runs if run["note"]})
    return "\n".join([*lines, "", about, *(f"Seconds: {note}." for note in notes)])


def scores(metrics: dict) -> dict[str, str]:
    """Of a row: loss and BLEU at each beam, weights and time."""
    nats, seconds = metrics.get("nats_per_token"), metrics.get("train_seconds")
    cells = {
        "weights": f"{metrics['parameters']:,}",
        "nats per token": "" if nats is None else f"{nats:.4f}",
        "perplexity": "" if nats is None else f"{math.exp(nats):.2f}",
    }
    cells |= {f"BLEU, beam {beam}": f"{b:.2f}" for beam, b in metrics["bleu_by_beam"].items()}
    return cells | {"seconds": "" if seconds is None else f"{seconds:,.0f}"}


def by_source_length(metrics: dict) -> dict[str, str]:
    """Of a row: BLEU by how many words the source has."""
    return {f"{g['words']} words": f"{g['bleu']:.1f}" for g in metrics["by_source_length"]}


def by_target_position(metrics: dict) -> dict[str, str]:
    """Of a row: the share of right tokens in each fifth of the target."""
    places = ("first fifth", "second", "third", "fourth", "last")
    parts = metrics.get("by_target_position", [])
    return {places[part["fifth"] - 1]: f"{part['right']:.2f} %" for part in parts}
