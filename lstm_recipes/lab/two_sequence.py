"""The two-sequence problem with noise (Bengio et al. 1994; 1997, experiment 3a)."""

import numpy as np

from lstm_recipes.errors import UserError


def two_sequence(draw: np.random.Generator, count: int, length: int, informative: int) -> tuple:
    """Sequences of numbers, ``length`` to 1.1 ``length`` of them. The first ``informative`` are 1.0
    if the sequence is of class 1 and -1.0 if it is of class 2, the others Gaussian with variance
    0.2. The target at the end is 1 for class 1 and 0 for class 2.

    Returns:
        x ``[count, time, 1]``, all ending at the last step; target ``[count, 1]``; the first step
        of each, int32 ``[count]``.
    """
    if not 1 <= informative < length:
        raise UserError(
            f"{informative} numbers tell the class in sequences of {length}; give from 1 to "
            f"{length - 1} of them"
        )
    most = length + length // 10
    start = most - draw.integers(length, most + 1, count)
    label = draw.integers(0, 2, count)
    x = draw.normal(0.0, 0.2**0.5, (count, most))
    steps = np.arange(most)[None]
    tells = (steps >= start[:, None]) & (steps < start[:, None] + informative)
    x = np.where(tells, 2.0 * label[:, None] - 1.0, x) * (steps >= start[:, None])
    target = label[:, None].astype("float32")
    return x[:, :, None].astype("float32"), target, start.astype("int32")
