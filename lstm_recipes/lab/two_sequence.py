"""The two-sequence problem with noise (Bengio et al. 1994; 1997, experiments 3a, 3b and 3c)."""

import numpy as np

from lstm_recipes.errors import UserError


def two_sequence(
    draw: np.random.Generator,
    count: int,
    length: int,
    informative: int,
    noise_on_all: bool = False,
    noisy_targets: bool = False,
) -> tuple:
    """Sequences of numbers, ``length`` to 1.1 ``length`` of them. The first ``informative`` are 1.0
    if the sequence is of class 1 and -1.0 if it is of class 2, the others Gaussian with variance
    0.2; with ``noise_on_all`` the first have that noise too. The target at the end is 1 for class 1
    and 0 for class 2; with ``noisy_targets`` 0.2 for class 1 and 0.8 for class 2, with Gaussian
    noise of standard deviation 0.32.

    Args:
        draw: What is drawn comes from here.
        count: How many sequences.
        length: Of the shortest, at least 10; with less than that all would be as long.
        informative: How many numbers tell the class, fewer than ``length``.
        noise_on_all: Experiment 3b.
        noisy_targets: Experiment 3c.

    Returns:
        x ``[count, time, 1]``, all ending at the last step; target ``[count, 1]``; the first step
        of each, int32 ``[count]``; and with noisy targets those without their noise.
    """
    if length < 10:  # a tenth, by which the lengths vary, is then no whole number
        raise UserError(f"the length is {length}; give one of at least 10")
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
    told = 2.0 * label[:, None] - 1.0 + noise_on_all * x
    x = np.where(tells, told, x) * (steps >= start[:, None])
    x, target, start = x[:, :, None].astype("float32"), label[:, None], start.astype("int32")
    if not noisy_targets:
        return x, target.astype("float32"), start
    clean = 0.8 - 0.6 * target
    noisy = clean + draw.normal(0.0, 0.32, clean.shape)
    return x, noisy.astype("float32"), start, clean.astype("float32")
