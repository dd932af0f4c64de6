"""Train one row of the char-RNN tables and add its result file.

    python benchmarks/char_rnn.py default --seed 0

trains into runs/results/default-0 (it goes on with a run that was interrupted, and does not
train again what is finished) and writes benchmarks/results/char-rnn/default-0.json. Then
benchmarks/tables.py writes the tables from all the files that are there.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("cec", "forget", "peephole", "gru", "keras_lstm")
CONFIGS = {"default": "", "best": "--preset best"} | {
    f"layer-{name}": f"--layer {name} --steps 1000" for name in LAYERS
}


def main() -> None:
    """Train, if it is not done yet, and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", choices=CONFIGS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path, help="the run's folder, if it is another")
    parser.add_argument("--note", default="", help="what a reader of the seconds should know")
    asked = parser.parse_args()
    options = [*CONFIGS[asked.config].split(), "--seed", str(asked.seed)]
    run = asked.run or ROOT / "runs" / "results" / f"{asked.config}-{asked.seed}"
    if not (run / "metrics.json").exists():
        resume = ["--resume"] if (run / "config.json").exists() else []
        command = [sys.executable, "-m", "lstm_recipes.cli", "char-rnn", "train"]
        subprocess.run([*command, "--run", str(run), *options, *resume], check=True)
    result = {
        "recipe": "char-rnn",
        "config": asked.config,
        "seed": asked.seed,
        "command": " ".join(["lstm-recipes char-rnn train", *options]),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "date": datetime.date.today().isoformat(),
        "versions": {
            name: version(name) for name in ("lstm-recipes", "keras", "tensorflow", "numpy")
        }
        | {"python": platform.python_version()},
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "note": asked.note,
        "metrics": json.loads((run / "metrics.json").read_text()),
    }
    path = ROOT / "benchmarks" / "results" / "char-rnn" / f"{asked.config}-{asked.seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{path.relative_to(ROOT)}: {result['metrics']['nats_per_character']:.4f} nats")


def processor() -> str:
    """The processor's own name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        bfloat16 = any("avx512_bf16" in line or "amx_bf16" in line for line in lines)
        return name + (" with bfloat16 instructions" if bfloat16 else "")
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
