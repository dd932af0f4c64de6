"""The recall task: one symbol, noise for some steps, and the question which symbol it was."""

import numpy as np

from lstm_recipes.errors import UserError

SYMBOLS, NOISE = 8, 8
FEATURES = SYMBOLS + NOISE + 1


def recall(
    draw: np.random.Generator, count: int, distance: int, blank: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of one-hot vectors: one of 8 symbols, noise, and ``distance`` steps after the
    symbol a cue. The target is which symbol it was; guessing is right in one of 8.

    Args:
        draw: What is drawn comes from here.
        count: How many sequences.
        distance: From the symbol to the cue, at least 1.
        blank: Zeros stand in place of the noise.

    Returns:
        x float32 ``[count, distance + 1, 17]``: 8 symbols, 8 kinds of noise, the cue; the target
        int32 ``[count]``.

    >>> x, target = recall(np.random.default_rng(0), 2, 5)
    >>> x.shape, x.argmax(-1).tolist(), target.tolist()
    ((2, 6, 17), [[6, 10, 10, 8, 8, 16], [5, 14, 13, 15, 12, 16]], [6, 5])
    """
    if distance < 1:  # the cue would stand where the symbol does
        raise UserError(f"the distance is {distance}; give one of at least 1")
    target = draw.integers(0, SYMBOLS, count)
    ids = draw.integers(SYMBOLS, SYMBOLS + NOISE, (count, distance + 1))
    ids[:, 0], ids[:, -1] = target, SYMBOLS + NOISE
    x = np.eye(FEATURES, dtype="float32")[ids]
    if blank:
        x[:, 1:-1] = 0.0
    return x, target.astype("int32")
