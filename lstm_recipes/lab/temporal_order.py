"""The temporal order problem (1997, experiments 6a and 6b)."""

import numpy as np

from lstm_recipes.errors import UserError

SYMBOLS = "EBabcdXY"
PLACES = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}


def temporal_order(draw: np.random.Generator, count: int, marks: int) -> tuple:
    """Strings of 100 to 110 symbols: E first, B last, and between them a, b, c and d, but for two
    or three places (of which each is drawn from 11 that follow one another), where X or Y stands.
    Which of the four or eight orders of X and Y it was, is to be said at the end.

    Args:
        draw: What is drawn comes from here.
        count: How many strings.
        marks: How many such places, 2 or 3.

    Returns:
        x int32 ``[count, 110]``, the symbols' numbers, all ending at the last step; target one-hot
        ``[count, 2 ** marks]``; the first step of each, int32 ``[count]``.

    >>> x, target, start = temporal_order(np.random.default_rng(0), 1, marks=2)
    >>> "".join(SYMBOLS[k] for k in x[0, start[0]:])[:20], int(target.argmax())
    ('EbbaaaadcdccdccccdXd', 0)
    """
    if marks not in PLACES:
        raise UserError(f"marks is {marks}; give 2 or 3, for which the paper has places")
    lengths = draw.integers(100, 111, count)
    start = 110 - lengths
    rows = np.arange(count)
    x = draw.integers(2, 6, (count, 110))
    x[rows, start], x[:, -1] = 0, 1
    order = np.zeros(count, "int64")
    for low, high in PLACES[marks]:
        mark = draw.integers(0, 2, count)
        # Counted from 1, and E is the first.
        x[rows, start + draw.integers(low, high + 1, count) - 1] = 6 + mark
        order = 2 * order + mark
    return x.astype("int32"), np.eye(2**marks, dtype="float32")[order], start.astype("int32")
