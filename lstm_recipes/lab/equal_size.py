"""Networks of equal numbers of weights."""

from collections.abc import Callable

import keras


def units_for(make: Callable[[int], keras.Model], weights: int, most: int = 4096) -> int:
    """With how many units a model comes nearest to a number of weights.

    Args:
        make: From a number of units, a built model; with more units it has more weights.
        weights: How many are wanted.
        most: No more units than this.

    >>> def make(units):
    ...     return keras.Sequential([keras.Input((9,)), keras.layers.Dense(units)])
    >>> units_for(make, 96), units_for(make, 1)  # 10 weights a unit
    (10, 1)
    """
    low, high = 1, most
    while low < high:  # the smallest with at least as many
        middle = (low + high) // 2
        low, high = (low, middle) if make(middle).count_params() >= weights else (middle + 1, high)
    near = [units for units in (low - 1, low) if units > 0]
    return min(near, key=lambda units: abs(make(units).count_params() - weights))
