"""Runs that differ in one thing: trained one after the other, measured alike, and compared."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained_translator import TrainedTranslator

Train = Callable[..., dict[str, Any]]


class Trained(NamedTuple):
    """A run of an ablation."""

    row: str
    seed: int
    path: Path


def trained_rows(
    rows: dict[str, Any], seeds: Iterable[int], folder: Path, train: Train
) -> Iterator[Trained]:
    """Train each row with each seed in ``folder/ROW-SEED``, and give each run when it has finished.
    What has finished before is left alone, what was stopped goes on where it stopped.

    Args:
        rows: The numbers of a recipe by the row's name.
        seeds: Of the runs.
        folder: For all of them.
        train: The recipe's, ``train(numbers, run, resume=...)``.

    Raises:
        UserError: A run that is there has other numbers.
    """
    for seed in seeds:
        for name, numbers in rows.items():
            run = RunFolder(folder / f"{name}-{seed}")
            wanted = replace(numbers, seed=seed)
            if run.exists and run.read_json("config")["numbers"] != asdict(wanted):
                raise UserError(
                    f"{run.path} holds a run with other numbers; name another folder with --runs"
                )
            if not (run / "metrics.json").exists():
                print(f"{name}, seed {seed}: training in {run.path}", file=sys.stderr)
                train(wanted, run.path, resume=run.exists)
            yield Trained(name, seed, run.path)


def compared(row: str, seed: str, runs: Sequence[Path], beams: Sequence[int]) -> dict[str, Any]:
    """What is compared of a translator, or of several that translate together: on its test split,
    or valid where there is none. It is measured once, and kept beside the run in
    ``ROW-SEED.comparison.json``.

    Args:
        row, seed: By which it is called.
        runs: Its run, or those of an ensemble.
        beams: Of the translations that are scored.
    """
    file = runs[0].parent / f"{row}-{seed.replace(' ', '-')}.comparison.json"
    wanted = [str(beam) for beam in beams]
    if file.exists():
        found = json.loads(file.read_text("utf-8"))
        if list(found["bleu_by_beam"]) == wanted:
            return found
    print(f"{row}, seed {seed}: translating", file=sys.stderr)
    translator = TrainedTranslator(runs[0], runs[1:])
    measured = {str(beam): translator.measure(beam=beam) for beam in beams}
    last = measured[wanted[-1]]
    found = {"row": row, "seed": seed} | {
        key: last.scores[key]
        for key in ("split", "sentences", "parameters", "nats_per_token")
        if key in last.scores
    }
    found["bleu_by_beam"] = {
        beam: one.scores["bleu_of_lower_case_tokens"] for beam, one in measured.items()
    }
    found["bleu_signature"] = last.scores["bleu_of_lower_case_tokens_signature"]
    found["by_source_length"] = last.by_length(translator.vocabulary.target.language)
    if len(runs) == 1:
        found["by_target_position"] = translator.by_position(last.scores["split"])
        trained = RunFolder(runs[0]).read_json("metrics")
        found |= {key: trained[key] for key in ("steps", "train_seconds", "tokens_per_second")}
    write_atomically(file, json.dumps(found, indent=2).encode())
    return found


def tables(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What `compared` gave as tables to print: scores, and BLEU and tokens by where they stand."""
    names = [{"row": row["row"], "seed": row["seed"]} for row in rows]
    scores = [
        {"nats per token": f"{row['nats_per_token']:.4f}" if "nats_per_token" in row else ""}
        | {f"BLEU, beam {beam}": bleu for beam, bleu in row["bleu_by_beam"].items()}
        for row in rows
    ]
    lengths = [
        {f"{part['words']} words": round(part["bleu"], 1) for part in row["by_source_length"]}
        for row in rows
    ]
    places = [
        {f"{part['fifth']}.": f"{part['right']} %" for part in row.get("by_target_position", [])}
        for row in rows
    ]
    joined = {"scores": scores, "BLEU by source length": lengths}
    joined["right tokens by fifth of the target, the right beginning given"] = places
    return {
        title: [name | cells for name, cells in zip(names, column, strict=True) if cells]
        for title, column in joined.items()
    }
