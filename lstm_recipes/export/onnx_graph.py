"""An ONNX graph while it is being written: what it computes so far, its weights, its masks."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from lstm_recipes.errors import UserError

OPSET = 17  # of 2022; every operator that is used here is in it, and older runtimes read it
IR_VERSION = 8  # the file format of its time


@dataclass(eq=False)
class Value:
    """A tensor of the graph: its name, and what it holds."""

    name: str
    dtype: str = "float32"


class Graph:
    """Operators in the order in which they run, and the constants that they read."""

    def __init__(self) -> None:
        self.onnx = onnx()
        self.nodes: list = []
        self.constants: dict[str, Any] = {}
        self.states: list[Value] = []
        """Values that recurrent layers start from."""
        self.new_states: list[Value] = []
        """Values that they end with."""
        self.emissions: Value | None = None
        """What a CRF layer gives."""
        self.extra_outputs: dict[str, str] = {}
        """Outputs that the Keras model does not have: name in the file, name in the graph."""
        self.masks: dict[Value, Any] = {}
        self._known: dict[tuple, str] = {}
        self._prefix, self._count = "", 0

    def within(self, layer: str) -> "Graph":
        """The same graph; what is added to it now is named after the layer."""
        self._prefix = layer
        return self

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{self._prefix}/{what}_{self._count}"

    def constant(self, array: Any, what: str = "constant") -> str:
        """The name of an array that the file holds, once if it is asked for again."""
        array = np.asarray(array)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._known:
            name = self._known[key] = self._name(what)
            self.constants[name] = self.onnx.numpy_helper.from_array(array, name)
        return self._known[key]

    def weight(self, variable: Any, what: str) -> str:
        """The name of a weight of Keras that the file holds, as float32."""
        return self.constant(as_float32(variable), what)

    def add(self, operator: str, *inputs: str | None, outputs: int = 1, **attributes: Any) -> Any:
        """An operator; the name of its output, or names of its outputs. No input is None."""
        names = [self._name(operator) for _ in range(outputs)]
        given = ["" if name is None else name for name in inputs]
        node = self.onnx.helper.make_node(operator, given, names, names[0], **attributes)
        self.nodes.append(node)
        return names if outputs > 1 else names[0]

    def cast(self, name: str, dtype: str) -> str:
        """The same numbers in another type."""
        return self.add("Cast", name, to=self.tensor_type(dtype))

    def tensor_type(self, dtype: str) -> int:
        """ONNX' number of a type."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def integers(self, *numbers: int) -> str:
        """The name of whole numbers in a row, as operators take axes and sizes."""
        return self.constant(np.array(numbers, "int64"), "integers")

    def shape(self, name: str, start: int, end: int) -> str:
        """The sizes of some axes, known when it runs."""
        return self.add("Shape", name, start=start, end=end)

    def where(self, condition: str, name: str, otherwise: float | str) -> str:
        """Elementwise the one or the other."""
        if not isinstance(otherwise, str):
            otherwise = self.constant(np.float32(otherwise))
        return self.add("Where", condition, name, otherwise)


def as_float32(variable: Any) -> np.ndarray:
    """The numbers of a variable or tensor, as the file holds them."""
    return keras.ops.convert_to_numpy(variable).astype("float32")


def onnx() -> Any:
    """The package that writes the files, which not everyone has."""
    try:
        import onnx
    except ImportError as error:
        raise UserError(
            'Exporting to ONNX needs the package onnx: pip install "lstm-recipes[onnx]"'
        ) from error
    return onnx
