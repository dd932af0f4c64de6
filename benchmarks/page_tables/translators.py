"""The translators: their scores, beams, and decoding."""

import statistics

from page_tables.ablations import ABLATIONS
from page_tables.shared import NOTHING, line, measured_on, results, spread, where

TRANSLATORS = {
    "phrases": "phrases, en → fr: `translate train`",
    "multi30k-en-de": "Multi30k, en → de: `--preset bahdanau --data multi30k`",
    "multi30k-en-de-cased": "Multi30k, en → de, capitals kept: `--no-lowercase`",
    "multi30k-en-fr": "Multi30k, en → fr",
    "multi30k-de-en": "Multi30k, de → en",
}


def translation() -> str:
    """The translators of the recipe."""
    found = results("translate")
    present = {k: found[k] for k in TRANSLATORS if k in found}
    if not present:
        return NOTHING
    head = (
        "| | weights | seconds | target tokens/s | BLEU, lower-cased tokens | BLEU | chrF | "
        "exact, % | n |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    rows = []
    for config, runs in present.items():
        metrics = [run["metrics"] for run in runs]
        seconds = statistics.median(m["train_seconds"] for m in metrics)
        names = ("bleu_of_lower_case_tokens", "bleu", "chrf", "exact")
        scores = [spread([m[name] for m in metrics], 2) for name in names]
        speed = statistics.median(m["tokens_per_second"] for m in metrics)
        cells = [TRANSLATORS[config], f"{metrics[0]['parameters']:,}"]
        cells += [f"{seconds:,.0f}", f"{speed:,.0f}", *scores]
        rows.append(line([*cells, str(len(runs))]))
    everything = [run for runs in present.values() for run in runs]
    keys = ("bleu_of_lower_case_tokens_signature", "bleu_signature", "chrf_signature")
    signatures = sorted({run["metrics"][key] for run in everything for key in keys})
    said = "Signatures: " + ", ".join(f"`{signature}`" for signature in signatures) + "."
    return "\n".join([head, *rows, "", where(everything), said])


def beams() -> str:
    """The translators' scores, by how many hypotheses live."""
    found = results("beams")
    present = {k: found[k][0] for k in TRANSLATORS if k in found}
    if not present:
        return NOTHING
    lines = [
        "| | beam | BLEU, lower-cased tokens | BLEU | chrF |",
        "| --- | --- | --- | --- | --- |",
    ]
    for config, run in present.items():
        name = TRANSLATORS[config].split(":")[0]
        for beam, m in run["metrics"].items():
            scores = [f"{m[k]:.2f}" for k in ("bleu_of_lower_case_tokens", "bleu", "chrf")]
            lines.append(line([name, beam, *scores]))
    about = measured_on(next(iter(present.values())))
    return "\n".join([*lines, "", f"One seed, 1,000 test sentences. {about}"])


def beam_search() -> str:
    """Decoding, beside loops in Python."""
    found = results("beam-search")
    if not found:
        return NOTHING
    titles = {"phrases": "phrases", "multi30k": "Multi30k, en → de, 256 units"}
    lines = [
        "| | sentences/s | `beam_search` is faster, times | same translations |",
        "| --- | --- | --- | --- |",
    ]
    runs = {data: found[data][0] for data in titles if data in found}
    for data, run in runs.items():
        for name, m in run["metrics"].items():
            low, middle, high = m["ours_is_faster"]
            shown = "" if name == "ours" else f"{middle:.1f} ({low:.1f}–{high:.1f})"
            name = "`beam_search`" if name == "ours" else name
            same = f"{100 * m['same_translations']:.1f} %"
            cells = [f"{titles[data]}: {name}", f"{m['sentences_per_second']:,.1f}", shown, same]
            lines.append(line(cells))
    last = list(runs.values())[-1]
    about = (
        f"Medians of {last['repeats']} repeats, of the ratio the quartiles too; "
        f"{last['batch']} sentences at a time, beam {last['beam']}."
    )
    return "\n".join([*lines, "", about, *sorted({measured_on(run) for run in runs.values()})])


def decoding() -> str:
    """Sentences a second of the translators of the ablations."""
    found = results("decoding")
    titles = {
        f"{name}-{row}": f"{name}: {title}"
        for name, rows in ABLATIONS.items()
        for row, title in rows.items()
    }
    runs = {title: found[config][0] for config, title in titles.items() if config in found}
    if not runs:
        return NOTHING
    head = ["", "weights", "tokens a sentence", "sentences/s"]
    lines = [line(head), "| --- " * len(head) + "|"]
    for title, run in runs.items():
        low, middle, high = run["metrics"]["sentences_per_second"]
        cells = [f"{run['metrics']['parameters']:,}", f"{run['metrics']['tokens']:.1f}"]
        lines.append(line([title, *cells, f"{middle:.1f} ({low:.1f}–{high:.1f})"]))
    last = list(runs.values())[-1]
    about = (
        f"Medians and quartiles; {last['batch']} sentences at a time, beam {last['beam']}. Rows "
        "that were measured together took turns in one process; only they compare."
    )
    together: dict[str, list[str]] = {}
    for title, run in runs.items():
        together.setdefault(f"{run['repeats']} repeats. {measured_on(run)}", []).append(title)
    shown = [f"“{'”, “'.join(titles)}”: {said}" for said, titles in together.items()]
    return "\n".join([*lines, "", about, *shown])
