"""The character model: its settings, its layers, and writing text."""

import statistics

from page_tables.shared import NAMES, NOTHING, line, measured_on, results, spread, where

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
    found = {k: v for k, v in results("char-rnn").items() if not k.startswith("layer-")}
    commands = {
        "default": "`char-rnn train`",
        "default-bfloat16": "`char-rnn train --precision mixed_bfloat16`",
        "best": "`char-rnn train --preset best`",
    }
    order = [name for name in commands if name in found]
    rows = [row(commands[name], found[name]) for name in order]
    return "\n".join([HEAD, *rows, "", where([run for name in order for run in found[name]])])


def char_rnn_layers() -> str:
    """The layers at equal steps."""
    found = results("char-rnn")
    present = {k: found[f"layer-{k}"] for k in NAMES if f"layer-{k}" in found}
    rows = [row(NAMES[name], runs) for name, runs in present.items()]
    return "\n".join([HEAD, *rows, "", where([run for runs in present.values() for run in runs])])


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
