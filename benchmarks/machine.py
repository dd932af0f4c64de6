"""What a result file says of where, when and with what it was measured."""

import datetime
import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("lstm-recipes", "keras", "tensorflow", "numpy")


def measured(note: str = "") -> dict[str, Any]:
    """Commit (``-dirty`` if code was changed since), date, versions and machine."""
    code = [".", ":(exclude)benchmarks/results", ":(exclude)docs"]
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", *code)
    commit = _git("rev-parse", "--short", "HEAD") + ("-dirty" if changed else "")
    return {
        "commit": commit,
        "date": datetime.date.today().isoformat(),
        "versions": {p: version(p) for p in PACKAGES} | {"python": platform.python_version()},
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "note": note,
    }


def _git(*command: str) -> str:
    done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def record(
    folder: str,
    config: str,
    command: str,
    metrics: Any,
    *,
    seed: Any = 0,
    note: str = "",
    **about: Any,
) -> Path:
    """Write a result file, benchmarks/results/FOLDER/CONFIG-SEED.json, and give its path.

    Args:
        folder, config, seed: By which the file is found; the folder is the recipe's name unless
            ``recipe`` says otherwise.
        command: That makes the result again.
        metrics: What was measured.
        note: What a reader of the figures should know.
        about: More of how it was measured.
    """
    result = {"recipe": about.pop("recipe", folder), "config": config, "seed": seed}
    result |= {"command": command} | measured(note) | about | {"metrics": metrics}
    path = _result_file(folder, config, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    return path


def is_recorded(folder: str, config: str, metrics: Any, seed: Any = 0) -> bool:
    """Whether a result file has just these metrics, and with them the day that they are of."""
    path = _result_file(folder, config, seed)
    return path.exists() and json.loads(path.read_text())["metrics"] == metrics


def _result_file(folder: str, config: str, seed: Any) -> Path:
    return ROOT / "benchmarks" / "results" / folder / f"{config}-{seed}.json"


def processor() -> str:
    """The processor's own name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        bfloat16 = any("avx512_bf16" in line or "amx_bf16" in line for line in lines)
        return name + (" with bfloat16 instructions" if bfloat16 else "")
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
