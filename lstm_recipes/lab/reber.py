"""The embedded Reber grammar (Smith & Zipser 1989; 1997, experiment 1)."""

import numpy as np

SYMBOLS = "BTSXPVE"
REBER = {
    0: (("T", 1), ("P", 2)),
    1: (("S", 1), ("X", 3)),
    2: (("T", 2), ("V", 4)),
    3: (("X", 2), ("S", 5)),
    4: (("P", 3), ("V", 5)),
}
"""From each node, the two symbols that may come next and where they lead; node 5 is the end."""


def embedded_reber(draw: np.random.Generator) -> str:
    """A string of the grammar: B, T or P, a string of the Reber grammar, the same T or P again, E.
    At a node with two ways both are as likely.

    >>> embedded_reber(np.random.default_rng(0))
    'BPBPVPXTTTTVVEPE'
    """
    outer = "TP"[draw.integers(2)]
    text, node = "B", 0
    while node != 5:
        symbol, node = REBER[node][draw.integers(2)]
        text += symbol
    return f"B{outer}{text}E{outer}E"


def successors(text: str) -> list[str]:
    """What may stand after each symbol of an embedded Reber string, but the last one.

    >>> successors("BTBPVVETE")
    ['TP', 'B', 'TP', 'TV', 'PV', 'E', 'T', 'E']

    Raises:
        ValueError: It is no such string.
    """
    found, node = ["TP", "B", "TP"], 0
    for symbol in text[3:-3]:
        node = dict(REBER.get(node, ())).get(symbol)
        found.append("".join(s for s, _ in REBER.get(node, (("E", None),))))
    if node != 5 or text[:3] not in ("BTB", "BPB") or text[-3:] != f"E{text[1]}E":
        raise ValueError(f"{text!r} is no string of the embedded Reber grammar")
    return [*found, text[1], "E"]


def encoded(texts: list[str], steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Strings as numbers: each symbol but the last is read, and the next one is its target.

    Returns:
        x int32 ``[strings, steps]``, all ending at the last step; target one-hot ``[strings,
        steps, 7]``; the first step of each, int32; bool ``[strings, steps, 7]``: what may be next.
    """
    shape = (len(texts), steps)
    x, target = np.zeros(shape, "int32"), np.zeros((*shape, 7), "float32")
    legal, start = np.zeros((*shape, 7), bool), np.zeros(len(texts), "int32")
    for k, text in enumerate(texts):
        ids = [SYMBOLS.index(symbol) for symbol in text]
        start[k] = steps - len(text) + 1
        x[k, start[k] :] = ids[:-1]
        target[k, range(start[k], steps), ids[1:]] = 1.0
        for step, symbols in enumerate(successors(text), start[k]):
            legal[k, step, [SYMBOLS.index(symbol) for symbol in symbols]] = True
    return x, target, start, legal
