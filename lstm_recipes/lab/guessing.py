"""Guessing weights: the baseline that a task for learners must not lose to.

Draw all weights at random, see whether the network solves the task, and if it does not draw again
(Hochreiter & Schmidhuber 1996, "LSTM can solve hard long time lag problems"). A task that this
solves quickly says nothing about learning.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lstm_recipes.lab.forward_rule import ForwardRule, initial_weights
from lstm_recipes.lab.kept_trials import summary
from lstm_recipes.lab.trials import Task

AT_ONCE = 100  # networks
FEW = 16  # sequences that all of them are tried on; on the others those that have these right


class Guessing:
    """Guesses of several seeds, each until a network has the task's test right.

    Args:
        task: Its ``bound`` is that of the weights, its ``limit`` that of the guesses, and a network
            has solved it if it is right in as many new sequences as ``learnt.last``.
        seeds: Of the guesses.
        folder, overwrite: Of no use; it is over in a minute.
    """

    def __init__(
        self, task: Task, seeds: list[int], folder: Path | None = None, overwrite: bool = False
    ):
        self.task, self.seeds = task, seeds
        self.rule = ForwardRule(task.wiring, 0.0)

    def run(self, notify: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
        """How many guesses each seed took."""
        began = time.perf_counter()
        guesses, wrong = [], []
        for seed in self.seeds:
            found = self._guess(seed)
            guesses.append(found and found[0])
            wrong.append(found and found[1])
            notify(f"seed {seed}: {guesses[-1]} guesses")
        return summary(
            guesses,
            wrong,
            limit=self.task.limit,
            tests=self.task.tests,
            weights=self.task.wiring.weights,
            seconds=time.perf_counter() - began,
        )

    def _guess(self, seed: int) -> tuple[int, int] | None:
        """How many guesses it took, and how many of the tests that network has wrong."""
        draw = np.random.default_rng((seed, 3))
        few, many = self.task.sample(draw, FEW), self.task.sample(draw, self.task.learnt.last)
        tests = self.task.sample(draw, self.task.tests)
        for first in range(0, self.task.limit, AT_ONCE):
            numbers = [seed * self.task.limit + first + k for k in range(AT_ONCE)]
            weights = initial_weights(self.task.wiring, numbers, self.task.bound)
            wrong = self._wrong(weights, few)
            if wrong.min() > 0:
                continue
            solved = np.flatnonzero(wrong + self._wrong(weights, many) == 0)
            if len(solved):
                return first + int(solved[0]) + 1, int(self._wrong(weights, tests)[solved[0]])
        return None

    def _wrong(self, weights: tuple, sequences: tuple) -> np.ndarray:
        """How many of the sequences each network has wrong."""
        x, target, start = (np.repeat(part[..., None], AT_ONCE, -1) for part in sequences)
        off = np.abs(self.rule.outputs(*weights, x, start).numpy() - target).max(1)
        return (off > self.task.learnt.tolerance).sum(0)
