"""Precise timing (Gers & Schmidhuber 2000; Gers, Schraudolph & Schmidhuber 2002): how long it was
between spikes, spikes at given distances, and functions that repeat.

Each gives a trial's circle for `lstm_recipes.lab.stream_trials`: the inputs ``[length, 1]``, what
is to be said ``[length, 1]`` (NaN: nothing is asked), and where a new stream may begin.
"""

from typing import Literal

import numpy as np

from lstm_recipes.errors import UserError


def spike_delays(draw: np.random.Generator, shortest: int, kinds: int, spikes: int) -> tuple:
    """Measuring: the input is 1 at a spike and else 0, and at each spike it is to be said how long
    it was since the last one: 0 if ``shortest`` steps, 1 if ``kinds`` - 1 steps more.

    >>> x, wanted, _ = spike_delays(np.random.default_rng(3), shortest=3, kinds=2, spikes=3)
    >>> np.flatnonzero(x).tolist(), len(x), wanted[np.flatnonzero(x), 0].tolist()
    ([0, 4, 7], 10, [0.0, 1.0, 0.0])
    """
    more, starts, length = _intervals(draw, shortest, kinds, spikes)
    x, wanted = np.zeros((length, 1), "float32"), np.full((length, 1), np.nan, "float32")
    x[starts] = 1.0
    wanted[starts, 0] = np.roll(more, 1) / (kinds - 1)  # of the interval that ends there
    return x, wanted, _next(starts, length)


def timed_spikes(draw: np.random.Generator, shortest: int, kinds: int, spikes: int) -> tuple:
    """Generating: the input says at every step how long it is from the last spike to the next one,
    as `spike_delays` has it to be said, and 1 is to be given at each spike and else 0. The first
    stream begins the step after a spike.

    >>> x, wanted, _ = timed_spikes(np.random.default_rng(3), shortest=3, kinds=2, spikes=3)
    >>> x[:, 0].tolist()
    [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    >>> np.flatnonzero(wanted).tolist()
    [3, 6, 9]
    """
    more, starts, length = _intervals(draw, shortest, kinds, spikes)
    x = np.repeat(more / (kinds - 1), shortest + more)[:, None].astype("float32")
    wanted = np.zeros((length, 1), "float32")
    wanted[starts - 1] = 1.0  # the last step of each interval
    return x, wanted, _next(starts, length)


def periodic(
    draw: np.random.Generator, shape: Literal["cosine", "triangle", "rectangle"], period: int
) -> tuple:
    """A function with values from 0 to 1 that begins anew every ``period`` steps, out of nothing:
    the input is always 0. Nothing is drawn at random.

    >>> periodic(None, "triangle", 4)[1][:, 0].tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    if period < 2:
        raise UserError(f"the period is {period}; give one of at least 2")
    t = np.arange(period) / period
    values = {
        "cosine": 0.5 * (1.0 - np.cos(2.0 * np.pi * t)),
        "triangle": 1.0 - abs(1.0 - 2.0 * t),
        "rectangle": (t >= 0.5).astype("float32"),
    }
    if shape not in values:
        raise UserError(f"there is no function {shape!r}; give one of {', '.join(values)}")
    wanted = values[shape][:, None].astype("float32")
    return np.zeros_like(wanted), wanted, np.zeros(period, "int32")


def _intervals(
    draw: np.random.Generator, shortest: int, kinds: int, spikes: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """By how much each interval is longer than the shortest, where each begins, and their sum."""
    if shortest < 2 or kinds < 2 or spikes < 1:
        raise UserError(
            f"shortest is {shortest}, kinds {kinds} and spikes {spikes}; give at least 2, 2 and 1"
        )
    more = draw.integers(0, kinds, spikes)
    ends = np.cumsum(shortest + more)
    return more, ends - shortest - more, int(ends[-1])


def _next(starts: np.ndarray, length: int) -> np.ndarray:
    """After each step, the first start behind it; the circle's is behind the last."""
    following = np.append(starts, length)[np.searchsorted(starts, np.arange(length), "right")]
    return (following % length).astype("int32")
