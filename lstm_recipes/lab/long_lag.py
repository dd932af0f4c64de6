"""Long time lags without noise, and among distractors (1997, experiments 2a, 2b and 2c)."""

import numpy as np

from lstm_recipes.errors import UserError


def distractors(draw: np.random.Generator, count: int, lag: int, symbols: int) -> tuple:
    """Strings b, x or y, then distractors, each of the ``symbols`` as likely as any other, then e:
    ``lag`` of them, and each time with a probability of 9 in 10 one more. At the end it is to be
    said whether the second symbol was x or y. Of a string with more than 100 distractors beyond
    the lag (one in 40,000) that number is 100.

    Returns:
        x int32 ``[count, lag + 103]``, the symbols' numbers (the distractors', then e, b, x and
        y), all ending at the last step; target ``[count, 2]``; the first step of each, int32.

    >>> x, target, start = distractors(np.random.default_rng(0), 1, lag=5, symbols=9)
    >>> x[0, start[0]:].tolist(), target.tolist()
    ([10, 12, 7, 3, 7, 2, 2, 7, 7, 0, 0, 6, 3, 9], [[0.0, 1.0]])
    """
    if lag < 1 or symbols < 1:
        raise UserError(f"lag is {lag} and symbols {symbols}; give numbers of at least 1")
    extra = np.minimum(draw.geometric(0.1, count) - 1, 100)
    start = (100 - extra).astype("int32")
    second = draw.integers(0, 2, count)
    x = draw.integers(0, symbols, (count, lag + 103))
    rows = np.arange(count)
    x[rows, start], x[rows, start + 1], x[:, -1] = symbols + 1, symbols + 2 + second, symbols
    return x.astype("int32"), np.eye(2, dtype="float32")[second], start


def noise_free(draw: np.random.Generator, count: int, lag: int) -> tuple:
    """Strings x or y, then ``lag`` - 1 other symbols, always the same in the same order, and the
    first one again. Each step's next symbol is to be told.

    Returns:
        x int32 ``[count, lag]``, the symbols' numbers (x and y are the last two); target one-hot
        ``[count, lag, lag + 1]``; the first step of each, 0.

    >>> x, target, start = noise_free(np.random.default_rng(0), 1, lag=4)
    >>> x.tolist(), target.argmax(-1).tolist()
    ([[4, 0, 1, 2]], [[0, 1, 2, 4]])
    """
    if lag < 2:
        raise UserError(f"lag is {lag}; give one of at least 2")
    others = np.broadcast_to(np.arange(lag - 1), (count, lag - 1))
    first = draw.integers(lag - 1, lag + 1, (count, 1))
    text = np.concatenate([first, others, first], axis=1)
    target = np.eye(lag + 1, dtype="float32")[text[:, 1:]]
    return text[:, :-1].astype("int32"), target, np.zeros(count, "int32")


def irregular(draw: np.random.Generator, count: int, lag: int) -> tuple:
    """As `noise_free`, but each of the symbols between is drawn, as likely as any other, so that no
    rule from one to the next helps. Each step's next symbol is asked, but only the last one can be
    told.

    Returns:
        x int32 ``[count, lag]``, the symbols' numbers (x and y are the last two); target one-hot
        ``[count, lag, lag + 1]``; the first step of each, 0.

    >>> x, target, start = irregular(np.random.default_rng(0), 1, lag=6)
    >>> x.tolist(), target.argmax(-1).tolist()
    ([[6, 3, 2, 1, 1, 0]], [[3, 2, 1, 1, 0, 6]])
    """
    x, target, start = noise_free(draw, count, lag)
    between = draw.integers(0, lag - 1, (count, lag - 1))
    x[:, 1:], target[:, :-1] = between, np.eye(lag + 1, dtype="float32")[between]
    return x, target, start
