"""Exported models in other runtimes."""

from page_tables.shared import NOTHING, measured_on, results


def export_step() -> str:
    """A streaming step in other runtimes, and what int8 costs."""
    found = results("export")
    if "step" not in found:
        return NOTHING
    result = found["step"][0]
    costs = found["quality"][0] if "quality" in found else None
    nats = "" if costs is None else " nats per character |"
    lines = [f"| | µs a step | MB |{nats}", "| --- | --- | --- |" + (" --- |" if costs else "")]
    for name, row in result["metrics"].items():
        size = f"{row['bytes'] / 1e6:.2f}" if "bytes" in row else ""
        line = f"| {name} | {row['microseconds']:,.0f} ({row['low']:,.0f}–{row['high']:,.0f}) | "
        line += f"{size} |"
        if costs is not None:
            line += f" {costs['metrics'][name]['nats_per_character']:.4f} |"
        lines.append(line)
    about = f"{result['weights']:,} weights; medians and quartiles of {result['repeats']} turns. "
    if costs is not None:
        about += (
            f"Nats of a trained model of {costs['weights']:,} weights, over the first "
            f"{costs['characters']:,} characters of its validation split. "
        )
    return "\n".join([*lines, "", about + measured_on(result)])


def export_sequences() -> str:
    """Whole sequences in onnxruntime beside Keras."""
    found = results("export").get("sequences")
    if not found:
        return NOTHING
    lines = ["| per second | Keras | onnxruntime | faster |", "| --- | --- | --- | --- |"]
    for name, row in found[0]["metrics"].items():
        low, middle, high = row["faster"]
        cells = [f"{row[side][1]:,.0f}" for side in ("Keras", "onnxruntime")]
        lines.append(f"| {name} | {' | '.join(cells)} | {middle:.2f} × ({low:.2f}–{high:.2f}) |")
    about = f"Medians of {found[0]['repeats']} turns, of the ratios the quartiles too. "
    return "\n".join([*lines, "", about + measured_on(found[0])])
