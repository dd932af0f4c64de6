"""Translators that differ in one thing: trained one after the other, measured alike, compared."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.data.pairs import Pairs
from lstm_recipes.errors import UserError
from lstm_recipes.recipe_numbers import Range, check_numbers, search_options
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained_translator import TrainedTranslator

Train = Callable[..., dict[str, Any]]
ABLATIONS: dict[str, dict[str, dict[str, Any]]] = {
    "reversal": {
        # One direction, as in the paper: a bidirectional encoder reads a source both ways anyway.
        "forward": {"attention": "none", "bidirectional": False},
        "reversed": {"attention": "none", "bidirectional": False, "reverse": True},
    },
    "attention": {name: {"attention": name} for name in ("none", "luong", "bahdanau")},
    "depth": {
        f"{depth}-{kind}": {"layers": depth, "residual_from": first}
        for depth in (2, 4, 8)
        for kind, first in (("plain", 0), ("residual", 3))
        if depth > 2 or not first
    },
    "tokens": {
        "words": {"tokens": "words", "vocabulary": 10_000, "minimum_count": 2},
        "wordpieces": {"tokens": "wordpiece"},
        "characters": {"tokens": "characters"},
    },
}
"""What the papers claim: of each row the recipe's numbers that it has for itself."""


def ablation_of(
    numbers: Any, load: Callable[..., Pairs], train: Train
) -> Callable[..., dict[str, Any]]:
    """The command that trains and compares the rows of an ablation.

    Args:
        numbers: Those of the recipe that its rows share.
        load: The recipe's, ``load(data, source, target)``.
        train: The recipe's, ``train(numbers, run, data, source, target, resume=...)``.
    """

    def ablation(
        name: Literal["reversal", "attention", "depth", "tokens"],
        /,
        runs: Path = Path("runs/ablations"),
        data: str = "multi30k",
        source: str = "en",
        target: str = "de",
        rows: tuple[str, ...] = (),
        seeds: int = 1,
        beams: tuple[int, ...] = (1, 2, 12),
        ensembles: tuple[int, ...] = (2, 5),
        epochs: float | None = None,
        precision: Literal["float32", "mixed_bfloat16"] = "float32",
    ) -> dict[str, Any]:
        """Train models that differ in one thing, and compare them on the test split.

        Args:
            name: What differs: "reversal" of the source without attention, "attention",
                "depth" with and without residual connections, "tokens".
            runs: The folder for the runs; what has finished stays, what was stopped goes on.
            data: As for train.
            source: The language to translate from.
            target: The language to translate into.
            rows: Only these, "forward" say; without it all.
            seeds: How many runs of each row, with the seeds from 0 on.
            beams: Of the translations that are measured.
            ensembles: So many runs of a row translate together too, where there are as many seeds.
            epochs: How often the training pairs are read; without it 8 times.
            precision: As for train.
        """
        check_numbers(SimpleNamespace(seeds=seeds), "seeds", Range.COUNT)
        for beam in beams:
            search_options(beam=beam)
        shared = replace(numbers, precision=precision)
        if epochs is not None:
            shared = replace(shared, epochs=epochs)
        wanted = rows_of(name, shared, rows)

        def trained(numbers: Any, run: Path, resume: bool) -> dict[str, Any]:
            return train(numbers, run, data, source, target, resume=resume)

        found, folders = [], {row: [] for row in wanted}
        about = load(data, source, target).about
        for row, seed, run in trained_rows(wanted, range(seeds), runs / name, trained, about):
            found.append(compared(row, str(seed), [run], beams))
            folders[row].append(run)
            if len(folders[row]) in ensembles:
                together = f"{len(folders[row])} together"
                found.append(compared(row, together, folders[row], beams))
        found.sort(key=lambda one: list(wanted).index(one["row"]))
        return {f"{name}: {title}": rows for title, rows in tables(found).items()}

    return ablation


def rows_of(name: str, numbers: Any, rows: Sequence[str] = ()) -> dict[str, Any]:
    """The numbers of each row of an ablation.

    Args:
        name: Of the ablation.
        numbers: What its rows share.
        rows: Only these; without any, all.

    Raises:
        UserError: It has no row of that name.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Few:
    ...     units: int = 256
    ...     attention: str = "bahdanau"
    >>> rows_of("attention", Few(), ["luong"])
    {'luong': Few(units=256, attention='luong')}
    """
    there = ABLATIONS[name]
    if unknown := set(rows) - set(there):
        has = ", ".join(there)
        raise UserError(f"{name} has no row {', '.join(sorted(unknown))}; it has {has}")
    return {row: replace(numbers, **own) for row, own in there.items() if not rows or row in rows}


class Trained(NamedTuple):
    """A run of an ablation."""

    row: str
    seed: int
    path: Path


def trained_rows(
    rows: dict[str, Any], seeds: Iterable[int], folder: Path, train: Train, about: dict[str, Any]
) -> Iterator[Trained]:
    """Train each row with each seed in ``folder/ROW-SEED``, and give each run when it has finished.
    What has finished before is left alone, what was stopped goes on where it stopped.

    Args:
        rows: The numbers of a recipe by the row's name.
        seeds: Of the runs.
        folder: For all of them.
        train: The recipe's, ``train(numbers, run, resume=...)``.
        about: The data, as a run's config.json has them.

    Raises:
        UserError: A run that is there has other numbers or other data.
    """
    for seed in seeds:
        for name, numbers in rows.items():
            run = RunFolder(folder / f"{name}-{seed}")
            wanted = replace(numbers, seed=seed)
            if run.exists and run.read_json("config")["numbers"] != asdict(wanted):
                raise UserError(
                    f"{run.path} holds a run with other numbers; name another folder with --runs"
                )
            if (run / "metrics.json").exists():
                run.check_data(about, "name another folder with --runs")
            else:
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
