"""Sampling: how the next character is picked, and the compiled loop that writes text."""

import copy
import math
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.errors import UserError
from lstm_recipes.models.char_lm import initial_state

if TYPE_CHECKING:
    from keras_hub.samplers import Sampler

CHUNK = 64
_COLDEST = 1e-6  # below it logits / temperature overflow float32, and the softmax is 0 or 1 anyway


def make_sampler(
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
) -> "Sampler":
    """A keras-hub sampler, which picks the next character from the model's logits.

    Args:
        temperature: The logits are divided by it before the softmax. 0 is greedy: always the
            most probable character, whatever the other arguments say.
        top_k: Keep only the `k` most probable characters (all, where there are fewer).
        top_p: Keep only the most probable characters that together reach this probability, at
            least one. With `top_k` too, only the `k` are candidates, and their probabilities
            are still those among all characters.
        seed: The same seed gives the same text; None takes a new one for each `Generator`.

    Raises:
        UserError: A number lies outside its range.

    >>> type(make_sampler(temperature=0.8, top_k=10)).__name__
    'TopKSampler'
    >>> type(make_sampler(temperature=0)).__name__
    'GreedySampler'
    """
    if not (math.isfinite(temperature) and temperature >= 0):
        raise UserError(f"temperature is {temperature}; give 0 (greedy) or a positive number")
    if top_k is not None and top_k < 1:
        raise UserError(f"top_k is {top_k}; give a whole number of at least 1")
    if top_p is not None and not 0 < top_p <= 1:
        raise UserError(f"top_p is {top_p}; give a number above 0 and at most 1")
    if seed is not None and not 0 <= seed < 2**63:
        raise UserError(f"seed is {seed}; give a whole number from 0 to below 2**63")
    from keras_hub import samplers  # takes a second, so not before somebody samples

    if temperature < _COLDEST:
        return samplers.GreedySampler()
    if top_p is not None and top_p < 1:
        return samplers.TopPSampler(p=top_p, k=top_k, seed=seed, temperature=temperature)
    if top_k is not None:
        return samplers.TopKSampler(k=top_k, seed=seed, temperature=temperature)
    return samplers.RandomSampler(seed=seed, temperature=temperature)


class Carry(NamedTuple):
    """Where a text stands: all that is needed to go on with it."""

    last: tf.Tensor  # int32 [batch], the last character, which the model has not read yet
    states: tuple[tf.Tensor, ...]  # of the model before that character, each [batch, ...]
    position: int  # how many characters the text has, the prompt's included


class Generator:
    """Writes text with a character model, in compiled pieces, from a prompt or a `Carry`.

    Each character costs one step of the model from the state carried, so the price does not
    grow with the text. The loop over the characters of a chunk is one compiled function, made
    once per batch size (under a second), and the prompt goes through it too.

    Args:
        model: Inputs `[tokens int32 [batch, time], *states]`, outputs
            `[logits [batch, time, vocabulary], *states]`, such as `char_lm` makes.
        sampler: From `make_sampler`, or any sampler of keras-hub.
        chunk: The most characters written before they are handed over.
        jit_compile: Compile with XLA, about three times as fast at a batch of one. Its random
            numbers are others, so that the same seed gives another text without it.

    Attributes:
        carry: Where the text stands after the chunks taken so far; None before the first.
        seed: What all random choices follow from, together with the position in the text.

    >>> tokens, h = keras.Input((None,), dtype="int32"), keras.Input((8,))
    >>> x = keras.layers.Embedding(5, 4)(tokens)
    >>> gru = keras.layers.GRU(8, return_sequences=True, return_state=True)
    >>> x, h_new = gru(x, initial_state=h)
    >>> model = keras.Model([tokens, h], [keras.layers.Dense(5)(x), h_new])
    >>> generator = Generator(model, make_sampler(temperature=0.8, seed=1))
    >>> [ids.shape for ids in generator.generate([[0, 1, 2], [3, 4, 0]], length=100)]
    [(2, 62), (2, 38)]
    >>> [ids.shape for ids in generator.generate(None, length=5, carry=generator.carry)]
    [(2, 5)]
    """

    def __init__(
        self,
        model: keras.Model,
        sampler: "Sampler",
        chunk: int = CHUNK,
        jit_compile: bool = True,
    ):
        self.model = model
        self.vocabulary_size = model.outputs[0].shape[-1]
        self.chunk = chunk
        self.carry: Carry | None = None
        seed = getattr(sampler, "seed", None)
        self.seed = random.randrange(2**31) if seed is None else seed
        self._draws = _Draws(0)
        self._sampler = copy.copy(sampler)
        changes = {"seed_generator": self._draws}
        if getattr(sampler, "k", None) is not None:  # ops.top_k fails where there are fewer
            changes["k"] = min(sampler.k, self.vocabulary_size)
        vars(self._sampler).update(changes)  # past __setattr__, which also tells the original
        self._write = tf.function(self._write, jit_compile=jit_compile)

    def generate(
        self, prompt: np.ndarray | None, length: int, carry: Carry | None = None
    ) -> Iterator[np.ndarray]:
        """Yield `length` more characters, int32 arrays [batch, at most `chunk`], as they come.

        Args:
            prompt: Ids [batch, n] to read first, the same number in each row; at least one,
                unless there is a `carry` to go on from (then None is as good as n = 0).
            length: How many characters to write after the prompt.
            carry: Go on from here, with its state and position, instead of from the zero state.

        Raises:
            UserError: The prompt is empty, or has ids outside the vocabulary.
        """
        # A function of its own, so that a wrong argument is an error here and not at next().
        given = self._check(prompt, carry)
        if length < 0:
            raise UserError(f"length is {length}; give 0 or more characters to write")
        if carry is None:
            last, given = tf.constant(given[:, 0]), given[:, 1:]
            carry = Carry(last, tuple(initial_state(self.model, len(given))), position=1)
        return self._chunks(given, length, carry)

    def _chunks(self, given: np.ndarray, length: int, carry: Carry) -> Iterator[np.ndarray]:
        self.carry = carry
        total = given.shape[1] + length
        for start in range(0, total, self.chunk):
            count = min(self.chunk, total - start)
            known = given[:, start : start + self.chunk]
            tokens = np.zeros((self.chunk, len(given)), np.int32)
            tokens[: known.shape[1]] = known.T
            last, states, position = carry
            tokens, last, states = self._write(
                tf.constant(tokens),
                last,
                states,
                *(tf.constant(n) for n in (known.shape[1], count, self.seed % 2**31, position)),
            )
            self.carry = carry = Carry(last, states, position + count)
            if count > known.shape[1]:
                yield tokens.numpy()[known.shape[1] : count].T

    def _write(
        self,
        tokens: tf.Tensor,
        last: tf.Tensor,
        states: tuple[tf.Tensor, ...],
        known: tf.Tensor,
        count: tf.Tensor,
        seed: tf.Tensor,
        position: tf.Tensor,
    ) -> tuple:
        """Fill `tokens[known:count]` ([chunk, batch]); what stands in `tokens[:known]` is read.

        The whole model is called on one time step, where our layers make no loop of their own:
        that costs no more than calling the cells would.
        """

        def step(i, tokens, last, states):
            logits, *new_states = self.model([last[:, None], *states], training=False)
            self._draws.now = tf.stack([seed, position + i])
            probabilities = self._sampler.compute_probabilities(logits[:, 0])
            picked = tf.cast(self._sampler.get_next_token(probabilities), tf.int32)
            last = tf.where(i < known, tokens[i], picked)
            tokens = tf.tensor_scatter_nd_update(tokens, [[i]], last[None])
            states = tuple(
                tf.cast(new, old.dtype) for new, old in zip(new_states, states, strict=True)
            )
            return i + 1, tokens, last, states

        start = (tf.constant(0), tokens, last, states)
        return tf.while_loop(lambda i, *_: i < count, step, start)[1:]

    def _check(self, prompt: np.ndarray | None, carry: Carry | None) -> np.ndarray:
        """The prompt as int32 [batch, n]."""
        if prompt is None:
            prompt = np.zeros((0 if carry is None else len(carry.last), 0), np.int32)
        prompt = np.asarray(prompt)
        if prompt.ndim != 2 or prompt.dtype.kind not in "iu":
            raise ValueError(
                f"a prompt is whole numbers [batch, n]; received {prompt.dtype} {prompt.shape}"
            )
        if carry is not None and len(prompt) != len(carry.last):
            raise ValueError(
                f"the prompt has {len(prompt)} rows and the carry {len(carry.last)}; give as many"
            )
        if carry is None and prompt.size == 0:
            raise UserError("the prompt is empty; give at least one character to start from")
        # Checked here because compiled code takes the nearest row of the embedding instead.
        if prompt.size and not 0 <= prompt.min() <= prompt.max() < self.vocabulary_size:
            raise UserError(
                f"the prompt has ids from {prompt.min()} to {prompt.max()}, and the model's "
                f"vocabulary goes from 0 to {self.vocabulary_size - 1}"
            )
        return prompt.astype(np.int32)


class _Draws(keras.random.SeedGenerator):
    """Gives a sampler the seed (seed, position in the text) in place of its own counter.

    A character then depends on where it stands and not on what was drawn before it, in other
    chunks or other texts. It is faster too: XLA works out a seed that comes from a variable, or
    from any sum of vectors, anew for each random number, which made the step half as slow again.
    From two scalars it does so once.
    """

    now: tf.Tensor | None = None

    def next(self, ordered: bool = True) -> tf.Tensor:
        return self.now
