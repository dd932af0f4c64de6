"""Train one row of a recipe's tables and add its result file.

    python benchmarks/train.py char-rnn default --seed 0
    python benchmarks/train.py ner glove --seed 0 --vectors glove.6B.100d.txt

trains into runs/results/RECIPE/CONFIG-SEED (it goes on with a run that was interrupted, and does
not train again what is finished) and writes benchmarks/results/RECIPE/CONFIG-SEED.json. Then
benchmarks/tables.py writes the tables from all the files that are there.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from machine import ROOT, record

LAYERS = ("cec", "forget", "peephole", "gru", "keras_lstm")
# In bfloat16 it takes two thirds of the time, where the processor multiplies so.
CAPTIONS = "--preset bahdanau --data multi30k --precision mixed_bfloat16"
# Each sentence alone takes longer to be learnt from.
ALONE = "--context 0 --epochs 40"
CONFIGS = {
    "char-rnn": {
        "default": "",
        "default-bfloat16": "--precision mixed_bfloat16",
        "best": "--preset best",
    }
    | {f"layer-{name}": f"--layer {name} --steps 1000 --dropout 0.3" for name in LAYERS},
    "ner": {
        "words": f"--characters none --no-crf {ALONE}",
        "words-crf": f"--characters none {ALONE}",
        "words-characters": f"--no-crf {ALONE}",
        "random": ALONE,
        "glove-alone": f"--vectors {ALONE}",
        "glove": "--vectors",
    }
    # Ten epochs are a whole run, with its schedule: all layers together take little over an hour.
    | {f"layer-{name}": f"--layer {name} --vectors --epochs 10" for name in LAYERS},
    "translate": {"phrases": ""}
    | {
        f"multi30k-{a}-{b}": f"{CAPTIONS} --source {a} --target {b}"
        for a, b in (("en", "de"), ("en", "fr"), ("de", "en"))
    }
    # As people write, to be judged so.
    | {"multi30k-en-de-cased": f"{CAPTIONS} --source en --target de --no-lowercase"},
}
"""The options of every row; --vectors gets the file that this script is given."""


def main() -> None:
    """Train, if it is not done yet, and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", choices=CONFIGS)
    parser.add_argument("config", help="; ".join(f"{r}: {', '.join(CONFIGS[r])}" for r in CONFIGS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vectors", type=Path, help="of the rows with pretrained vectors")
    parser.add_argument("--data", type=Path, help="a copy of the data, where it is not to be had")
    parser.add_argument("--note", default="", help="what a reader of the seconds should know")
    asked = parser.parse_args()
    if asked.config not in CONFIGS[asked.recipe]:
        parser.error(
            f"{asked.recipe} has no row {asked.config}: {', '.join(CONFIGS[asked.recipe])}"
        )
    options = [*CONFIGS[asked.recipe][asked.config].split(), "--seed", str(asked.seed)]
    if "--vectors" in options and asked.vectors is None:
        parser.error(f"{asked.config} needs --vectors FILE")
    name = f"{asked.config}-{asked.seed}"
    run = ROOT / "runs" / "results" / asked.recipe / name
    if not (run / "metrics.json").exists():
        train(asked, options, run)
    shown = " ".join(["lstm-recipes", asked.recipe, "train", *options])
    if asked.vectors is not None:
        shown = shown.replace("--vectors", f"--vectors {asked.vectors.name}")
    metrics = json.loads((run / "metrics.json").read_text())
    options = {"seed": asked.seed, "note": asked.note}
    path = record(asked.recipe, asked.config, shown, metrics, **options)
    print(f"{path.relative_to(ROOT)}: {metrics}")


def train(asked: argparse.Namespace, options: list[str], run: Path) -> None:
    """Run the recipe's own command."""
    command = [sys.executable, "-m", "lstm_recipes.cli", asked.recipe, "train", "--run", str(run)]
    for option in options:
        command += [option, str(asked.vectors)] if option == "--vectors" else [option]
    command += ["--data", str(asked.data)] if asked.data is not None else []
    command += ["--resume"] if (run / "config.json").exists() else []
    subprocess.run(command, check=True, env=os.environ | {"KERAS_BACKEND": "tensorflow"})


if __name__ == "__main__":
    main()
