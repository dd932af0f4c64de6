"""Words from their characters: by a convolution, or read by a bidirectional LSTM."""

from typing import Any, Literal

import keras
from keras import ops

from lstm_recipes.layers import ForgetGateLSTM


@keras.saving.register_keras_serializable("lstm_recipes")
class CharacterWords(keras.layers.Layer):
    """One vector a word, from its characters.

    ``"cnn"``: a convolution over windows of three characters and the greatest value of each filter
    (Ma & Hovy 2016, section 2.1). ``"lstm"``: a bidirectional LSTM, whose last states forwards and
    backwards stand for the word (Lample et al. 2016, section 4.1).

    Args:
        characters: How many characters there are, 0 for none included.
        kind: ``"cnn"`` or ``"lstm"``.
        size: Width of the vector that stands for a character.
        units: Width of the vector that stands for a word; for ``"lstm"`` half of it each way.
        dropout: Rate on the characters' vectors, where training.

    Input: int32 ``[batch, words, characters]``, 0 after a word's last character. Output: float
    ``[batch, words, units]``.

    >>> CharacterWords(90, units=50)(ops.ones((2, 7, 12), "int32")).shape
    TensorShape([2, 7, 50])
    """

    def __init__(
        self,
        characters: int,
        kind: Literal["cnn", "lstm"] = "cnn",
        size: int = 30,
        units: int = 50,
        dropout: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.options = {
            "characters": characters,
            "kind": kind,
            "size": size,
            "units": units,
            "dropout": dropout,
        }
        policy = self.dtype_policy
        self.embedding = keras.layers.Embedding(
            characters,
            size,
            embeddings_initializer=keras.initializers.RandomUniform(
                -((3 / size) ** 0.5), (3 / size) ** 0.5
            ),
            dtype=policy,
        )
        self.drop = keras.layers.Dropout(dropout, dtype=policy)
        if kind == "cnn":
            self.encoder = keras.layers.Conv1D(units, 3, padding="same", dtype=policy)
        else:
            lstm = ForgetGateLSTM(units // 2, dtype=policy)
            self.encoder = keras.layers.Bidirectional(lstm, dtype=policy)

    def build(self, input_shape: tuple) -> None:
        self.embedding.build(input_shape)
        self.encoder.build((None, None, self.options["size"]))

    def call(self, inputs: Any, training: bool = False) -> Any:
        batch, words, length = ops.shape(inputs)
        ids = ops.reshape(inputs, (batch * words, length))
        present = ops.not_equal(ids, 0)
        x = self.drop(self.embedding(ids), training=training)
        if self.options["kind"] == "cnn":
            there = ops.expand_dims(present, -1)
            x = ops.where(there, x, 0)
            x = ops.where(there, self.encoder(x), -10.0)
            x = ops.max(x, axis=1)
        else:
            x = self.encoder(x, mask=present, training=training)
        return ops.reshape(x, (batch, words, self.options["units"]))

    def compute_output_spec(self, inputs: Any, training: bool = False) -> keras.KerasTensor:
        return keras.KerasTensor((*inputs.shape[:2], self.options["units"]), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | self.options
