"""Words per second from text to entities: `ner tag` beside spaCy, where that is installed.

    python benchmarks/ner.py runs/names                  # the text is the run's own test sentences
    python benchmarks/ner.py runs/names --spacy en_core_web_lg --text news.txt
    python benchmarks/ner.py runs/names --record         # write the result file for the docs

Ours is all that the command does once it has loaded the model: cutting the text into sentences
and tokens, tagging, the confidence of each entity, and writing JSON lines. Both sides run in one
process and take turns; words are our tokens on both.
"""

import argparse
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from machine import record

from lstm_recipes.data import read_text
from lstm_recipes.data.conll import read_columns
from lstm_recipes.decoding.entities import from_text, tag_document, write_json
from lstm_recipes.training.trained_tagger import TrainedTagger


def ours(run: Path) -> Callable[[str], None]:
    """What `ner tag --output json` does with a text."""
    tagger = TrainedTagger(run)

    def tag(text: str) -> None:
        document = from_text(text)
        write_json(document, tag_document(document, tagger), io.StringIO())

    return tag


def spacy(name: str) -> Callable[[str], None]:
    """The same by a spaCy pipeline, without the parts that entities do not need."""
    import spacy

    pipeline = spacy.load(name, exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])
    pipeline.max_length = 10**8

    def tag(text: str) -> None:
        for document in pipeline.pipe(text.split("\n\n")):
            list(document.ents)

    return tag


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="folder of a trained run")
    parser.add_argument("--text", type=Path, help="UTF-8 text; the run's test sentences without it")
    parser.add_argument("--spacy", help="a spaCy pipeline to measure beside ours")
    parser.add_argument("--repeats", type=int, default=7, help="of each measurement (7)")
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    options = parser.parse_args()

    if options.text is not None:
        text = read_text(options.text)
    else:
        text = "\n\n".join(" ".join(s.words) for s in read_columns(options.run / "test.conll"))
    words = sum(map(len, from_text(text).sentences))
    sides = {"ours": ours(options.run)}
    if options.spacy:
        sides[options.spacy] = spacy(options.spacy)
    for tag in sides.values():
        tag(text)  # compiling is not timed
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(options.repeats):
        for name, tag in sides.items():
            start = time.perf_counter()
            tag(text)
            rates[name].append(words / (time.perf_counter() - start))
    found = {name: np.quantile(rate, [0.25, 0.5, 0.75]).round() for name, rate in rates.items()}
    print(f"{words:,} words, {options.repeats} repeats, {os.cpu_count()} cores")
    for name, (low, middle, high) in found.items():
        print(f"  {name:16s} {middle:10,.0f} words/s (quartiles {low:,.0f} to {high:,.0f})")
    if options.record:
        rates = {name: [int(rate) for rate in row] for name, row in found.items()}
        needed = ("best.keras", "vectors.npz", "vocabulary.json")
        size = sum((options.run / name).stat().st_size for name in needed) / 1e6
        about = {"words": words, "repeats": options.repeats, "megabytes": round(size, 1)}
        command = "python benchmarks/ner.py RUN --record"
        record("ner-speed", "default", command, rates, **about)


if __name__ == "__main__":
    main()
