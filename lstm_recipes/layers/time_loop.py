"""The loop over time with a backward pass of its own: how the layers run on TensorFlow.

Differentiating a loop costs more than the loop: every step adds its part to the gradient of the
kernel, and what the backward pass reads is written, copied and split along the way. Here each cell
brings its derivative (`pointwise_vjp`, beside `pointwise`), and this file knows nothing else of it.

    forward    z_k = x_k[t] + feed(s) @ U_k;  s = where(m, pointwise(z, s), s)       k: the gates
    backward   dz, ds = pointwise_vjp(where(m, ds, 0));  ds[feed] += Σ_k dz_k @ U_kᵀ
    after      dU_k = feedsᵀ @ dz_k, one product for all steps; x's own products, before the loop
               and after it, are nobody's business here

What made it fast, on processors (measured by benchmarks/layers.py):

- Each gate is a tensor of its own, from a kernel of its own. Four products of one step run side by
  side on as many cores; one product four times as wide ran slower, and had to be split by copying.
- A step's tensors are kept, not copied: a TensorArray holds them until the backward pass reads
  them. x[t] is a view, since time stands first.
- Several steps a turn, because every turn of TensorFlow's loop costs the same.
- For inference nothing is kept. Should a gradient be asked for all the same, the forward pass is
  run once more.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lstm_recipes.layers.own_gradient import own_gradient

STEPS_A_TURN = 4


def time_loop(
    cell: Any,
    x: Sequence[Any],
    kernel: Any,
    vectors: Sequence[Any],
    states: Sequence[Any],
    mask: Any = None,
    feed_mask: Any = None,
    all_steps: bool = True,
    keep: bool = True,
) -> tuple[Any, list]:
    """Run a cell over time.

    Args:
        cell: A ``GatedCell`` whose ``has_derivative`` is true.
        x: The projected inputs of each gate, ``[time, batch, width]``.
        kernel: The recurrent kernel in the dtype of the products.
        vectors: What ``cell.vectors()`` gives.
        states: Before the first step.
        mask: bool ``[time, batch, 1]``; a masked step changes no state.
        feed_mask: What multiplies h where it feeds back (dropout), ``[batch, units]``.
        all_steps: Whether h is wanted after every step.
        keep: Whether to keep what a gradient needs.

    Returns:
        h after every step, ``[time, batch, units]``, or None; and the states after the last.
    """
    import tensorflow as tf

    gates, others = len(x), len(vectors)

    @own_gradient
    def run(*arguments: Any) -> tuple:
        x, kernels = arguments[:gates], cell.split(arguments[gates])
        vectors, states = arguments[gates + 1 :][:others], arguments[gates + 1 + others :]
        inputs = (cell, x, kernels, vectors, states, mask, feed_mask)
        outputs, last, kept = _forward(*inputs, all_steps or keep, keep)

        def gradient(*d: Any) -> tuple:
            d_outputs, d_last = (d[0], d[1:]) if all_steps else (None, d)
            h, _, saved = (outputs, last, kept) if keep else _forward(*inputs, True, True)
            dx, dr, d_states, d_vectors = _backward(
                cell, kernels, vectors, saved, d_outputs, d_last, mask, feed_mask
            )
            fed = tf.concat([states[0][None], h[:-1]], axis=0)
            fed = cell.as_feed(fed, None if feed_mask is None else feed_mask[None])
            fed = tf.reshape(fed, [-1, fed.shape[-1]])
            d_kernel = [
                _product(fed, tf.reshape(part, [-1, part.shape[-1]]), transpose_a=True)
                for part in dr
            ]
            d_states = [tf.cast(d, s.dtype) for d, s in zip(d_states, states, strict=True)]
            return (*dx, tf.concat(d_kernel, axis=1), *d_vectors, *d_states)

        return ((outputs, *last) if all_steps else tuple(last)), gradient

    results = list(run(*x, kernel, *vectors, *states))
    return (results[0], results[1:]) if all_steps else (None, results)


def _forward(
    cell: Any,
    x: Sequence[Any],
    kernels: Sequence[Any],
    vectors: Sequence[Any],
    states: Sequence[Any],
    mask: Any,
    feed_mask: Any,
    collect: bool,
    keep: bool,
) -> tuple[Any, list, list]:
    """h after every step if they are to be collected, the last states, and arrays of what the
    derivative needs."""
    import tensorflow as tf

    steps, batch = tf.shape(x[0])[0], x[0].shape[1]
    widths = cell.kept_widths if keep else []

    def step(t: Any, states: list, outputs: list, kept: list) -> tuple:
        fed = cell.as_feed(states[0], feed_mask)
        r = [_product(fed, kernel) for kernel in kernels]
        r = [tf.cast(part, x[0].dtype) for part in r]
        z = cell.gates([part[t] for part in x], r)
        new, saved = cell.pointwise(z, states, vectors)
        new = [tf.cast(n, s.dtype) for n, s in zip(new, states, strict=True)]
        if mask is not None:
            now = mask[t]
            new = [tf.where(now, n, s) for n, s in zip(new, states, strict=True)]
        kept = [a.write(t, part) for a, part in zip(kept, saved if keep else (), strict=True)]
        return new, [array.write(t, new[0]) for array in outputs], kept

    shape = (batch, states[0].shape[-1])
    outputs = [_array(steps, states[0].dtype, shape)] if collect else []
    kept = [_array(steps, x[0].dtype, (batch, width)) for width in widths]
    states, outputs, kept = _turns(steps, step, (list(states), outputs, kept))
    return outputs[0].stack() if collect else None, states, kept


def _backward(
    cell: Any,
    kernels: Sequence[Any],
    vectors: Sequence[Any],
    kept: Sequence[Any],
    d_outputs: Any,
    d_states: Sequence[Any],
    mask: Any,
    feed_mask: Any,
) -> tuple[list, list, list, list]:
    """Gradients: of every gate's input and of its product for all steps, of the first states, and
    of the vectors."""
    import tensorflow as tf

    steps, batch, dtype = kept[0].size(), d_states[0].shape[0], cell.variable_dtype
    apart = [k for k, name in enumerate(cell.columns) if name in cell.columns_apart]
    turned = [tf.transpose(u) for u in kernels]

    def step(back: Any, d: list, d_vectors: list, dr: list, dx: list) -> tuple:
        t = steps - 1 - back
        if d_outputs is not None:
            d = [d[0] + tf.cast(d_outputs[t], dtype), *d[1:]]
        if mask is not None:
            now = mask[t]
            passed = [tf.where(now, tf.zeros_like(part), part) for part in d]
            d = [tf.where(now, part, tf.zeros_like(part)) for part in d]
        saved = [array.read(t) for array in kept]
        dz, before, dv = cell.pointwise_vjp(d, saved, vectors)
        dx_t, dr_t = _both(cell, dz)
        if not cell.truncates:
            parts = [_product(p, u) for p, u in zip(dr_t, turned, strict=True)]
            fed = cell.as_feed(tf.add_n(parts), feed_mask)
            before[0] = _sum(before[0], tf.cast(fed, dtype))
        before = [tf.zeros_like(s) if p is None else p for p, s in zip(before, d, strict=True)]
        if mask is not None:
            before = [one + two for one, two in zip(before, passed, strict=True)]
        d_vectors = [one + two for one, two in zip(d_vectors, dv, strict=True)]
        dr = [array.write(t, part) for array, part in zip(dr, dr_t, strict=True)]
        dx = [array.write(t, dx_t[k]) for array, k in zip(dx, apart, strict=True)]
        return before, d_vectors, dr, dx

    arrays = [_array(steps, dtype, (batch, width)) for width in cell.widths]
    more = [_array(steps, dtype, (batch, cell.widths[k])) for k in apart]
    d_states = [tf.cast(part, dtype) for part in d_states]
    sums = [tf.zeros_like(d_states[0]) for _ in vectors]
    first, sums, arrays, more = _turns(steps, step, (d_states, sums, arrays, more))
    dr = [array.stack() for array in arrays]
    dx = list(dr)
    for k, array in zip(apart, more, strict=True):
        dx[k] = array.stack()
    return dx, dr, first, [tf.reduce_sum(part, axis=0) for part in sums]


def _turns(steps: Any, step: Callable, carried: tuple) -> tuple:
    """``carried = step(t, *carried)`` for every t, several steps a turn, then the rest."""
    import tensorflow as tf

    def several(t: Any, *carried: Any) -> tuple:
        for k in range(STEPS_A_TURN):
            carried = step(t + k, *carried)
        return (t + STEPS_A_TURN, *carried)

    def one(t: Any, *carried: Any) -> tuple:
        return (t + 1, *step(t, *carried))

    t = tf.constant(0)
    t, *carried = tf.while_loop(
        lambda t, *_: t + STEPS_A_TURN <= steps, several, (t, *carried), parallel_iterations=1
    )
    _, *carried = tf.while_loop(lambda t, *_: t < steps, one, (t, *carried), parallel_iterations=1)
    return tuple(carried)


def _array(steps: Any, dtype: Any, shape: tuple) -> Any:
    import tensorflow as tf

    return tf.TensorArray(dtype, size=steps, element_shape=shape, clear_after_read=False)


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
