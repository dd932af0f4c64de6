"""The continual embedded Reber grammar: strings without a sign that a new one begins (2000)."""

import numpy as np

from lstm_recipes.lab.reber import SYMBOLS, embedded_reber, successors


def stream(draw: np.random.Generator, strings: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Strings one behind the other, in a circle.

    Returns:
        int32 ``[length]``, the symbols; float ``[length, 7]``, 1 for each that may be next (after
        the last symbol of a string the next one's first, B); int32 ``[length]``, where the next
        string begins.

    >>> symbols, wanted, next_start = stream(np.random.default_rng(0), strings=2)
    >>> "".join(SYMBOLS[k] for k in symbols[:17]), next_start[:16].tolist() == [16] * 16
    ('BPBPVPXTTTTVVEPEB', True)
    """
    symbols: list[int] = []
    following: list[str] = []
    next_start: list[int] = []
    for _ in range(strings):
        text = embedded_reber(draw)
        symbols += map(SYMBOLS.index, text)
        following += [*successors(text), "B"]
        next_start += [len(symbols)] * len(text)
    wanted = np.array([[symbol in ways for symbol in SYMBOLS] for ways in following], "float32")
    return np.array(symbols, "int32"), wanted, np.array(next_start, "int32") % len(symbols)
