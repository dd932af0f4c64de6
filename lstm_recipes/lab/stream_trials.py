"""Trials on streams: networks that learn at every step until they make no error any more."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lstm_recipes.lab.forward_rule import ForwardRule, initial_weights
from lstm_recipes.lab.kept_trials import KeptTrials
from lstm_recipes.lab.stream_rule import Pool, StreamRule
from lstm_recipes.lab.wiring import Wiring

TEST_STREAMS = 10
GOOD = 1000  # A network whose test streams last longer on average is good, if not perfect.


@dataclass(frozen=True)
class StreamTask:
    """What a network is, how it learns, and its stop.

    Args:
        wiring: Of the networks.
        sample: Draws what the streams of a trial are read from, over and over: the inputs
            (symbols' numbers ``[length]``, or ``[length, inputs]``), what is to be said ``[length,
            outputs]`` (NaN: nothing is asked), and where a new stream may begin after each step.
        limit: After so many streams a trial has failed.
        most_steps: All trials stop after so many steps of each: streams of a network that errs but
            seldom are long, and the paper's limit on streams would be no limit.
        learning_rate: At the first step of a stream.
        decay: By which it is multiplied at each step.
        momentum: The share of the last change that is made again, at each step.
        tolerance: An output that is off by more is an error.
        first_asked: Whether something is asked at the first step of a stream.
        resets: Whether the network's state is zero again wherever a new stream might begin.
        drawn: Whether the streams differ. If not, one is tested, and there are none to test again.
        bound: Weights are uniform in plus and minus this at first.
        biases: The gates' first biases, a number a block.
        longest: Steps of a stream, of training or test.
        chunk: Steps of each trial between two tests.
    """

    wiring: Wiring
    sample: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray]]
    limit: int
    biases: dict[str, list[float]]
    learning_rate: float = 0.5
    decay: float = 1.0
    momentum: float = 0.0
    tolerance: float = 0.49
    first_asked: bool = True
    resets: bool = False
    drawn: bool = True
    bound: float = 0.2
    longest: int = 100_000
    chunk: int = 50_000
    most_steps: int = 10_000_000


def pool_of(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Pool:
    """Each trial's own circle, as a task's ``sample`` gives them."""
    lengths = [len(inputs) for inputs, *_ in parts]
    columns = []
    for arrays in zip(*parts, strict=True):
        column = np.zeros((len(parts), max(lengths), *arrays[0].shape[1:]), arrays[0].dtype)
        for row, array in zip(column, arrays, strict=True):
            row[: len(array)] = array
        columns.append(column)
    return Pool(*columns, np.array(lengths, "int32"))


class StreamTrials(KeptTrials):
    """Networks of several seeds, each on streams of its own, until each is perfect (ten test
    streams without an error) or has seen as many streams as it may.

    Everything is a function of the seeds, and a folder keeps what is needed to go on.

    Args:
        task: What they learn.
        seeds: One a network.
        folder: Where the state is kept, or None.
        overwrite: Start anew although the folder has one.
    """

    stops = ("limit", "most_steps")

    def __init__(
        self,
        task: StreamTask,
        seeds: list[int],
        folder: Path | None = None,
        overwrite: bool = False,
    ):
        super().__init__(task, seeds, folder)
        rule = ForwardRule(task.wiring, task.learning_rate, every_step=True)
        self.rule = StreamRule(
            rule,
            decay=task.decay,
            momentum=task.momentum,
            tolerance=task.tolerance,
            longest=task.longest,
            first_asked=task.first_asked,
            resets=task.resets,
        )
        self.hidden, self.output = initial_weights(task.wiring, seeds, task.bound, task.biases)
        self.pool, self.tests = self._circles(1), self._circles(2)
        self.now = self.rule.start(len(seeds))
        self.steps = 0
        self.best = np.zeros(len(seeds))
        if not overwrite:
            self._restore()

    def _circles(self, kind: int) -> Pool:
        """One for each trial; others of another kind."""
        draws = [np.random.default_rng((seed, kind)) for seed in self.seeds]
        return pool_of([self.task.sample(draw) for draw in draws])

    @cached_property
    def others(self) -> Pool:
        """What those that have succeeded are tested on, drawn when the first has."""
        return self._circles(8)

    def _may_go_on(self) -> bool:
        return bool(self._learning().any())

    def result(self) -> dict[str, Any]:
        """Which seeds are perfect, after how many streams; how many of the others are good."""
        others = [k for k in range(len(self.seeds)) if k not in self.succeeded]
        tests = TEST_STREAMS * self.task.drawn
        found = self._summary(self.task.limit, tests, self._weights())
        return found | {
            "good": sum(bool(self.best[number] > GOOD) for number in others),
            "error_free": [round(float(length)) for length in self.best],
            "steps": self.steps,
            "seen": [int(count) for count in self._ended()],
        }

    def _learning(self) -> np.ndarray:
        """Which networks still learn."""
        done = [k in self.succeeded for k in range(len(self.seeds))]
        may = self._ended() < self.task.limit
        return ~np.array(done) & may & (self.steps < self.task.most_steps)

    def advance(self) -> None:
        """Learn one more chunk of steps, and see who is perfect."""
        learning = self._learning()
        self._learn(learning)
        self.steps += self.task.chunk
        lengths = self._tested(self.tests, learning)
        self.best = np.maximum(self.best, lengths.mean(0))
        new = np.flatnonzero(learning & (lengths == self.task.longest).all(0))
        ended = self._ended()
        self.succeeded |= {int(k): int(ended[k]) for k in new}
        if len(new) and self.task.drawn:
            again = self._tested(self.others, np.isin(np.arange(len(self.seeds)), new))
            self.wrong |= {int(k): int((again[:, k] < self.task.longest).sum()) for k in new}

    def _learn(self, learning: np.ndarray) -> None:
        """Learn one more chunk of steps. Who has done stays as it was."""
        hidden, output, self.now = self.rule.train(
            self.hidden, self.output, self.now, self.pool, self.task.chunk
        )
        self.hidden = np.where(learning, hidden, self.hidden)
        self.output = np.where(learning, output, self.output)

    def _ended(self) -> np.ndarray:
        """How many streams each network has learnt from."""
        return np.array(self.now.ended)

    def _weights(self) -> int:
        """How many a network has."""
        return self.task.wiring.weights

    def _tested(self, pool: Pool, asked: np.ndarray) -> np.ndarray:
        """How long each of ten streams goes without an error, ``[streams, trials]``, from places
        on a circle that is not learnt from; always the same ones."""
        draw = np.random.default_rng((0, 7))
        streams, trials = TEST_STREAMS if self.task.drawn else 1, np.arange(len(self.seeds))
        places = np.array([draw.integers(0, pool.length) for _ in range(streams)])
        return self._error_free(pool.next_start[trials, places], pool, asked)

    def _error_free(self, places: np.ndarray, pool: Pool, asked: np.ndarray) -> np.ndarray:
        go = self.rule.error_free
        return np.array([go(self.hidden, self.output, place, pool, asked) for place in places])

    def _progress(self) -> str:
        ended = ", ".join(f"{count:,}" for count in self._ended())
        best = ", ".join(f"{length:,.0f}" for length in self.best)
        done = f"{len(self.succeeded)} of {len(self.seeds)} are perfect"
        return f"{self.seconds:,.0f} s, {self.steps:,} steps: {done}; streams {ended}; best {best}"

    # What is kept.

    def _numbers(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def _arrays(self) -> dict[str, np.ndarray]:
        now = {f"now{k}": np.array(part) for k, part in enumerate(tf.nest.flatten(self.now))}
        return {"hidden": self.hidden, "output": self.output, "best": self.best} | now

    def _take(self, numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.steps = numbers["steps"]
        self.hidden, self.output, self.best = (arrays[key] for key in ("hidden", "output", "best"))
        flat = [tf.constant(arrays[f"now{k}"]) for k in range(len(tf.nest.flatten(self.now)))]
        self.now = tf.nest.pack_sequence_as(self.now, flat)
