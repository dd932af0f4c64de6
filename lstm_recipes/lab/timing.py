"""How long calls take beside each other on one machine."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from lstm_recipes.errors import UserError


def in_turns(
    calls: Mapping[str, Callable[[], Any]], turns: int = 7, least: float = 0.05
) -> dict[str, list[float]]:
    """Seconds a call: the quartiles of some turns, in which every call comes once.

    Because they take turns, what else the machine does falls on all of them. A turn repeats a short
    call until it lasts; the first call of each, which compiles, is not timed. A call must not
    return before its work is done.

    Args:
        calls: By name.
        turns: How many times each has its turn, at least once.
        least: Seconds that a turn lasts at least, about.

    Returns:
        By name the lower quartile, the median and the upper quartile.

    >>> found = in_turns({"short": lambda: time.sleep(0.002), "long": lambda: time.sleep(0.02)})
    >>> found["long"][1] > 3 * found["short"][1]
    True
    """
    if turns < 1:
        raise UserError(f"turns is {turns}; give at least 1")
    repeats = {}
    for name, call in calls.items():
        call()
        began = time.perf_counter()
        call()
        repeats[name] = max(1, round(least / max(time.perf_counter() - began, 1e-9)))
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(turns):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            seconds[name].append((time.perf_counter() - began) / repeats[name])
    return {
        name: statistics.quantiles(values, n=4, method="inclusive") if turns > 1 else values * 3
        for name, values in seconds.items()
    }
