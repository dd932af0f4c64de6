"""Models in eight bits, beside themselves."""

from page_tables.shared import NOTHING, line, measured_on, results


def int8() -> str:
    """A translator in eight bits beside itself."""
    found = results("int8").get("translate")
    if not found:
        return NOTHING
    result, rows = found[0], found[0]["metrics"]
    lines = ["| | nats per token | BLEU | sentences/s | MB |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {rows[name]['nats_per_token']:.4f} | "
        f"{rows[name]['bleu_of_lower_case_tokens']:.2f} | "
        f"{rows[name]['sentences_per_second']:,.1f} | {rows[name]['megabytes']:.1f} |"
        for name in ("as trained", "int8")
    ]
    change = rows["change"]
    low, middle, high = change["int8_is_faster"]
    about = (
        f"{result['sentences']:,} test sentences, beam {result['beam']}. In eight bits the loss "
        f"changes by {change['nats_per_token']:+.4f} nats and BLEU by "
        f"{change['bleu_of_lower_case_tokens']:+.2f} (paired bootstrap: p = "
        f"{change['p_value']:.2f}); decoding is {middle:.2f} times as fast ({low:.2f}–{high:.2f}). "
        f"Signature: `{result['bleu_signature']}`. {measured_on(result)}"
    )
    return "\n".join([*lines, "", about])


def int8_quality() -> str:
    """What eight bits cost each recipe, in its own measure."""
    found = results("int8")
    measures = {"char-rnn": "nats_per_character", "ner": "f1"}
    measures["translate"] = "bleu_of_lower_case_tokens"
    names = {"char-rnn": "nats per character", "ner": "F1", "translate": "BLEU"}
    lines = ["| recipe | | as trained | int8 | MB | MB, int8 |", "| --- " * 6 + "|"]
    for recipe in (name for name in measures if name in found):
        sides = [found[recipe][0]["metrics"][side] for side in ("as trained", "int8")]
        digits = 4 if recipe == "char-rnn" else 2
        cells = [f"{side[measures[recipe]]:.{digits}f}" for side in sides]
        cells += [f"{side['megabytes']:.1f}" for side in sides]
        split = found[recipe][0]["split"]
        lines.append(line([f"`{recipe}`", f"{names[recipe]}, {split}", *cells]))
    dates = sorted({measured_on(runs[0] | {"note": ""}) for runs in found.values()})
    notes = [f"{name}: {runs[0]['note']}." for name, runs in found.items() if runs[0]["note"]]
    return "\n".join([*lines, "", " ".join([*dates, *notes])]) if found else NOTHING
