"""The tagger: its parts, its layers, and its speed."""

import statistics

from page_tables.shared import (
    LAYER_ROWS,
    NOTHING,
    line,
    measured_on,
    results,
    spread,
    trained_table,
)

NER_ROWS = {
    "words": "Bi-LSTM over words, softmax",
    "words-crf": "+ CRF",
    "words-characters": "+ characters, softmax",
    "random": "+ both: `ner train --context 0`",
    "glove-alone": "the same from GloVe 100d: `--context 0 --vectors`",
    "glove": "+ the sentences around: `--vectors`",
}


def ner_row(name: str, runs: list[dict]) -> str:
    """One line of a table of taggers."""
    metrics = [run["metrics"] for run in runs]
    cells = [
        name,
        f"{metrics[0]['parameters']:,}",
        f"{statistics.median(m['train_seconds'] for m in metrics):,.0f}",
        spread([m["f1"] for m in metrics], 2),
        str(len(runs)),
    ]
    return line(cells)


HEAD = "| | weights | seconds | test F1 | n |\n| --- | --- | --- | --- | --- |"


def ner() -> str:
    """What each part of the tagger adds."""
    return trained_table(HEAD, ner_row, NER_ROWS, results("ner"))


def ner_layers() -> str:
    """The tagger with each of the layers."""
    return trained_table(HEAD, ner_row, LAYER_ROWS, results("ner"))


def ner_speed() -> str:
    """How fast the tagger is, from text to JSON lines."""
    found = results("ner-speed")
    if not found:
        return NOTHING
    result = found["default"][0]
    rows = [
        f"| `{'ner tag' if name == 'ours' else name}` | {middle:,} ({low:,}–{high:,}) |"
        for name, (low, middle, high) in result["metrics"].items()
    ]
    about = (
        f"Medians and quartiles of {result['repeats']} repeats over {result['words']:,} words; "
        f"tagging needs {result['megabytes']} MB of the run. {measured_on(result)}"
    )
    return "\n".join(["| | words per second |", "| --- | --- |", *rows, "", about])
