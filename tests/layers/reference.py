"""The layers once more, in plain NumPy: the equations, and the loop over masked time.

Everything runs on complex numbers as well, so that a derivative is the imaginary part after
an imaginary nudge (the complex step, exact to rounding). What a truncated gradient stops, the
real part stops: ``np.real`` is ``stop_gradient``.
"""

from typing import Any, NamedTuple

import numpy as np


class Wiring(NamedTuple):
    """The arguments that change the equations, with the layers' names."""

    kind: str  # cec, forget, peephole, gru
    units: int
    block_size: int = 1
    use_bias: bool | str = True
    gate_feedback: bool = False
    truncated_gradient: bool = False
    reset_after: bool = True


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_step(wiring: Wiring, w: dict, x, states):
    """One step of the three LSTMs: from x and (h, c[, gates]) to the next states."""
    n, blocks = wiring.units, wiring.units // wiring.block_size
    forgets = wiring.kind != "cec"
    stop = np.real if wiring.truncated_gradient else np.asarray
    fed, c = np.concatenate([states[0], *states[2:]], axis=1), states[1]

    z = x @ w["kernel"] + stop(fed) @ w["recurrent_kernel"]
    gates = blocks * (1 + forgets)  # the columns before the cells': i, and f if there is one
    if wiring.use_bias == "gates":
        z = z + np.insert(w["bias"], [gates] * n, 0)
    elif wiring.use_bias:
        z = z + w["bias"]
    z_i, z_f, z_c, z_o = z[:, :blocks], z[:, blocks:gates], z[:, gates : gates + n], z[:, -blocks:]

    def peep(k, c):
        seen = w["peephole"][k] * stop(c) if "peephole" in w else 0 * c
        return seen.reshape(-1, blocks, wiring.block_size).sum(axis=2)

    def per_cell(gate):
        return np.repeat(gate, wiring.block_size, axis=1)

    g = (lambda x: 4 * sigmoid(x) - 2) if wiring.kind == "cec" else np.tanh
    h = (lambda x: 2 * sigmoid(x) - 1) if wiring.kind == "cec" else np.tanh
    i = sigmoid(z_i + peep(0, c))
    f = [sigmoid(z_f + peep(1, c))] if forgets else []
    c = (per_cell(f[0]) if forgets else 1.0) * c + per_cell(i) * g(z_c)
    o = sigmoid(z_o + peep(2, c))
    feedback = [np.concatenate([i, *f, o], axis=1)] if wiring.gate_feedback else []
    return [per_cell(o) * h(c), c, *feedback]


def gru_step(wiring: Wiring, w: dict, x, states):
    """One step of the GRU, reset before or after the recurrent product."""
    (h,) = states
    n, u = wiring.units, w["recurrent_kernel"]
    bias = np.reshape(w["bias"], (-1, 3 * n)) if wiring.use_bias else np.zeros((2, 3 * n))
    b_in, b_rec = bias[0], (bias[1] if wiring.reset_after else np.zeros(3 * n))
    x = x @ w["kernel"] + b_in
    z = sigmoid(x[:, :n] + h @ u[:, :n] + b_rec[:n])
    r = sigmoid(x[:, n : 2 * n] + h @ u[:, n : 2 * n] + b_rec[n : 2 * n])
    u_h, b_h = u[:, 2 * n :], b_rec[2 * n :]
    reset = r * (h @ u_h + b_h) if wiring.reset_after else (r * h) @ u_h
    return [z * h + (1 - z) * np.tanh(x[:, 2 * n :] + reset)]


def run(
    wiring: Wiring,
    w: dict,
    x,
    states: list,
    mask=None,
    *,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
    output_before: Any = 0.0,
) -> tuple:
    """All outputs ``[batch, time, units]`` in the order of computing, and the last states.

    A masked step holds the states; its output is the previous one, or zero. ``output_before``
    stands for the output before the first step.
    """
    step = gru_step if wiring.kind == "gru" else lstm_step
    batch, time, _ = x.shape
    mask = np.ones((batch, time), bool) if mask is None else mask
    output, outputs = np.zeros((batch, wiring.units)) + output_before, []
    for t in reversed(range(time)) if go_backwards else range(time):
        seen, new = mask[:, t, None], step(wiring, w, x[:, t], states)
        output = np.where(seen, new[0], 0.0 if zero_output_for_mask else output)
        states = [np.where(seen, s, old) for s, old in zip(new, states, strict=True)]
        outputs.append(output)
    return np.stack(outputs, axis=1), states


def complex_step(loss, arrays: list) -> list:
    """The derivative of a real loss by every number of every array, exact to rounding."""
    derivatives = []
    for k, array in enumerate(arrays):
        derivative = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            nudged = array.astype(complex)
            nudged[index] += 1e-30j
            derivative[index] = np.imag(loss([*arrays[:k], nudged, *arrays[k + 1 :]])) / 1e-30
        derivatives.append(derivative)
    return derivatives
