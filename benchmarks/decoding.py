"""How fast translators decode: those of an ablation, side by side in one process.

    python benchmarks/decoding.py runs/results/ablations/tokens/*-0             # prints
    python benchmarks/decoding.py runs/results/ablations/tokens/*-0 --record    # for the docs too

Each run translates the same sentences, of its own test split, by the beam search that is in its
exports; they take turns. Compiling is not timed. A result file is named after the ablation and its
row, which are the run's folder.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from machine import record

from lstm_recipes.decoding.translation import Translator
from lstm_recipes.training.trained_translator import TrainedTranslator


class Side:
    """A run's translator and its sentences."""

    def __init__(self, run: Path, asked: argparse.Namespace):
        trained = TrainedTranslator(run)
        _, pairs = trained.split()
        count, size = asked.batch * asked.batches, asked.batch
        sources = trained.vocabulary.read_all(source for source, _ in pairs[:count])
        self.batches = [sources[k : k + size] for k in range(0, len(sources), size)]
        self.translator = Translator(trained.models, beam=asked.beam)
        self.weights = trained.models[0].count_params()

    def translate(self) -> tuple[int, int, float]:
        """How many sentences, how many tokens they became, and in how many seconds."""
        start = time.perf_counter()
        found = [best for batch in self.batches for best, *_ in self.translator.translate(batch)]
        seconds = time.perf_counter() - start
        return len(found), sum(len(best.tokens) for best in found), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+", help="folders of trained runs")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32, help="sentences at a time (32)")
    parser.add_argument("--batches", type=int, default=4, help="how many of them (4)")
    parser.add_argument("--repeats", type=int, default=5, help="of each measurement (5)")
    parser.add_argument("--record", action="store_true", help="write the result files")
    parser.add_argument("--note", default="", help="what a reader of the results should know")
    asked = parser.parse_args()

    sides = {run: Side(run, asked) for run in asked.runs}
    for side in sides.values():
        side.translate()  # compiles
    rates: dict[Path, list[float]] = {run: [] for run in sides}
    for _ in range(asked.repeats):
        for run, side in sides.items():
            sentences, tokens, seconds = side.translate()
            rates[run].append(sentences / seconds)
    for run, side in sides.items():
        low, middle, high = (round(float(r), 1) for r in np.quantile(rates[run], [0.25, 0.5, 0.75]))
        sentences, tokens, _ = side.translate()
        length = round(tokens / sentences, 1)
        row, seed = run.resolve().name.rsplit("-", 1)
        name = f"{run.resolve().parent.name} {row}"
        print(f"{name:24s} {middle:7.1f} sentences/s ({low} to {high}), {length} tokens each")
        if asked.record:
            metrics = {"sentences_per_second": [low, middle, high], "tokens": length}
            about = {"beam": asked.beam, "batch": asked.batch, "sentences": sentences}
            about |= {"repeats": asked.repeats, "note": asked.note, "seed": int(seed)}
            metrics["parameters"] = side.weights
            record(
                "decoding",
                name.replace(" ", "-"),
                "python benchmarks/decoding.py RUN…",
                metrics,
                **about,
            )


if __name__ == "__main__":
    main()
