"""The encoder and the decoder: one model, and the historic systems are settings of it."""

from typing import Any, Literal, NamedTuple

import keras
from keras import ops

from lstm_recipes.data.tokenizer import PADDING
from lstm_recipes.layers import (
    AttentionCell,
    AttentionRNN,
    BahdanauAttention,
    LuongAttention,
    Residual,
)
from lstm_recipes.models.char_lm import LAYERS

KERAS_LAYERS = ("source_embedding", "target_embedding", "readout", "softmax")
"""Those of a model's parts that are Keras' own and can be quantised."""


class Encoded(NamedTuple):
    """Source sentences as the encoder leaves them: all that the decoder sees of them."""

    memory: Any
    """float ``[batch, source, units]``: what the highest layer says at each token."""
    mask: Any
    """bool ``[batch, source]``: where there is a token."""
    states: list[list]
    """Of each layer after the last token, ``[batch, units]`` each."""


@keras.saving.register_keras_serializable("lstm_recipes")
class Seq2Seq(keras.Model):
    """An encoder reads the source, and a decoder says the target token by token.

        m_1 … m_S, s_0 = encoder(x_1 … x_S)
        h_t, s_t       = decoder(y_{t-1}, s_{t-1}, c_t)       c_t = Σ_j α_tj m_j
        p(y_t)         = softmax(W tanh(W_a [h_t ; c_t]))

    The states of each encoder layer after the source are those of the decoder layer of the same
    depth before the target. What attention there is beside:

    - ``"none"``: none, and p(y_t) = softmax(W h_t) (Sutskever, Vinyals & Le 2014, section 3).
    - ``"bahdanau"``: the lowest decoder layer's last state asks, and every layer gets the context
      (Bahdanau, Cho & Bengio 2014, appendix A.2.2; for more layers Wu et al. 2016, section 3).
    - ``"luong"``: the highest layer's output asks (Luong, Pham & Manning 2015, section 3, "general"
      score, no input feeding), for all steps at once where the target is known.

    In: ``source`` int32 ``[batch, source]``, and ``target`` int32 ``[batch, target]``, what the
    decoder reads, START first; PADDING after the end of each. Out: logits float32 ``[batch,
    target, target_size]``.

    Args:
        source_size, target_size: How many tokens each vocabulary has, those four included with
            which it begins: PADDING, START, END and UNKNOWN, 0 to 3.
        attention: ``"none"``, ``"bahdanau"`` or ``"luong"``.
        layer: A name of ``LAYERS``.
        layers: How many in the encoder, and as many in the decoder.
        units: Width of each.
        embedding: Width of the vector that stands for a token.
        bidirectional: The lowest encoder layer reads both ways, half of the units each.
        residual_from: Layers from this one on add their input to their output (Wu et al. 2016,
            section 3.1, from the third); 0 is none. The first has nothing to add.
        dropout: Rate on the tokens' vectors, after each layer, and before the softmax.
        recurrent_dropout: Rate on h_{t-1}, one mask a sentence.
        tied: The softmax's kernel is the target tokens' vectors (Press & Wolf 2017), for which the
            decoder's output is first brought to their width.

    Raises:
        ValueError: A layer's name or number makes no sense.

    >>> model = Seq2Seq(20, 30, units=8, embedding=6)
    >>> model({"source": ops.ones((2, 5), "int32"), "target": ops.ones((2, 7), "int32")}).shape
    TensorShape([2, 7, 30])
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        *,
        attention: Literal["none", "bahdanau", "luong"] = "bahdanau",
        layer: str = "forget",
        layers: int = 1,
        units: int = 512,
        embedding: int = 256,
        bidirectional: bool = True,
        residual_from: int = 0,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        tied: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if residual_from == 1:
            raise ValueError(
                "residual_from=1 was given; 2 or more, or 0 for none, is needed, for the first "
                "layer's input is not as wide as its output."
            )
        if bidirectional and units % 2:
            raise ValueError(
                f"bidirectional=True and units={units} were given; units must be even, for half "
                "of them read each way."
            )
        self.options = {
            "source_size": source_size,
            "target_size": target_size,
            "attention": attention,
            "layer": layer,
            "layers": layers,
            "units": units,
            "embedding": embedding,
            "bidirectional": bidirectional,
            "residual_from": residual_from,
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
            "tied": tied,
        }
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.source_embedding = self._embedding(source_size, "source_embedding")
        self.target_embedding = self._embedding(target_size, "target_embedding")
        self.encoder = [self._encoder_layer(depth) for depth in range(1, layers + 1)]
        self.decoder = [self._decoder_layer(depth) for depth in range(1, layers + 1)]
        self.attention = None
        if attention == "luong":
            self.attention = LuongAttention("general", dtype=self.dtype_policy)
        self.readout = None
        if attention != "none" or tied:
            width = embedding if tied else units
            self.readout = keras.layers.Dense(width, activation="tanh", dtype=self.dtype_policy)
        if tied:
            self.softmax_bias = self.add_weight(
                (target_size,), "zeros", name="softmax_bias", autocast=False
            )
        else:
            self.softmax = keras.layers.Dense(target_size, dtype="float32")

    # Its parts.

    def _embedding(self, size: int, name: str) -> keras.layers.Embedding:
        width = self.options["embedding"]
        return keras.layers.Embedding(
            size,
            width,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=width**-0.5),
            dtype=self.dtype_policy,
            name=name,
        )

    def _recurrent(self, units: int) -> keras.layers.RNN:
        return LAYERS[self.options["layer"]](
            units,
            return_sequences=True,
            return_state=True,
            recurrent_dropout=self.options["recurrent_dropout"],
            dtype=self.dtype_policy,
        )

    def _residual(
        self, layer: keras.layers.RNN, depth: int, context: int = 0
    ) -> keras.layers.Layer:
        if 0 < self.options["residual_from"] <= depth:
            return Residual(layer, context, dtype=self.dtype_policy)
        return layer

    def _encoder_layer(self, depth: int) -> keras.layers.Layer:
        units = self.options["units"]
        if depth == 1 and self.options["bidirectional"]:
            return keras.layers.Bidirectional(self._recurrent(units // 2), dtype=self.dtype_policy)
        return self._residual(self._recurrent(units), depth)

    def _decoder_layer(self, depth: int) -> keras.layers.Layer:
        units = self.options["units"]
        layer = self._recurrent(units)
        asks = self.options["attention"] == "bahdanau"
        if depth == 1 and asks:
            attention = BahdanauAttention(units, normalize=True, dtype=self.dtype_policy)
            cell = AttentionCell(layer.cell, attention, dtype=self.dtype_policy)
            loop = {"return_sequences": True, "return_state": True}
            return AttentionRNN(cell, dtype=self.dtype_policy, **loop)
        return self._residual(layer, depth, context=units if asks else 0)

    # The whole, with a known target.

    def call(self, inputs: Any, training: bool = False) -> Any:
        memory, mask, states = self.encode(inputs["source"], training)
        x = self.drop(self.target_embedding(inputs["target"]), training=training)
        context = None
        for layer, state in zip(self.decoder, states, strict=True):
            options = {"initial_state": state, "training": training}
            if isinstance(layer, AttentionRNN):
                x, *_ = layer(x, memory, memory_mask=mask, **options)
                x, context = ops.split(x, 2, axis=-1)
            else:
                x, *_ = layer(self._beside(x, context), **options)
            x = self.drop(x, training=training)
        if self.attention is not None:
            context, _ = self.attention(x, memory, memory_mask=mask)
        return self._logits(x, context, training)

    def encode(self, source: Any, training: bool = False) -> Encoded:
        """Read source sentences, int32 ``[batch, source]``."""
        mask = ops.not_equal(source, PADDING)
        x = self.drop(self.source_embedding(source), training=training)
        states = []
        for layer in self.encoder:
            x, *last = layer(x, mask=mask, training=training)
            if isinstance(layer, keras.layers.Bidirectional):
                both_ways = zip(last[: len(last) // 2], last[len(last) // 2 :], strict=True)
                last = [ops.concatenate(pair, axis=-1) for pair in both_ways]
            states.append(last)
            x = self.drop(x, training=training)
        return Encoded(x, mask, states)

    def _beside(self, x: Any, context: Any) -> Any:
        return x if context is None else ops.concatenate([x, context], axis=-1)

    def _logits(self, x: Any, context: Any, training: bool = False) -> Any:
        if self.readout is not None:
            x = self.drop(self.readout(self._beside(x, context)), training=training)
        if not self.options["tied"]:
            return self.softmax(x)
        # In bfloat16 logits near 10 are 0.06 apart: enough to learn from, too coarse to rank by.
        dtype = x.dtype if training else "float32"
        kernel = ops.transpose(ops.cast(self._target_vectors(), dtype))
        return ops.cast(ops.matmul(ops.cast(x, dtype), kernel), "float32") + self.softmax_bias

    def _target_vectors(self) -> Any:
        """Of all tokens, ``[target_size, embedding]``: the weights themselves, or what the layer
        reads in them when they are integers with a scale a token."""
        if self.target_embedding.quantization_mode is None:
            return self.target_embedding.embeddings
        return self.target_embedding(ops.arange(self.options["target_size"]))

    # The target, token by token.

    def memory(self, encoded: Encoded) -> Any:
        """What every step asks, a nest of tensors ``[batch, ...]``, and the same for all steps."""
        if self.options["attention"] == "bahdanau":
            return tuple(self.decoder[0].cell.memory(encoded.memory, encoded.mask))
        if self.options["attention"] == "luong":
            return encoded.memory, self.attention.keys(encoded.memory), encoded.mask
        return ()

    def start(self, encoded: Encoded) -> list[list]:
        """The decoder's states before the first step, ``[batch, units]`` each."""
        first, *others = encoded.states
        if self.options["attention"] == "bahdanau":
            first = self.decoder[0].cell.start(ops.shape(first[0])[0], first)
        return [list(first), *map(list, others)]

    def step(self, tokens: Any, states: list[list], memory: Any) -> tuple[Any, list, Any]:
        """Read a token int32 ``[batch]``: the logits of the next, float32 ``[batch,
        target_size]``, the new states, and the attention's weights ``[batch, source]`` or None."""
        x = self.target_embedding(tokens)
        context, weights, new = None, None, []
        for layer, state in zip(self.decoder, states, strict=True):
            if isinstance(layer, AttentionRNN):
                x, state, weights = layer.cell.step(x, state, memory)
                x, context = ops.split(x, 2, axis=-1)
            else:
                x, state = layer.cell(self._beside(x, context), state)
            new.append(list(state))
        if self.attention is not None:
            values, keys, mask = memory
            context, weights = self.attention(x, values, memory_mask=mask, keys=keys)
        return self._logits(x, context), new, weights

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | self.options

    # Of a saved model that ``quantize`` changed, the build config says how Keras' own layers were,
    # for their configs are not in the model's; ours see it in the file.

    def get_build_config(self) -> dict[str, Any] | None:
        layers = {name: getattr(self, name, None) for name in KERAS_LAYERS}
        quantized = {
            name: keras.saving.serialize_keras_object(layer.quantization_config)
            for name, layer in layers.items()
            if getattr(layer, "quantization_mode", None) is not None
        }
        built = super().get_build_config()
        return built | {"quantized": quantized} if quantized else built

    def build_from_config(self, config: dict[str, Any]) -> None:
        super().build_from_config({k: v for k, v in config.items() if k != "quantized"})
        for name, options in config.get("quantized", {}).items():
            options = keras.saving.deserialize_keras_object(options)
            getattr(self, name).quantize(config=options)


def made(
    source_size: int, target_size: int, *, initial_scale: float | None = None, **options: Any
) -> Seq2Seq:
    """A `Seq2Seq` with its weights drawn.

    Args:
        source_size, target_size, options: Of the model.
        initial_scale: All weights are uniform in ± this, as Sutskever et al. (2014, section 3.4)
            had them with 0.08; None leaves each as its layer draws it.
    """
    model = Seq2Seq(source_size, target_size, **options)
    some = ops.ones((1, 2), "int32")
    model({"source": some, "target": some})
    if initial_scale is not None:
        for weight in model.trainable_variables:
            weight.assign(keras.random.uniform(weight.shape, -initial_scale, initial_scale))
    return model


def to_int8(model: Seq2Seq) -> Seq2Seq:
    """The model, its kernels and its tokens' vectors made int8, a scale a column (of the vectors a
    scale a token), and what flows through it left as it is.

    Keras would have Dense make its inputs int8 too, which costs time and loss on a processor.

    >>> model = to_int8(made(20, 30, units=8, embedding=6))
    >>> str(model.decoder[0].cell.cell.kernel.dtype)
    'int8'
    """
    kernels_alone = keras.quantizers.Int8QuantizationConfig(activation_quantizer=None)
    model.quantize(config=kernels_alone, filters=lambda layer: bool(layer.weights))
    return model
