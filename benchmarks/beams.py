"""What a wider beam gains: a translator's test split, translated greedily and with several beams.

python benchmarks/beams.py RUN             # a trained run
python benchmarks/beams.py RUN --record    # and write the result file for the docs
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from machine import record

from lstm_recipes.training.trained_translator import TrainedTranslator

SCORES = ("bleu_of_lower_case_tokens", "bleu", "chrf")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="folder of a trained run")
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 2, 5, 12])
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    options = parser.parse_args()

    trained, rows = TrainedTranslator(options.run), {}
    for beam in options.beams:
        found = trained.measure(beam=beam, length_penalty=1.0).scores
        rows[str(beam)] = {name: found[name] for name in SCORES if name in found}
        print(f"beam {beam}: {rows[str(beam)]}", flush=True)
    if options.record:
        data = trained.folder.read_json("config")["data"]
        name = "-".join([data["name"], *data["languages"]])
        command = "python benchmarks/beams.py RUN --record"
        record("beams", name, command, rows, sentences=found["sentences"])


if __name__ == "__main__":
    main()
