"""Signatures: the functions of a model that leave the package, with names for what goes in and out.

A model that is given its recurrent states and gives them back, ``[x, *states] -> [y, *states]`` as
`models.char_lm` makes it, leaves as two: ``step``, for one element of a sequence, and ``sequence``,
for any number of them. Every other one leaves as ``sequence``. If a `CRF` layer stands last, the
best tags come out beside its emissions.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from lstm_recipes.errors import UserError
from lstm_recipes.layers.crf import CRF, mask_of
from lstm_recipes.layers.linear_chain import viterbi


class Signature(NamedTuple):
    """A function of named tensors that gives named tensors."""

    name: str
    inputs: dict[str, tf.TensorSpec]
    """Shapes and dtypes; None is a size that is free."""
    function: Callable[..., dict[str, Any]]
    """Called with a keyword for each input."""

    @classmethod
    def of(cls, name: str, function: Any) -> "Signature":
        """That of a ``tf.function`` whose input signature has names and whose result is a named
        tuple; what of it is None is left out.

        >>> from collections import namedtuple
        >>> pair = namedtuple("pair", "double nothing")
        >>> double = tf.function(lambda x: pair(2 * x, None), [tf.TensorSpec([None], name="x")])
        >>> Signature.of("double", double).function(x=tf.ones(2))["double"].numpy()
        array([2., 2.], dtype=float32)
        """

        def named(**given: Any) -> dict[str, Any]:
            found = function(*given.values())._asdict()
            return {part: value for part, value in found.items() if value is not None}

        return cls(name, {spec.name: spec for spec in function.input_signature}, named)

    def traced(self) -> Any:
        """The function as TensorFlow's graph."""
        specs = [tf.TensorSpec(s.shape, s.dtype, name) for name, s in self.inputs.items()]

        def called(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
            return self.function(**dict(zip(self.inputs, tensors, strict=True)))

        return tf.function(called, input_signature=specs, autograph=False).get_concrete_function()


def signatures_of(model: keras.Model) -> list[Signature]:
    """What a model does, by name.

    Args:
        model: Functional or Sequential, built.

    Raises:
        UserError: Its inputs are not known, or a layer is stateful.

    >>> from lstm_recipes.models.char_lm import char_lm
    >>> step, sequence = signatures_of(char_lm(65, layer="gru", units=8))
    >>> for name, spec in step.inputs.items():
    ...     print(name, spec.shape, spec.dtype.name)
    tokens (None,) int32
    state_0 (None, 8) float32
    >>> sequence.inputs["tokens"].shape
    TensorShape([None, None])
    """
    check(model)
    if isinstance(
        model, keras.Sequential
    ):  # which does not tell its input as a functional one does
        model = keras.Model(model.inputs, model.outputs, name=model.name)
    return _streaming(model) if streams(model) else [_whole(model)]


def check(model: keras.Model) -> None:
    """Raise a UserError unless a model can leave the package."""
    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"Keras runs on {keras.backend.backend()}, and TensorFlow alone can export; set "
            "KERAS_BACKEND=tensorflow"
        )
    if not getattr(model, "inputs", None):
        raise UserError(
            f"the model {model.name} does not tell its inputs; export a functional or Sequential "
            "model, or give its functions as signatures"
        )
    stateful = [layer.name for layer in layers_of(model) if getattr(layer, "stateful", False)]
    if stateful:
        raise UserError(
            f"{', '.join(stateful)} keeps its states inside (stateful=True); make them inputs and "
            "outputs of the model, as lstm_recipes.models.char_lm does"
        )


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Every layer, those within layers too."""
    return list(model._flatten_layers(include_self=False))


def streams(model: keras.Model) -> bool:
    """Whether a model is given its states and gives them back: ``[x, *states] -> [y, *states]``."""
    if not isinstance(model.input, list) or not isinstance(model.output, list):
        return False
    (x, *before), (y, *after) = model.inputs, model.outputs
    return (
        bool(before)
        and len(y.shape) >= 3
        and x.shape[1] == y.shape[1]
        and [s.shape[1:] for s in before] == [s.shape[1:] for s in after]
    )


def _streaming(model: keras.Model) -> list[Signature]:
    x, *states = model.inputs
    names = [f"state_{k}" for k in range(len(states))]
    own = dict(zip(names, map(_spec, states), strict=True))

    def sequence(**given: Any) -> dict[str, Any]:
        y, *after = model([given[first], *(given[name] for name in names)], training=False)
        return {"output": y, **dict(zip(names, after, strict=True))}

    def step(**given: Any) -> dict[str, Any]:
        found = sequence(**given | {first: ops.expand_dims(given[first], 1)})
        return found | {"output": found["output"][:, 0]}

    first = _name(x, 0)
    whole = _spec(x)
    one = tf.TensorSpec([None, *whole.shape[2:]], whole.dtype)
    return [
        Signature("step", {first: one, **own}, step),
        Signature("sequence", {first: whole, **own}, sequence),
    ]


def _whole(model: keras.Model) -> Signature:
    if isinstance(model.input, dict):
        inputs = dict(model.input)
    else:
        inputs = {_name(tensor, k): tensor for k, tensor in enumerate(model.inputs)}

    def sequence(**given: Any) -> dict[str, Any]:
        values = given if isinstance(model.input, dict) else list(given.values())
        single = len(inputs) == 1 and not isinstance(model.input, dict | list)
        return _named(model, model(values[0] if single else values, training=False))

    return Signature("sequence", {name: _spec(t) for name, t in inputs.items()}, sequence)


def _named(model: keras.Model, found: Any) -> dict[str, Any]:
    last = model.layers[-1]
    if isinstance(last, CRF) and not isinstance(found, dict | list | tuple):
        tags, _ = viterbi(found, last.chain, mask_of(found))
        return {"emissions": found, "tags": tags}
    if isinstance(found, dict):
        return found
    if isinstance(found, list | tuple):
        return {f"output_{k}": part for k, part in enumerate(found)}
    return {"output": found}


def _spec(tensor: Any) -> tf.TensorSpec:
    return tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype)


def _name(tensor: Any, number: int) -> str:
    """The name of an input, or its number where nobody named it."""
    unnamed = tensor.name.startswith(("keras_tensor", "input_layer"))
    return f"input_{number}" if unnamed else tensor.name
