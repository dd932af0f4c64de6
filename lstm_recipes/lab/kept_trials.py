"""Trials that go on until all have succeeded or may not go on, and are kept in a folder."""

import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError

EVERY = 30  # seconds between two states that are kept


class KeptTrials:
    """What all trials share: the loop, and the state that an interrupted run goes on from.

    A kind of trials has `advance`, `_may_go_on`, `_progress`, `result`; and `_numbers` and
    `_arrays`, which are kept beside the seconds and who has succeeded, and `_take`, which takes
    them back.

    Args:
        task: What they learn; a state of another one is not gone on from.
        seeds: One a network.
        folder: Where the state is kept, or None.
    """

    stops: tuple[str, ...] = ("limit",)
    """Of a task, when to stop, which another run may know otherwise and go on."""

    def __init__(self, task: Any, seeds: list[int], folder: Path | None):
        self.task, self.seeds, self.folder = task, seeds, folder
        self.seconds = 0.0
        self.succeeded: dict[int, int] = {}
        self.wrong: dict[int, int] = {}

    def run(self, notify: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
        """Learn until every network has succeeded or none may go on; what came of it."""
        if self.seconds:
            goes_on = "goes on" if self._may_go_on() else "done before; --overwrite starts anew"
            notify(f"{goes_on}: {self._progress()}")
        saved = began = time.perf_counter()
        before = self.seconds
        while self._may_go_on():
            self.advance()
            now = time.perf_counter()
            self.seconds = before + now - began
            if now - saved > EVERY:
                saved = now
                self._save()
                notify(self._progress())
        self._save()
        return self.result()

    def _summary(self, limit: int, tests: int, weights: int) -> dict[str, Any]:
        """Who has succeeded, after how many sequences, and what each then had wrong."""
        k = range(len(self.seeds))
        counts, wrong = [*map(self.succeeded.get, k)], [*map(self.wrong.get, k)]
        return summary(
            counts, wrong, limit=limit, tests=tests, weights=weights, seconds=self.seconds
        )

    def _save(self) -> None:
        if self.folder is None:
            return
        numbers = {
            "seconds": self.seconds,
            "succeeded": list(self.succeeded.items()),
            "wrong": list(self.wrong.items()),
            "task": self._identity(),
        }
        content = io.BytesIO()
        np.savez(content, numbers=json.dumps(numbers | self._numbers()), **self._arrays())
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / "state.npz", content.getvalue())

    def _identity(self) -> str:
        """The task but for its stop, and the seeds, in words that are the same in every process."""
        task = replace(self.task, **dict.fromkeys(self.stops, 0))
        return re.sub(" at 0x[0-9a-f]+", "", repr((task, self.seeds)))

    def _restore(self) -> None:
        """Take back what the folder has, if it has anything.

        Raises:
            UserError: It is damaged, or of another task.
        """
        if self.folder is None or not (self.folder / "state.npz").exists():
            return
        path = self.folder / "state.npz"
        try:
            with np.load(path, allow_pickle=False) as kept:
                numbers = json.loads(str(kept["numbers"]))
                arrays = {name: kept[name] for name in kept.files if name != "numbers"}
        except (ValueError, EOFError, KeyError, zipfile.BadZipFile):
            raise UserError(f"{path} is damaged; --overwrite starts anew") from None
        if numbers.get("task") != self._identity():
            raise UserError(
                f"{path} is of another task, or of this one as another version of lstm-recipes "
                f"had it; --overwrite starts anew"
            )
        self.seconds = numbers["seconds"]
        self.succeeded = dict(map(tuple, numbers["succeeded"]))
        self.wrong = dict(map(tuple, numbers["wrong"]))
        self._take(numbers, arrays)


def summary(
    counts: list[int | None],
    wrong: list[int | None],
    *,
    limit: int,
    tests: int,
    weights: int,
    seconds: float,
) -> dict[str, Any]:
    """What came of trials: after how many sequences (or guesses, or streams) each has succeeded,
    and how many of the ``tests`` it then had wrong; ``weights`` are those of one."""
    done = [count for count in counts if count is not None]
    return {
        "seeds": len(counts),
        "succeeded": len(done),
        "sequences": counts,
        "mean_sequences": round(float(np.mean(done))) if done else None,
        "median_sequences": round(float(np.median(done))) if done else None,
        "limit": limit,
        "tests": tests,
        "wrong": wrong,
        "weights": weights,
        "seconds": round(seconds, 1),
    }
