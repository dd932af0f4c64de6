"""Which units are on in a span of a sequence and off elsewhere."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class FoundUnit(NamedTuple):
    """A unit, and how well one threshold on it tells a span from the rest."""

    unit: int
    sign: int
    """1: on means at least ``threshold``; -1: at most ``threshold``."""
    threshold: float
    score: float
    """Of the steps that are on or in the span, the share that are both; 1 is exactly there."""


def find_units(states: Any, span: Sequence[int] | Any, count: int = 10) -> list[FoundUnit]:
    """The units that are on exactly in a span: the question that LSTMVis asks of a selection.

    A unit is on where its state is at least a threshold, or at most one. Of all thresholds, in
    both directions, the one counts for which the steps that are on and the steps of the span have
    most in common: intersection over union. So a scale does not matter, and c and tanh(c) find the
    same. Of equal scores the lower unit stands first, and + before −. Source of the idea: Strobelt,
    Gehrmann, Pfister & Rush, *LSTMVis*, IEEE TVCG 24(1), 2018, where the user gives the threshold.

    Args:
        states: float ``[time, units]``; cell states, hidden states, a gate; anyone's.
        span: First step, and the one after the last, as in ``states[first:last]``; or bool
            ``[time]``, for steps that need not stand together.
        count: How many units, at most.

    Returns:
        The best first.

    Raises:
        ValueError: The states are not two-dimensional or not finite, or the span is empty, is the
            whole sequence or does not lie in it.

    >>> states = np.array([[0.1, -2.0], [0.9, -2.0], [0.8, 3.0], [0.2, 1.0], [0.3, -2.0]])
    >>> for found in find_units(states, (1, 3)):
    ...     print(f"unit {found.unit}, {found.sign:+d}, {found.threshold}: {found.score:.2f}")
    unit 0, +1, 0.8: 1.00
    unit 1, +1, 3.0: 0.50
    """
    states = np.asarray(states)
    if states.ndim != 2 or not np.isfinite(states).all():
        raise ValueError(
            f"states of shape {states.shape} were given; finite ones [time, units] are needed"
        )
    inside = _mask(span, len(states))
    found = [
        max((_best(row, inside, unit, sign) for sign in (1, -1)), key=lambda one: one.score)
        for unit, row in enumerate(states.T)
    ]
    return sorted(found, key=lambda one: -one.score)[:count]  # a stable sort


def _mask(span: Any, time: int) -> np.ndarray:
    """The span as bool ``[time]``."""
    if np.asarray(span).dtype == bool:
        mask, said = np.asarray(span), "of this mask"
        fits = mask.shape == (time,)
    else:
        (first, last), mask = span, np.zeros(time, bool)
        fits, said = 0 <= first < last <= time, f"{first}:{last}"
        mask[first:last] = True
    if not fits or mask.all() or not mask.any():
        raise ValueError(
            f"the span {said} was given for {time} steps; it must have a step, lie inside, and "
            "leave a step out"
        )
    return mask


def _best(row: np.ndarray, inside: np.ndarray, unit: int, sign: int) -> FoundUnit:
    """The best threshold of a unit in one direction."""
    order = np.argsort(-sign * row, kind="stable")
    values, hits = row[order], np.cumsum(inside[order])
    # The steps down to the k-th are on together, but only where the next value is another one.
    union = np.arange(1, len(row) + 1) + inside.sum() - hits
    scores = np.where(np.append(values[1:] != values[:-1], True), hits / union, 0.0)
    k = int(scores.argmax())
    return FoundUnit(unit, sign, float(values[k]), float(scores[k]))
