"""Characters per second: our compiled loop beside TensorFlow's tutorial, with the same weights.

The other side is "Text generation with an RNN" (tensorflow.org/text/tutorials/text_generation):
a `tf.function` that makes one step, called from Python for each character. It is written out
here as the tutorial has it, down to the lookup of strings in each step, with an LSTM of the
model's own size. Both sides sample at temperature 1 in one process and take turns; a repeat
measures both and gives one ratio. Compiling is not timed, and is shown apart.

    python benchmarks/sampling.py                       # the default recipe's size, untrained
    python benchmarks/sampling.py --run runs/char-rnn   # the weights of a trained run
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from machine import record

from lstm_recipes.data import Vocabulary
from lstm_recipes.decoding import Generator, make_sampler
from lstm_recipes.layers import GRU, ForgetGateLSTM
from lstm_recipes.layers.convert import to_keras
from lstm_recipes.models.char_lm import initial_state
from lstm_recipes.recipes.char_rnn import CharRNN, build
from lstm_recipes.training.trained import TrainedCharLM

PROMPT = "ROMEO:"
CHARACTERS = "\n !$&',-.3:;?" + "".join(map(chr, [*range(65, 91), *range(97, 123)]))


class TutorialModel(keras.Model):
    """The tutorial's `MyModel`, with as many recurrent layers as ours has, and ours' weights.

    The tutorial's vocabulary has one entry more, "[UNK]", at 0: a row and a column of zeros.
    """

    def __init__(self, model: keras.Model):
        super().__init__()
        embedding, *recurrent, dense = [
            layer
            for layer in model.layers
            if not isinstance(layer, keras.layers.InputLayer | keras.layers.Dropout)
        ]
        rows, width = embedding.embeddings.shape
        self.embedding = keras.layers.Embedding(rows + 1, width)
        self.recurrent = [as_keras(layer) for layer in recurrent]
        self.dense = keras.layers.Dense(rows + 1)
        self(tf.zeros((1, 1), tf.int32))
        self.embedding.set_weights([np.pad(embedding.get_weights()[0], ((1, 0), (0, 0)))])
        for theirs, ours in zip(self.recurrent, recurrent, strict=True):
            theirs.set_weights(ours.get_weights())
        kernel, bias = dense.get_weights()
        self.dense.set_weights([np.pad(kernel, ((0, 0), (1, 0))), np.pad(bias, (1, 0))])

    def call(self, inputs, states=None, return_state=False, training=False):
        x = self.embedding(inputs, training=training)
        if states is None:
            states = [layer.get_initial_state(tf.shape(x)[0]) for layer in self.recurrent]
        new_states = []
        for layer, state in zip(self.recurrent, states, strict=True):
            x, *state = layer(x, initial_state=state, training=training)
            new_states.append(state)
        x = self.dense(x, training=training)
        return (x, new_states) if return_state else x


def as_keras(layer: keras.layers.RNN) -> keras.layers.RNN:
    """Keras' own layer where there is an equal one, otherwise (cec, peephole) another of ours."""
    if isinstance(layer, ForgetGateLSTM | GRU):
        layer = to_keras(layer)
    return type(layer).from_config(layer.get_config())


class OneStep(keras.Model):
    """The tutorial's `OneStep`."""

    def __init__(self, model, chars_from_ids, ids_from_chars, temperature=1.0):
        super().__init__()
        self.temperature = temperature
        self.model = model
        self.chars_from_ids = chars_from_ids
        self.ids_from_chars = ids_from_chars
        # Create a mask to prevent "[UNK]" from being generated.
        skip_ids = self.ids_from_chars(["[UNK]"])[:, None]
        sparse_mask = tf.SparseTensor(
            values=[-float("inf")] * len(skip_ids),
            indices=skip_ids,
            dense_shape=[len(ids_from_chars.get_vocabulary())],
        )
        self.prediction_mask = tf.sparse.to_dense(sparse_mask)

    @tf.function
    def generate_one_step(self, inputs, states=None):
        input_chars = tf.strings.unicode_split(inputs, "UTF-8")
        input_ids = self.ids_from_chars(input_chars).to_tensor()
        predicted_logits, states = self.model(inputs=input_ids, states=states, return_state=True)
        predicted_logits = predicted_logits[:, -1, :]
        predicted_logits = predicted_logits / self.temperature
        predicted_logits = predicted_logits + self.prediction_mask
        predicted_ids = tf.random.categorical(predicted_logits, num_samples=1)
        predicted_ids = tf.squeeze(predicted_ids, axis=-1)
        predicted_chars = self.chars_from_ids(predicted_ids)
        return predicted_chars, states


def tutorial(model: TutorialModel, vocabulary: Vocabulary) -> Callable[[int, int], list[str]]:
    """`write(batch, length)` as the tutorial's last cells do it."""
    ids_from_chars = keras.layers.StringLookup(
        vocabulary=list(vocabulary.characters), mask_token=None
    )
    chars_from_ids = keras.layers.StringLookup(
        vocabulary=ids_from_chars.get_vocabulary(), invert=True, mask_token=None
    )
    one_step = OneStep(model, chars_from_ids, ids_from_chars)

    def write(batch: int, length: int) -> list[str]:
        states = None
        next_char = tf.constant([PROMPT] * batch)
        result = [next_char]
        for _ in range(length):
            next_char, states = one_step.generate_one_step(next_char, states=states)
            result.append(next_char)
        result = tf.strings.join(result)
        return [text.decode("utf-8") for text in result.numpy()]

    return write


def ours(model: keras.Model, vocabulary: Vocabulary) -> Callable[[int, int], list[str]]:
    """`write(batch, length)` by our loop, from text to text as well."""
    generator = Generator(model, make_sampler(seed=1))

    def write(batch: int, length: int) -> list[str]:
        prompt = np.tile(vocabulary.encode(PROMPT), (batch, 1))
        ids = np.concatenate([prompt, *generator.generate(prompt, length)], axis=1)
        return [vocabulary.decode(row) for row in ids]

    return write


def difference(model: keras.Model, other: TutorialModel) -> float:
    """The greatest difference of the two sides' logits on a random text, over their greatest."""
    ids = np.random.default_rng(1).integers(0, model.outputs[0].shape[-1], (2, 50))
    logits = model([tf.constant(ids, tf.int32), *initial_state(model, 2)])[0]
    apart = np.abs(logits - other(tf.constant(ids + 1))[..., 1:]).max()
    return float(apart / np.abs(logits).max())


def seconds(write: Callable, batch: int, length: int) -> float:
    start = time.perf_counter()
    texts = write(batch, length)
    took = time.perf_counter() - start
    assert [len(text) for text in texts] == [len(PROMPT) + length] * batch
    return took


def compare(sides: dict[str, Callable], batch: int, length: int, repeats: int) -> dict[str, Any]:
    for name, write in sides.items():
        print(f"  {name:9s} first call {seconds(write, batch, length):6.2f} s, compiling included")
    rates = np.array(
        [
            [batch * length / seconds(write, batch, length) for write in sides.values()]
            for _ in range(repeats)
        ]
    )
    for name, rate in zip(sides, rates.T, strict=True):
        low, middle, high = np.quantile(rate, [0.25, 0.5, 0.75])
        print(f"  {name:9s} {middle:10,.0f} characters/s (quartiles {low:,.0f} to {high:,.0f})")
    ratio = rates[:, 0] / rates[:, 1]
    low, middle, high = np.quantile(ratio, [0.25, 0.5, 0.75])
    print(
        f"  ratio     {middle:10.1f} (quartiles {low:.1f} to {high:.1f}, "
        f"least {ratio.min():.1f}, most {ratio.max():.1f}, {repeats} repeats)"
    )
    medians = {name: round(rate) for name, rate in zip(sides, np.median(rates, 0), strict=True)}
    quartiles = {"ratio": middle, "ratio_low": low, "ratio_high": high}
    return {"batch": batch} | medians | {k: round(float(v), 2) for k, v in quartiles.items()}


def main() -> None:
    numbers = CharRNN()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, help="folder of a trained run, instead of a new model")
    for name in ("layer", "layers", "units", "embedding"):
        default = getattr(numbers, name)
        parser.add_argument(
            f"--{name}", type=type(default), default=default, help=f"of the new model ({default})"
        )
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 64], help="sizes (1 64)")
    parser.add_argument("--length", type=int, default=512, help="characters a text (512)")
    parser.add_argument("--repeats", type=int, default=15, help="of each measurement (15)")
    parser.add_argument("--record", action="store_true", help="write the result file for the docs")
    options = parser.parse_args()

    if options.run:
        trained = TrainedCharLM(options.run)
        model, vocabulary = trained.model, trained.vocabulary
    else:
        sizes = {name: getattr(options, name) for name in ("layer", "layers", "units", "embedding")}
        vocabulary = Vocabulary.of(CHARACTERS)
        model = build(replace(numbers, **sizes), vocabulary)
    other = TutorialModel(model)
    recurrent = [layer for layer in model.layers if isinstance(layer, keras.layers.RNN)]
    print(
        f"{', '.join(f'{type(one).__name__}({one.units})' for one in recurrent)}, "
        f"{len(vocabulary)} characters, {model.count_params():,} parameters, "
        f"{recurrent[0].compute_dtype}; {os.cpu_count()} cores ({platform.machine()}), "
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}\n"
        f"the two sides' logits differ by {difference(model, other):.0e} of the greatest, at most"
    )
    sides = {"ours": ours(model, vocabulary), "tutorial": tutorial(other, vocabulary)}
    found = []
    for batch in options.batch:
        print(f"batch {batch}, {options.length} characters after {PROMPT!r}")
        found.append(compare(sides, batch, options.length, options.repeats))
    if options.record:
        record("sampling", "default", "python benchmarks/sampling.py --record", found)


if __name__ == "__main__":
    main()
