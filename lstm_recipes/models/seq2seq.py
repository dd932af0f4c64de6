"""The encoder and the decoder: one model, and the historic systems are settings of it."""

from collections.abc import Sequence
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
from lstm_recipes.models.placement import Placement, on_device
from lstm_recipes.models.split_dense import SplitDense, WholeVariable, joined, split_bounds

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
        devices: Names of devices, over which the layers are spread and the softmax split
            (`Placement`, `SplitDense`); no matter of the config, and the weights' file is the same.

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
        devices: Sequence[str] = (),
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
        self.place = Placement(devices, layers)
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
        elif devices:
            self.softmax = SplitDense(target_size, devices, dtype="float32", name="softmax")
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

    def build(self, input_shape: Any) -> None:
        # By a sentence of two tokens: Keras would make the weights later, and not on their devices.
        some = ops.ones((1, 2), "int32")
        self.logit_parts({"source": some, "target": some})

    def call(self, inputs: Any, training: bool = False) -> Any:
        return _whole(self.logit_parts(inputs, training))

    def logit_parts(self, inputs: Any, training: bool = False) -> list:
        """The logits as the devices have them, float32 ``[batch, target, part of target_size]``;
        one part that is the whole where there are no devices."""
        memory, mask, states = self.encode(inputs["source"], training)
        x = self.place.layer(1, self._vectors)(self.target_embedding, inputs["target"], training)
        context = None
        for depth, (layer, state) in enumerate(zip(self.decoder, states, strict=True), start=1):
            if isinstance(layer, AttentionRNN):
                attended = self.place.layer(depth, self._attended)
                x, context = attended(layer, x, memory, mask, state, training)
            else:
                x = self.place.layer(depth, self._decoded)(layer, x, context, state, training)
        if self.attention is not None:
            attention = self.place.layer(len(self.decoder), self.attention)
            context, _ = attention(x, memory, memory_mask=mask)
        return self._logit_parts(x, context, training)

    def encode(self, source: Any, training: bool = False) -> Encoded:
        """Read source sentences, int32 ``[batch, source]``."""
        mask = ops.not_equal(source, PADDING)
        x = self.place.layer(1, self._vectors)(self.source_embedding, source, training)
        states = []
        for depth, layer in enumerate(self.encoder, start=1):
            x, last = self.place.layer(depth, self._encoded)(layer, x, mask, training)
            states.append(last)
        return Encoded(x, mask, states)

    def _vectors(self, embedding: keras.layers.Embedding, tokens: Any, training: bool) -> Any:
        return self.drop(embedding(tokens), training=training)

    def _encoded(self, layer: keras.layers.Layer, x: Any, mask: Any, training: bool) -> tuple:
        x, *last = layer(x, mask=mask, training=training)
        if isinstance(layer, keras.layers.Bidirectional):
            both_ways = zip(last[: len(last) // 2], last[len(last) // 2 :], strict=True)
            last = [ops.concatenate(pair, axis=-1) for pair in both_ways]
        return self.drop(x, training=training), last

    def _attended(
        self, layer: AttentionRNN, x: Any, memory: Any, mask: Any, state: list, training: bool
    ) -> tuple:
        x, *_ = layer(x, memory, memory_mask=mask, initial_state=state, training=training)
        x, context = ops.split(x, 2, axis=-1)
        return self.drop(x, training=training), context

    def _decoded(
        self, layer: keras.layers.Layer, x: Any, context: Any, state: list, training: bool
    ) -> Any:
        x, *_ = layer(_beside(x, context), initial_state=state, training=training)
        return self.drop(x, training=training)

    def _read_out(self, x: Any, context: Any, training: bool) -> Any:
        return self.drop(self.readout(_beside(x, context)), training=training)

    def _logit_parts(self, x: Any, context: Any, training: bool = False) -> list:
        if self.readout is not None:
            x = self.place.layer(len(self.decoder), self._read_out)(x, context, training)
        if not self.options["tied"]:
            return self.softmax.parts(x) if self.place.devices else [self.softmax(x)]
        # In bfloat16 logits near 10 are 0.06 apart: enough to learn from, too coarse to rank by.
        dtype = x.dtype if training else "float32"

        def product(x: Any, vectors: Any, bias: Any) -> Any:
            kernel = ops.transpose(ops.cast(vectors, dtype))
            return ops.cast(ops.matmul(ops.cast(x, dtype), kernel), "float32") + bias

        vectors, bias = self._target_vectors(), self.softmax_bias
        if not self.place.devices:
            return [product(x, vectors, bias)]
        bounds = split_bounds(self.options["target_size"], len(self.place.devices))
        cut = zip(self.place.devices, bounds[:-1], bounds[1:], strict=True)
        return [on_device(at, product)(x, vectors[a:b], bias[a:b]) for at, a, b in cut]

    def _target_vectors(self) -> Any:
        """Of all tokens, ``[target_size, embedding]``: the weights themselves, or what the layer
        reads in them when they are integers with a scale a token."""
        if self.target_embedding.quantization_mode is None:
            return self.target_embedding.embeddings
        return self.target_embedding(ops.arange(self.options["target_size"]))

    @property
    def split_weights(self) -> list[WholeVariable]:
        """The weights that are split among devices."""
        split = self.place.devices and not self.options["tied"]
        return self.softmax.split_weights if split else []

    # The target, token by token.

    def memory(self, encoded: Encoded) -> Any:
        """What every step asks, a nest of tensors ``[batch, ...]``, and the same for all steps."""
        if self.options["attention"] == "bahdanau":
            memory = self.place.layer(1, self.decoder[0].cell.memory)
            return tuple(memory(encoded.memory, encoded.mask))
        if self.options["attention"] == "luong":
            keys = self.place.layer(len(self.decoder), self.attention.keys)
            return encoded.memory, keys(encoded.memory), encoded.mask
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
        x = self.place.layer(1, self.target_embedding)(tokens)
        context, weights, new = None, None, []
        for depth, (layer, state) in enumerate(zip(self.decoder, states, strict=True), start=1):
            if isinstance(layer, AttentionRNN):
                x, state, weights = self.place.layer(depth, layer.cell.step)(x, state, memory)
                x, context = ops.split(x, 2, axis=-1)
            else:
                x, state = self.place.layer(depth, layer.cell)(_beside(x, context), state)
            new.append(list(state))
        if self.attention is not None:
            values, keys, mask = memory
            attention = self.place.layer(len(self.decoder), self.attention)
            context, weights = attention(x, values, memory_mask=mask, keys=keys)
        return _whole(self._logit_parts(x, context)), new, weights

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


def _beside(x: Any, context: Any) -> Any:
    return x if context is None else ops.concatenate([x, context], axis=-1)


def _whole(parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


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
    model.build({"source": (1, 2), "target": (1, 2)})  # Keras notes the shapes in a saved file
    if initial_scale is not None:
        for weight in joined(model.trainable_variables, model.split_weights):
            weight.assign(keras.random.uniform(weight.shape, -initial_scale, initial_scale))
    return model


def on_one_device(model: Seq2Seq) -> Seq2Seq:
    """A copy of a model whose layers stand on several devices, whole and on the processor: what can
    be saved."""
    with keras.device("cpu:0"):
        whole = Seq2Seq.from_config(model.get_config())
        whole.build(None)
        variables = joined(model.variables, model.split_weights)
        for variable, value in zip(whole.variables, variables, strict=True):
            variable.assign(value.value)
    return whole


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
