"""The learning rule of 1997, computed forwards in time, for many networks at once.

Errors that reach the net input of a gate or a cell change the weights into it and go no further
back; only a cell's connection to itself, of weight 1.0, carries error through time. So how a cell's
state depends on each weight can be carried along, a number a weight, and nothing has to be kept
(Hochreiter & Schmidhuber 1997, appendix A.1; with forget gates Gers et al. 2000, section 3):

    S_c(t) = f S_c(t-1) + i g'(z_c) y_l                 for weights from unit l into the cell
    S_i(t) = f S_i(t-1) + g(z_c) i'(z_i) y_l            into its block's input gate
    S_f(t) = f S_f(t-1) + c(t-1) f'(z_f) y_l            into its block's forget gate, if any

    δ_k = (target_k - y_k) y_k (1 - y_k)                the logistic outputs' squared error
    (a linear output's: δ_k = target_k - y_k; where a target is NaN nothing is asked, and δ_k = 0)
    e_j = Σ_k w_kj δ_k
    Δw_out = δ_k y;   Δw_o = o'(z_o) (Σ_j h(c_j) e_j) y_l;   Δw_{c,i,f} = Σ_j e_j o h'(c_j) S_j

A peephole is one more weight: y_l is c(t-1) for i and f, and c(t) for o (Gers, Schraudolph &
Schmidhuber 2002, section 2.3).

Each step costs the same whatever came before it: local in space and time. All arrays have the
networks, the trials, on their last axis, and one compiled loop runs them side by side. A test
holds the rule to the gradient of the package's layers with ``truncated_gradient=True``.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lstm_recipes.lab.wiring import Wiring


def _two_tanh(z: Any) -> tuple[Any, Any]:
    g = 2.0 * tf.tanh(0.5 * z)
    return g, 1.0 - 0.25 * g * g


def _half_tanh(c: Any) -> tuple[Any, Any]:
    h = tf.tanh(0.5 * c)
    return h, 0.5 * (1.0 - h * h)


def _sigmoid(z: Any) -> tuple[Any, Any]:
    g = tf.sigmoid(z)
    return g, g * (1.0 - g)


ACTIVATIONS = {
    "cec_input": _two_tanh,
    "cec_output": _half_tanh,
    "sigmoid": _sigmoid,
    "linear": lambda z: (z, tf.ones_like(z)),
}
"""A value and its slope, by what the package's layers call it."""


class Carried(NamedTuple):
    """What goes from a step to the next; the last axis is the trial."""

    seen: Any
    """``[rows, trials]``: what the hidden units saw at this step; c at the peepholes' rows is that
    before the step."""
    gates: dict[str, Any]
    """``[blocks, trials]`` each: the gates' values."""
    c: Any
    """``[cells, trials]``"""
    traces: dict[str, Any]
    """``[rows, cells, trials]`` each: how c depends on the weights into i, f and the cell."""
    symbols: dict[str, Any]
    """``[trials, symbols, cells]`` each: the same of the input's weights, where the inputs are
    symbols and nothing is forgotten. Then but one row a step grows."""


class ForwardRule:
    """Trains networks of one wiring, each on sequences of its own.

    Args:
        wiring: Of all of them.
        learning_rate: Plain gradient descent's.
        every_step: Whether there is a target at every step; otherwise at the last one alone.
        update_each_step: Whether the weights change at every step, and not after each sequence.
    """

    def __init__(
        self,
        wiring: Wiring,
        learning_rate: float,
        *,
        every_step: bool = False,
        update_each_step: bool = False,
    ):
        self.wiring, self.learning_rate = wiring, learning_rate
        self.every_step, self.update_each_step = every_step, update_each_step
        self.hidden_mask = wiring.hidden_mask.astype("float32")[:, :, None]
        self.output_mask = wiring.output_mask.astype("float32")[:, :, None]
        self.train = tf.function(self._train, jit_compile=True)
        self.outputs = tf.function(self._outputs, jit_compile=True)

    # One step.

    def start(self, trials: int, by_symbol: bool = False) -> Carried:
        """Before the first step: all zero."""
        w, rows = self.wiring, len(self.hidden_mask)
        zeros = lambda *shape: tf.zeros((*shape, trials))  # noqa: E731
        gates = {name: zeros(width) for name, width in w.columns if name != "c"}
        traced = [name for name, _ in w.columns if name != "o"]
        rows -= w.inputs * by_symbol
        traces = {name: zeros(rows, w.cells) for name in traced}
        symbols = {n: tf.zeros((trials, w.inputs, w.cells)) for n in traced if by_symbol}
        return Carried(zeros(rows), gates, zeros(w.cells), traces, symbols)

    def step(self, hidden: Any, x: Any, last: Carried, begun: Any) -> Carried:
        """The equations above.

        Args:
            hidden: ``[rows, hidden units, trials]``; or the rows of the inputs apart and first,
                ``[trials, inputs, hidden units]``, if x are symbols.
            x: ``[inputs, trials]``, or int32 ``[trials]``, the symbols' numbers.
            last: From the step before.
            begun: 1 or 0 of each trial; until it has begun all stays zero.
        """
        symbols, after = None, ()
        if isinstance(hidden, tuple):
            (of_symbols, hidden), symbols = hidden, x
            after = (tf.transpose(tf.gather(of_symbols, symbols, batch_dims=1)),)
        inputs = [x] if symbols is None else []
        peeped = [last.c] * self.wiring.peepholes
        ones = tf.ones_like(last.c[:1])
        seen = begun * tf.concat([*inputs, *self._fed_back(last), *peeped, ones], axis=0)
        z = tf.reduce_sum(hidden * seen[:, None], axis=0)
        z = self._split(tf.add_n([z, *after]))
        opened = lambda name: begun * tf.sigmoid(z[name])  # noqa: E731
        gates = {name: opened(name) for name in z if name not in "co"}
        g, slope = ACTIVATIONS[self.wiring.activation](z["c"])
        i = self._spread(gates["i"])
        grown = {"i": g * i * (1.0 - i), "c": i * slope}
        kept = 1.0
        if "f" in gates:
            kept = self._spread(gates["f"])
            grown["f"] = last.c * kept * (1.0 - kept)
        traces = {k: kept * s + grown[k] * seen[:, None] for k, s in last.traces.items()}
        rows = symbols if symbols is None else tf.stack([tf.range(len(begun)), symbols], axis=1)
        by_symbol = {
            k: tf.tensor_scatter_nd_add(s, rows, tf.transpose(grown[k]))
            for k, s in last.symbols.items()
        }
        c = kept * last.c + i * g
        if "o" in z:
            if self.wiring.peepholes:
                z["o"] += self._late_peep(hidden, begun * (c - last.c))
            gates["o"] = opened("o")
        return Carried(seen, gates, c, traces, by_symbol)

    def _late_peep(self, hidden: Any, grown: Any) -> Any:
        """By how much the output gate's net input changes when it sees c of now."""
        w = self.wiring
        peepholes = hidden[-1 - w.cells : -1, -w.blocks :]
        return tf.reduce_sum(peepholes * grown[:, None], axis=0)

    def _fed_back(self, last: Carried) -> list:
        if not self.wiring.recurrent:
            return []
        gates = list(last.gates.values()) if self.wiring.gate_feedback else []
        return [self._shown(last)[-1], *gates]

    def _shown(self, now: Carried) -> tuple[Any, Any, Any]:
        """h(c), its slope, and what the cells put out, ``[cells, trials]``."""
        h, slope = ACTIVATIONS[self.wiring.output_activation](now.c)
        o = self._spread(now.gates["o"]) if "o" in now.gates else 1.0
        return h, slope, o * h

    def _output(self, output: Any, now: Carried) -> tuple[Any, Any]:
        """What the outputs see, and what they put out."""
        inputs = now.seen[: self.wiring.inputs]
        seen = tf.concat([self._shown(now)[-1], inputs, tf.ones_like(inputs[:1])], axis=0)
        y = tf.reduce_sum(output * seen[:, None], axis=0)
        return seen, tf.sigmoid(y) if self.wiring.logistic else y

    def _changes(self, output: Any, now: Carried, target: Any) -> tuple[Any, Any, Any]:
        """Minus the gradient of half the squared error in both weight arrays, and the outputs."""
        seen, y = self._output(output, now)
        delta = tf.where(tf.math.is_nan(target), 0.0, target - y)
        delta *= y * (1.0 - y) if self.wiring.logistic else 1.0
        e = tf.reduce_sum(output[: self.wiring.cells] * delta, axis=1)
        h, slope, _ = self._shown(now)
        opened = self._spread(now.gates["o"]) if "o" in now.gates else 1.0
        d_c = e * opened * slope
        parts = {}
        for name, trace in now.traces.items():
            if now.symbols:
                trace = tf.concat([tf.transpose(now.symbols[name], [1, 2, 0]), trace], axis=0)
            change = trace * d_c
            parts[name] = change if name == "c" else self._gather(change)
        if "o" in now.gates:
            o = now.gates["o"]
            d_o = self._gather((e * h)[None])[0] * o * (1.0 - o)
            parts["o"] = self._seen_late(now)[:, None] * d_o
        change = tf.concat([parts[name] for name, _ in self.wiring.columns], axis=1)
        return change * self.hidden_mask, seen[:, None] * delta * self.output_mask, y

    def _seen_late(self, now: Carried) -> Any:
        """What the output gates saw: through a peephole c of now."""
        if not self.wiring.peepholes:
            return now.seen
        return tf.concat([now.seen[: -1 - self.wiring.cells], now.c, now.seen[-1:]], axis=0)

    def _split(self, z: Any) -> dict[str, Any]:
        names, widths = zip(*self.wiring.columns, strict=True)
        return dict(zip(names, tf.split(z, widths, axis=0), strict=True))

    def _spread(self, gate: Any) -> Any:
        """A gate for each cell of its block."""
        size = self.wiring.block_size
        return gate if size == 1 else tf.repeat(gate, [size] * self.wiring.blocks, axis=0)

    def _gather(self, cells: Any) -> Any:
        """What the cells of a block give to its gate: ``[rows, cells, trials]`` in."""
        shape = (cells.shape[0], self.wiring.blocks, self.wiring.block_size, cells.shape[-1])
        return tf.reduce_sum(tf.reshape(cells, shape), axis=2)

    # Sequences.

    def _train(self, hidden: Any, output: Any, x: Any, target: Any, start: Any) -> tuple:
        """Some sequences, one after the other.

        Args:
            hidden, output: The weights, ``[rows, units, trials]``.
            x: ``[sequences, time, inputs, trials]``, or int32 ``[sequences, time, trials]``, of
                each step the one input that is 1. All sequences end at the last step.
            target: ``[sequences, outputs, trials]``, or ``[sequences, time, outputs, trials]``.
            start: int32 ``[sequences, trials]``: the step at which a sequence begins.

        Returns:
            The weights, and the outputs before each sequence changed them, shaped as the targets.
        """
        count = x.shape[0]
        found = tf.TensorArray(tf.float32, count, element_shape=target.shape[1:])

        def sequence(k: Any, hidden: Any, output: Any, found: Any) -> tuple:
            hidden, output, y = self._sequence(hidden, output, x[k], target[k], start[k], True)
            return k + 1, hidden, output, found.write(k, y)

        _, hidden, output, found = tf.while_loop(
            lambda k, *_: k < count, sequence, (0, hidden, output, found)
        )
        return hidden, output, found.stack()

    def _outputs(self, hidden: Any, output: Any, x: Any, start: Any) -> Any:
        """The outputs for sequences of which nothing is learnt."""
        shape = (*((x.shape[1],) if self.every_step else ()), self.wiring.outputs, x.shape[-1])
        blank = tf.zeros(shape)
        found = tf.TensorArray(tf.float32, x.shape[0], element_shape=shape)

        def sequence(k: Any, found: Any) -> tuple:
            return k + 1, found.write(
                k, self._sequence(hidden, output, x[k], blank, start[k], False)[2]
            )

        return tf.while_loop(lambda k, _: k < x.shape[0], sequence, (0, found))[1].stack()

    def _sequence(
        self, hidden: Any, output: Any, x: Any, target: Any, start: Any, learn: bool
    ) -> tuple:
        steps, trials, inputs = x.shape[0], x.shape[-1], self.wiring.inputs
        dense = len(x.shape) == 3
        by_symbol = not (dense or self.every_step or self.wiring.forget_gate)

        def advance(t: Any, hidden: Any, last: Carried) -> Carried:
            x_t = x[t] if dense or by_symbol else tf.one_hot(x[t], inputs, axis=0)
            return self.step(hidden, x_t, last, tf.cast(t >= start, "float32"))

        if not self.every_step:
            weights = hidden
            if by_symbol:
                weights = tf.transpose(hidden[:inputs], [2, 0, 1]), hidden[inputs:]
            _, last = tf.while_loop(
                lambda t, _: t < steps,
                lambda t, last: (t + 1, advance(t, weights, last)),
                (0, self.start(trials, by_symbol)),
            )
            if by_symbol:
                symbol = tf.one_hot(x[-1], inputs, axis=0)
                last = last._replace(seen=tf.concat([symbol, last.seen], axis=0))
            change, change_output, y = self._changes(output, last, target)
            rate = self.learning_rate * learn
            return hidden + rate * change, output + rate * change_output, y

        found = tf.TensorArray(tf.float32, steps, element_shape=target.shape[1:])

        def learnt(t: Any, hidden: Any, output: Any, total: tuple, last: Carried, found: Any):
            now = advance(t, hidden, last)
            change, change_output, y = self._changes(output, now, target[t])
            rate = self.learning_rate * learn * tf.cast(t >= start, "float32")
            if self.update_each_step:
                hidden, output = hidden + rate * change, output + rate * change_output
            else:
                total = total[0] + rate * change, total[1] + rate * change_output
            return t + 1, hidden, output, total, now, found.write(t, y)

        total = tf.zeros_like(hidden), tf.zeros_like(output)
        _, hidden, output, total, _, found = tf.while_loop(
            lambda t, *_: t < steps, learnt, (0, hidden, output, total, self.start(trials), found)
        )
        return hidden + total[0], output + total[1], found.stack()


def initial_weights(
    wiring: Wiring,
    seeds: list[int],
    bound: float,
    biases: dict[str, list[float]] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Uniform weights in ±``bound``, a trial a seed: ``[rows, units, trials]`` of the hidden units
    and of the outputs. ``biases`` are those of a gate by its column's name, one a block."""
    hidden, output = [], []
    for seed in seeds:
        draw = np.random.default_rng((seed, 0))
        for mask, found in ((wiring.hidden_mask, hidden), (wiring.output_mask, output)):
            found.append(np.where(mask, draw.uniform(-bound, bound, mask.shape), 0.0))
        place = 0
        for name, width in wiring.columns:
            if biases and name in biases:
                hidden[-1][-1, place : place + width] = biases[name]
            place += width
    return np.stack(hidden, -1).astype("float32"), np.stack(output, -1).astype("float32")
