"""Trials: networks that learn the same task side by side until they have learnt it, or may not go
on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lstm_recipes.lab.forward_rule import ForwardRule, initial_weights
from lstm_recipes.lab.kept_trials import KeptTrials
from lstm_recipes.lab.wiring import Wiring


@dataclass(frozen=True)
class RecentRight:
    """When a task has been learnt: of the ``last`` sequences no more than ``wrong`` have an output
    that is off by more than ``tolerance``, and their mean absolute error is below ``error``.

    Whether they count among the sequences that it took depends on the paper: ``counted``. Where
    there is a target at every step, the outputs that have to be right are those of the last step
    alone if only that can be told: ``at_end``."""

    tolerance: float
    last: int = 2000
    error: float = float("inf")
    wrong: int = 0
    counted: bool = True
    at_end: bool = False


@dataclass(frozen=True)
class Task:
    """A task of a paper: its network, its learning rule and its stop.

    Args:
        wiring: Of the networks.
        sample: Draws so many sequences: x (symbols' numbers, or ``[sequences, time, inputs]``),
            the targets, and the step at which each begins; and what the targets would be without
            their noise, if they have any.
        learning_rate: Of the 1997 rule.
        bound: Weights are uniform in plus and minus this at first.
        learnt: When a trial has succeeded.
        limit: After so many sequences a trial has failed.
        biases: The gates' first biases, a number a block, where they are not drawn.
        chunk: How many sequences are learnt between two looks at the stop.
        tests: How many new sequences a network that has learnt the task is tested on.
        every_step: Whether there is a target at every step; otherwise at the last one alone.
        cells_later: Whether a network is without its cells until its error has stopped decreasing
            (section 4's first solution of the abuse problem).
    """

    wiring: Wiring
    sample: Callable[[np.random.Generator, int], tuple]
    learning_rate: float
    bound: float
    learnt: RecentRight
    limit: int
    biases: dict[str, list[float]] = field(default_factory=dict)
    chunk: int = 500
    tests: int = 2560
    every_step: bool = False
    cells_later: bool = False


SHUT = -1e9
"""An input gate's bias with which its cell is as good as not there: nothing gets in, no weight of
the cell or its gates changes, and none that leads from it."""


class Trials(KeptTrials):
    """Networks of several seeds, each with sequences of its own, that learn a task side by side.

    Everything is a function of the seeds, and a folder keeps what is needed to go on.

    Args:
        task: What they learn.
        seeds: One a network.
        folder: Where the state is kept, or None.
        overwrite: Start anew although the folder has one.
    """

    def __init__(
        self, task: Task, seeds: list[int], folder: Path | None = None, overwrite: bool = False
    ):
        super().__init__(task, seeds, folder)
        self.rule = ForwardRule(task.wiring, task.learning_rate, every_step=task.every_step)
        self.hidden, self.output = initial_weights(task.wiring, seeds, task.bound, task.biases)
        if task.cells_later:
            self._set_input_gates(SHUT, np.ones(len(seeds), bool))
        self.draws = self._draws(1)
        self.sequences = 0
        self.recent = np.zeros((0, 2, len(seeds)), "float32")
        if not overwrite:
            self._restore()

    def _may_go_on(self) -> bool:
        return self.sequences < self.task.limit and len(self.succeeded) < len(self.seeds)

    def result(self) -> dict[str, Any]:
        """Which seeds have succeeded, after how many sequences, and how many of the test
        sequences each then had wrong."""
        found = self._summary(self.task.limit, self.task.tests, self._weights())
        # Of those that have not succeeded: how many of the most recent they had wrong in the end.
        last = (self.recent[:, 0] > self.task.learnt.tolerance).sum(0)
        failed = [None if k in self.succeeded else int(n) for k, n in enumerate(last)]
        seen = {"seen": self.sequences, "judged": len(self.recent)}
        return found | seen | {"wrong_in_the_end": failed}

    def _weights(self) -> int:
        """How many a network has."""
        return self.task.wiring.weights

    def _draws(self, kind: int) -> list[np.random.Generator]:
        """What sequences are drawn with: one for each trial, others for another kind."""
        return [np.random.default_rng((seed, kind)) for seed in self.seeds]

    def _draw(self, draws: list[np.random.Generator], count: int) -> list[np.ndarray]:
        """Sequences for every trial, the trials last; symbols as one-hot vectors come later."""
        parts = [self.task.sample(draw, count) for draw in draws]
        return [np.stack(arrays, axis=-1) for arrays in zip(*parts, strict=True)]

    def advance(self) -> None:
        """Learn one more chunk of sequences, and see who has succeeded."""
        x, target, start, *clean = self._draw(self.draws, self.task.chunk)
        found = self._learn(x, target, start)
        self.sequences += len(x)
        self._look_at(found, clean[0] if clean else target)
        if self.task.cells_later:
            self._add_cells()
        right = np.flatnonzero(self._right())
        new = [int(k) for k in right if int(k) not in self.succeeded]
        if new:
            wrong = self._tested()
            count = self.sequences - (0 if self.task.learnt.counted else self.task.learnt.last)
            self.succeeded |= dict.fromkeys(new, count)
            self.wrong |= {k: int(wrong[k]) for k in new}

    def _learn(self, x: np.ndarray, target: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Learn from sequences; the outputs for each before it changed the weights."""
        self.hidden, self.output, found = (
            array.numpy() for array in self.rule.train(self.hidden, self.output, x, target, start)
        )
        return found

    def _outputs(self, x: np.ndarray, start: np.ndarray) -> np.ndarray:
        """The outputs for sequences from which nothing is learnt."""
        return self.rule.outputs(self.hidden, self.output, x, start).numpy()

    def _set_input_gates(self, bias: float, trials: np.ndarray) -> None:
        """Give all input gates of some trials this bias."""
        self.hidden = self.hidden.copy()
        self.hidden[-1, : self.task.wiring.blocks, trials] = bias

    def _add_cells(self) -> None:
        """Give those their cells whose last chunk was no better than the one before it."""
        chunk = self.task.chunk
        if len(self.recent) >= 2 * chunk:
            before, now = self.recent[-2 * chunk :, 0].reshape(2, chunk, -1).mean(1)
            self._set_input_gates(0.0, now >= before)

    def _look_at(self, found: np.ndarray, wanted: np.ndarray) -> None:
        """Keep how far off the most recent sequences were, at most and on average."""
        off = np.stack([self._most_off(found, wanted), self._mean_off(found, wanted)], axis=1)
        self.recent = np.concatenate([self.recent, off])[-self.task.learnt.last :]

    def _most_off(self, found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """How far off those outputs are at most that have to be right, ``[sequences, trials]``."""
        off = np.abs(found - wanted)
        off = off[:, -1] if self.task.learnt.at_end else off
        return off.max(tuple(range(1, off.ndim - 1)))

    @staticmethod
    def _mean_off(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        return np.abs(found - wanted).mean(tuple(range(1, found.ndim - 1)))

    def _right(self) -> np.ndarray:
        """Whether each network has learnt the task by now."""
        learnt = self.task.learnt
        if len(self.recent) < learnt.last:
            return np.zeros(len(self.seeds), bool)
        few = (self.recent[:, 0] > learnt.tolerance).sum(0) <= learnt.wrong
        return few & (self.recent[:, 1].mean(0) < learnt.error)

    def _tested(self) -> np.ndarray:
        """How many new sequences each network as it is now has wrong."""
        x, target, start, *clean = self._draw(self._draws(2), self.task.tests)
        most = self._most_off(self._outputs(x, start), clean[0] if clean else target)
        return (most > self.task.learnt.tolerance).sum(0)

    def _progress(self) -> str:
        errors = ", ".join(f"{e:.3f}" for e in self.recent[:, 1].mean(0))
        done = f"{len(self.succeeded)} of {len(self.seeds)} have learnt it"
        return f"{self.sequences:,} sequences, {self.seconds:,.0f} s: {done}; mean errors {errors}"

    # What is kept.

    def _numbers(self) -> dict[str, Any]:
        draws = [draw.bit_generator.state for draw in self.draws]
        return {"sequences": self.sequences, "draws": draws}

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"hidden": self.hidden, "output": self.output, "recent": self.recent}

    def _take(self, numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.sequences = numbers["sequences"]
        self.hidden, self.output, self.recent = (arrays[key] for key in self._arrays())
        for draw, state in zip(self.draws, numbers["draws"], strict=True):
            draw.bit_generator.state = state
