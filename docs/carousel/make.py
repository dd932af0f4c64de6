"""Train the carousel's two networks on tiny Shakespeare and write docs/carousel/weights.js.

    python docs/carousel/make.py

Goes on with what was interrupted, and does not train again what is finished: the runs are
runs/carousel-cec and runs/carousel-forget. Each is trained, measured and exported by the recipe's
own commands. Needs an hour or so of one core.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
WEIGHTS = Path(__file__).with_name("weights.js")
MODELS = ("cec", "forget")
NUMBERS = (
    "--units 200 --embedding 32 --dropout 0.1 --batch-size 32 --time 100"
    " --steps 2000 --validate-every 200 --seed 0"
)
CLEAR = 0.5  # the least score of a unit that is named
SEEN = 0.2  # how far from 0 it must be where it is on, to be seen in the text
TEXTS, LENGTH = 40, 500  # of the validation text, each read from the zero state, to look for units


def main() -> None:
    """Train, export, and write the script."""
    found = {}
    for layer in MODELS:
        run = ROOT / "runs" / f"carousel-{layer}"
        again = ["--resume"] if run.exists() else []
        command("train", "--run", run, "--layer", layer, *NUMBERS.split(), *again)
        command("export", run, "--to", "web", "--overwrite")
        found[layer] = packed(run) | {"notable": notable(run)}
        for one in found[layer]["notable"]:
            print(f"{layer:6} {one['of']} {one['unit']:3}  {one['score']:6.2f}  {one['label']}")
    WEIGHTS.write_text(script(found), encoding="ascii")
    print(f"{WEIGHTS.relative_to(ROOT)}: {WEIGHTS.stat().st_size:,} bytes")


def command(*arguments: Any) -> None:
    """Run ``lstm-recipes char-rnn …``."""
    line = [sys.executable, "-m", "lstm_recipes.cli", "char-rnn", *map(str, arguments)]
    subprocess.run(line, check=True, cwd=ROOT, env=os.environ | {"KERAS_BACKEND": "tensorflow"})


def script(models: dict[str, Any]) -> str:
    """The JavaScript: a script, for a page that is opened as a file may fetch nothing."""
    return f"/* Written by make.py. */\nconst CAROUSEL_WEIGHTS = {json.dumps(models)};\n"


def packed(run: Path) -> dict[str, Any]:
    """The two files of an export, and what was measured."""
    web = run / "export" / "web"
    measured = json.loads((run / "metrics.json").read_text())
    names = ("parameters", "steps", "nats_per_character")
    return {
        "about": json.loads((web / "step.json").read_text()),
        "step": base64.b64encode((web / "step.bin").read_bytes()).decode("ascii"),
        "measured": {name: measured[name] for name in names},
    }


def notable(run: Path) -> list[dict[str, Any]]:
    """The units whose cell c or output h follows something that a reader can see, the clearest
    first; and the one whose c is furthest from 0 at a text's end, with its mean distance."""
    from lstm_recipes.lab.find_units import find_units
    from lstm_recipes.lab.state_traces import trace
    from lstm_recipes.training.trained import TrainedCharLM

    trained = TrainedCharLM(run)
    text = trained.folder.read_text("validation.txt")[: TEXTS * LENGTH]
    pieces = [text[k : k + LENGTH] for k in range(0, len(text), LENGTH)]
    ids = np.array([trained.vocabulary.encode(piece) for piece in pieces])
    embedding = next(one for one in trained.model.layers if "embedding" in one.name)
    recurrent = next(one for one in trained.model.layers if hasattr(one, "cell"))
    seen = trace(recurrent, embedding(ids))
    seen = {name: seen[name].reshape(len(text), -1) for name in "ch"}

    place = np.concatenate([line_places(piece) for piece in pieces])
    found = [clearest_line(np.tanh(rows), place) | {"of": name} for name, rows in seen.items()]
    for label, where in PATTERNS.items():
        mask = np.concatenate([where(piece) for piece in pieces])
        for name, rows in seen.items():
            ranked = find_units(rows, mask, count=rows.shape[1])
            for best in [one for one in ranked if one.sign * one.threshold >= SEEN][:1]:
                score = round(best.score, 3)
                found.append({"label": label, "unit": best.unit, "score": score, "of": name})
    found.sort(key=lambda one: -one["score"])
    first = {one["label"]: one for one in reversed(found) if one["score"] >= CLEAR}
    last = np.abs(seen["c"][LENGTH - 1 :: LENGTH]).mean(axis=0)
    score = round(float(last.max()), 1)
    fullest = {"label": "the fullest", "unit": int(last.argmax()), "score": score, "of": "c"}
    return [*(one for one in found if one in first.values()), fullest]


def clearest_line(rows: np.ndarray, place: np.ndarray) -> dict[str, Any]:
    """The unit whose values go most with the place in the line: the size of the correlation."""
    moving = np.flatnonzero(rows.std(axis=0) > 1e-3)
    likeness = [abs(np.corrcoef(place, rows[:, unit])[0, 1]) for unit in moving]
    best = int(np.argmax(likeness))
    score = round(float(likeness[best]), 3)
    return {"label": "place in the line", "unit": int(moving[best]), "score": score}


def line_places(text: str) -> np.ndarray:
    """How many characters stand before each in its line."""
    return np.concatenate([np.arange(len(line)) for line in text.splitlines(keepends=True)])


def by_line(text: str, where: Any) -> np.ndarray:
    """What ``where`` says of each line, put together."""
    lines = text.splitlines(keepends=True)
    return np.concatenate([np.array([where(line, k) for k in range(len(line))]) for line in lines])


PATTERNS = {
    "speaker's name": lambda text: by_line(text, lambda line, k: line.rstrip().endswith(":")),
    "first word of a line": lambda text: by_line(text, lambda line, k: " " not in line[: k + 1]),
    "capital letters": lambda text: np.array([one.isupper() for one in text]),
    "end of a line": lambda text: np.array([one == "\n" for one in text]),
    "vowels": lambda text: np.array([one in "aeiouAEIOU" for one in text]),
    "between words": lambda text: np.array([not one.isalpha() for one in text]),
}


if __name__ == "__main__":
    main()
