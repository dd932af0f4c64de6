"""A picture of what gates and states do over a sequence."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_recipes.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS = ("#2b6cb0", "#f7f7f7", "#e08a1e")
"""Below zero, zero, above: blue and orange are told apart by nearly everyone."""


def state_heatmap(
    states: Mapping[str, Any] | Any,
    tokens: Sequence[str] | None = None,
    span: Sequence[int] | None = None,
) -> "Figure":
    """Draw states or gates over time, a row each; the pictures of the site's carousel.

    Named rows are coloured each on its own scale, from minus to plus its largest size or 1, if that
    is more; the number stands at the row's right. All units of an array share one scale.

    Args:
        states: Rows by name, float ``[time]`` each, such as one unit's gates and cell; or float
            ``[time, units]``, a row a unit.
        tokens: What stands below the steps: a text, or a list of words.
        span: First step and the one after the last, to be marked.

    Returns:
        A matplotlib figure; ``figure.savefig("states.png")`` writes it.

    Raises:
        UserError: matplotlib is not installed.
        ValueError: The rows are not of one length, or the tokens not as many.

    >>> import numpy as np
    >>> from lstm_recipes.lab.state_traces import trace
    >>> from lstm_recipes.layers import ForgetGateLSTM
    >>> found = trace(ForgetGateLSTM(4), np.ones((1, 5, 3), "float32"))
    >>> one_unit = {name: value[0, :, 2] for name, value in found.items()}
    >>> figure = state_heatmap(one_unit, "learn", span=(1, 3))
    >>> figure.axes[0].images[0].get_array().shape
    (6, 5)
    """
    if find_spec("matplotlib") is None:
        raise UserError('a picture needs matplotlib; pip install "lstm-recipes[notebooks]"')
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    names, rows, most = _rows(states)
    time = rows.shape[1]
    if tokens is not None and len(tokens) != time:
        raise ValueError(f"{len(tokens)} tokens were given for {time} steps; give one a step")
    height = 0.3 * len(rows) if names else min(0.03 * len(rows), 6)
    figure = Figure(figsize=(min(2 + 0.16 * time, 16), 1 + height), layout="constrained")
    axes = figure.subplots()
    colors = LinearSegmentedColormap.from_list("carousel", COLORS)
    shown = axes.imshow(
        rows / most[:, None], cmap=colors, vmin=-1, vmax=1, aspect="auto", interpolation="nearest"
    )
    if names:
        axes.set_yticks(range(len(names)), names)
        right = axes.secondary_yaxis("right")
        right.set_yticks(range(len(names)), [f"±{value:.3g}" for value in most])
        right.tick_params(length=0)
    else:
        axes.set_ylabel("unit")
        figure.colorbar(shown, ticks=[-1, 0, 1]).ax.set_yticklabels(
            [f"{-most[0]:.3g}", "0", f"{most[0]:.3g}"]
        )
    if tokens is None:
        axes.set_xlabel("step")
    else:
        axes.set_xticks(range(time), [token.replace("\n", "↵") for token in tokens])
    axes.tick_params(length=0)
    if span is not None:
        axes.axvspan(span[0] - 0.5, span[1] - 0.5, fill=False, linewidth=1.5)
    return figure


def _rows(states: Any) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The rows' names, if they have any, the rows ``[rows, time]``, and the size of each scale."""
    if not isinstance(states, Mapping):
        rows = np.asarray(states, float).T
        if rows.ndim != 2:
            raise ValueError(f"states of shape {rows.T.shape} were given; give [time, units]")
        return [], rows, np.full(len(rows), max(np.abs(rows).max(initial=0), 1e-9))
    shapes = {name: np.shape(row) for name, row in states.items()}
    if len(set(shapes.values())) != 1 or len(next(iter(shapes.values()))) != 1:
        raise ValueError(f"rows of shapes {shapes} were given; each must be [time], all of one")
    rows = np.array(list(states.values()), float)
    return list(states), rows, np.maximum(np.abs(rows).max(axis=1), 1)
