"""Int8 kernels: what ``model.quantize("int8")`` makes of this package's layers."""

from typing import Any

import keras
from keras import ops


class Int8Kernels:
    """A layer whose kernels may be int8, one scale a column (Wu et al. 2016, section 6).

        s_j = 127 / max_i |W_ij|        Q_ij = round(s_j W_ij)        W_ij ≈ Q_ij / s_j

    No weight moves by more than half a step, max_i |W_ij| / 254. Biases, peepholes and the vectors
    of the scores stay as they are, and so does the cell state. What differs from the paper: its
    products, activations and states are integers too.

    The kernels are brought back to floats before the product, and inputs are not quantised, unlike
    in Keras' Dense. On a processor TensorFlow's product of int8 by int8 is the slower road: 1.2 to
    2.9 times the float32 product's time against 1.0 to 2.3 (1 to 640 rows; kernels 384 × 1536,
    1024 × 1536 and 256 × 8000; one thread of an AMD EPYC, TensorFlow 2.21), and it rounds more.

    As in Keras, ``model.quantize`` visits leaf layers alone: a recurrent layer's is its cell. The
    W of `AttentionCell`, which is no leaf, stays as it is. Int8 kernels are not trained.

    >>> import numpy as np
    >>> from lstm_recipes.layers import ForgetGateLSTM
    >>> model = keras.Sequential([keras.Input((None, 3)), ForgetGateLSTM(4)])
    >>> x = np.ones((1, 5, 3), "float32")
    >>> before = model(x)
    >>> model.quantize("int8")
    >>> [w.dtype for w in model.weights]
    ['float32', 'int8', 'float32', 'int8', 'float32']
    >>> bool(np.allclose(model(x), before, atol=0.01))
    True
    """

    int8_kernels: tuple[str, ...]
    """The names of the weights ``[inputs, outputs]`` that become int8, those of them there are."""

    def quantize(
        self, mode: str | None = None, type_check: bool = True, config: Any = None
    ) -> None:
        """Make the kernels int8; `keras.Model.quantize` calls this.

        Args:
            mode: ``"int8"``.
            type_check: Of no effect; Keras passes it.
            config: Its ``weight_quantizer`` is used, and its ``activation_quantizer`` is not.

        Raises:
            NotImplementedError: For another mode; ``model.quantize`` makes it a warning, and the
                layer stays as it is.
        """
        if mode != "int8":
            raise NotImplementedError(
                f"{self.name} can be quantized to 'int8'; mode={mode!r} was given, and the layer "
                "stays as it is."
            )
        quantizer = getattr(config, "weight_quantizer", None) or keras.quantizers.AbsMaxQuantizer()
        kernels = [name for name in self.int8_kernels if hasattr(self, name)]
        for name in kernels:
            value = ops.cast(getattr(self, name), self.scale_dtype)
            value, scale = quantizer(value, axis=0, to_numpy=True)
            # Not delattr, which collects all garbage each time: seconds for a deep model.
            self._untrack_variable(getattr(self, name))
            setattr(self, name, self.add_int8(name, value.shape))
            getattr(self, name).assign(value)
            getattr(self, f"{name}_scale").assign(scale[0])
        if kernels and self.dtype_policy.quantization_mode is None:
            self.dtype_policy = keras.dtype_policies.get(f"int8_from_{self.dtype_policy.name}")

    @property
    def scale_dtype(self) -> str:
        """float32, or the dtype of the variables if that is finer."""
        return keras.backend.result_type(self.variable_dtype, "float32")

    def add_int8(self, name: str, shape: tuple) -> keras.Variable:
        """An int8 kernel, and its scale beside it."""
        options = {"trainable": False, "autocast": False}
        kernel = self.add_weight(
            name=name, shape=shape, initializer="zeros", dtype="int8", **options
        )
        scale = self.add_weight(
            name=f"{name}_scale",
            shape=shape[-1:],
            initializer="ones",
            dtype=self.scale_dtype,
            **options,
        )
        setattr(self, f"{name}_scale", scale)
        self._is_quantized = True  # Keras asks
        return kernel

    def product_kernel(self, name: str) -> Any:
        """A kernel in the compute dtype, as products want it."""
        kernel, scale = getattr(self, name), getattr(self, f"{name}_scale", None)
        if scale is not None:
            kernel = ops.cast(kernel, scale.dtype) * (1.0 / scale)
        return ops.cast(kernel, self.compute_dtype)

    def _int8_call(self, *args: Any, **kwargs: Any) -> Any:
        """Keras calls this in place of ``call`` under the policy int8."""
        return self.call(*args, **kwargs)

    def load_own_variables(self, store: Any) -> None:
        """Load the weights; where those are int8 these become so, for the config of a layer around
        a cell does not tell."""
        int8 = any(str(store[name].dtype) == "int8" for name in store.keys())  # noqa: SIM118
        if int8 and self.built and self.quantization_mode is None:
            self.quantize("int8")
        super().load_own_variables(store)
