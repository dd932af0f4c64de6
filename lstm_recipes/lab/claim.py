"""A claim of a paper that the laboratory re-runs, and what its verdict means."""

from dataclasses import dataclass, replace
from typing import Any

from lstm_recipes.lab.stream_trials import StreamTask
from lstm_recipes.lab.trials import Task, Trials


@dataclass(frozen=True)
class Claim:
    """A sentence of the literature that can be re-run."""

    says: str
    source: str
    sequences: int | None
    """How many sequences learning took in the paper, on average, where that is known."""
    minutes: float
    """About how long ten trials take on two cores, at most."""
    task: Task | StreamTask
    method: type = Trials
    """`Trials`, which learn, of this task or another, or `Guessing`."""
    factor: float = 2.0
    """A claim holds up to so many times the paper's sequences."""
    rate: float = 1.0
    """What share of trials succeeded in the paper; 0 where the claim is that none does."""
    control: str | None = None
    """Of a claim that none does, the one that teaches alike a network which should. Where that one
    learns nothing either, the claim has not been tested."""
    beside: tuple[str, ...] = ("adam", "elman")
    """By what else the task is learnt: by Adam, where the package's layers can be these networks,
    and by Elman networks. Both have logistic outputs, be the paper's logistic or linear. What would
    be the same as beside another claim is left out."""

    @property
    def networks(self) -> list[str]:
        """By what the task can be learnt, the paper's networks and rule first."""
        return ["paper", *self.beside]

    @property
    def task_beside(self) -> Task | StreamTask:
        """The task as Adam has it: up to the paper's number of sequences, where it gives one."""
        limit = self.sequences or self.task.limit
        if isinstance(self.task, Task) and not self.task.learnt.counted:
            limit += self.task.learnt.last  # they have to be right, and are not counted
        return replace(self.task, limit=limit)


def verdict(claim: Claim, found: dict[str, Any]) -> str:
    """ "holds" if as large a share of trials succeeded as in the paper, on average in at most twice
    the paper's sequences; "holds in part" if at least half of that share did; otherwise "does not
    hold". That none succeeds holds if none did, and is not tested if the control failed too.

    >>> from lstm_recipes.lab.claims import claim_of
    >>> claim = claim_of("adding-100")
    >>> verdict(claim, {"seeds": 10, "succeeded": 10, "mean_sequences": 100_000})
    'holds'
    """
    share = found["succeeded"] / found["seeds"]
    if claim.rate == 0.0:
        if share == 0.0 and found.get("control_succeeded") == 0:
            return "not tested"
        return "holds" if share == 0.0 else "does not hold"
    most = float("inf") if claim.sequences is None else claim.factor * claim.sequences
    if share >= claim.rate and found["mean_sequences"] <= most:
        return "holds"
    return "holds in part" if 2 * share >= claim.rate else "does not hold"
