"""A trained model beside the same one with int8 kernels: what eight bits cost.

Of a character model the loss, of a tagger F1, of a translator the loss, BLEU with the paired
bootstrap of sacreBLEU, and the time of decoding; each over the whole of the split that its recipe
is measured on. A translator's two sides are in one process and take turns at the same sentences;
compiling is not timed.

    python benchmarks/int8.py RUN             # a trained run of any recipe
    python benchmarks/int8.py RUN --record    # and write the result file for the docs
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from machine import record

from lstm_recipes.data.pairs import Pair
from lstm_recipes.decoding.translation import Translator
from lstm_recipes.models.seq2seq import to_int8
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained import TrainedCharLM
from lstm_recipes.training.trained_tagger import TrainedTagger
from lstm_recipes.training.trained_translator import TrainedTranslator

DECODING = {"beam": 5, "length_penalty": 1.0}


def megabytes(model: Any) -> float:
    """The size of the model's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return round(path.stat().st_size / 1e6, 2)


def both(kind: type, run: Path) -> dict[str, Any]:
    """What was trained, and the same with int8 kernels."""
    sides = {"as trained": kind(run), "int8": kind(run)}
    to_int8(sides["int8"].model)
    return sides


def char_rnn(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """The loss of the whole validation split."""
    rows = {
        name: {
            "nats_per_character": round(side.measure()["nats_per_character"], 4),
            "megabytes": megabytes(side.model),
        }
        for name, side in both(TrainedCharLM, options.run).items()
    }
    return rows, {"split": "validation"}


def ner(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """F1 of the test split, or of the development split where there is no test."""
    sides = both(TrainedTagger, options.run)
    found = {name: side.measure().scores for name, side in sides.items()}
    rows = {
        name: {"f1": found[name]["f1"], "megabytes": megabytes(side.model)}
        for name, side in sides.items()
    }
    return rows, {"split": found["int8"]["split"]}


def translate(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Loss and BLEU of the test split, and the time that decoding takes."""
    sides = {
        "as trained": TrainedTranslator(options.run),
        "int8": TrainedTranslator(options.run, int8=True),
    }
    split, pairs = sides["int8"].split()
    timed = pairs[: options.sentences]
    before, after = (side.measure(split, **DECODING) for side in sides.values())
    change = after.beside(before, sides["int8"].vocabulary.target.language)
    seconds = decoding_times(sides, timed, options.repeats)
    together = np.divide(seconds["as trained"], seconds["int8"])
    rows: dict[str, Any] = {
        name: {
            "nats_per_token": scores["nats_per_token"],
            "bleu_of_lower_case_tokens": scores["bleu_of_lower_case_tokens"],
            "sentences_per_second": round(len(timed) / float(np.median(seconds[name])), 1),
            "megabytes": megabytes(side.models[0]),
        }
        for (name, side), (scores, *_) in zip(sides.items(), (before, after), strict=True)
    }
    rows["change"] = {
        "nats_per_token": change["nats_per_token_change"],
        "bleu_of_lower_case_tokens": change["bleu_change"],
        "p_value": change["bleu_change_p"],
        "int8_is_faster": [round(float(r), 2) for r in np.quantile(together, [0.25, 0.5, 0.75])],
    }
    about = DECODING | {"split": split, "sentences": len(pairs), "timed": len(timed)}
    return rows, about | {
        "repeats": options.repeats,
        "bleu_signature": change["bleu_change_signature"],
    }


def decoding_times(
    sides: dict[str, TrainedTranslator], pairs: list[Pair], repeats: int
) -> dict[str, list[float]]:
    """Seconds that each takes to translate the pairs' sources, in turns."""
    translators = {name: Translator(side.models, **DECODING) for name, side in sides.items()}
    sources = next(iter(sides.values())).vocabulary.read_all([source for source, _ in pairs])
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats + 1):
        for name, translator in translators.items():
            start = time.perf_counter()
            translator.translate(sources)
            if turn:  # the first compiles
                seconds[name].append(time.perf_counter() - start)
    return seconds


RECIPES = {"char-rnn": char_rnn, "ner": ner, "translate": translate}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="folder of a trained run")
    parser.add_argument(
        "--sentences", type=int, default=128, help="a translator's that are timed (128)"
    )
    parser.add_argument("--repeats", type=int, default=7, help="of each timing (7)")
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    parser.add_argument("--note", default="", help="what a reader of the result should know")
    options = parser.parse_args()

    recipe = RunFolder(options.run).read_json("config")["recipe"]
    rows, about = RECIPES[recipe](options)
    print(f"{recipe}, {about['split']} split")
    for name, row in rows.items():
        print(f"  {name:10s} " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in row.items()))
    if options.record:
        command = "python benchmarks/int8.py RUN --record"
        record("int8", recipe, command, rows, note=options.note, **about)


if __name__ == "__main__":
    main()
