"""A paper's task by the learning rule of today, and by Elman networks."""

from collections.abc import Sequence

import numpy as np

from lstm_recipes.lab.reber_trials import ReberTrials
from lstm_recipes.lab.side_by_side import Networks, SideBySide, elman_networks, paper_networks
from lstm_recipes.lab.stream_trials import StreamTask
from lstm_recipes.lab.trials import Task, Trials

BATCH = 10  # sequences a step
RATE = 5e-3  # Adam's
SECONDS = 300  # that all networks of a task have together


def networks(task: Task | StreamTask, seeds: Sequence[int], elman: bool) -> Networks:
    """The paper's networks, or Elman networks (`keras.layers.SimpleRNN`) of no fewer weights."""
    if elman:
        return elman_networks(task.wiring, seeds)
    return paper_networks(task.wiring, seeds, task.bound, task.biases)


def weights_of(own: Networks) -> int:
    """How many one of them has."""
    return sum(part.size for part in own.weights[0])


class ByAdam(Trials):
    """Networks that learn by the whole gradient and Adam, ten sequences a step, for at most five
    minutes in all. All networks see the same sequences; nothing is kept of an interrupted run.

    Args:
        task: What they learn.
        seeds: One a network.
        elman: Whether they are Elman networks and not the paper's.
    """

    def __init__(self, task: Task, seeds: list[int], elman: bool = False):
        super().__init__(task, seeds)
        self.draws = self._draws(6)
        own = networks(task, seeds, elman)
        self.model = SideBySide(own, task.wiring.inputs, RATE, task.every_step)

    def _draws(self, kind: int) -> list[np.random.Generator]:
        return super()._draws(kind)[:1]

    def _may_go_on(self) -> bool:
        return super()._may_go_on() and self.seconds < SECONDS

    def _weights(self) -> int:
        return weights_of(self.model.networks)

    def _learn(self, x: np.ndarray, target: np.ndarray, start: np.ndarray) -> np.ndarray:
        batches = (slice(first, first + BATCH) for first in range(0, len(x), BATCH))
        return np.concatenate(
            [self.model.learn(x[b, ..., 0], target[b, ..., 0], start[b, 0]) for b in batches]
        )

    def _outputs(self, x: np.ndarray, start: np.ndarray) -> np.ndarray:
        batches = (slice(first, first + 10 * BATCH) for first in range(0, len(x), 10 * BATCH))
        return np.concatenate([self.model.outputs(x[b, ..., 0], start[b, 0]) for b in batches])


class ReberByAdam(ByAdam, ReberTrials):
    """The same on strings of the embedded Reber grammar, all out of the first network's 256."""
