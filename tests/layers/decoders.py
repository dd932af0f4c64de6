"""Small decoders in each wiring, and the same in NumPy: what the tests of the cell share."""

import numpy as np
import pytest

from lstm_recipes.layers import (
    AttentionCell,
    AttentionRNN,
    BahdanauAttention,
    ForgetGateLSTMCell,
    GRUCell,
    LuongAttention,
)

from .attention_reference import Decoder
from .helpers import MASKS, array, numpy, randomize
from .reference import Wiring

EVERY = {"return_sequences": True, "return_state": True}
X, MEMORY = array(3, 5, 4), array(3, 6, 2, seed=1)
MEMORY_MASK = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]], bool)
TIME_MASK = np.array(MASKS["gaps"], bool)

WIRINGS = {
    "previous": {"query": "previous"},
    "current": {"query": "current"},
    "not fed": {"query": "current", "input_feeding": False},
    "other width": {"query": "current", "units": 5},
}
every_wiring = pytest.mark.parametrize("wiring", WIRINGS)
CELLS = {"forget": ForgetGateLSTMCell, "gru": GRUCell}


def cell_of(wiring: str, kind: str = "forget", **policy) -> AttentionCell:
    """Bahdanau's attention normalised for the first wiring, Luong's general for the others."""
    if wiring == "previous":
        attention = BahdanauAttention(4, normalize=True, **policy)
    else:
        attention = LuongAttention("general", **policy)
    return AttentionCell(CELLS[kind](3, **policy), attention, **WIRINGS[wiring], **policy)


def decoder_of(wiring: str, kind: str = "forget", seed: int = 0, **policy) -> AttentionRNN:
    layer = AttentionRNN(cell_of(wiring, kind, **policy), **EVERY, **policy)
    layer.build((None, None, 4), (None, None, 2))
    return randomize(layer, seed, scale=0.7)


def reference_of(layer: AttentionRNN, arrays: list | None = None) -> Decoder:
    """The same decoder in NumPy, with its own weights or with these."""
    cell = layer.cell
    values = [numpy(w.value).astype("float64") for w in layer.weights] if arrays is None else arrays
    by_id = dict(zip((id(w) for w in layer.weights), values, strict=True))
    attention, inner = (
        {w.name: by_id[id(w)] for w in part.weights if id(w) in by_id}
        for part in (cell.attention, cell.cell)
    )
    return Decoder(
        kind="normalized" if cell.query == "previous" else "general",
        attention=attention,
        wiring=Wiring("gru" if isinstance(cell.cell, GRUCell) else "forget", 3),
        cell=inner,
        query=cell.query,
        input_feeding=cell.input_feeding,
        kernel=by_id[id(cell.kernel)] if cell.query == "current" else None,
    )


def own_states(layer: AttentionRNN, batch: int) -> list:
    return [array(batch, n, seed=20 + k) for k, n in enumerate(layer.cell.state_size[1:])]
