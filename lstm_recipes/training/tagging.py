"""Training and measuring a tagger: what the loop in fit.py drives."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.data.conll import Corpus, Sentence
from lstm_recipes.data.ragged import Ragged
from lstm_recipes.data.sentence_batches import SentenceBatches, of_like_length
from lstm_recipes.data.tag_schemes import convert, repair
from lstm_recipes.data.tagger_vocabulary import TaggerVocabulary
from lstm_recipes.data.word_context import Context
from lstm_recipes.data.word_features import EncodedSentences, WordFeatures, padded
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.layers.crf import mask_of
from lstm_recipes.layers.linear_chain import marginals, transition_probabilities, viterbi
from lstm_recipes.metrics.spans import entity_scores
from lstm_recipes.models.tagger import word_context
from lstm_recipes.training.fit import Validation
from lstm_recipes.training.model_file import saved_aside
from lstm_recipes.training.replicas import Replicas

READ_AT_ONCE = 4096  # words, padding included, that decoding reads at a time


class TaggingTask:
    """A tagger, the vectors of its training words, and its optimizer.

    The vectors are trained by plain stochastic gradient descent and everything else by AdamW, which
    would move a rare word as far as a common one: the more it moves, the less it tells of its
    neighbours among the pretrained vectors, which were not trained here.

    Args:
        model: Of `models.tagger`, made in the replicas' scope, as the task is.
        table: The words' vectors; those of training words are trained too.
        vocabulary: The model's tags and characters.
        corpus: The sentences; those of its test split are not looked at.
        batch_size: Sentences a step.
        seed: Of the batches.
        weight_decay, clip_norm: AdamW's; neither biases nor vectors nor transitions decay.
        vector_rate: The learning rate of the vectors, as a multiple of AdamW's.
        word_dropout: The share of words that are the unknown word in training.
        replicas: The model's; without it there is one.
    """

    unit = "words"
    gradient_norm = math.nan

    def __init__(
        self,
        model: keras.Model,
        table: WordTable,
        vocabulary: TaggerVocabulary,
        corpus: Corpus,
        *,
        batch_size: int,
        seed: int,
        weight_decay: float,
        clip_norm: float,
        vector_rate: float,
        word_dropout: float,
        replicas: Replicas | None = None,
    ):
        self.replicas = replicas or Replicas()
        self.model, self.table, self.valid = model, table, corpus.valid
        self.seed, self.vector_rate, self.word_dropout = seed, vector_rate, word_dropout
        features, known = vocabulary.features(table.words), (vocabulary.tags, vocabulary.scheme)
        self.words = encoded(corpus.train, features, vocabulary.window)
        self.labels = tag_ids(corpus.train, *known)
        self.valid_words = encoded(corpus.valid, features, vocabulary.window)
        self.valid_labels = tag_ids(corpus.valid, *known)
        self.batches = SentenceBatches(self.labels.lengths, batch_size, seed)
        self.steps_per_epoch = self.batches.steps_per_epoch
        self.units_per_step = len(self.labels.values) / self.steps_per_epoch
        self.vectors = keras.Variable(table.matrix[: table.trained], name="vectors")
        self.optimizer = keras.optimizers.AdamW(
            weight_decay=weight_decay, global_clipnorm=clip_norm
        )
        self.optimizer.exclude_from_weight_decay(
            var_names=["bias", "embeddings", "transitions", "start", "end"]
        )
        self.optimizer.build(model.trainable_variables)
        self._decoder = Decoder(model, *known)
        words = [tf.TensorSpec([None] * rank, "int32") for rank in (2, 2, 3)]
        context = [tf.TensorSpec([None], "int32")] * 3 + [tf.TensorSpec([None, None, 6])]
        context += [tf.TensorSpec([None], "int32"), tf.TensorSpec([None, 2], "int32")]
        specs = *words, context, tf.TensorSpec([None, None], "int32"), tf.TensorSpec([])
        self._step = self.replicas.compiled(self._step, specs, model.variables)

    @property
    def variables(self) -> list[keras.Variable]:
        """Weights and random states, vectors, and the optimizer's."""
        return [*self.model.variables, self.vectors, *self.optimizer.variables]

    def train_step(self, step: int, learning_rate: float) -> float:
        """One batch; its loss in nats a word."""
        chosen = self.batches.batch(step)
        words = self.words.batch(chosen)
        tags = [self.labels[k] for k in chosen]
        labels = padded(tags)
        rows = self._without_some_words(words.rows, step)
        rate = np.float32(learning_rate)
        context = _with_rows(words.context, lambda rows: np.where(self.table.rare[rows], 0, rows))
        found = self._step(rows, words.case, words.characters, [*context], labels, rate)
        nats, self.gradient_norm = np.asarray(found).tolist()
        return nats / sum(map(len, tags))

    def _without_some_words(self, rows: np.ndarray, step: int) -> np.ndarray:
        """Some words are the unknown word, so that its vector learns what it is and the model to
        do without: half of the rare ones (Lample et al. 2016, section 4.3), and few others."""
        draw = np.random.default_rng((self.seed, step, 1)).random(rows.shape)
        return np.where(draw < np.where(self.table.rare[rows], 0.5, self.word_dropout), 0, rows)

    def _step(
        self,
        rows: tf.Tensor,
        case: tf.Tensor,
        characters: tf.Tensor,
        context: list,
        labels: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> tf.Tensor:
        context = self._own_rows(Context(*context))
        rows, case, characters, labels = map(self.replicas.rows, (rows, case, characters, labels))
        # From what stands around nothing is learnt about the vectors.
        context = _with_rows(
            context, lambda rows: _known(tf.gather(self.vectors.value, rows), rows)
        )
        with tf.GradientTape() as tape:
            vectors = tf.gather(self.vectors.value, rows)
            words = {"vectors": vectors, "case": case, "characters": characters}
            emissions = self.model(_inputs(self.model, words, context), training=True)
            likelihood = self.model.get_layer("crf").log_likelihood(emissions, labels)
            nats = -tf.reduce_sum(likelihood)
            # Of all batches the same share a word, so that none counts for more in a long sentence.
            loss = nats / self.units_per_step
        weights = self.model.trainable_variables
        gradients = self.replicas.summed(tape.gradient(loss, [*weights, self.vectors.value]))
        self.replicas.apply(self.optimizer, gradients[:-1], weights, learning_rate)
        change = tf.IndexedSlices(
            gradients[-1].values * (learning_rate * self.vector_rate), gradients[-1].indices
        )
        self.replicas.update(self.vectors.value, lambda copy, by: copy.scatter_sub(by), change)
        norm = tf.linalg.global_norm(gradients[:-1]) / self.replicas.number
        return tf.stack([nats, norm])

    def _own_rows(self, context: Context) -> Context:
        """What is around the sentences that this replica takes. Of the words around all, which
        sentences share, every replica sees all."""
        if self.replicas.number == 1:
            return context
        words = tf.shape(context.cases)[1]
        first, last = self.replicas.bounds(tf.shape(context.cases)[0])
        own = (context.place >= first * words) & (context.place < last * words)
        return context._replace(
            place=context.place[own] - first * words,
            left=context.left[own],
            right=context.right[own],
            cases=self.replicas.rows(context.cases),
            ranges=self.replicas.rows(context.ranges),
        )

    def validate(self) -> Validation:
        """The model, with vectors as the run keeps them, on the whole development set."""
        table = self.table.with_trained(self.vectors.numpy())
        predicted: list[list[str]] = [[]] * len(self.valid)
        nats = 0.0
        for chosen, emissions in self._decoder.emissions(table.halved, self.valid_words):
            for k, tags in zip(chosen, self._decoder.best(emissions), strict=True):
                predicted[k] = self._decoder.in_iob2(tags)
            labels = padded([self.valid_labels[k] for k in chosen])
            nats -= float(tf.reduce_sum(self._decoder.log_likelihood(emissions, labels)))
        nats /= len(self.valid_labels.values)
        f1 = entity_scores([s.tags for s in self.valid], predicted)["f1"]
        figures = {"validation_loss": nats, "validation_f1": f1}
        return Validation(
            figures, self.replicas.chiefs(-f1), f"validation F1 {f1:.2f}, {nats:.4f} nats per word"
        )

    def save(self, path: Path) -> None:
        """Write the model in Keras' own format, and its vectors beside it."""
        vectors = path.with_name("vectors.npz")
        with saved_aside(self.model, path) as folder:
            self.table.with_trained(self.vectors.numpy()).save(folder / vectors.name)
            path.unlink(missing_ok=True)  # a run that is killed here has no model, and no mixture
            os.replace(folder / vectors.name, vectors)


class Decoder:
    """The best tags of any number of sentences, by a model.

    Args:
        model: Of `models.tagger`.
        tags: The tags' names, in the model's order and in its scheme.
        scheme: That scheme.
    """

    def __init__(self, model: keras.Model, tags: Sequence[str], scheme: str):
        self.model, self.crf = model, model.get_layer("crf")
        self.tags, self.scheme = tags, scheme
        size = model.input["vectors"].shape[-1]
        words = [tf.TensorSpec([None] * rank, "int32") for rank in (2, 3)]
        place, vectors = tf.TensorSpec([None], "int32"), tf.TensorSpec([None, size])
        ranges = tf.TensorSpec([None, 2], "int32")
        context = [place, vectors, vectors, tf.TensorSpec([None, None, 6]), vectors, ranges]
        emissions = tf.TensorSpec([None, None, len(tags)])
        labels = tf.TensorSpec([None, None], "int32")
        self._emit = tf.function(
            self._emit,
            input_signature=[tf.TensorSpec([None, None, size]), *words, context],
            autograph=False,
        )
        self._best = tf.function(self._best, input_signature=[emissions], autograph=False)
        self.log_likelihood = tf.function(
            self.crf.log_likelihood, input_signature=[emissions, labels], autograph=False
        )
        self.chances = tf.function(self._chances, input_signature=[emissions], autograph=False)

    def emissions(
        self, matrix: np.ndarray, words: EncodedSentences, wanted: range | None = None
    ) -> Iterator[tuple[np.ndarray, tf.Tensor]]:
        """Some sentences of like length, by number, and what the model puts out for them, until
        all have had their turn, or those that are wanted. ``matrix`` has the words' vectors."""
        wanted = np.arange(len(words.ids)) if wanted is None else np.array(wanted, int)
        for some in of_like_length(words.ids.lengths[wanted], READ_AT_ONCE):
            chosen = wanted[some]
            batch = words.batch(chosen)
            context = _with_rows(batch.context, lambda rows: _known(matrix[rows], rows))
            yield chosen, self._emit(matrix[batch.rows], batch.case, batch.characters, [*context])

    def best(self, emissions: tf.Tensor) -> list[list[str]]:
        """The best tags under the model's own scheme, a list a sentence."""
        return [[self.tags[k] for k in row if k >= 0] for row in self._best(emissions).numpy()]

    def in_iob2(self, tags: Sequence[str]) -> list[str]:
        """The model's tags in IOB2; where they break its scheme (without a CRF they may) as the
        conlleval scorer reads them."""
        return convert(repair(tags, self.scheme)[0], self.scheme, "IOB2")

    def _emit(
        self, vectors: tf.Tensor, case: tf.Tensor, characters: tf.Tensor, context: list
    ) -> tf.Tensor:
        words = {"vectors": vectors, "case": case, "characters": characters}
        return self.model(_inputs(self.model, words, context), training=False)

    def _best(self, emissions: tf.Tensor) -> tf.Tensor:
        return viterbi(emissions, self.crf.chain, mask_of(emissions))[0]

    def _chances(self, emissions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The probability of each tag at each word, and of each after each tag of the word
        before: `linear_chain.marginals` and `transition_probabilities`."""
        chain, mask = self.crf.chain, mask_of(emissions)
        return marginals(emissions, chain, mask), transition_probabilities(emissions, chain, mask)


def _inputs(model: keras.Model, words: dict, context: Sequence) -> dict:
    """What a model reads of a batch; the sentences around if it does."""
    return words | ({"context": word_context(*context)} if "context" in model.input else {})


def _with_rows(context: Context, change: Callable) -> Context:
    """A context with its rows changed, to vectors say."""
    rows = {name: change(getattr(context, name)) for name in ("left", "right", "around")}
    return context._replace(**rows)


def _known(vectors: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Vectors, with zeros in place of the unknown word's."""
    return vectors * tf.cast(rows != 0, "float32")[:, None]


def encoded(sentences: Sequence[Sentence], features: WordFeatures, window: int) -> EncodedSentences:
    """Tagged sentences as a tagger sees them."""
    begins = np.array([s.begins for s in sentences], bool)
    return EncodedSentences(features, (s.words for s in sentences), window, begins)


def tag_ids(sentences: Sequence[Sentence], tags: Sequence[str], scheme: str) -> Ragged:
    """The tags of sentences as the model numbers them; a tag that it lacks is -1, unknown."""
    known = {tag: number for number, tag in enumerate(tags)}
    rows = ([known.get(t, -1) for t in convert(s.tags, "IOB2", scheme)] for s in sentences)
    return Ragged.of(rows, np.min_scalar_type(-len(tags)))
