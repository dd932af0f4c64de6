"""A task that trains in no time, and a run to train it in."""

from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from lstm_recipes.training.fit import Validation
from lstm_recipes.training.run_folder import RunFolder


class StubTask:
    """A sum that grows with each step, and losses that are told in advance.

    ``events[step]`` is called before the step is done; a run is killed there by an exception.
    """

    unit = "characters"
    units_per_step = 100
    steps_per_epoch = 8
    gradient_norm = 2.5

    def __init__(self, losses=None, estimates=None, events=None):
        self.total = keras.Variable(np.zeros(2), trainable=False, dtype="float32")
        self.variables = [self.total]
        self.losses, self.estimates = losses or {}, estimates or {}
        self.events = events or {}
        self.step, self.rates = 0, {}

    def train_step(self, step: int, learning_rate: float) -> float:
        if step in self.events:
            self.events[step]()
        assert step not in self.rates
        self.step, self.rates[step] = step + 1, learning_rate
        self.total.assign(self.total + learning_rate * (step + 1))
        return self.losses.get(step, 3.0 - float(self.total[0]) / 100)

    def validate(self) -> Validation:
        loss = self.estimates.get(self.step, 3.1 - float(self.total[0]) / 100)
        return Validation({"validation_loss": loss}, loss, f"validation about {loss:.4f} nats")

    def save(self, path: Path) -> None:
        path.write_text(f"step {self.step}")


@pytest.fixture
def stub() -> type[StubTask]:
    return StubTask


@pytest.fixture
def new_run(tmp_path):
    """Makes run folders with a config.json."""

    def new(name: str = "run") -> RunFolder:
        run = RunFolder(tmp_path / name)
        run.begin("stub", {}, {"name": "data", "sha256": "0", "steps": 9}, overwrite=False)
        return run

    return new


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only where a test says so: ``clock.now += seconds``."""
    from lstm_recipes.training import fit

    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(fit, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock
