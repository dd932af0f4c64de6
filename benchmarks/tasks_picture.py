"""Draw the ledger's tasks: each trial's sequences beside the paper's.

    python benchmarks/tasks_picture.py

writes docs/pictures/lab/tasks.svg from the result files that are there, of the tasks for which the
paper gives a number.
"""

from typing import TYPE_CHECKING

from machine import ROOT
from page_tables.ledger import natural
from page_tables.shared import results

from lstm_recipes.lab.argument import save_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VERDICTS = {
    "holds": "#009e73",
    "holds in part": "#e69f00",
    "does not hold": "#d55e00",
    "not tested": "#000000",
}


def main() -> None:
    """Draw, and say where."""
    found = {
        name: runs[0]["metrics"]
        for name, runs in results("lab").items()
        if runs[0]["metrics"].get("paper_sequences")
    }
    path = ROOT / "docs" / "pictures" / "lab" / "tasks.svg"
    names = sorted(found, key=natural)
    save_picture(lambda figure: draw(figure, names, found), path, height=0.6 + 0.3 * len(names))
    print(path.relative_to(ROOT))


def draw(figure: "Figure", names: list[str], found: dict[str, dict]) -> None:
    """A row a task: the paper's number, each trial that succeeded, and up to where they might."""
    axes = figure.subplots()
    axes.set_xscale("log")
    for y, name in enumerate(names):
        m = found[name]
        color = VERDICTS[m["verdict"]]
        axes.plot([m["paper_sequences"], m["limit"]], [y, y], color="0.8", lw=4, zorder=1)
        axes.plot(m["paper_sequences"], y, "|", color="black", ms=14, mew=2, zorder=3)
        counts = [count for count in m["sequences"] if count is not None]
        axes.plot(counts, [y] * len(counts), "o", color=color, ms=5, alpha=0.6, zorder=2)
        said = f"  {m['succeeded']} of {m['seeds']}"
        axes.annotate(said, (1.0, y), xycoords=axes.get_yaxis_transform(), va="center", color=color)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("sequences until a trial succeeds")


if __name__ == "__main__":
    main()
