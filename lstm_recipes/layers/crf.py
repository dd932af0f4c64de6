"""The CRF layer: neighbouring tags see each other."""

from collections.abc import Callable
from functools import cache
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_recipes.layers import linear_chain
from lstm_recipes.layers.linear_chain import Chain

MASKED = float(np.finfo("float32").min)
"""The emissions of a step that the mask leaves out."""


@keras.saving.register_keras_serializable("lstm_recipes")
class CRF(keras.layers.Layer):
    """A linear-chain conditional random field over the tags of a sequence.

    The layer stands last in a model and passes the scores of the tags at each step (the emissions)
    on as they are; what it adds are the scores of neighbouring tags. Training maximises the
    likelihood of the right sequence of tags, and decoding finds the best sequence (Lafferty,
    McCallum & Pereira 2001; over a bidirectional LSTM: Huang, Xu & Yu 2015).

        s(y) = start[y_1] + Σ_t e_t[y_t] + Σ_{t>1} transitions[y_{t-1}, y_t] + end[y_T]

    The loss is a `keras.losses.Loss` that the layer makes, as the decoding is the layer's: both
    need the transitions, which are weights of the model like any others. So `compile`, `fit`,
    `predict` and saving stay Keras' own, without a model of a special class:

    >>> from keras.layers import Bidirectional, Dense, Embedding
    >>> crf = CRF()
    >>> model = keras.Sequential([
    ...     keras.Input((None,), dtype="int32"),
    ...     Embedding(50, 8, mask_zero=True),
    ...     Bidirectional(keras.layers.LSTM(8, return_sequences=True)),
    ...     Dense(5),  # five tags
    ...     crf,
    ... ])
    >>> model.compile("adam", loss=crf.loss)
    >>> words, tags = np.array([[7, 3, 9, 0], [5, 2, 0, 0]]), np.array([[0, 4, 4, 0], [1, 0, 0, 0]])
    >>> history = model.fit(words, tags, verbose=0)
    >>> best = crf.decode(model.predict(words, verbose=0))
    >>> best.shape, best[1, 2:]  # -1 where the mask leaves steps out
    ((2, 4), array([-1, -1], dtype=int32))

    Input: float ``[batch, time, tags]``, with or without a mask; steps may be masked anywhere, and
    what comes before a gap and what comes after it are neighbours. Output: the same, in float32
    whatever the policy is. Masked steps hold the lowest float32 in all tags; so the output alone
    tells `loss` and `decode` what counts, after `predict` too, which drops Keras' masks.

    A tag in ``y_true`` that is -1 is not known: the loss is then that of all sequences that agree
    with the known ones. Any other number that is no tag makes the loss NaN. ``y_true`` at masked
    steps does not matter. Sample weights are one for each sequence; Keras' ``class_weight`` has no
    meaning here.

    Args:
        allowed: Which tags may follow which, bool ``[tags + 1, tags + 1]``: the tag of the column
            after the tag of the row; the last row is the start of a sequence, the last column its
            end. `lstm_recipes.data.allowed_transitions` makes it for a tag scheme. Other sequences
            then have probability zero, in training and in decoding; ``y_true`` must have none.
        transitions_initializer: Of all the scores of neighbours, start and end among them.
        transitions_regularizer: Of the same.
        transitions_constraint: Of the same.

    Raises:
        ValueError: ``allowed`` is not square, or not of the size that the inputs' tags need, or no
            sequence is allowed.
    """

    def __init__(
        self,
        allowed: Any = None,
        transitions_initializer: Any = "zeros",
        transitions_regularizer: Any = None,
        transitions_constraint: Any = None,
        **kwargs: Any,
    ):
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.supports_masking = True
        self._serializing = False
        self.allowed = None if allowed is None else np.array(allowed, bool)
        if self.allowed is not None and (
            self.allowed.ndim != 2 or self.allowed.shape[0] != self.allowed.shape[1]
        ):
            raise ValueError(
                f"allowed has the shape {self.allowed.shape}; [tags + 1, tags + 1] is needed, "
                "the last row for the start and the last column for the end."
            )
        if self.allowed is not None and not _leads_to_an_end(self.allowed):
            raise ValueError(
                "allowed lets no sequence of tags lead from the start (its last row) to the end "
                "(its last column)."
            )
        self.transitions_initializer = keras.initializers.get(transitions_initializer)
        self.transitions_regularizer = keras.regularizers.get(transitions_regularizer)
        self.transitions_constraint = keras.constraints.get(transitions_constraint)

    def build(self, input_shape: tuple) -> None:
        tags = input_shape[-1]
        if len(input_shape) != 3 or tags is None:
            raise ValueError(
                f"The inputs have the shape {tuple(input_shape)}; [batch, time, tags] with a fixed "
                "number of tags is needed: put a Dense layer with one unit a tag before CRF."
            )
        if self.allowed is not None and len(self.allowed) != tags + 1:
            raise ValueError(
                f"The inputs have {tags} tags and allowed has the shape {self.allowed.shape}; "
                f"{(tags + 1, tags + 1)} is needed."
            )
        shapes = {"transitions": (tags, tags), "start": (tags,), "end": (tags,)}
        for name, shape in shapes.items():
            weight = self.add_weight(
                name=name,
                shape=shape,
                initializer=keras.initializers.get(self.transitions_initializer),
                regularizer=self.transitions_regularizer,
                constraint=self.transitions_constraint,
                autocast=False,
            )
            setattr(self, name, weight)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        emissions = ops.cast(inputs, "float32")
        if mask is None:
            return emissions
        return ops.where(ops.expand_dims(mask, -1), emissions, MASKED)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: the output itself says what is masked, and Keras need not weigh the loss by it."""

    def compute_output_spec(self, inputs: Any, mask: Any = None) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, "float32")

    @property
    def chain(self) -> Chain:
        """The scores of neighbouring tags, with what is not allowed made impossible."""
        chain = Chain(*(ops.convert_to_tensor(w) for w in (self.transitions, self.start, self.end)))
        return chain if self.allowed is None else chain.constrained(self.allowed)

    @property
    def loss(self) -> "CRFLoss":
        """What `compile` takes: -log p(tags), one number a sequence."""
        return CRFLoss(self)

    def log_likelihood(self, outputs: Any, tags: Any) -> Any:
        """log p of the tags, float32 ``[batch]``, from the outputs; -1 is a tag not known."""
        return linear_chain.log_likelihood(outputs, tags, self.chain, mask_of(outputs))

    def decode(self, outputs: Any) -> np.ndarray:
        """The best tags, int32 ``[batch, time]``, from the layer's outputs; -1 at masked steps."""
        return self._compiled(linear_chain.viterbi, outputs)[0]

    def k_best(self, outputs: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k best sequences, int32 ``[batch, k, time]``, and log p of each, ``[batch, k]``.

        Raises:
            ValueError: ``k`` is not at least 1.
        """
        if k < 1:
            raise ValueError(f"k is {k}; ask for at least 1 sequence.")
        return self._compiled(_k_best, outputs, k=k)

    def marginals(self, outputs: Any) -> np.ndarray:
        """The probability of each tag at each step, float32 ``[batch, time, tags]``."""
        return self._compiled(linear_chain.marginals, outputs)

    def _compiled(self, function: Callable, outputs: Any, **options: Any) -> Any:
        outputs = ops.convert_to_tensor(outputs)
        model = _model_of(function, outputs.shape[-1], **options)
        found = model.predict_on_batch([outputs, *self.chain])
        # Where replicas mirror each other, each has worked out the whole batch.
        return keras.tree.map_structure(lambda part: part[: outputs.shape[0]], found)

    def get_build_config(self) -> dict[str, Any] | None:
        """Serializes the layer once more, while Keras does so: what Keras meets a second time it
        marks as shared, and the loss can then find the layer again. Without this the mark would
        come after `keras.Sequential` has copied the layer's config."""
        if not self._serializing:
            self._serializing = True
            keras.saving.serialize_keras_object(self)
            self._serializing = False
        return super().get_build_config()

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "allowed": None if self.allowed is None else self.allowed.tolist(),
            "transitions_initializer": keras.initializers.serialize(self.transitions_initializer),
            "transitions_regularizer": keras.regularizers.serialize(self.transitions_regularizer),
            "transitions_constraint": keras.constraints.serialize(self.transitions_constraint),
        }


@keras.saving.register_keras_serializable("lstm_recipes")
class CRFLoss(keras.losses.Loss):
    """-log p(tags) under a `CRF` layer, in nats a sequence; `CRF.loss` makes it.

    A saved model's loss finds the model's own layer again, by Keras' way of saving what two parts
    of a model share; so a loaded model trains on. What Keras copies without a file (`clone_model`
    of a compiled model) has lost the layer, says so, and is to be compiled anew.
    """

    def __init__(self, crf: CRF | None, name: str = "crf", reduction: str = "sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        # The method and not the layer: Keras follows attributes from the model to all that has
        # weights, and would go round from the layer to its loss and back.
        self.log_likelihood = None if crf is None else crf.log_likelihood

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        shape = () if sample_weight is None else tuple(ops.shape(sample_weight))
        if len(shape) > 1 and shape[1:] != (1,):
            raise ValueError(
                f"The sample weights have the shape {shape}; a CRF needs one for each sequence, "
                "[batch]. To leave out steps mask them; where a tag is not known let it be -1."
            )
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if self.log_likelihood is None:
            raise ValueError(
                "This loss has lost its CRF layer. Compile the model with the loss of the CRF "
                "layer that it has now: model.compile(..., loss=crf.loss)."
            )
        if len(y_true.shape) != 2:
            raise ValueError(
                f"y_true has the shape {tuple(y_true.shape)}; a CRF needs the tags' numbers, "
                "[batch, time]."
            )
        return -self.log_likelihood(y_pred, ops.cast(y_true, "int32"))

    def get_config(self) -> dict[str, Any]:
        crf = self.log_likelihood and self.log_likelihood.__self__
        crf = crf and keras.saving.serialize_keras_object(crf) | {"config": {"shared": True}}
        return super().get_config() | {"crf": crf}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "CRFLoss":
        try:
            crf = keras.saving.deserialize_keras_object(config["crf"])
        except TypeError:  # there is no such layer, and none can be made of this config
            crf = None
        return cls(**config | {"crf": crf})


class _Compiled(keras.Model):
    """A function of outputs and chain as a model without weights, which Keras compiles on every
    backend as it does `predict`. Called as it is, each step of its loop would be run by itself (by
    JAX the loop be compiled anew), at some 25 times the cost. One for each number of tags."""

    def __init__(self, function: Callable, tags: int, **options: Any):
        super().__init__(name="compiled", autocast=False)
        self.function, self.tags, self.options, self.built = function, tags, options, True

    def call(self, inputs: list) -> Any:
        outputs, *chain = inputs
        return self.function(outputs, Chain(*chain), mask=mask_of(outputs), **self.options)


_model_of = cache(_Compiled)  # one for all layers: the scores of neighbours are inputs


def _k_best(outputs: Any, chain: Chain, k: int, mask: Any) -> tuple[Any, Any]:
    tags, scores = linear_chain.k_best(outputs, chain, k, mask)
    return tags, scores - linear_chain.log_partition(outputs, chain, mask)[:, None]


def _leads_to_an_end(allowed: np.ndarray) -> bool:
    """Whether some sequence of tags, of any length, is allowed."""
    reached = allowed[-1, :-1]
    for _ in reached:
        reached = reached | allowed[:-1, :-1][reached].any(axis=0)
    return bool(allowed[:-1, -1][reached].any())


def mask_of(outputs: Any) -> Any:
    """Which steps count, bool ``[batch, time]``, as the layer's outputs tell."""
    return ops.logical_not(ops.all(ops.convert_to_tensor(outputs) <= MASKED / 2, axis=-1))
