"""From source sentences to target sentences, by one trained model or several."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lstm_recipes.data.sentence_batches import of_like_length
from lstm_recipes.data.tokenizer import END, PADDING, START
from lstm_recipes.data.translation_vocabulary import LONGER, MORE
from lstm_recipes.data.word_features import padded
from lstm_recipes.decoding.beam_search import Hypotheses, beam_search
from lstm_recipes.decoding.steps import Step, ensemble
from lstm_recipes.models.seq2seq import Seq2Seq

READ_AT_ONCE = 2048  # source tokens, padding included, that are translated at a time
NOTES = (
    "`source` is a source's token ids in the model's order (vocabulary.json says whether that is "
    "from its end), 2 after the last and 0 after that; `longest` is the most tokens that its "
    "translation may have. `tokens` are those of the best translation, `lengths` of them count.",
)
"""What whoever runs an exported `Translator.search` should know, for the model card."""


class Hypothesis(NamedTuple):
    """One translation of a sentence."""

    tokens: np.ndarray
    """int32 ``[length]``, without START and END."""
    score: float
    """What hypotheses are ranked by."""
    log_probability: float
    """Of the whole, END included."""
    attention: np.ndarray | None
    """float32 ``[length, source]``: how much each token attends to each source token, the
    source's END the last of them; None where the model has no attention."""


class Translator:
    """Beam search through one or several models of the same vocabularies.

    Args:
        models: Several are an ensemble: their log-probabilities are averaged (Sutskever et al.
            2014, section 3.6).
        beam: How many hypotheses live; 1 is greedy.
        n_best: How many translations a sentence gets.
        length_penalty, coverage_penalty, no_repeat_ngram: As for `beam_search`.
        longer: A translation may have so many times its source's tokens, and MORE.

    Attributes:
        search: The search as one compiled function, which can be saved: of ``source`` int32
            ``[batch, source]``, END the last token of each and PADDING after it, and ``longest``
            int32 ``[batch]``, the most tokens of each translation, the `Hypotheses`.
    """

    def __init__(
        self,
        models: Sequence[Seq2Seq],
        *,
        beam: int = 5,
        n_best: int = 1,
        length_penalty: float = 0.0,
        coverage_penalty: float = 0.0,
        no_repeat_ngram: int = 0,
        longer: float = LONGER,
    ):
        self.models, self.beam, self.longer = list(models), beam, longer
        self.options = {
            "beam": beam,
            "n_best": n_best,
            "length_penalty": length_penalty,
            "coverage_penalty": coverage_penalty,
            "no_repeat_ngram": no_repeat_ngram,
        }
        ids = [tf.TensorSpec([None, None], "int32", "source")]
        ids += [tf.TensorSpec([None], "int32", "longest")]
        self.search = tf.function(self._search, input_signature=ids, autograph=False)

    def translate(self, sentences: Sequence[np.ndarray]) -> list[list[Hypothesis]]:
        """Translations of sentences, best first, from the tokens' ids without END; of a sentence
        without tokens one without tokens."""
        nothing = Hypothesis(np.zeros(0, "int32"), 0.0, 0.0, None)
        found = [[nothing] for _ in sentences]
        filled = [k for k, sentence in enumerate(sentences) if len(sentence)]
        lengths = [len(sentences[k]) + 1 for k in filled]  # END is read too
        for places in of_like_length(lengths, READ_AT_ONCE):
            chosen = [filled[place] for place in places]
            for k, hypotheses in zip(
                chosen, self._batch([sentences[k] for k in chosen]), strict=True
            ):
                found[k] = hypotheses
        return found

    def _batch(self, sentences: Sequence[np.ndarray]) -> Iterator[list[Hypothesis]]:
        source = padded([np.append(s, END) for s in sentences], PADDING)
        longest = [int(self.longer * len(s)) + MORE for s in sentences]
        result = self.search(source, np.array(longest, "int32"))
        tokens, lengths, scores, log_p = (part.numpy() for part in result[:4])
        maps = None if result.attention is None else result.attention.numpy()
        for k, sentence in enumerate(sentences):
            hypotheses = []
            for n, length in enumerate(lengths[k]):
                if scores[k, n] == -np.inf:  # there are fewer than n_best
                    break
                seen = None if maps is None else maps[k, n, :length, : len(sentence) + 1]
                hypotheses.append(
                    Hypothesis(tokens[k, n, :length], float(scores[k, n]), float(log_p[k, n]), seen)
                )
            yield hypotheses

    def _search(self, source: tf.Tensor, longest: tf.Tensor) -> Hypotheses:
        encoded = [(model, model.encode(source)) for model in self.models]
        steps = [_step_of(model) for model in self.models]
        states = tuple(model.start(sentences) for model, sentences in encoded)
        memory = tuple(model.memory(sentences) for model, sentences in encoded)
        one = len(steps) == 1
        return beam_search(
            steps[0] if one else ensemble(steps),
            states[0] if one else states,
            memory[0] if one else memory,
            start=START,
            end=END,
            max_length=longest,
            **self.options,
        )


def _step_of(model: Seq2Seq) -> Step:
    """One step of a model over all hypotheses; PADDING, START are never said."""

    def step(tokens: tf.Tensor, states: Any, memory: Any) -> tuple:
        logits, states, weights = model.step(tokens, states, memory)
        never = tf.one_hot([PADDING, START], logits.shape[1], on_value=-np.inf, off_value=0.0)
        return tf.nn.log_softmax(logits + tf.reduce_sum(never, axis=0)), states, weights

    return step
