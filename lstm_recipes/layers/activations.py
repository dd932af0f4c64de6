"""The squashing functions of the 1997 LSTM (Hochreiter & Schmidhuber 1997, appendix A.1)."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("lstm_recipes")
def cec_input(x: Any) -> Any:
    """g, which squashes what goes into the cell: g(x) = 4σ(x) − 2 = 2 tanh(x/2), in [−2, 2].

    >>> [round(float(cec_input(x)), 6) for x in (0.0, 2.0, 100.0)]
    [0.0, 1.523188, 2.0]
    """
    return 2.0 * ops.tanh(0.5 * ops.convert_to_tensor(x))


@keras.saving.register_keras_serializable("lstm_recipes")
def cec_output(x: Any) -> Any:
    """h, which squashes what comes out of the cell: h(x) = 2σ(x) − 1 = tanh(x/2), in [−1, 1].

    >>> [round(float(cec_output(x)), 6) for x in (0.0, 2.0, 100.0)]
    [0.0, 0.761594, 1.0]
    """
    return ops.tanh(0.5 * ops.convert_to_tensor(x))


DERIVATIVES = {
    keras.activations.linear: lambda y, dy: dy,
    keras.activations.sigmoid: lambda y, dy: _tensorflow().SigmoidGrad(y=y, dy=dy),
    keras.activations.tanh: lambda y, dy: _tensorflow().TanhGrad(y=y, dy=dy),
    cec_input: lambda y, dy: _tensorflow().TanhGrad(y=0.5 * y, dy=dy),
    cec_output: lambda y, dy: _tensorflow().TanhGrad(y=y, dy=0.5 * dy),
}
"""Of y = f(z): the gradient of z from y and its gradient, where y says enough. In one operation,
which is why it is TensorFlow's; time_loop.py alone uses them."""


def _tensorflow() -> Any:
    import tensorflow

    return tensorflow.raw_ops


NAMED = {"cec_input": cec_input, "cec_output": cec_output}


def get_activation(argument: str, value: Any) -> Any:
    """The function that ``value`` names; the error says which argument asked for it."""
    if isinstance(value, str) and value in NAMED:
        return NAMED[value]
    try:
        return keras.activations.get(value)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{argument}={value!r} is not an activation that Keras knows. Give a function, or a "
            "name such as 'tanh', 'sigmoid', 'relu', 'cec_input' or 'cec_output'."
        ) from error
