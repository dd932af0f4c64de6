"""lab: what the papers say of LSTMs, re-run at the papers' lengths and by their rules."""

import builtins
import json
import os
import sys
from pathlib import Path
from typing import Any, Literal

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError

SEEDS = 10
"""How many networks learn a task, unless one asks for another number."""


def list() -> dict[str, Any]:
    """The claims that can be re-run: what each says, where, and about how long it takes."""
    from lstm_recipes.lab.arguments import ARGUMENTS
    from lstm_recipes.lab.claims import CLAIMS

    claims = {name: make() for name, make in CLAIMS.items()} | ARGUMENTS
    rows = [
        {"name": n, "claim": c.says, "source": c.source, "minutes": f"{c.minutes:g}"}
        for n, c in claims.items()
    ]
    return {"claims": rows}


def run(
    name: str,
    /,
    seeds: int | None = None,
    network: Literal["paper", "adam", "elman"] = "paper",
    folder: Path = Path("runs/lab"),
    overwrite: bool = False,
) -> dict[str, Any]:
    """Re-run a claim; if that was interrupted, go on.

    Args:
        name: One of those that list names.
        seeds: How many networks learn, each with weights and sequences of its own: ten, unless it
            is given; fewer for some arguments, which say how many.
        network: Of a task: the paper's, by its rule; the same by Adam and the whole gradient; or
            Elman networks of no fewer weights, by Adam too. The last two have five minutes, and
            begin anew where they were interrupted.
        folder: Where a folder for the run is made.
        overwrite: Start anew, whatever is there.
    """
    from lstm_recipes.lab.arguments import ARGUMENTS
    from lstm_recipes.lab.claims import CLAIMS, claim_of

    if seeds is not None and seeds < 1:
        raise UserError(f"seeds is {seeds}; give a number of at least 1")
    if name not in ARGUMENTS and name not in CLAIMS:
        raise UserError(
            f"there is no claim {name!r}; give one of {', '.join([*CLAIMS, *ARGUMENTS])}"
        )
    claim = ARGUMENTS.get(name) or claim_of(name)
    minutes = claim.minutes if network == "paper" else 5
    print(f"{claim.says} ({claim.source}): up to {minutes:g} minutes", file=sys.stderr)
    if name in ARGUMENTS:
        if network != "paper":
            raise UserError(f"{name} is an argument and no task; leave out --network")
        return _measured(name, seeds, folder, overwrite)
    return _learnt(name, seeds or SEEDS, network, folder, overwrite)


def run_folder(folder: Path, name: str, seeds: int, network: str = "paper") -> Path:
    """Where a run is kept."""
    parts = [name, network if network != "paper" else "", str(seeds or "")]
    return folder / "-".join(part for part in parts if part)


def _measured(name: str, seeds: int | None, folder: Path, overwrite: bool) -> dict[str, Any]:
    """An argument's result and picture, kept in its folder; its numbers are in the file alone."""
    from lstm_recipes.lab.argument import picture
    from lstm_recipes.lab.arguments import ARGUMENTS

    argument = ARGUMENTS[name]
    if seeds and not argument.seeds:
        raise UserError(f"nothing in {name} is drawn at random; leave out --seeds")
    seeds = seeds or argument.seeds
    here = _made(run_folder(folder, name, seeds))
    found = argument.run(here, seeds, overwrite)
    _keep(here, found)
    shown = {key: value for key, value in found.items() if key != "numbers"}
    try:
        picture(argument, found["numbers"], here / "picture.svg")
        shown["picture"] = str(here / "picture.svg")
    except ModuleNotFoundError:
        shown["picture"] = "none: pip install matplotlib, and run this again"
    return shown


def _learnt(name: str, seeds: int, network: str, folder: Path, overwrite: bool) -> dict[str, Any]:
    """What came of a task's trials, kept in its folder; the verdict is on the paper's networks."""
    from lstm_recipes.lab.claim import verdict
    from lstm_recipes.lab.claims import claim_of

    claim = claim_of(name)
    found = _trials(name, seeds, network, folder, overwrite)
    found |= {"paper_sequences": claim.sequences}
    if network == "paper":
        if claim.control and not found["succeeded"]:
            print(f"and to compare: {claim_of(claim.control).says}", file=sys.stderr)
            control = _trials(claim.control, seeds, network, folder, False)
            found |= {"control": claim.control, "control_succeeded": control["succeeded"]}
        found["verdict"] = verdict(claim, found)
    found = {"claim": claim.says, "source": claim.source} | found
    _keep(run_folder(folder, name, seeds, network), found)
    if claim.sequences is None:  # a figure that the paper does not give is not shown
        del found["paper_sequences"]
    for key, value in found.items():
        if isinstance(value, builtins.list):  # a number a network
            found[key] = ", ".join("-" if n is None else f"{n:,}" for n in value)
    return found


def _trials(name: str, seeds: int, network: str, folder: Path, overwrite: bool) -> dict[str, Any]:
    """What came of them, or comes when they go on."""
    from lstm_recipes.lab.claims import claim_of

    claim = claim_of(name)
    if network not in claim.networks:
        raise UserError(f"{name} has no row for {network!r}; give {' or '.join(claim.networks)}")
    here = _made(run_folder(folder, name, seeds, network))
    seeds = [*range(seeds)]
    if network == "paper":
        trials = claim.method(claim.task, seeds, here, overwrite)
    else:
        trials = _beside(claim, seeds, network == "elman")
    return trials.run(lambda line: print(line, file=sys.stderr))


def _beside(claim: Any, seeds: builtins.list[int], elman: bool) -> Any:
    """The task by Adam."""
    from lstm_recipes.lab.by_adam import ByAdam, ReberByAdam
    from lstm_recipes.lab.reber_trials import ReberTrials
    from lstm_recipes.lab.stream_trials import StreamTrials
    from lstm_recipes.lab.streams_by_adam import StreamsByAdam
    from lstm_recipes.lab.trials import Trials

    methods = {Trials: ByAdam, ReberTrials: ReberByAdam, StreamTrials: StreamsByAdam}
    return methods[claim.method](claim.task_beside, seeds, elman)


def _made(here: Path) -> Path:
    """The folder, before anything is measured that could then not be kept."""
    try:
        here.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror
        raise UserError(f"{here} cannot be made ({why}); give another --folder") from None
    if not os.access(here, os.W_OK):
        raise UserError(f"{here} cannot be written to; give another --folder")
    return here


def _keep(here: Path, found: dict[str, Any]) -> None:
    write_atomically(here / "result.json", (json.dumps(found, indent=2) + "\n").encode())
