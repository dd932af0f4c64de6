"""How fast translators decode: those of an ablation, side by side in one process.

    python benchmarks/decoding.py runs/results/ablations/tokens/*-0             # prints
    python benchmarks/decoding.py runs/results/ablations/tokens/*-0 --record    # for the docs too

Each run translates the same sentences, of its own test split, by the beam search that is in its
exports; they take turns. Compiling is not timed. A result file is named after the ablation and its
row, which are the run's folder.
"""

import time
from pathlib import Path

import numpy as np
from machine import record
from translate import arguments, batches_of, ours

from lstm_recipes.training.trained_translator import TrainedTranslator


def main() -> None:
    parser = arguments(__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+", help="folders of trained runs")
    asked = parser.parse_args()

    trained = {run: TrainedTranslator(run) for run in asked.runs}
    batches = {run: batches_of(one, asked) for run, one in trained.items()}
    sides = {run: ours(one.models[0], asked.beam) for run, one in trained.items()}
    # This compiles too.
    found = {run: [tokens for b in batches[run] for tokens in sides[run](b)] for run in sides}
    rates: dict[Path, list[float]] = {run: [] for run in sides}
    for _ in range(asked.repeats):
        for run, side in sides.items():
            start = time.perf_counter()
            for batch in batches[run]:
                side(batch)
            rates[run].append(len(found[run]) / (time.perf_counter() - start))
    for run, translations in found.items():
        low, middle, high = (round(float(r), 1) for r in np.quantile(rates[run], [0.25, 0.5, 0.75]))
        length = round(float(np.mean([len(tokens) for tokens in translations])), 1)
        row, seed = run.resolve().name.rsplit("-", 1)
        name = f"{run.resolve().parent.name} {row}"
        print(f"{name:24s} {middle:7.1f} sentences/s ({low} to {high}), {length} tokens each")
        if asked.record:
            metrics = {"sentences_per_second": [low, middle, high], "tokens": length}
            metrics["parameters"] = trained[run].models[0].count_params()
            about = {"beam": asked.beam, "batch": asked.batch, "sentences": len(translations)}
            about |= {"repeats": asked.repeats, "note": asked.note, "seed": int(seed)}
            command = "python benchmarks/decoding.py RUN… --record"
            record("decoding", name.replace(" ", "-"), command, metrics, **about)


if __name__ == "__main__":
    main()
