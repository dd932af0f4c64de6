"""Masks in ONNX: what layers make them of, and what the recurrent ones make of them. And the other
operations by which layers are joined: side by side, and slices."""

from typing import Any

import keras
import numpy as np

# The operations between Keras' layers; symbolic ones have no public names.
from keras.src.ops import numpy as operations

from lstm_recipes.errors import UserError
from lstm_recipes.export.onnx_graph import Graph, Value


class Mask:
    """What a recurrent layer needs of a mask, once for all the layers that share it.

    A masked step leaves the state as it is, so a layer over a mask is the same layer over the
    steps that count, side by side at the front, with ``sequence_lens``; wherever the mask has its
    gaps. For a mask that pads on the right nothing moves. ``now`` says, for each step, how many
    steps that count come before it.
    """

    def __init__(self, graph: Graph, mask: Value):
        self.graph, self.mask = graph, mask.name
        counts = graph.cast(mask.name, "int32")
        self.lengths = graph.add("ReduceSum", counts, graph.integers(1), keepdims=0)
        self.upto = graph.add("CumSum", counts, graph.constant(np.int64(1)))
        self.now = graph.add("Sub", self.upto, counts)
        # Of equal numbers TopK takes the first one first.
        _, order = graph.add("TopK", counts, graph.shape(mask.name, 1, 2), outputs=2)
        self.order = self._indices(order)
        self.packed: dict[str, str] = {}

    def _indices(self, steps: str) -> str:
        """``[·, 1]``, as GatherND wants them, and what stands beside features."""
        return self.graph.add("Unsqueeze", steps, self.graph.integers(-1))

    def pack(self, name: str) -> str:
        """``[batch, time, ·]`` with the steps that count in front."""
        if name not in self.packed:
            self.packed[name] = self.graph.add("GatherND", name, self.order, batch_dims=1)
        return self.packed[name]

    def unpack(self, outputs: str, reverse: bool, zero: bool) -> str:
        """The outputs where Keras has them: at a masked step the last one again, zeros before the
        first, or zeros at all of them."""
        graph = self.graph
        if zero:
            steps, shown = self.now, self.mask
        elif reverse:  # the last one, read backwards, is the next
            last = graph.add("Unsqueeze", self.lengths, graph.integers(1))
            steps, shown = self.now, graph.add("Less", self.now, last)
        else:
            steps = graph.add("Sub", self.upto, graph.constant(np.int32(1)))
            steps = graph.add("Max", steps, graph.constant(np.int32(0)))
            shown = graph.add("Greater", self.upto, graph.constant(np.int32(0)))
        steps = self._indices(graph.cast(steps, "int64"))
        outputs = graph.add("GatherND", outputs, steps, batch_dims=1)
        return graph.where(self._indices(shown), outputs, 0.0)

    def last(self, h: str, reverse: bool, zero: bool) -> str:
        """The output at the last step, ``[batch, units]``."""
        if not zero:
            return self.state(h, None)
        step = self.graph.constant(np.int64(0 if reverse else -1))
        shown = self.graph.add("Gather", self.mask, step, axis=1)
        return self.graph.where(self._indices(shown), h, 0.0)

    def state(self, state: str, before: str | None) -> str:
        """A state after the sequence: where no step counts it is the one before. ONNX does not say
        what it is then, and in onnxruntime it is zero."""
        some = self.graph.add("Greater", self.lengths, self.graph.constant(np.int32(0)))
        return self.graph.where(self._indices(some), state, 0.0 if before is None else before)


# The operations. A functional model of Keras has them in its graph, those of ``compute_mask`` too.


def not_equal(graph: Graph, operation: Any, x1: Any, x2: Any) -> Value:
    """x1 != x2, one of which may be a number."""
    value, other = (x1, x2) if isinstance(x1, Value) else (x2, x1)
    if isinstance(other, Value):
        name = other.name
    else:
        name = graph.constant(keras.ops.convert_to_numpy(other).astype(value.dtype))
    return Value(graph.add("Not", graph.add("Equal", value.name, name)), "bool")


def any_of(graph: Graph, operation: Any, x: Value) -> Value:
    """Whether one is true along an axis."""
    some = graph.add(
        "ReduceMax",
        graph.cast(x.name, "int32"),
        axes=operation.axis,
        keepdims=int(operation.keepdims),
    )
    return Value(graph.cast(some, "bool"), "bool")


def either(graph: Graph, operation: Any, x1: Value, x2: Value) -> Value:
    """x1 or x2."""
    return Value(graph.add("Or", x1.name, x2.name), "bool")


def both(graph: Graph, operation: Any, x1: Value, x2: Value) -> Value:
    """x1 and x2."""
    return Value(graph.add("And", x1.name, x2.name), "bool")


def expand(graph: Graph, operation: Any, x: Value) -> Value:
    """One more axis."""
    return Value(graph.add("Unsqueeze", x.name, graph.integers(operation.axis)), x.dtype)


def filled(graph: Graph, operation: Any, x: Value) -> Value:
    """Zeros or ones in the shape of x."""
    dtype = operation.dtype or x.dtype
    number = np.array([isinstance(operation, operations.OnesLike)], dtype)
    value = graph.onnx.numpy_helper.from_array(number)
    return Value(graph.add("ConstantOfShape", graph.add("Shape", x.name), value=value), dtype)


def concatenated(graph: Graph, operation: Any, xs: list[Value]) -> Value:
    """Side by side."""
    names = [x.name for x in xs]
    return Value(graph.add("Concat", *names, axis=operation.axis), xs[0].dtype)


def features(graph: Graph, operation: Any, x: Value, key: Any) -> Value:
    """Some of the features, ``x[..., first:last]``."""
    cut = key[-1] if isinstance(key, tuple | list) and len(key) == 2 and key[0] is ... else None
    if not isinstance(cut, slice) or cut.step not in (None, 1):
        raise UserError(
            f"{operation.name} takes x[{key}], which cannot be exported to ONNX; a slice of the "
            "features, such as x[..., :8], can."
        )
    first = 0 if cut.start is None else cut.start
    last = np.iinfo("int64").max if cut.stop is None else cut.stop
    bounds = graph.integers(first), graph.integers(last)
    return Value(graph.add("Slice", x.name, *bounds, graph.integers(-1)), x.dtype)


OPERATIONS = {
    operations.Any: any_of,
    operations.Concatenate: concatenated,
    operations.ExpandDims: expand,
    operations.GetItem: features,
    operations.LogicalAnd: both,
    operations.LogicalOr: either,
    operations.NotEqual: not_equal,
    operations.OnesLike: filled,
    operations.ZerosLike: filled,
}
