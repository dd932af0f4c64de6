"""Training a translator: what the loop in fit.py drives."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.data.pairs import Pair, Pairs
from lstm_recipes.data.ragged import Ragged
from lstm_recipes.data.sentence_batches import SentenceBatches
from lstm_recipes.data.tokenizer import END, START
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary
from lstm_recipes.data.word_features import padded
from lstm_recipes.decoding.translation import Translator
from lstm_recipes.metrics.translation import bleu
from lstm_recipes.models.placement import on_device
from lstm_recipes.models.seq2seq import Seq2Seq, on_one_device
from lstm_recipes.training.fit import Validation
from lstm_recipes.training.model_file import save_model
from lstm_recipes.training.placed import update_in_place, with_slots
from lstm_recipes.training.replicas import Replicas

ENCODED_AT_ONCE = 10_000  # texts that become ids at a time
READ_AT_ONCE = 64  # pairs whose loss is computed at a time


class TokenPairs:
    """Pairs of sentences as token ids.

    Args:
        source, target: The ids of every sentence, without START and END; `of` packs them.

    >>> pairs = TokenPairs([np.array([5, 6])], [np.array([7])])
    >>> [part.tolist() for part in pairs.batch([0])]
    [[[5, 6, 2]], [[1, 7]], [[7, 2]]]
    """

    def __init__(self, source: Sequence[np.ndarray], target: Sequence[np.ndarray]):
        self.source, self.target = source, target

    @classmethod
    def of(cls, pairs: Sequence[Pair], vocabulary: TranslationVocabulary) -> "TokenPairs":
        """Those of text."""
        source, target = (s for s, _ in pairs), (t for _, t in pairs)
        return cls(
            _encoded(source, vocabulary.read_all, len(vocabulary.source)),
            _encoded(target, vocabulary.target.encode_all, len(vocabulary.target)),
        )

    def batch(self, chosen: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The source, what the decoder reads and what it is to say, int32 ``[batch, tokens]``."""
        source = padded([np.append(self.source[k], END) for k in chosen])
        read = padded([np.insert(self.target[k], 0, START) for k in chosen])
        said = padded([np.append(self.target[k], END) for k in chosen])
        return source, read, said


def _encoded(texts: Iterator[str], encode: Callable, size: int) -> Ragged:
    """The ids of texts, below ``size``, by a function that takes some texts at a time."""
    parts = iter(lambda: list(islice(texts, ENCODED_AT_ONCE)), [])
    rows = (row for part in parts for row in encode(part))
    return Ragged.of(rows, np.min_scalar_type(size - 1))


class Terms(NamedTuple):
    """What the loss of each token needs of the logits, float32 ``[batch, tokens]`` each."""

    normalizer: tf.Tensor
    """log Σ exp of all logits."""
    total: tf.Tensor
    """Their sum."""
    largest: tf.Tensor
    own: tf.Tensor
    """The logit of the token itself."""


def terms(
    model: Seq2Seq, source: tf.Tensor, read: tf.Tensor, said: tf.Tensor, training: bool
) -> Terms:
    """Those of a batch. A device that has some of the logits brings them down to four numbers a
    token, so that they are nowhere together."""
    parts = model.logit_parts({"source": source, "target": read}, training)
    found, first = [], 0
    for device, logits in zip(model.place.devices or (None,), parts, strict=True):
        found.append(on_device(device, _terms)(logits, said - first))
        first += logits.shape[-1]
    if len(found) == 1:
        return found[0]
    normalizers, totals, largest, own = map(tf.stack, zip(*found, strict=True))
    return Terms(
        tf.reduce_logsumexp(normalizers, axis=0),
        tf.reduce_sum(totals, axis=0),
        tf.reduce_max(largest, axis=0),
        tf.reduce_sum(own, axis=0),
    )


def _terms(logits: tf.Tensor, said: tf.Tensor) -> Terms:
    """Of some of the logits; ``own`` is 0 where the token is not among them."""
    last = logits.shape[-1] - 1
    own = tf.gather(logits, tf.clip_by_value(said, 0, last), batch_dims=2)
    return Terms(
        tf.reduce_logsumexp(logits, axis=-1),
        tf.reduce_sum(logits, axis=-1),
        tf.reduce_max(logits, axis=-1),
        tf.where((said >= 0) & (said <= last), own, 0.0),
    )


def losses(
    model: Seq2Seq, source: tf.Tensor, read: tf.Tensor, said: tf.Tensor, training: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Two sums over a batch in nats: the negative log-likelihood of what is to be said, and the
    cross-entropy of all tokens alike, for label smoothing."""
    found = terms(model, source, read, said, training=training)
    there = tf.cast(said != 0, "float32")
    alike = found.total / model.options["target_size"]
    nats = tf.reduce_sum((found.normalizer - found.own) * there)
    return nats, tf.reduce_sum((found.normalizer - alike) * there)


class TokenLoss:
    """The loss of a model on any number of pairs, the right beginning of each target given."""

    def __init__(self, model: Seq2Seq):
        self.model = model
        ids = [tf.TensorSpec([None, None], "int32")] * 3
        self._tokens = tf.function(self._tokens, input_signature=ids, autograph=False)

    def _tokens(
        self, source: tf.Tensor, read: tf.Tensor, said: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        found = terms(self.model, source, read, said, training=False)
        return found.normalizer - found.own, found.own >= found.largest

    def of_tokens(self, pairs: TokenPairs) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of each pair the nats of each token said, END the last, float32 ``[tokens]``; and whether
        it is the model's first choice, bool ``[tokens]``."""
        lengths = [len(row) + 1 for row in pairs.target]
        nats, right = [np.zeros(0)] * len(lengths), [np.zeros(0, bool)] * len(lengths)
        order = np.argsort(lengths, kind="stable")
        for k in range(0, len(order), READ_AT_ONCE):
            chosen = order[k : k + READ_AT_ONCE]
            found = [part.numpy() for part in self._tokens(*pairs.batch(chosen))]
            for row, pair in enumerate(chosen):
                nats[pair], right[pair] = (part[row, : lengths[pair]] for part in found)
        return nats, right

    def of(self, pairs: TokenPairs) -> float:
        """Nats a token, END included; exp of it is the perplexity."""
        return float(np.concatenate(self.of_tokens(pairs)[0]).mean(dtype="float64"))

    def by_position(self, pairs: TokenPairs) -> list[dict[str, float]]:
        """Nats a token and the share of right tokens, in percent, of each fifth of the targets."""
        nats, right = self.of_tokens(pairs)
        part = np.concatenate([np.arange(len(row)) * 5 // len(row) for row in nats])
        nats, right = np.concatenate(nats), np.concatenate(right)
        return [
            {
                "fifth": k + 1,
                "tokens": int((part == k).sum()),
                "nats_per_token": round(float(nats[part == k].mean(dtype="float64")), 4),
                "right": round(100 * float(right[part == k].mean()), 2),
            }
            for k in range(5)
            if (part == k).any()
        ]


class TranslationTask:
    """A model, its optimizer and its pairs: teacher forcing.

    Args:
        model: What is trained, made in the replicas' scope, as the task is.
        vocabulary: How text becomes its tokens.
        pairs: The training pairs, and the development pairs, by whose BLEU the best model is
            chosen, for the loss is lowest long before the translations are best.
        batch_size: Pairs a step, of like length.
        seed: Of the batches.
        label_smoothing: The share of the probability that goes to all tokens alike (Szegedy et
            al. 2016, section 7); losses are stated without it.
        scheduled_sampling: The share of the tokens which the decoder reads that are its own and
            not the right ones (Bengio et al. 2015), drawn from what it says where it reads the
            right ones alone (in parallel: Duckworth et al. 2019).
        optimizer: "adamw", or "sgd" without momentum.
        weight_decay: AdamW's; biases and tokens' vectors do not decay.
        clip_norm: A gradient longer than this is shortened to it.
        loss_per: What the loss is a mean of, "token" or "sentence" (Sutskever et al. 2014, section
            3.4, divide the gradient by the size of the batch).
        replicas: The model's; without it there is one.
    """

    unit = "tokens"
    gradient_norm = math.nan

    def __init__(
        self,
        model: Seq2Seq,
        vocabulary: TranslationVocabulary,
        pairs: Pairs,
        *,
        batch_size: int,
        seed: int,
        label_smoothing: float,
        scheduled_sampling: float,
        optimizer: Literal["adamw", "sgd"],
        weight_decay: float,
        clip_norm: float,
        loss_per: Literal["token", "sentence"] = "token",
        replicas: Replicas | None = None,
    ):
        self.replicas = replicas or Replicas()
        self.model, self.vocabulary, self.seed = model, vocabulary, seed
        self.label_smoothing, self.scheduled_sampling = label_smoothing, scheduled_sampling
        self.train = train = TokenPairs.of(pairs.train, vocabulary)
        self.valid = TokenPairs.of(pairs.valid, vocabulary)
        self.references = [target for _, target in pairs.valid]
        self._translator = Translator([model], beam=1, longer=vocabulary.longer)
        lengths = train.source.lengths + train.target.lengths
        self.batches = SentenceBatches(lengths, batch_size, seed)
        self.steps_per_epoch = self.batches.steps_per_epoch
        # The end of a sentence is said too.
        said = int(train.target.lengths.sum()) + len(train.target)
        self.units_per_step = said / self.steps_per_epoch
        # Of all batches the same, so that no token counts for more in a short pair.
        self._divisor = self.units_per_step if loss_per == "token" else batch_size
        if optimizer == "sgd":
            self.optimizer = keras.optimizers.SGD(global_clipnorm=clip_norm)
        else:
            self.optimizer = keras.optimizers.AdamW(
                weight_decay=weight_decay, global_clipnorm=clip_norm
            )
            self.optimizer.exclude_from_weight_decay(var_names=["bias", "embeddings"])
        self.optimizer.build(model.trainable_variables)
        if model.place.devices:
            update_in_place(self.optimizer, clip_norm)
        ids = tf.TensorSpec([None, None], "int32")
        numbers = [tf.TensorSpec([]), tf.TensorSpec([], "int32")]
        signature = [ids, ids, ids, *numbers]
        self._step = self.replicas.compiled(self._step, signature, model.variables)
        self._loss = TokenLoss(model)

    @property
    def variables(self) -> list[keras.Variable]:
        """Weights and random states, and the optimizer's."""
        if self.model.place.devices:
            return with_slots(self.model, self.optimizer)
        return [*self.model.variables, *self.optimizer.variables]

    def train_step(self, step: int, learning_rate: float) -> float:
        """One batch; its loss in nats a token."""
        pairs = self.train.batch(self.batches.batch(step))
        found = self._step(*pairs, np.float32(learning_rate), np.int32(step))
        nats, self.gradient_norm = np.asarray(found).tolist()
        return nats / np.count_nonzero(pairs[2])

    def _step(
        self,
        source: tf.Tensor,
        read: tf.Tensor,
        said: tf.Tensor,
        learning_rate: tf.Tensor,
        step: tf.Tensor,
    ) -> tf.Tensor:
        weights = self.model.trainable_variables
        source, read, said = map(self.replicas.rows, (source, read, said))
        if self.scheduled_sampling:
            read = self._with_its_own(source, read, step)
        with tf.GradientTape() as tape:
            nats, alike = losses(self.model, source, read, said, training=True)
            smoothed = (1 - self.label_smoothing) * nats + self.label_smoothing * alike
            loss = smoothed / self._divisor
        gradients = self.replicas.summed(tape.gradient(loss, weights))
        self.replicas.apply(self.optimizer, gradients, weights, learning_rate)
        return tf.stack([nats, tf.linalg.global_norm(gradients) / self.replicas.number])

    def _with_its_own(self, source: tf.Tensor, read: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """What the decoder is to read, some of it replaced by what it says itself; START stays."""
        logits = self.model({"source": source, "target": read}, training=False)
        seed = self.seed + 2 * self.replicas.place()  # every replica draws for its own rows
        noise = tf.random.stateless_uniform(tf.shape(logits), (seed, step), minval=1e-20)
        own = tf.argmax(logits - tf.math.log(-tf.math.log(noise)), axis=-1, output_type="int32")
        own = tf.concat([read[:, :1], own[:, :-1]], axis=1)
        chance = tf.random.stateless_uniform(tf.shape(read), (seed + 1, step))
        return tf.where((chance < self.scheduled_sampling) & (read != 0), own, read)

    def validate(self) -> Validation:
        """The loss, and the BLEU of greedy translations, on the development set."""
        nats = self._loss.of(self.valid)
        found = [best[0].tokens for best in self._translator.translate(self.valid.source)]
        texts = list(map(self.vocabulary.target.decode, found))
        score = bleu(texts, self.references, lowercase=self.vocabulary.target.lowercase).value
        figures = {"validation_loss": nats, "validation_bleu": score}
        text = f"validation BLEU {score:.2f} (greedy), {nats:.4f} nats per token"
        return Validation(figures, self.replicas.chiefs(-score), text)

    def save(self, path: Path) -> None:
        """Write the model in Keras' own format."""
        save_model(on_one_device(self.model) if self.model.place.devices else self.model, path)
