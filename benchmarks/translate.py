"""Sentences per second: beam search in one compiled loop beside loops in Python.

The same model, the same sentences, the same beam, and the same translations (which is checked). The
loops are what one writes oneself: for each token one call of the model, on all sentences and
hypotheses at once, and the rest in NumPy; in one of them the call is a `tf.function`, in the other
it is not. All sides run in one process and take turns. Compiling is not timed.

    python benchmarks/translate.py RUN             # a trained run, its test sentences
    python benchmarks/translate.py RUN --record    # and write the result file for the docs
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from machine import record

from lstm_recipes.data.tokenizer import END, PADDING, START
from lstm_recipes.data.translation_vocabulary import LONGER, MORE
from lstm_recipes.data.word_features import padded
from lstm_recipes.decoding.translation import Translator
from lstm_recipes.models.seq2seq import Seq2Seq
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained_translator import TrainedTranslator

Translate = Callable[[list[np.ndarray]], list[np.ndarray]]


def ours(model: Seq2Seq, beam: int) -> Translate:
    """Everything in one compiled loop."""
    translator = Translator([model], beam=beam)
    return lambda batch: [found[0].tokens for found in translator.translate(batch)]


def loop(model: Seq2Seq, beam: int, compiled: bool) -> Translate:
    """A loop in Python over one call of the model for each token."""
    step = tf.function(model.step, reduce_retracing=True) if compiled else model.step

    def translate(batch: list[np.ndarray]) -> list[np.ndarray]:
        encoded = model.encode(padded([np.append(row, END) for row in batch]))
        states, memory = tf.nest.map_structure(
            lambda t: tf.repeat(t, beam, axis=0), (model.start(encoded), model.memory(encoded))
        )
        longest = [int(LONGER * len(row)) + MORE for row in batch]
        live = [[(0.0, [])] + [(-np.inf, [])] * (beam - 1) for _ in batch]
        best: list[tuple[float, list[int]]] = [(-np.inf, [])] * len(batch)
        tokens = np.full(len(batch) * beam, START, "int32")
        for length in range(max(longest) + 1):
            logits, states, _ = step(tf.constant(tokens), states, memory)
            logits = logits.numpy()
            logits[:, [PADDING, START]] = -np.inf
            log_p = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
            parents = np.zeros((len(batch), beam), int)
            for b, hypotheses in enumerate(live):
                rows = log_p[b * beam : (b + 1) * beam] + np.array([[p] for p, _ in hypotheses])
                if length >= longest[b]:
                    rows[:, :END] = rows[:, END + 1 :] = -np.inf
                flat_rows = rows.reshape(-1)
                chosen = np.argpartition(-flat_rows, 2 * beam)[: 2 * beam]
                chosen = chosen[np.argsort(-flat_rows[chosen], kind="stable")]
                places = [(k // rows.shape[1], k % rows.shape[1]) for k in chosen]
                for h, token in places[:beam]:
                    if token == END and rows[h, token] > best[b][0]:
                        best[b] = (float(rows[h, token]), hypotheses[h][1])
                others = [(h, t) for h, t in places if t != END][:beam]
                live[b] = [(float(rows[h, t]), [*hypotheses[h][1], int(t)]) for h, t in others]
                parents[b] = [b * beam + h for h, _ in others]
                tokens[b * beam : (b + 1) * beam] = [t for _, t in others]
            if all(found[0] >= rest[0][0] for found, rest in zip(best, live, strict=True)):
                break
            flat = parents.reshape(-1)
            states = tf.nest.map_structure(lambda s, flat=flat: tf.gather(s, flat), states)
        return [np.array(tokens, "int32") for _, tokens in best]

    return translate


def arguments(description: str) -> argparse.ArgumentParser:
    """What a bench of decoding may be asked, but for the runs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32, help="sentences at a time (32)")
    parser.add_argument("--batches", type=int, default=4, help="how many of them (4)")
    parser.add_argument("--repeats", type=int, default=7, help="of each measurement (7)")
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    parser.add_argument("--note", default="", help="what a reader of the result should know")
    return parser


def batches_of(trained: TrainedTranslator, asked: argparse.Namespace) -> list[list[np.ndarray]]:
    """The first sentences of a run's test split, as the model reads them."""
    _, pairs = trained.split()
    sources = trained.vocabulary.read_all(s for s, _ in pairs[: asked.batch * asked.batches])
    return [sources[k : k + asked.batch] for k in range(0, len(sources), asked.batch)]


def main() -> None:
    parser = arguments(__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="folder of a trained run")
    options = parser.parse_args()

    trained = TrainedTranslator(options.run)
    batches = batches_of(trained, options)
    sentences = sum(map(len, batches))
    model = trained.models[0]
    sides = {
        "ours": ours(model, options.beam),
        "a loop over a compiled call": loop(model, options.beam, compiled=True),
        "a loop over the model": loop(model, options.beam, compiled=False),
    }
    found = {name: [side(batch) for batch in batches] for name, side in sides.items()}
    same = {
        name: np.mean(
            [
                np.array_equal(a, b)
                for one, two in zip(found["ours"], batches_found, strict=True)
                for a, b in zip(one, two, strict=True)
            ]
        )
        for name, batches_found in found.items()
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(options.repeats):
        for name, side in sides.items():
            start = time.perf_counter()
            for batch in batches:
                side(batch)
            rates[name].append(sentences / (time.perf_counter() - start))
    ratios = {
        n: np.quantile(np.divide(rates["ours"], r), [0.25, 0.5, 0.75]) for n, r in rates.items()
    }
    print(f"{sentences} sentences, {options.batch} at a time, beam {options.beam}")
    rows = {}
    for name in sides:
        low, middle, high = ratios[name]
        rows[name] = {
            "sentences_per_second": round(float(np.median(rates[name])), 1),
            "ours_is_faster": [round(float(r), 2) for r in (low, middle, high)],
            "same_translations": round(float(same[name]), 4),
        }
        print(
            f"  {name:28s} {np.median(rates[name]):8.1f} sentences/s, ours {middle:.1f} times "
            f"({low:.1f} to {high:.1f}), {100 * same[name]:.1f} % of the translations the same"
        )
    if options.record:
        about = {"beam": options.beam, "batch": options.batch, "sentences": sentences}
        about |= {"repeats": options.repeats, "note": options.note}
        command = "python benchmarks/translate.py RUN --record"
        record(
            "beam-search",
            RunFolder(options.run).read_json("config")["data"]["name"],
            command,
            rows,
            **about,
        )


if __name__ == "__main__":
    main()
