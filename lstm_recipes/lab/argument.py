"""An argument of the literature that is measured, and the parts of its measurement.

Each argument is a module: ``measure`` gives numbers, ``judge`` says what they say, ``draw`` draws
them, and `lstm_recipes.lab.arguments` names it. The instrument itself, what works on anyone's
model, stands first in the module or in one of its own.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Parts:
    """The parts of a measurement, each kept in a folder as soon as it is there.

    What was interrupted goes on with the part that is missing.

    Args:
        folder: Where ``parts.json`` is, or None: nothing is kept.
        overwrite: Begin anew, whatever is there.
        notify: Gets a line when a part is there.

    Raises:
        UserError: What was kept is damaged.

    >>> part = Parts(None, notify=print)
    >>> part("twice two", lambda: 4)
    twice two: 4 (0 s)
    4
    """

    def __init__(
        self,
        folder: Path | None,
        overwrite: bool = False,
        notify: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
    ):
        self.path, self.notify = folder and folder / "parts.json", notify
        self.kept: dict[str, Any] = {}
        self.seconds = 0.0
        """How long all parts took, those of an interrupted run too."""
        if self.path is not None and self.path.exists() and not overwrite:
            try:
                kept = json.loads(self.path.read_text("utf-8"))
                self.kept, self.seconds = kept["parts"], kept["seconds"]
            except (ValueError, KeyError, TypeError):
                raise UserError(f"{self.path} is damaged; --overwrite starts anew") from None

    def __call__(self, name: str, measure: Callable[[], Any]) -> Any:
        """A part, as JSON gives it back: what is kept of it, or what ``measure`` gives."""
        if name not in self.kept:
            began = time.perf_counter()
            found = json.loads(json.dumps(measure()))
            seconds = time.perf_counter() - began
            self.kept[name], self.seconds = found, self.seconds + seconds
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                content = {"parts": self.kept, "seconds": self.seconds}
                write_atomically(self.path, json.dumps(content).encode())
            shown = json.dumps(found)
            self.notify(f"{name}: {shown[:100]}{'…' * (len(shown) > 100)} ({seconds:.0f} s)")
        return self.kept[name]


@dataclass(frozen=True)
class Argument:
    """A sentence of the literature or the web that is measured."""

    says: str
    source: str
    minutes: float
    """About how long it takes on two cores."""
    measure: Callable[[Parts, int], dict[str, Any]]
    """From the parts and a number of seeds, the numbers, as JSON can hold them."""
    judge: Callable[[dict[str, Any]], tuple[str, str]]
    """What the numbers say in one line; and "holds", "holds in part" or "does not hold"."""
    draw: Callable[[dict[str, Any], "Figure"], None]
    """Draws the numbers into an empty figure of matplotlib's."""
    shows: str
    """What is to be seen there, in words, for whoever cannot see it."""
    seeds: int = 0
    """How many networks each row is the mean of; 0 where nothing is drawn at random."""

    def run(self, folder: Path, seeds: int, overwrite: bool = False) -> dict[str, Any]:
        """Measure, or go on, and judge."""
        part = Parts(folder, overwrite)
        numbers = self.measure(part, seeds)
        measured, verdict = self.judge(numbers)
        return {
            "claim": self.says,
            "source": self.source,
            "measured": measured,
            "verdict": verdict,
            "picture": self.shows,
            "seeds": seeds,
            "seconds": round(part.seconds, 1),
            "numbers": numbers,
        }


def picture(argument: Argument, numbers: dict[str, Any], path: Path) -> None:
    """Draw an argument's numbers into an SVG file."""
    save_picture(lambda figure: argument.draw(numbers, figure), path)


def save_picture(draw: Callable[["Figure"], None], path: Path, height: float = 3.4) -> None:
    """Draw into an SVG file of 7 inches by ``height``, the same bytes for the same drawing."""
    import matplotlib.figure

    style = {"svg.hashsalt": "lstm-recipes", "font.size": 11, "svg.fonttype": "path"}
    style |= {"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True}
    style |= {"grid.alpha": 0.3, "legend.frameon": False}
    # The colours of Okabe and Ito, which are told apart without seeing red or green.
    colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
    with matplotlib.rc_context(style | {"axes.prop_cycle": matplotlib.cycler(color=colors)}):
        figure = matplotlib.figure.Figure(figsize=(7, height), layout="constrained")
        draw(figure)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})
