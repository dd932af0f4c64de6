"""What the recipes' processes take, on their own data and on much."""

from page_tables.shared import NOTHING, line, measured_on, results


def memory() -> str:
    """What the recipes' processes take at their most."""
    found = results("memory")
    if not found:
        return NOTHING
    result = found["default"][0]
    commands = {
        "char-rnn": "`char-rnn train`",
        "char-rnn-best": "`char-rnn train --preset best`",
        "ner": "`ner train`",
        "translate": "`translate train`",
    }
    rows = [f"| {commands[name]} | {mb / 1e3:.1f} |" for name, mb in result["metrics"].items()]
    about = f"{result['steps']} steps, validation and measurement included. {measured_on(result)}"
    return "\n".join(["| | peak, GB |", "| --- | --- |", *rows, "", about])


SIZES = {
    "text": "a text of {:.1f} GB",
    "pairs": "{:,} pairs",
    "sentences": "{:,} tagged sentences",
}


def size() -> str:
    """What large data takes, beside little data."""
    found = {kind: runs[0] for kind, runs in results("size").items()}
    if not found:
        return NOTHING
    lines = [
        "| data | MB of files | peak, MB | with little data | more by | seconds to read |",
        "| --- " * 6 + "|",
    ]
    for kind in (name for name in SIZES if name in found):
        large, small = (found[kind]["metrics"][side] for side in ("large", "small"))
        amount = found[kind]["amount"] / (1e9 if kind == "text" else 1)
        amount = amount if kind == "text" else int(amount)
        cells = [SIZES[kind].format(amount), f"{large['bytes'] / 1e6:,.0f}"]
        cells += [f"{large['peak_mb']:,}", f"{small['peak_mb']:,}"]
        cells += [f"{large['peak_mb'] - small['peak_mb']:,}"]
        cells += [f"{large['start_seconds'] - small['start_seconds']:,.0f}"]
        lines.append(line(cells))
    trained = "; ".join(f"`{result['trained']}`" for result in found.values())
    steps = next(iter(found.values()))["steps"]
    dates = sorted({measured_on(result) for result in found.values()})
    about = (
        f"{trained}: {steps} steps, validation and measurement included. The seconds are until the "
        "first checkpoint, less those with little data, on one core."
    )
    return "\n".join([*lines, "", " ".join([about, *dates])])
