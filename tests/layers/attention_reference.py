"""Attention once more, in plain NumPy: the scores, one query at a time, and the loop of a decoder.

Everything runs on complex numbers as well, for `reference.complex_step`.
"""

from typing import Any, NamedTuple

import numpy as np

from .reference import Wiring, gru_step, lstm_step

SCORES = {
    "bahdanau": {},
    "normalized": {},
    "dot": {"score": "dot"},
    "scaled dot": {"score": "dot", "scale": True},
    "general": {"score": "general"},
    "scaled general": {"score": "general", "scale": True},
    "concat": {"score": "concat", "units": 4},
}


def score(kind: str, w: dict, q, m):
    """e of one query vector and one vector of the memory."""
    if kind == "bahdanau":
        return w["score_kernel"][:, 0] @ np.tanh(q @ w["query_kernel"] + m @ w["memory_kernel"])
    if kind == "normalized":
        v = w["score_kernel"][:, 0]
        z = q @ w["query_kernel"] + m @ w["memory_kernel"] + w["bias"]
        return w["score_length"] / np.sqrt((v * v).sum()) * (v @ np.tanh(z))
    if kind == "concat":
        return w["score_kernel"][:, 0] @ np.tanh(np.concatenate([q, m]) @ w["kernel"])
    if kind.endswith("general"):
        e = q @ (m @ w["memory_kernel"])
    else:
        e = q @ m
    return e * w["score_scale"] if kind.startswith("scaled") else e


def attend(kind: str, w: dict, query, memory, mask=None) -> tuple:
    """Context ``[batch, depth]`` and weights ``[batch, source]`` of one query a row."""
    batch, source, _ = memory.shape
    mask = np.ones((batch, source), bool) if mask is None else mask
    weights = np.zeros((batch, source), np.result_type(query, memory, *w.values()))
    for b in range(batch):
        places = np.flatnonzero(mask[b])
        if len(places):
            e = np.array([score(kind, w, query[b], memory[b, j]) for j in places])
            e = np.exp(e - e.real.max())
            weights[b, places] = e / e.sum()
    return (weights[:, :, None] * memory).sum(axis=1), weights


class Decoder(NamedTuple):
    """The parts of an AttentionCell over one cell, and their weights."""

    kind: str  # of the score
    attention: dict
    wiring: Wiring
    cell: dict
    query: str
    input_feeding: bool = True
    kernel: Any = None

    def step(self, x, last, states: list, memory, mask) -> tuple:
        """One step: the output, the cell's states, the weights."""
        step = gru_step if self.wiring.kind == "gru" else lstm_step
        if self.query == "previous":
            c, weights = attend(self.kind, self.attention, states[0], memory, mask)
            states = step(self.wiring, self.cell, np.concatenate([x, c], axis=1), states)
            return np.concatenate([states[0], c], axis=1), states, weights
        x = np.concatenate([x, last], axis=1) if self.input_feeding else x
        states = step(self.wiring, self.cell, x, states)
        c, weights = attend(self.kind, self.attention, states[0], memory, mask)
        return np.tanh(np.concatenate([c, states[0]], axis=1) @ self.kernel), states, weights

    def run(self, x, memory, mask, states: list, time_mask=None) -> tuple:
        """All outputs, all weights, and the states at the end, the last output first.

        A masked step holds the states, and repeats the output and the weights before it.
        """
        batch, time, _ = x.shape
        units = states[0].shape[1]
        width = units + memory.shape[2] if self.query == "previous" else self.kernel.shape[1]
        last, seen = np.zeros((batch, width)), np.zeros(memory.shape[:2])
        time_mask = np.ones((batch, time), bool) if time_mask is None else time_mask
        outputs, weights = [], []
        for t in range(time):
            runs = time_mask[:, t, None]
            new_last, new, new_seen = self.step(x[:, t], last, states, memory, mask)
            last, seen = np.where(runs, new_last, last), np.where(runs, new_seen, seen)
            states = [np.where(runs, s, old) for s, old in zip(new, states, strict=True)]
            outputs.append(last)
            weights.append(seen)
        return np.stack(outputs, axis=1), np.stack(weights, axis=1), [last, *states]
