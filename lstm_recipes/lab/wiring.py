"""How the networks of 1997 and 2000 are wired, to the last weight."""

from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from lstm_recipes.layers import CECLSTM, ForgetGateLSTM, PeepholeLSTM


@dataclass(frozen=True)
class Wiring:
    """Memory cell blocks and logistic outputs (Hochreiter & Schmidhuber 1997, section 4).

    Every hidden unit, gate or cell, sees the inputs, and the last step of all cells and, where the
    gates feed back, of all gates.

    >>> Wiring(inputs=2, outputs=1, blocks=2, block_size=2).weights  # the adding problem's
    93
    """

    inputs: int
    outputs: int
    blocks: int
    block_size: int = 1
    forget_gate: bool = False  # 2000's
    output_gate: bool = True  # not in experiment 2a and 2b
    recurrent: bool = True  # whether the cells feed back, and with them the gates
    gate_feedback: bool = True
    hidden_bias: bool | Literal["gates"] = True
    output_bias: bool = True
    direct: bool = False  # whether the outputs see the inputs too
    peepholes: bool = False  # 2000's and 2002's: a gate sees the cells of its block
    activation: Literal["cec_input", "sigmoid", "linear"] = "cec_input"  # of a cell's input, g
    output_activation: Literal["cec_output", "linear"] = "cec_output"  # of its state, h
    logistic: bool = True  # whether the outputs are logistic and not linear

    @property
    def cells(self) -> int:
        return self.blocks * self.block_size

    @property
    def columns(self) -> list[tuple[str, int]]:
        """The hidden units by what they are, in the layers' order, and how many."""
        gates = [("i", self.blocks), ("f", self.blocks * self.forget_gate), ("c", self.cells)]
        gates.append(("o", self.blocks * self.output_gate))
        return [(name, width) for name, width in gates if width]

    @property
    def fed_back(self) -> int:
        """How many numbers of the last step the hidden units see."""
        gates = sum(width for name, width in self.columns if name != "c")
        return self.recurrent * (self.cells + self.gate_feedback * gates)

    @property
    def hidden_mask(self) -> np.ndarray:
        """bool ``[inputs + fed back (+ cells) + 1, hidden units]``: which weights there are. The
        last row is the bias; those of the cells before it are the peepholes."""
        peeping = self.cells * self.peepholes
        rows = self.inputs + self.fed_back + peeping + 1
        names = self._names
        mask = np.ones((rows, len(names)), bool)
        if self.peepholes:
            block = np.concatenate([np.arange(width) for _, width in self.columns])
            own = block == np.arange(self.cells)[:, None] // self.block_size
            mask[-1 - peeping : -1] = own & (names != "c")
        mask[-1] = self.hidden_bias is True
        if self.hidden_bias == "gates":
            mask[-1] = names != "c"
        return mask

    @property
    def output_mask(self) -> np.ndarray:
        """bool ``[cells + inputs + 1, outputs]``: which weights there are; the last row is the
        bias."""
        mask = np.ones((self.cells + self.inputs + 1, self.outputs), bool)
        mask[self.cells : -1] = self.direct
        mask[-1] = self.output_bias
        return mask

    @property
    def weights(self) -> int:
        """How many weights the network has."""
        return int(self.hidden_mask.sum() + self.output_mask.sum())

    def model(self, hidden: np.ndarray, output: np.ndarray) -> keras.Model:
        """The same network of the package's layers, float32 ``[batch, time, inputs]`` in and
        ``[batch, time, outputs]`` out, with the weights of one trial (as the masks are laid out).

        Raises:
            ValueError: The wiring is that of experiment 2a, which no layer has.
        """
        x = keras.Input((None, self.inputs))
        layer = self.layer(truncated_gradient=True)
        h = layer(x)
        seen = keras.layers.Concatenate()([h, x]) if self.direct else h
        activation = "sigmoid" if self.logistic else "linear"
        dense = keras.layers.Dense(self.outputs, activation, use_bias=self.output_bias)
        model = keras.Model(x, dense(seen))
        kernels = np.split(hidden, [self.inputs, self.inputs + self.fed_back])
        weights = [*kernels[:2], hidden[-1][self.hidden_mask[-1]]]
        weights = weights if self.hidden_bias else weights[:2]
        peephole = [self._peephole(kernels[2][:-1])] if self.peepholes else []
        layer.set_weights([*weights, *peephole])
        rows = self.cells + self.inputs * self.direct
        dense.set_weights([output[:rows], *([output[-1]] if self.output_bias else [])])
        return model

    def layer(self, networks: int = 1, **options: Any) -> keras.layers.RNN:
        """The package's layer that has the cells of so many networks, and gives every step's h.

        Raises:
            ValueError: The wiring is that of experiment 2a, which no layer has.
        """
        if not (self.output_gate and self.recurrent):
            raise ValueError("a network without output gates or recurrence is the laboratory's own")
        layer_class = ForgetGateLSTM if self.forget_gate else CECLSTM
        return (PeepholeLSTM if self.peepholes else layer_class)(
            self.cells * networks,
            return_sequences=True,
            block_size=self.block_size,
            use_bias=self.hidden_bias,
            gate_feedback=self.gate_feedback,
            activation=self.activation,
            output_activation=self.output_activation,
            **options,
        )

    def _peephole(self, rows: np.ndarray) -> np.ndarray:
        """The layer's ``[3, cells]`` out of the cells' rows, where each block's gates see them."""
        cells = np.arange(self.cells)
        columns = [np.flatnonzero(self._names == name)[cells // self.block_size] for name in "ifo"]
        return np.stack([rows[cells, own] for own in columns])

    @property
    def _names(self) -> np.ndarray:
        """What each hidden unit is."""
        return np.repeat(*map(np.array, zip(*self.columns, strict=True)))
