"""What a person sees while a run trains: a bar on a terminal, lines in a log."""

import sys
from types import TracebackType


class Progress:
    """A bar on standard error with loss, speed and the time left; beside it, lines that stay.

    Where standard error is no terminal the bar is left out and the lines alone are written.

    Args:
        total: Steps in all; None while that is not known.
        done: Steps done before.
        unit: What the speed counts, such as "characters".
    """

    def __init__(self, total: int | None, done: int, unit: str):
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        # A log file has no width: rich would break its lines at 80 columns.
        width = None if sys.stderr.isatty() else 200
        self._console = Console(stderr=True, highlight=False, width=width, force_jupyter=False)
        self._unit = unit
        self._bar = Bar(
            TextColumn("step {task.completed:,}/{task.fields[of]}"),
            BarColumn(bar_width=24),
            TextColumn("loss {task.fields[loss]} · {task.fields[speed]} ·"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=self._console,
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task(
            "", total=total, completed=done, of=_count(total), loss="…", speed="…"
        )

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def total(self, steps: int) -> None:
        """The number of steps is known now."""
        self._bar.update(self._task, total=steps, of=_count(steps))

    def step(self, done: int, loss: float, per_second: float) -> None:
        """One step more is done."""
        self._bar.update(
            self._task,
            completed=done,
            loss=f"{loss:.4f}",
            speed=f"{per_second:,.0f} {self._unit}/s",
        )

    def line(self, text: str) -> None:
        """Write a line that stays."""
        self._console.print(text, markup=False, soft_wrap=True)


def _count(steps: int | None) -> str:
    return "…" if steps is None else f"{steps:,}"
