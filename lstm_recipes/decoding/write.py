"""Writing sampled text to standard output as it comes."""

import sys
from typing import TYPE_CHECKING

import numpy as np

from lstm_recipes.data.text import Vocabulary
from lstm_recipes.decoding.sampling import Generator
from lstm_recipes.errors import UserError

if TYPE_CHECKING:
    import keras
    from keras_hub.samplers import Sampler


def write_texts(
    model: "keras.Model",
    vocabulary: Vocabulary,
    prompt: np.ndarray,
    length: int,
    sampler: "Sampler",
    samples: int = 1,
) -> None:
    """Write texts that go on from a prompt: one as it comes, several one after the other.

    Args:
        model: From ``char_lm``.
        vocabulary: Its characters.
        prompt: Ids, int32 ``[n]``.
        length: Characters to write after it.
        sampler: From ``make_sampler``.
        samples: How many texts; they are drawn side by side.
    """
    if samples < 1:
        raise UserError(f"samples is {samples}; give a number of at least 1")
    pieces = Generator(model, sampler).generate(np.tile(prompt, (samples, 1)), length)
    start = vocabulary.decode(prompt)
    if samples == 1:
        sys.stdout.write(start)
        for ids in pieces:
            sys.stdout.write(vocabulary.decode(ids[0]))
            sys.stdout.flush()
        sys.stdout.write("\n")
        return
    written = np.concatenate([np.zeros((samples, 0), np.int32), *pieces], axis=1)
    for number, ids in enumerate(written, 1):
        sys.stdout.write(f"--- {number} of {samples} ---\n{start}{vocabulary.decode(ids)}\n")
