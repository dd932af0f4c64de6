"""A paper's task by the learning rule of today, and by an Elman network."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lstm_recipes.lab.side_by_side import Networks, SideBySide, elman_networks, paper_networks
from lstm_recipes.lab.trials import Task, Trials

BATCH = 10  # sequences a step
RATE = 5e-3  # Adam's
SECONDS = 300  # that all networks of a task have together


class ByAdam(Trials):
    """The paper's networks, with the whole gradient and Adam, ten sequences a step, for at most
    five minutes in all. All networks see the same sequences; nothing is kept of an interrupted run.
    """

    def __init__(
        self, task: Task, seeds: list[int], folder: Path | None = None, overwrite: bool = False
    ):
        super().__init__(task, seeds)
        self.draws = [np.random.default_rng((seeds[0], 6))]
        networks = self.networks(task, seeds)
        self.model = SideBySide(networks, task.wiring.inputs, RATE, task.every_step)

    @staticmethod
    def networks(task: Task, seeds: Sequence[int]) -> Networks:
        """Their layer and first weights."""
        return paper_networks(task.wiring, seeds, task.bound, task.biases)

    def _may_go_on(self) -> bool:
        return super()._may_go_on() and self.seconds < SECONDS

    def _weights(self) -> int:
        return sum(part.size for part in self.model.networks.weights[0])

    def _learn(self, x: np.ndarray, target: np.ndarray, start: np.ndarray) -> np.ndarray:
        batches = (slice(first, first + BATCH) for first in range(0, len(x), BATCH))
        return np.concatenate(
            [self.model.learn(x[b, ..., 0], target[b, ..., 0], start[b, 0]) for b in batches]
        )

    def _outputs(self, x: np.ndarray, start: np.ndarray) -> np.ndarray:
        batches = (slice(first, first + 10 * BATCH) for first in range(0, len(x), 10 * BATCH))
        return np.concatenate([self.model.outputs(x[b, ..., 0], start[b, 0]) for b in batches])


class ByElman(ByAdam):
    """The same with Elman networks (`keras.layers.SimpleRNN`) of no fewer weights."""

    @staticmethod
    def networks(task: Task, seeds: Sequence[int]) -> Networks:
        return elman_networks(task.wiring, seeds)
