"""The loop over time with a backward pass of its own: how the layers run on TensorFlow.

Differentiating a loop costs more than the loop: every step adds its part to the gradient of the
kernel, and what the backward pass reads is written, copied and split along the way. Here each cell
brings its derivative (`pointwise_vjp`, beside `pointwise`), and this file knows nothing else of it.

    forward    z_k = x[t] @ W_k + b_k + feed(s) @ U_k                            k: the gates
               s = where(m, pointwise(z, s), s)
    backward   dz, ds = pointwise_vjp(where(m, ds, 0));  ds[feed] += Σ_k dz_k @ U_kᵀ
    after      dW_k = xᵀ @ dz_k, dU_k = feedsᵀ @ dz_k, dx = Σ_k dz_k @ W_kᵀ: one product each for
               all steps

What made it fast, and of about the size of Keras' own, on processors (benchmarks/layers.py):

- Each gate is a tensor of its own, from kernels of its own. Four products of one step run side by
  side on as many cores; one product four times as wide ran slower, and had to be split by copying.
- Several steps a turn, because every turn of TensorFlow's loop costs the same; the inputs of a
  turn's steps are multiplied together, which was as fast as all steps' and needs no room for them.
- A step's tensors are kept, not copied, on stacks that the backward pass empties: what it has read
  leaves room for what it writes.
- After the loop one gate comes after the other, so that the next takes the room of the last.
- For inference nothing is kept. Should a gradient be asked for all the same, the forward pass is
  run once more.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras

from lstm_recipes.layers.own_gradient import own_gradient

STEPS_FORWARD, STEPS_BACKWARD = 8, 4
"""How many a turn of the loop. Twice as many backward were no faster and take longer to trace."""


class Weights(NamedTuple):
    """A cell's weights, those of each gate as a tensor of its own."""

    kernels: list  # W_k, in the dtype of the products
    biases: list  # b_k, in that of the variables; empty without
    recurrent_kernels: list  # U_k, in the dtype of the products
    vectors: list  # what `pointwise` sees elementwise


def time_loop(
    cell: Any,
    x: Any,
    weights: Weights,
    states: Sequence[Any],
    mask: Any = None,
    feed_mask: Any = None,
    all_steps: bool = True,
    keep: bool = True,
) -> tuple[Any, list]:
    """Run a cell over time.

    Args:
        cell: A ``GatedCell`` whose ``has_derivative`` is true.
        x: The inputs, ``[time, batch, features]``.
        weights: What ``cell.weights_by_gate()`` gives.
        states: Before the first step.
        mask: bool ``[time, batch, 1]``; a masked step changes no state.
        feed_mask: What multiplies h where it feeds back (dropout), ``[batch, units]``.
        all_steps: Whether h is wanted after every step.
        keep: Whether to keep what a gradient needs.

    Returns:
        h after every step, ``[time, batch, units]``, or None; and the states after the last.
    """

    import tensorflow as tf

    arguments = (x, weights, list(states))

    @own_gradient
    def run(*tensors: Any) -> tuple:
        x, weights, states = keras.tree.pack_sequence_as(arguments, tensors)
        inputs = (cell, x, weights, states, mask, feed_mask)
        outputs, last, kept = _forward(*inputs, all_steps or keep, keep)

        def gradient(*d: Any) -> list:
            d_outputs, d_last = (d[0], d[1:]) if all_steps else (None, d)
            h, _, saved = (outputs, last, kept) if keep else _forward(*inputs, True, True)
            dz, dr, d_states, d_vectors = _backward(
                cell, weights, keras.ops.shape(x)[0], saved, d_outputs, d_last, mask, feed_mask
            )
            d_states = [tf.cast(d, s.dtype) for d, s in zip(d_states, states, strict=True)]
            fed = _fed(cell, states[0], h, feed_mask)
            return keras.tree.flatten(
                (*_products_after(x, fed, weights, dz, dr), d_vectors, d_states)
            )

        return ((outputs, *last) if all_steps else tuple(last)), gradient

    results = list(run(*keras.tree.flatten(arguments)))
    return (results[0], results[1:]) if all_steps else (None, results)


def _forward(
    cell: Any,
    x: Any,
    weights: Weights,
    states: Sequence[Any],
    mask: Any,
    feed_mask: Any,
    collect: bool,
    keep: bool,
) -> tuple[Any, list, list]:
    """h after every step if they are to be collected, the last states, and stacks of what the
    derivative needs."""
    import tensorflow as tf

    steps, batch, dtype = keras.ops.shape(x)[0], x.shape[1], cell.variable_dtype

    def turn(t: Any, several: int, states: list, outputs: list, kept: list) -> tuple:
        projected = _projected(x, weights, t, several, dtype)
        for k, z in enumerate(zip(*projected, strict=True)):
            states, outputs, kept = step(t + k, z, states, outputs, kept)
        return states, outputs, kept

    def step(t: Any, z: Sequence, states: list, outputs: list, kept: list) -> tuple:
        fed = cell.as_feed(states[0], feed_mask)
        r = [tf.cast(_product(fed, u), dtype) for u in weights.recurrent_kernels]
        new, saved = cell.pointwise(cell.gates(z, r), states, weights.vectors)
        new = [tf.cast(n, s.dtype) for n, s in zip(new, states, strict=True)]
        if mask is not None:
            now = mask[t]
            new = [tf.where(now, n, s) for n, s in zip(new, states, strict=True)]
        kept = [_push(stack, part) for stack, part in zip(kept, saved if keep else (), strict=True)]
        return new, [array.write(t, new[0]) for array in outputs], kept

    outputs = [_array(steps, states[0].dtype, (batch, states[0].shape[-1]))] if collect else []
    kept = [_stack(steps, dtype, (batch, width)) for width in (cell.kept_widths if keep else [])]
    states, outputs, kept = _turns(steps, STEPS_FORWARD, turn, (list(states), outputs, kept))
    return outputs[0].stack() if collect else None, states, kept


def _projected(x: Any, weights: Weights, t: Any, several: int, dtype: Any) -> list:
    """x W_k + b_k of each gate, for every one of several steps from t on."""
    import tensorflow as tf

    # Not tf.slice, which XLA refuses for a turn that is longer than the sequence, though never run.
    rows = _rows(tf.gather(x, t + tf.range(several)))
    z = [tf.cast(_product(rows, kernel), dtype) for kernel in weights.kernels]
    if weights.biases:
        z = [tf.nn.bias_add(part, bias) for part, bias in zip(z, weights.biases, strict=True)]
    return [tf.split(part, several) for part in z]


def _backward(
    cell: Any,
    weights: Weights,
    steps: Any,
    kept: Sequence[Any],
    d_outputs: Any,
    d_states: Sequence[Any],
    mask: Any,
    feed_mask: Any,
) -> tuple[list, list, list, list]:
    """Gradients: of every gate's x W + b and of its recurrent product for all steps, of the first
    states, and of the vectors."""
    import tensorflow as tf

    batch, dtype = d_states[0].shape[0], cell.variable_dtype
    apart = [k for k, name in enumerate(cell.columns) if name in cell.columns_apart]
    turned = [tf.transpose(u) for u in weights.recurrent_kernels]

    def turn(back: Any, several: int, *carried: Any) -> tuple:
        for k in range(several):
            carried = step(steps - 1 - back - k, *carried)
        return carried

    def step(t: Any, d: list, d_vectors: list, kept: list, dr: list, dz: list) -> tuple:
        if d_outputs is not None:
            d = [d[0] + tf.cast(d_outputs[t], dtype), *d[1:]]
        if mask is not None:
            now = mask[t]
            passed = [tf.where(now, tf.zeros_like(part), part) for part in d]
            d = [tf.where(now, part, tf.zeros_like(part)) for part in d]
        popped = [_pop(s, dtype, (batch, w)) for s, w in zip(kept, cell.kept_widths, strict=True)]
        kept, saved = [list(part) for part in zip(*popped, strict=True)]
        d_pointwise, before, dv = cell.pointwise_vjp(d, saved, weights.vectors)
        dz_t, dr_t = _both(cell, d_pointwise)
        if not cell.truncates:
            parts = [_product(p, u) for p, u in zip(dr_t, turned, strict=True)]
            fed = cell.as_feed(tf.add_n(parts), feed_mask)
            before[0] = _sum(before[0], tf.cast(fed, dtype))
        before = [tf.zeros_like(s) if p is None else p for p, s in zip(before, d, strict=True)]
        if mask is not None:
            before = [one + two for one, two in zip(before, passed, strict=True)]
        d_vectors = [one + two for one, two in zip(d_vectors, dv, strict=True)]
        dr = [array.write(t, part) for array, part in zip(dr, dr_t, strict=True)]
        dz = [array.write(t, dz_t[k]) for array, k in zip(dz, apart, strict=True)]
        return before, d_vectors, kept, dr, dz

    dr = [_array(steps, dtype, (batch, width)) for width in cell.widths]
    more = [_array(steps, dtype, (batch, cell.widths[k])) for k in apart]
    d_states = [tf.cast(part, dtype) for part in d_states]
    sums = [tf.zeros_like(d_states[0]) for _ in weights.vectors]
    first, sums, _, dr, more = _turns(
        steps, STEPS_BACKWARD, turn, (d_states, sums, list(kept), dr, more)
    )
    dz = list(dr)
    for k, array in zip(apart, more, strict=True):
        dz[k] = array
    return dz, dr, first, [tf.reduce_sum(part, axis=0) for part in sums]


def _products_after(x: Any, fed: Any, weights: Weights, dz: list, dr: list) -> tuple:
    """The gradients of x, of W, of b and of U, from those of all steps, gate by gate: the next
    one's take the room of those before."""
    import tensorflow as tf

    shape, x, fed = tf.shape(x), _rows(x), _rows(fed)
    dx, d_kernels, d_biases, d_recurrent = None, [], [], []
    done: list = []
    for kernel, of_z, of_r in zip(weights.kernels, dz, dr, strict=True):
        with tf.control_dependencies(done):
            rows = _rows(of_r.stack())
            d_recurrent.append(_product(fed, rows, transpose_a=True))
            if of_z is not of_r:
                rows = _rows(of_z.stack())
        d_kernels.append(_product(x, rows, transpose_a=True))
        dx = _sum(dx, _product(rows, kernel, transpose_b=True))
        if weights.biases:
            d_biases.append(tf.reduce_sum(rows, axis=0))
        done = [d_recurrent[-1], d_kernels[-1], dx, *d_biases[-1:]]
    return tf.reshape(dx, shape), d_kernels, d_biases, d_recurrent


def _fed(cell: Any, first: Any, h: Any, feed_mask: Any) -> Any:
    """What the recurrent kernel multiplied at every step."""
    import tensorflow as tf

    fed = tf.concat([first[None], h[:-1]], axis=0)
    return cell.as_feed(fed, None if feed_mask is None else feed_mask[None])


def _turns(steps: Any, at_once: int, turn: Callable, carried: tuple) -> tuple:
    """``carried = turn(t, several, *carried)``, so many at once, then the rest one by one. Where
    ``steps`` is an int, known, a loop without a turn is left out: XLA takes seconds over each."""
    import tensorflow as tf

    t = tf.constant(0)
    known = divmod(steps, at_once) if isinstance(steps, int) else (None, None)
    for several, turns in zip((at_once, 1), known, strict=True):
        if turns == 0:
            continue

        def goes_on(t: Any, *_: Any, several: int = several) -> Any:
            return t + several <= steps

        def body(t: Any, *carried: Any, several: int = several) -> tuple:
            return (t + several, *turn(t, several, *carried))

        t, *carried = tf.while_loop(goes_on, body, (t, *carried), parallel_iterations=1)
    return tuple(carried)


# A stack gives back what it was given, the last first, and holds it no longer. (TensorFlow has no
# other name for these.) An array is read whole.


def _stack(steps: Any, dtype: Any, shape: tuple) -> Any:
    import tensorflow as tf

    return tf.raw_ops.EmptyTensorList(
        element_shape=_known(shape), max_num_elements=steps, element_dtype=dtype
    )


def _push(stack: Any, part: Any) -> Any:
    import tensorflow as tf

    return tf.raw_ops.TensorListPushBack(input_handle=stack, tensor=part)


def _pop(stack: Any, dtype: Any, shape: tuple) -> tuple:
    import tensorflow as tf

    return tf.raw_ops.TensorListPopBack(
        input_handle=stack, element_shape=_known(shape), element_dtype=dtype
    )


def _known(shape: tuple) -> list:
    return [-1 if size is None else size for size in shape]


def _array(steps: Any, dtype: Any, shape: tuple) -> Any:
    import tensorflow as tf

    return tf.TensorArray(dtype, size=steps, element_shape=shape)


def _rows(sequences: Any) -> Any:
    """``[time, batch, width]`` as ``[time · batch, width]``."""
    import tensorflow as tf

    return tf.reshape(sequences, [-1, sequences.shape[-1]])


def _product(a: Any, b: Any, **transposed: bool) -> Any:
    """a b in the dtype of the kernel, or of what feeds it."""
    import tensorflow as tf

    lower = b.dtype if b.dtype.size < a.dtype.size else a.dtype
    return tf.matmul(tf.cast(a, lower), tf.cast(b, lower), **transposed)


def _both(cell: Any, dz: list) -> tuple[list, list]:
    """The gradients of each column's x W + b and of its recurrent product."""
    parts, dx, dr = iter(dz), [], []
    for name in cell.columns:
        dx.append(next(parts))
        dr.append(next(parts) if name in cell.columns_apart else dx[-1])
    return dx, dr


def _sum(one: Any, two: Any) -> Any:
    return two if one is None else one + two
