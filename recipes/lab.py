"""lab: what the papers say of LSTMs, re-run at the papers' lengths and by their rules."""

import json
import sys
from pathlib import Path
from typing import Any

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError


def list() -> dict[str, Any]:
    """The claims that can be re-run: what each says, where, and about how long it takes."""
    from lstm_recipes.lab.claims import CLAIMS

    claims = {name: make() for name, make in CLAIMS.items()}
    rows = [
        {"name": n, "claim": c.says, "source": c.source, "minutes": f"{c.minutes:g}"}
        for n, c in claims.items()
    ]
    return {"claims": rows}


def run(
    name: str, /, seeds: int = 10, folder: Path = Path("runs/lab"), overwrite: bool = False
) -> dict[str, Any]:
    """Re-run a claim; if that was interrupted, go on.

    Args:
        name: One of those that list names.
        seeds: How many networks learn side by side, each with weights and sequences of its own.
        folder: Where a folder for the run is made.
        overwrite: Start anew, whatever is there.
    """
    from lstm_recipes.lab.claims import claim_of, verdict

    if seeds < 1:
        raise UserError(f"seeds is {seeds}; give a number of at least 1")
    claim = claim_of(name)
    here = folder / f"{name}-{seeds}"
    trials = claim.method(claim.task, [*range(seeds)], here, overwrite)
    print(f"{claim.says} ({claim.source}): up to {claim.minutes:g} minutes", file=sys.stderr)
    found = trials.run(lambda line: print(line, file=sys.stderr))
    found |= {"paper_sequences": claim.sequences, "verdict": verdict(claim, found)}
    found = {"claim": claim.says, "source": claim.source} | found
    here.mkdir(parents=True, exist_ok=True)
    write_atomically(here / "result.json", (json.dumps(found, indent=2) + "\n").encode())
    for key in ("sequences", "wrong"):
        found[key] = ", ".join("-" if n is None else f"{n:,}" for n in found[key])
    return found
