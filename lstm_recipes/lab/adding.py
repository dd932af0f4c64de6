"""The adding and the multiplication problem (1997, experiments 4 and 5)."""

import numpy as np

from lstm_recipes.errors import UserError


def adding(draw: np.random.Generator, count: int, length: int) -> tuple:
    """Sequences of pairs: a number, uniform from -1 to 1, and a marker. Two pairs are marked
    by 1: one of the first ten, and one of the first ``length`` / 2 - 1 of those that are left. The
    first and the last pair have the marker -1 and all others 0. A sequence has from ``length`` to
    1.1 ``length`` pairs. The target is 0.5 + (X1 + X2) / 4, to be given at the end. Where the first
    pair is marked its number is 0 (the paper: "we set X1 to zero").

    Returns:
        x ``[count, time, 2]``, all ending at the last step; target ``[count, 1]``; the first step
        of each, int32 ``[count]``.

    >>> x, target, start = adding(np.random.default_rng(0), 3, 100)
    >>> x.shape, target.shape, x[0, [start[0], -1], 1].tolist()
    ((3, 110, 2), (3, 1), [-1.0, -1.0])
    """
    x, marked, start = _marked(draw, count, length, -1.0, first_pair=0.0)
    total = marked.sum(1)
    return x, (0.5 + total / 4.0)[:, None].astype("float32"), start


def multiplication(draw: np.random.Generator, count: int, length: int) -> tuple:
    """As `adding`, with numbers from 0 to 1 and the target X1 · X2; where the first pair is marked
    its number is 1."""
    x, marked, start = _marked(draw, count, length, 0.0, first_pair=1.0)
    product = marked.prod(1)
    return x, product[:, None].astype("float32"), start


def _marked(
    draw: np.random.Generator, count: int, length: int, low: float, first_pair: float
) -> tuple:
    """x, the numbers of the two marked pairs, ``[count, 2]``, and the first steps."""
    if length < 10:
        raise UserError(f"the length is {length}; give one of at least 10")
    most = length + length // 10
    lengths = draw.integers(length, most + 1, count)
    start = most - lengths
    steps = np.arange(most)
    values = draw.uniform(low, 1.0, (count, most))
    marks = np.zeros((count, most))
    rows = np.arange(count)
    marks[rows, start] = marks[:, -1] = -1.0
    half = length // 2 - 1
    first = draw.integers(0, min(10, half), count)
    second = draw.integers(0, half - 1, count)  # of those that are left
    second = start + second + (second >= first)
    places = np.stack([start + first, second], axis=1)
    marks[rows[:, None], places] = 1.0
    marked_first = (places == start[:, None]).any(1)
    values[rows[marked_first], start[marked_first]] = first_pair
    marked = values[rows[:, None], places]
    x = np.stack([values, marks], -1) * (steps >= start[:, None])[:, :, None]
    return x.astype("float32"), marked, start.astype("int32")
