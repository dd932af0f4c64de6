"""The character model: its settings, its layers, and writing text."""

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

HEAD = (
    "| | weights | steps | seconds | characters/s | nats per character | bits | n |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)


def row(name: str, runs: list[dict]) -> str:
    """One line of a table."""
    metrics = [run["metrics"] for run in runs]
    cells = [
        name,
        f"{metrics[0]['parameters']:,}",
        f"{metrics[0]['steps']:,}",
        f"{statistics.median(m['train_seconds'] for m in metrics):,.0f}",
        f"{statistics.median(m['characters_per_second'] for m in metrics):,.0f}",
        spread([m["nats_per_character"] for m in metrics], 4),
        spread([m["bits_per_character"] for m in metrics], 3),
        str(len(runs)),
    ]
    return line(cells)


def char_rnn() -> str:
    """The recipe's own settings."""
    commands = {
        "default": "`char-rnn train`",
        "default-bfloat16": "`char-rnn train --precision mixed_bfloat16`",
        "best": "`char-rnn train --preset best`",
    }
    return trained_table(HEAD, row, commands, results("char-rnn"))


def char_rnn_layers() -> str:
    """The layers at equal steps."""
    return trained_table(HEAD, row, LAYER_ROWS, results("char-rnn"))


def sampling() -> str:
    """Writing text, beside the tutorial's loop."""
    found = results("sampling")
    if not found:
        return NOTHING
    result = found["default"][0]
    rows = [
        f"| {m['batch']} | {m['ours']:,} | {m['tutorial']:,} | "
        f"{m['ratio']:.1f} ({m['ratio_low']:.1f}–{m['ratio_high']:.1f}) |"
        for m in result["metrics"]
    ]
    head = (
        "| texts at once | `char-rnn sample`, characters/s | the tutorial's loop | ratio |\n"
        "| --- | --- | --- | --- |"
    )
    about = f"Medians; of the ratio the quartiles too. {measured_on(result)}"
    return "\n".join([head, *rows, "", about])
