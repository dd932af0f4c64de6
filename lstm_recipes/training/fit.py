"""The training loop: any task, any budget, and nothing lost when it is stopped."""

import math
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import keras

from lstm_recipes.errors import UserError
from lstm_recipes.exhausted import disk_trouble, memory_trouble
from lstm_recipes.recipe_numbers import Range, check_numbers
from lstm_recipes.training.checkpoint import load_checkpoint, save_checkpoint
from lstm_recipes.training.progress import Progress
from lstm_recipes.training.replicas import Replicas
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.schedule import SCHEDULES

TIMED_STEPS = 50  # how many are timed before minutes become steps
UNTIMED_STEPS = 3  # the first ones compile
CHECKPOINT = "last/checkpoint.npz"


class Validation(NamedTuple):
    """What a validation found."""

    figures: dict[str, float]
    """Columns of log.csv; validation_loss is one of them."""
    cost: float
    """The model with the lowest is the best."""
    text: str
    """The same for a person."""


class Task(Protocol):
    """What the loop needs to know of what it trains."""

    unit: str
    """What is counted in a step, such as "characters"."""
    units_per_step: int
    steps_per_epoch: int
    variables: list[keras.Variable]
    """All that the next step depends on, beside its number: weights, optimizer, carried states
    and random states."""
    gradient_norm: float
    """That of all weights together in the last step, as clipping measures it."""

    def train_step(self, step: int, learning_rate: float) -> float:
        """Do a step; the training loss in nats."""

    def validate(self) -> Validation:
        """Measure the model as it is now, or estimate that quickly."""

    def save(self, path: Path) -> None:
        """Write the model, whole or not at all."""


@dataclass(frozen=True)
class Budget:
    """How long to train: so many steps, or so many epochs, or about so many minutes.

    Raises:
        UserError: None of them is given, or more than one, or one makes no sense.
    """

    steps: int | None = None
    epochs: float | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        check_numbers(self, "steps", Range.COUNT)
        check_numbers(self, "epochs minutes", Range.POSITIVE)
        given = [name for name, value in asdict(self).items() if value is not None]
        if not given:
            raise UserError("no budget is given; give steps, epochs or minutes")
        if len(given) > 1:
            raise UserError(f"{' and '.join(given)} are given; give one of them")

    def in_steps(self, steps_per_epoch: int) -> int | None:
        """The budget in steps; None for minutes, which are steps only after some were timed."""
        if self.minutes is not None:
            return None
        if self.epochs is not None:
            return max(1, round(self.epochs * steps_per_epoch))
        return self.steps


class Interrupted(KeyboardInterrupt):
    """A run was stopped by Ctrl-C or SIGTERM, and its last checkpoint is written."""


def fit(
    task: Task,
    run: RunFolder,
    budget: Budget,
    *,
    learning_rate: float,
    warmup: int,
    validate_every: int,
    patience: int | None = None,
    schedule: Literal["cosine", "halving"] = "cosine",
    replicas: Replicas | None = None,
) -> dict[str, Any]:
    """Train until the budget is spent, or until so many validations in a row (``patience``) have
    found no better model; go on from the run's last checkpoint where there is one.

    Everything counts steps and never the clock, so a resumed run ends with the numbers of an
    unbroken one. The number of steps is written to config.json as soon as it is known.

    Where the replicas are in several processes, each calls this with a folder of its own; what the
    clock or a signal decides is decided for all.

    Returns:
        steps, train_seconds and the speed, for metrics.json.

    Raises:
        UserError: The loss is no longer a number, or explodes; the disk or the memory is full. The
            message says what is saved, or has advice.
        WorkerLost: Another process is gone.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint of the last whole step is written.
    """
    replicas = replicas or Replicas()
    numbers = learning_rate, warmup, validate_every, patience, schedule
    loop = _Loop(task, run, budget, replicas, *numbers)
    with run.locked(), loop.troubles_told(), replicas.together():
        run.seal()
        loop.restore()
        bar = Progress(loop.total, loop.step, task.unit)
        with _GentleInterrupt() as interrupt, bar as progress:
            while not loop.has_finished:
                loop.train_one(progress)
                if loop.step % validate_every == 0 or loop.step == loop.total:
                    loop.validate(progress)
                    loop.checkpoint()
                if replicas.any(interrupt.asked) and not loop.has_finished:
                    loop.checkpoint()
                    raise Interrupted(
                        f"stopped after step {loop.step:,}; the same command with --resume goes "
                        "on from there"
                    )
    return {
        "steps": loop.step,
        "train_seconds": round(loop.seconds, 1),
        f"{task.unit}_per_second": round(loop.step * task.units_per_step / loop.seconds),
    }


class _Loop:
    """The state of a run while it trains."""

    def __init__(
        self,
        task: Task,
        run: RunFolder,
        budget: Budget,
        replicas: Replicas,
        learning_rate: float,
        warmup: int,
        validate_every: int,
        patience: int | None,
        schedule: str,
    ):
        self.task, self.run, self.budget, self.patience = task, run, budget, patience
        self.replicas = replicas
        self.learning_rate, self.warmup, self.schedule = learning_rate, warmup, SCHEDULES[schedule]
        self.total: int | None = None
        self.step, self.session_steps, self.timed_seconds = 0, 0, 0.0
        self.best, self.first_loss, self.since_best = math.inf, math.nan, 0
        self.losses: deque[float] = deque(maxlen=validate_every)
        self.began, self.earlier_seconds = time.perf_counter(), 0.0
        self.saved: int | None = None  # the step of the last checkpoint
        self.curves: Any = None

    @property
    def has_finished(self) -> bool:
        """Whether the budget is spent, or enough validations have found nothing better."""
        return self.has_enough or (self.total is not None and self.step >= self.total)

    @property
    def has_enough(self) -> bool:
        return self.patience is not None and self.since_best >= self.patience

    @property
    def seconds(self) -> float:
        """How long the run has trained, validation and earlier sessions included."""
        return self.earlier_seconds + time.perf_counter() - self.began

    @property
    def timed_steps(self) -> int:
        return max(self.session_steps - UNTIMED_STEPS, 0)

    def restore(self) -> None:
        """Go on from the last checkpoint; or write the first one, with the initial weights."""
        found = load_checkpoint(self.run / CHECKPOINT, self.task.variables)
        if found is not None:
            try:
                self.step, self.earlier_seconds = found["step"], found["seconds"]
                self.best, self.first_loss = found["best"], found["first_loss"]
                self.since_best = found["since_best"]
                self.losses.extend(found["losses"])
            except KeyError as error:
                raise UserError(
                    f"the checkpoint {self.run / CHECKPOINT} lacks {error}; start anew with "
                    "--overwrite"
                ) from None
            self.saved = self.step
        self.run.cut_log(self.step)
        in_steps = self.budget.in_steps(self.task.steps_per_epoch)
        self.set_total(self.run.total_steps() or in_steps)
        if found is None:
            self.checkpoint()

    def checkpoint(self) -> None:
        numbers = {
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
            "since_best": self.since_best,
            "first_loss": self.first_loss,
            "losses": list(self.losses),
        }
        save_checkpoint(self.run / CHECKPOINT, self.task.variables, numbers)
        self.saved = self.step

    @contextmanager
    def troubles_told(self) -> Iterator[None]:
        """A disk or a memory that is full ends the run in a sentence."""
        try:
            yield
        except Exception as error:
            if trouble := disk_trouble(error):
                saved = "nothing of the run is saved yet"
                if self.saved is not None:
                    saved = f"the run is saved up to step {self.saved:,} in {self.run / CHECKPOINT}"
                raise UserError(
                    f"{trouble} at step {self.step:,}, and {saved}; make room for it, and the "
                    "same command with --resume goes on from there"
                ) from None
            if trouble := memory_trouble(error, self.run.read_json("config").get("numbers", {})):
                raise UserError(trouble) from None
            raise

    def set_total(self, total: int | None) -> None:
        """The number of steps is known: config.json keeps it, so that resuming knows it too."""
        self.total = total
        config = self.run.read_json("config")
        if total is not None and config.get("total_steps") != total:
            self.run.write_json("config", config | {"total_steps": total})

    def rate(self) -> float:
        """The learning rate of the coming step. While the number of steps is not yet known the
        run is still warming up, or as good as at its peak."""
        total = self.total or 10 * max(self.warmup, TIMED_STEPS)
        return self.schedule(self.step, total, self.learning_rate, self.warmup)

    def train_one(self, progress: Progress) -> None:
        began = time.perf_counter()
        rate = self.rate()
        loss = self.task.train_step(self.step, rate)
        took = time.perf_counter() - began
        self.step, self.session_steps = self.step + 1, self.session_steps + 1
        self.timed_seconds += took if self.timed_steps else 0.0
        self.losses.append(loss)
        if self.step == 1:
            self.first_loss = max(loss, 2.0)
        if not loss < 3 * self.first_loss:
            raise self._diverged("loss", loss, rate)
        speed = max(self.timed_steps, 1) * self.task.units_per_step / (self.timed_seconds or took)
        progress.step(self.step, sum(self.losses) / len(self.losses), speed)
        if self.total is None and self.timed_steps == TIMED_STEPS:
            self._turn_minutes_into_steps(progress)

    def _turn_minutes_into_steps(self, progress: Progress) -> None:
        minutes = self.budget.minutes
        seconds = self.replicas.chiefs(self.timed_seconds)  # all workers are to do as many
        steps = round(minutes * 60 * TIMED_STEPS / seconds)
        self.set_total(max(self.step, steps))
        progress.total(self.total)
        progress.line(f"{minutes:g} minutes are {self.total:,} steps here")

    def _diverged(self, name: str, loss: float, rate: float) -> UserError:
        what = f"has exploded to {loss:.1f}" if math.isfinite(loss) else f"is {loss}"
        return UserError(
            f"the {name} {what} at step {self.step:,} (learning rate {rate:.2g}, gradient norm "
            f"{self.task.gradient_norm:.3g}); start anew with --overwrite and a smaller "
            "--learning-rate (half is a good try) or --clip-norm"
        )

    def validate(self, progress: Progress) -> None:
        """Measure the model, log that, and keep the model if it is the best so far."""
        found = self.task.validate()
        loss = found.figures["validation_loss"]
        if not math.isfinite(loss):  # the last step's loss was still that of the step before
            raise self._diverged("validation loss", loss, self.rate())
        self.since_best += 1
        if found.cost < self.best:
            self.best, self.since_best = found.cost, 0
            self.task.save(self.run / "best.keras")
        row = {
            "step": self.step,
            "epoch": round(self.step / self.task.steps_per_epoch, 3),
            "seconds": round(self.seconds, 1),
            "train_loss": round(sum(self.losses) / len(self.losses), 5),
            **{name: round(value, 5) for name, value in found.figures.items()},
            "learning_rate": float(f"{self.rate():.4g}"),
        }
        self.run.log(row)
        self._draw(row)
        progress.line(f"step {self.step:,}: training {row['train_loss']:.4f}, {found.text}")
        if self.has_enough:
            progress.line(f"no better model in {self.patience} validations: enough")

    def _draw(self, row: dict[str, Any]) -> None:
        """Add the row to TensorBoard's curves."""
        import tensorflow as tf

        if self.curves is None:
            self.curves = tf.summary.create_file_writer(str(self.run / "tensorboard"))
        with self.curves.as_default(step=self.step):
            for name in row.keys() - {"step", "epoch", "seconds"}:
                tf.summary.scalar(name, row[name])
        self.curves.flush()


AT_ONCE = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""What a signal to stop does that does not wait."""


class _GentleInterrupt:
    """Ctrl-C, and SIGTERM as schedulers send it, wait for the step to end, so that the checkpoint
    is of a whole step; a second one does not wait."""

    asked = False

    def __enter__(self) -> "_GentleInterrupt":
        try:
            self._before = {one: signal.signal(one, self._ask) for one in AT_ONCE}
        except ValueError:  # not the main thread, as in some notebooks
            self._before = {}
        return self

    def _ask(self, *_: Any) -> None:
        self.asked = True
        for one, at_once in AT_ONCE.items():
            signal.signal(one, at_once)

    def __exit__(self, *_: object) -> None:
        for one, before in self._before.items():
            signal.signal(one, before)
