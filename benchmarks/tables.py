"""Write the tables in the README and the docs from the result files that are there.

    python benchmarks/tables.py          writes them
    python benchmarks/tables.py --check  exits with 1 if one is not up to date

A table stands between ``<!-- table NAME -->`` and ``<!-- end of table -->``.
"""

import argparse
import json
import math
import re
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "docs/claims.md",
    "docs/char_rnn.md",
    "docs/ner.md",
    "docs/translation.md",
    "docs/performance.md",
    "docs/export.md",
    "docs/recipes.md",
    "docs/survival.md",
)
NOTHING = "No run is recorded yet."
NAMES = {
    "cec": "`CECLSTM`",
    "forget": "`ForgetGateLSTM`",
    "peephole": "`PeepholeLSTM`",
    "gru": "`GRU`",
    "keras_lstm": "`keras.layers.LSTM`",
}


def results(recipe: str) -> dict[str, list[dict]]:
    """The results of a recipe by configuration, each a list over seeds."""
    found: dict[str, list[dict]] = {}
    for path in sorted((ROOT / "benchmarks" / "results" / recipe).glob("*.json")):
        result = json.loads(path.read_text())
        found.setdefault(result["config"], []).append(result)
    return found


def spread(values: list[float], digits: int) -> str:
    """The mean and, of several, the standard deviation."""
    mean = f"{statistics.mean(values):,.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


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
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| | weights | steps | seconds | characters/s | nats per character | bits | n |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
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
    return "| " + " | ".join(cells) + " |"


def ner_table(names: dict[str, str], found: dict[str, list[dict]]) -> str:
    """Taggers by configuration, those that have been trained."""
    present = {config: found[config] for config in names if config in found}
    if not present:
        return NOTHING
    head = "| | weights | seconds | test F1 | n |\n| --- | --- | --- | --- | --- |"
    rows = [ner_row(names[config], runs) for config, runs in present.items()]
    return "\n".join([head, *rows, "", where([run for runs in present.values() for run in runs])])


def ner() -> str:
    """What each part of the tagger adds."""
    return ner_table(NER_ROWS, results("ner"))


def ner_layers() -> str:
    """The tagger with each of the layers."""
    rows = {f"layer-{name}": shown for name, shown in NAMES.items()}
    return ner_table(rows, results("ner"))


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


TRANSLATORS = {
    "phrases": "phrases, en → fr: `translate train`",
    "multi30k-en-de": "Multi30k, en → de: `--preset bahdanau --data multi30k`",
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
        rows.append("| " + " | ".join([*cells, str(len(runs))]) + " |")
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
            lines.append(f"| {name} | {beam} | {' | '.join(scores)} |")
    about = measured_on(next(iter(present.values())))
    return "\n".join([*lines, "", f"One seed, 1,000 test sentences. {about}"])


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
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    for run in shown:
        cells = columns(run["metrics"])
        first = [ABLATIONS[name][run["config"]], run["metrics"]["seed"]]
        lines.append(f"| {' | '.join(first + [cells.get(title, '') for title in titles])} |")
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


def char_rnn() -> str:
    """The recipe's own settings."""
    found = {k: v for k, v in results("char-rnn").items() if not k.startswith("layer-")}
    order = [name for name in ("default", "best") if name in found]
    commands = {"default": "`char-rnn train`", "best": "`char-rnn train --preset best`"}
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
            lines.append(f"| {' | '.join(cells)} |")
    last = list(runs.values())[-1]
    about = (
        f"Medians of {last['repeats']} repeats, of the ratio the quartiles too; "
        f"{last['batch']} sentences at a time, beam {last['beam']}."
    )
    return "\n".join([*lines, "", about, *sorted({measured_on(run) for run in runs.values()})])


def layer_speed() -> str:
    """The layers beside Keras' own and the products alone, a table a shape."""
    found = results("layers").get("speed")
    if not found:
        return NOTHING
    parts = []
    for shape, rows in found[0]["metrics"].items():
        batch, steps, features, units = shape.split("/")
        parts += [
            f"**{batch} sequences of {steps} steps, {features} features, {units} units**",
            "| | forward, ms | faster than Keras | forward and backward, ms | faster |\n"
            "| --- | --- | --- | --- | --- |\n" + "\n".join(map(speed_row, rows, rows.values())),
        ]
    about = (
        f"Medians of {found[0]['repeats']} turns, of the ratios the quartiles too; GRUs beside "
        f"`keras.layers.GRU`, all others beside `keras.layers.LSTM`. {measured_on(found[0])}"
    )
    return "\n\n".join([*parts, about])


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
        lines.append(f"| `{recipe}` | {names[recipe]}, {split} | {' | '.join(cells)} |")
    dates = sorted({measured_on(runs[0] | {"note": ""}) for runs in found.values()})
    notes = [f"{name}: {runs[0]['note']}." for name, runs in found.items() if runs[0]["note"]]
    return "\n".join([*lines, "", " ".join([*dates, *notes])]) if found else NOTHING


def speed_row(name: str, row: dict) -> str:
    """One line of a table of speeds."""
    cells = [name if name.startswith("products") else f"`{name}`"]
    for one in row.values():
        low, middle, high = one["faster"]
        cells += [f"{one['ms']:,.1f}", f"{middle:.2f} × ({low:.2f}–{high:.2f})"]
    return "| " + " | ".join(cells) + " |"


def layer_parts() -> str:
    """What a forward pass is made of."""
    found = results("layers").get("parts")
    if not found:
        return NOTHING
    sides = list(next(iter(found[0]["metrics"].values())))
    head = [f"`{name}`" for name in sides[:2]] + sides[2:] + ["these three"]
    lines = [f"| shape, ms | {' | '.join(head)} |", "| --- " * (len(head) + 1) + "|"]
    for shape, row in found[0]["metrics"].items():
        parts = [*row.values(), sum(list(row.values())[2:])]
        lines.append(f"| {shape} | {' | '.join(f'{ms:,.1f}' for ms in parts)} |")
    about = f"Medians of {2 * found[0]['repeats']} turns. {measured_on(found[0])}"
    return "\n".join([*lines, "", about])


def layer_memory() -> str:
    """Peak memory in training."""
    found = results("layers").get("memory")
    if not found:
        return NOTHING
    names = list(next(iter(found[0]["metrics"].values())))
    lines = [f"| shape | {' | '.join(f'`{n}`, MB' for n in names)} |", "| --- | --- | --- |"]
    lines += [
        f"| {shape} | {' | '.join(f'{row[n]:,}' for n in names)} |"
        for shape, row in found[0]["metrics"].items()
    ]
    return "\n".join([*lines, "", measured_on(found[0])])


def layer_lengths() -> str:
    """Time against the number of steps."""
    found = results("layers").get("lengths")
    if not found:
        return NOTHING
    lines = ["| steps | ms | ms a step |", "| --- | --- | --- |"]
    lines += [
        f"| {int(n):,} | {ms:,.1f} | {ms / int(n):.3f} |" for n, ms in found[0]["metrics"].items()
    ]
    return "\n".join([*lines, "", measured_on(found[0])])


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
        lines.append("| " + " | ".join(cells) + " |")
    trained = "; ".join(f"`{result['trained']}`" for result in found.values())
    steps = next(iter(found.values()))["steps"]
    dates = sorted({measured_on(result) for result in found.values()})
    about = (
        f"{trained}: {steps} steps, validation and measurement included. The seconds are until the "
        "first checkpoint, less those with little data, on one core."
    )
    return "\n".join([*lines, "", " ".join([about, *dates])])


def claims() -> str:
    """The ledger of the laboratory's tasks."""
    found = [runs[0] for runs in results("lab").values() if "sequences" in runs[0]["metrics"]]
    if not found:
        return NOTHING
    beside = {"By Adam": results("lab-adam"), "Elman network": results("lab-elman")}
    lines = [
        "| claim | paper | here | verdict | beside it |",
        "| --- " * 5 + "|",
    ]
    for result in sorted(found, key=lambda result: natural(result["config"])):
        m, name = result["metrics"], result["config"]
        others = [
            f"{kind}: {succeeded(runs[name][0]['metrics'])}."
            for kind, runs in beside.items()
            if name in runs
        ]
        cells = [
            f"{m['claim']} ({m['source']}): `{name}`",
            "–" if m["paper_sequences"] is None else f"{m['paper_sequences']:,}",
            succeeded(m) + in_test(m),
            f"**{m['verdict']}**",
            " ".join(others),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    every = [*found, *(runs[0] for kind in beside.values() for runs in kind.values())]
    minutes = sum(result["metrics"]["seconds"] for result in every) / 60
    about = (
        "Sequences, or guesses, until a trial succeeds: the mean of those that did, the fewest and "
        f"the most. All rows together took {minutes:.0f} minutes."
    )
    dates = sorted({measured_on(result) for result in every})
    return "\n".join([*lines, "", " ".join([about, *dates])])


def succeeded(metrics: dict) -> str:
    """How many trials, and after how many sequences."""
    counts = [count for count in metrics["sequences"] if count is not None]
    said = f"{metrics['succeeded']} of {metrics['seeds']}"
    if counts:
        said += f": {metrics['mean_sequences']:,} ({min(counts):,}–{max(counts):,})"
    if metrics.get("good"):
        said += f"; {metrics['good']} more err less than once in 1,000 symbols"
    failed = sorted(n for n in metrics.get("wrong_in_the_end", []) if n is not None)
    if failed:
        few = "–".join(f"{n:,}" for n in dict.fromkeys([failed[0], failed[-1]]))
        said += f"; {'the others' if counts else 'all'} {few} of {metrics['judged']:,} wrong"
    return said


def in_test(metrics: dict) -> str:
    """How many of the test sequences those that succeeded had wrong."""
    wrong = sorted(count for count in metrics["wrong"] if count is not None)
    if not wrong:
        return ""
    few = "–".join(f"{count:,}" for count in dict.fromkeys([wrong[0], wrong[-1]]))
    return f"; in the test {few} of {metrics['tests']:,} wrong"


def natural(name: str) -> list:
    """A key by which 50 stands before 100."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def arguments() -> str:
    """The ledger of the arguments, each with its picture."""
    found = [runs[0] for runs in results("lab").values() if "measured" in runs[0]["metrics"]]
    if not found:
        return NOTHING
    parts = []
    for result in sorted(found, key=lambda result: result["config"]):
        m, name = result["metrics"], result["config"]
        seeds = f", {m['seeds']} seeds" if m["seeds"] else ""
        about = f"`lstm-recipes lab run {name}`{seeds}, {max(m['seconds'] / 60, 0.1):.1f} minutes"
        parts += [f"### {m['claim']}", "", f"*{m['source']}.* **{m['verdict'].capitalize()}**:"]
        parts += [f"{m['measured']}.", "", f"![{m['picture']}](pictures/lab/{name}.svg)", ""]
        parts += [f"{about}. {measured_on(result)}", ""]
    return "\n".join(parts[:-1])


def measured_on(result: dict) -> str:
    """Where and when a benchmark ran."""
    said = (
        f"Measured on {result['machine']}; TensorFlow {result['versions']['tensorflow']}, Keras "
        f"{result['versions']['keras']}; {result['date']}."
    )
    note = result["note"]
    return said + (f" {note[0].upper()}{note[1:]}." if note else "")


TABLES = {
    "arguments": arguments,
    "claims": claims,
    "int8": int8,
    "int8 quality": int8_quality,
    "layer lengths": layer_lengths,
    "layer memory": layer_memory,
    "layer parts": layer_parts,
    "layer speed": layer_speed,
    "memory": memory,
    "beam search": beam_search,
    "export step": export_step,
    "export sequences": export_sequences,
    "char-rnn": char_rnn,
    "char-rnn layers": char_rnn_layers,
    "sampling": sampling,
    "size": size,
    "ner": ner,
    "ner layers": ner_layers,
    "ner speed": ner_speed,
    "translation": translation,
    "beams": beams,
}
TABLES |= {f"translate {name}": partial(ablation, name, scores) for name in ABLATIONS}
TABLES |= {
    "translate attention by length": partial(ablation, "attention", by_source_length),
    "translate reversal by position": partial(ablation, "reversal", by_target_position),
}


def filled(text: str) -> str:
    """A page with its tables made anew."""

    def table(match: re.Match) -> str:
        return f"{match[1]}\n{TABLES[match[2]]()}\n{match[3]}"

    pattern = r"(<!-- table ([\w -]+?) -->)\n.*?(<!-- end of table -->)"
    return re.sub(pattern, table, text, flags=re.DOTALL)


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for page in (ROOT / name for name in PAGES):
        text = page.read_text()
        if filled(text) != text:
            stale.append(str(page.relative_to(ROOT)))
            if not check:
                page.write_text(filled(text))
    if stale:
        print(f"{'not up to date' if check else 'written'}: {', '.join(stale)}", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
