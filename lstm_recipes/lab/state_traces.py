"""What a recurrent layer's gates and states do, step by step."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from lstm_recipes.layers import GRU, from_keras
from lstm_recipes.layers.gated_cell import GatedCell
from lstm_recipes.layers.recurrence import GatedLayer


def trace(layer: Any, inputs: Any, initial_state: Any = None) -> dict[str, np.ndarray]:
    """All that the equations of a layer name, at every step.

    Args:
        layer: A layer of this package, or Keras' LSTM or GRU.
        inputs: float ``[batch, time, features]``; what the layer is called on.
        initial_state: The states before the first step, as the layer takes them; zeros by default.

    Returns:
        By name, float32 ``[batch, time, units]``: i, f, g, o, c and h of an LSTM (g is what the
        input gate lets into the cell; the LSTM of 1997 has no f), z, r, g and h of a GRU (g is its
        candidate). A gate that the cells of a block share stands once for each of them. With
        ``go_backwards`` the steps stand in the order in which they are read.

    Raises:
        ValueError: Another layer was given.

    >>> import numpy as np
    >>> from lstm_recipes.layers import CECLSTM
    >>> found = trace(CECLSTM(4), np.ones((1, 9, 3), "float32"))
    >>> sorted(found), found["c"].shape
    (['c', 'g', 'h', 'i', 'o'], (1, 9, 4))
    >>> bool(np.allclose(found["c"], np.cumsum(found["i"] * found["g"], axis=1)))  # the carousel
    True
    """
    inputs = ops.convert_to_tensor(inputs)
    if not layer.built:
        layer.build(inputs.shape)
    ours = from_keras(layer) if isinstance(layer, keras.layers.LSTM | keras.layers.GRU) else layer
    if not isinstance(ours, GatedLayer):
        raise ValueError(
            f"{layer.name} is a {type(layer).__name__}; give a layer of lstm_recipes.layers, or "
            "keras.layers.LSTM or GRU"
        )
    if ours.go_backwards:
        inputs = ops.flip(inputs, axis=1)
    states = ours.get_initial_state(inputs.shape[0]) if initial_state is None else initial_state
    loop = keras.layers.RNN(_Seen(ours.cell), return_sequences=True)
    states = [ops.convert_to_tensor(s) for s in keras.tree.flatten(states)]
    seen = ops.convert_to_numpy(tf.function(loop)(inputs, initial_state=states))
    return dict(zip(loop.cell.names, np.split(seen, len(loop.cell.names), axis=-1), strict=True))


class _Seen(keras.Layer):
    """A cell whose output is all that its equations name, side by side."""

    def __init__(self, cell: GatedCell):
        super().__init__(autocast=False)
        self.cell, self.state_size, self.built = cell, cell.state_size, True
        self.gates = [{"c": "g", "h": "g"}.get(name, name) for name in cell.columns]
        self.names = [*self.gates, "h"] if _is_gru(cell) else [*self.gates, "c", "h"]

    def call(self, inputs: Any, states: Any) -> tuple[Any, list]:
        cell, states = self.cell, list(states)
        new, kept = cell.pointwise(_net_inputs(cell, inputs, states), states, cell.vectors())
        seen = dict(zip(self.gates, kept, strict=False))  # they stand first in what is kept
        if not _is_gru(cell):
            seen = {k: v if k == "g" else cell.spread(v) for k, v in seen.items()} | {"c": new[1]}
        new = [ops.cast(s, d) for s, d in zip(new, cell.state_dtypes, strict=True)]
        seen["h"] = new[0]
        values = [ops.cast(seen[name], "float32") for name in self.names]
        return ops.concatenate(values, axis=-1), new


def _is_gru(cell: GatedCell) -> bool:
    return isinstance(cell, GRU.cell_class)


def _net_inputs(cell: GatedCell, inputs: Any, states: list) -> list:
    """What goes into the squashing functions of one step, gate by gate."""
    x, kernel = cell.split(cell.project(inputs)), cell.recurrent_product_kernel()
    if not _is_gru(cell) or cell.reset_after:
        return cell.gates(x, cell.split(cell.recur(states, kernel)))
    # This GRU's candidate has a product of its own, of the h that is already reset.
    u_z, u_r, _ = cell.split(cell.recur(states, kernel))
    r = cell.recurrent_activation(x[1] + u_r)
    _, _, u_h = cell.split(cell.recur([r * states[0]], kernel))
    return [x[0] + u_z, x[1] + u_r, x[2] + u_h, ops.zeros_like(u_h)]
