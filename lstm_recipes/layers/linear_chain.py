"""A linear-chain conditional random field, as pure functions.

Lafferty, McCallum & Pereira 2001, with the notation of Collobert et al. 2011, section 3.4.2. The
emissions e give each step a score for each tag, the chain gives scores to neighbours. A sequence
of tags y scores

    s(y) = start[y_1] + Σ_t e_t[y_t] + Σ_{t>1} transitions[y_{t-1}, y_t] + end[y_T]

and has the probability exp(s(y)) / Z, where Z sums exp(s) over all sequences of tags.

Everywhere: emissions are float ``[batch, time, tags]``; tags are int ``[batch, time]``; ``mask``
is bool ``[batch, time]``, False where a step is to be left out. Steps may be left out anywhere:
what comes before a gap and what comes after it are neighbours. All sums are over logarithms and
are levelled at each step, so nothing overflows and little is rounded off, and all take time and
memory in proportion to the length.

>>> import numpy as np
>>> emissions = np.array([[[4.0, 5, -3], [3, -1, 3], [-1, 2, 1]]], "float32")
>>> chain = Chain(np.array([[-3.0, 5, -2], [3, 4, 1], [1, 2, 1]], "float32"))
>>> float(sequence_score(emissions, [[1, 2, 1]], chain)[0])
13.0
>>> print(f"{float(log_partition(emissions, chain)[0]):.4f}")
18.0461
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops
from keras.backend import standardize_dtype

from lstm_recipes.layers.own_gradient import own_gradient

IMPOSSIBLE = -1e30
"""What is added to the score of what must not be. Finite, so that a difference of two such scores
is a number; exp of it is 0, so that neither sums nor gradients see it; and so low that no scores
make up for it in a sequence of any length."""


class Chain(NamedTuple):
    """The scores of neighbouring tags; ``K`` is the number of tags."""

    transitions: Any
    """``[K, K]``: from the tag of the row to the tag of the column."""
    start: Any = None
    """``[K]``: of a sequence's first tag; None for zeros."""
    end: Any = None
    """``[K]``: of its last tag; None for zeros."""

    def constrained(self, allowed: Any) -> "Chain":
        """The chain in which only what is allowed is possible.

        Args:
            allowed: bool ``[K + 1, K + 1]``: whether the tag of the column may follow the tag of
                the row; the last row is the start of a sequence, the last column its end.
        """
        scores = ops.where(allowed, 0.0, IMPOSSIBLE)
        transitions, start, end = self._filled()
        return Chain(
            transitions + ops.cast(scores[:-1, :-1], transitions.dtype),
            start + ops.cast(scores[-1, :-1], start.dtype),
            end + ops.cast(scores[:-1, -1], end.dtype),
        )

    def _filled(self) -> "Chain":
        transitions = ops.convert_to_tensor(self.transitions)
        start = ops.zeros_like(transitions[0]) if self.start is None else self.start
        end = ops.zeros_like(transitions[0]) if self.end is None else self.end
        return Chain(transitions, ops.convert_to_tensor(start), ops.convert_to_tensor(end))


def sequence_score(emissions: Any, tags: Any, chain: Chain, mask: Any = None) -> Any:
    """s(y) of the given tags, float ``[batch]``; 0 for a sequence without steps, NaN for one with
    a tag that is not from 0 to K - 1."""
    closed, chain, counts, tags = _closed(emissions, chain, mask, tags)
    score = _sequence_score(closed, chain, counts, tags)
    return ops.where(_among(tags, counts, 0, closed.shape[-1]), score, float("nan"))


def log_partition(emissions: Any, chain: Chain, mask: Any = None) -> Any:
    """log Z, float ``[batch]``: the log of the sum of exp s(y) over all sequences of tags."""
    closed, chain, counts, _ = _closed(emissions, chain, mask)
    return _log_partition(closed, chain, counts)


def log_likelihood(emissions: Any, tags: Any, chain: Chain, mask: Any = None) -> Any:
    """log p(y), float ``[batch]``; 0 for a sequence without steps.

    A tag that is not known is -1. The likelihood is then that of all sequences that agree with
    the known tags, which trains on partly labelled sequences (Tsuboi et al. 2008) and tells how
    sure the chain is of a part of a sequence (Culotta & McCallum 2004). Any other tag that is not
    from 0 to K - 1 makes it NaN.
    """
    emissions, chain, counts, tags = _closed(emissions, chain, mask, tags)
    emissions = _levelled(emissions)
    score = _sequence_score(emissions, chain, counts, tags)
    unknown = ops.any(counts & (tags < 0), axis=1)
    agreeing = _log_partition(_agreeing(emissions, tags), chain, counts, ops.any(unknown))
    found = ops.where(unknown, agreeing, score) - _log_partition(emissions, chain, counts)
    return ops.where(_among(tags, counts, -1, emissions.shape[-1]), found, float("nan"))


def marginals(emissions: Any, chain: Chain, mask: Any = None) -> Any:
    """p(y_t = k), float ``[batch, time, K]``, by forward and backward sums; 0 at masked steps."""
    closed, chain, counts, _ = _closed(emissions, chain, mask)
    closed = _levelled(closed)
    before, after = _forward(closed, chain), _backward(closed, chain, counts)
    found = ops.softmax(before + after - closed, axis=-1)
    return _opened(ops.where(counts[:, :, None], found, 0.0), mask)


def transition_probabilities(emissions: Any, chain: Chain, mask: Any = None) -> Any:
    """p(y_t = k | y_{t-1} = j), float ``[batch, time, K, K]``; at the first step that counts
    p(y_1 = k), whatever j is, and 0 at masked steps.

    Given the emissions the tags are a Markov chain, which these and the first step make up: so
    ``marginals`` and they give the probability of any part of a sequence as a product. Each is a
    softmax over k of transitions[j, k] + β_t[k], the sum over all ways on, from which no sums over
    a whole sequence are taken away: their digits are right at any length.
    """
    closed, chain, counts, _ = _closed(emissions, chain, mask)
    onward = _backward(_levelled(closed), chain, counts)[:, :, None]
    first = ops.broadcast_to(chain.start, chain.transitions.shape)
    ways = ops.concatenate([first + onward[:, :1], chain.transitions + onward[:, 1:]], axis=1)
    found = ops.where(counts[:, :, None, None], ops.softmax(ways, axis=-1), 0.0)
    return _opened(found, mask)


def viterbi(emissions: Any, chain: Chain, mask: Any = None) -> tuple[Any, Any]:
    """The best sequence of tags, int32 ``[batch, time]`` (-1 at masked steps), and its score,
    float ``[batch]`` (Viterbi 1967)."""
    closed, chain, counts, _ = _closed(emissions, chain, mask)
    onward = _backward(closed, chain, counts, ops.max)

    def choose(tag: Any, onward: Any) -> tuple:
        scores = ops.take(chain.transitions, tag, axis=0) + onward
        return _best(scores), tag

    first = _best(chain.start + onward[:, 0])
    tags = _swapped(ops.scan(choose, first, _later(onward))[1])
    score = _sequence_score(closed, chain, counts, tags)
    return _opened(ops.where(counts, tags, -1), mask), score


def _best(scores: Any) -> Any:
    """The first tag with the highest score, int32 ``[batch]``. Not by ops.argmax: on TensorFlow it
    looks at the bits of zeros, for which LiteRT has no operator."""
    return ops.cast(ops.top_k(scores, 1)[1][:, 0], "int32")


def k_best(emissions: Any, chain: Chain, k: int, mask: Any = None) -> tuple[Any, Any]:
    """The k best sequences, best first: tags int32 ``[batch, k, time]`` (-1 at masked steps) and
    scores float ``[batch, k]``. Where there are fewer than k possible ones, the score is -inf and
    all tags are -1.

    Viterbi's recursion over the k best ways on from each tag (Soong & Huang 1991).

    Raises:
        ValueError: ``k`` is not at least 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}; ask for at least 1 sequence.")
    closed, chain, counts, _ = _closed(emissions, chain, mask)
    number = closed.shape[-1]

    def grow(onward: Any, emission: Any) -> tuple:
        """The k best ways on from each tag, [batch, K, k], one step earlier."""
        level = onward - ops.max(onward, axis=(1, 2), keepdims=True)
        ways = chain.transitions[:, :, None] + level[:, None]  # [batch, from, to, k]
        ways = ops.top_k(ops.reshape(ways, (-1, number, number * k)), k)[0]
        return ways + emission[:, :, None], onward

    def choose(way: Any, onward: Any) -> tuple:
        """A way is a tag and a rank among the ways on from there: tag * k + rank, [batch, k]."""
        level = onward - ops.max(onward, axis=(1, 2), keepdims=True)
        ways = ops.take(chain.transitions, way // k, axis=0)[..., None] + level[:, None]
        ranked = ops.top_k(ops.reshape(ways, (-1, k, number * k)), k)[1]
        ranked = ops.cast(ranked, "int32")
        return ops.take_along_axis(ranked, (way % k)[:, :, None], axis=2)[..., 0], way

    turned = _turned(closed, counts)
    last = (chain.end + turned[:, 0])[:, :, None]
    last = ops.concatenate([last] + [ops.full_like(last, IMPOSSIBLE)] * (k - 1), axis=-1)
    onward = _turned(_swapped(ops.scan(grow, last, _later(turned))[1]), counts)
    scores = ops.reshape(chain.start[:, None] + onward[:, 0], (-1, number * k))
    scores, first = ops.top_k(scores, k)
    ways = _swapped(ops.scan(choose, ops.cast(first, "int32"), _later(onward))[1])
    scores += _levels(ops.max(onward, axis=(2, 3))[:, 1:], counts)[:, None]
    nothing = ops.where(ops.arange(k) == 0, 0.0, IMPOSSIBLE)
    scores = ops.where(counts[:, :1], scores, ops.cast(nothing, scores.dtype))
    possible = scores > IMPOSSIBLE / 2
    tags = ops.where(counts[:, :, None] & possible[:, None], ways // k, -1)
    return _swapped(_opened(tags, mask), 1), ops.where(possible, scores, -float("inf"))


def _order(mask: Any) -> Any:
    """The steps that count, in order, and then the others, int ``[batch, time]``."""
    time = ops.shape(mask)[1]
    return ops.argsort(ops.arange(time) + ops.where(mask, 0, time), axis=1)


def _closed(emissions: Any, chain: Chain, mask: Any, tags: Any = None) -> tuple:
    """Emissions without gaps (the steps that count come first), the chain, which steps count,
    and the tags, in float32 at least."""
    emissions = ops.convert_to_tensor(emissions)
    dtype = "float64" if standardize_dtype(emissions.dtype) == "float64" else "float32"
    emissions = ops.cast(emissions, dtype)
    chain = Chain(*(ops.cast(scores, dtype) for scores in chain._filled()))
    counts = ops.ones(ops.shape(emissions)[:2], "bool")
    tags = None if tags is None else ops.cast(tags, "int32")
    if mask is not None:
        order = _order(ops.convert_to_tensor(mask))
        counts = ops.take_along_axis(ops.cast(mask, "bool"), order, axis=1)
        emissions = ops.take_along_axis(emissions, order[:, :, None], axis=1)
        emissions = ops.where(counts[:, :, None], emissions, 0.0)
        if tags is not None:  # of the emissions' length, or `where` says so
            tags = ops.take_along_axis(ops.where(mask, tags, 0), order, axis=1)
    return emissions, chain, counts, tags


def _opened(values: Any, mask: Any) -> Any:
    """Values ``[batch, time, ...]`` back in the places that ``_closed`` took them from."""
    if mask is None:
        return values
    return _taken(values, ops.argsort(_order(ops.convert_to_tensor(mask)), axis=1))


def _turned(values: Any, counts: Any) -> Any:
    """The steps that count, ``[batch, time, ...]``, from last to first; what follows has no use."""
    time = ops.shape(counts)[1]
    last = ops.sum(ops.cast(counts, "int32"), axis=1, keepdims=True) - 1
    return _taken(values, ops.mod(last - ops.arange(time), time))


def _taken(values: Any, steps: Any) -> Any:
    """Values ``[batch, time, ...]`` at the steps ``[batch, time]``."""
    for _ in values.shape[2:]:
        steps = steps[..., None]
    return ops.take_along_axis(values, steps, axis=1)


def _swapped(values: Any, axis: int = 0) -> Any:
    """Batch and time, or the two axes from ``axis`` on, change places."""
    return ops.swapaxes(values, axis, axis + 1)


def _later(values: Any) -> Any:
    """What a scan reads, ``[time, batch, ...]``: at each step the values of the next, and at the
    last step the first's, whose result nobody sees. So a sequence of one step is scanned too."""
    return _swapped(ops.concatenate([values[:, 1:], values[:, :1]], axis=1))


def _levelled(emissions: Any) -> Any:
    """The best tag of each step at 0, which changes no probability."""
    return emissions - ops.stop_gradient(ops.max(emissions, axis=-1, keepdims=True))


def _forward(emissions: Any, chain: Chain, over: Callable = ops.logsumexp) -> Any:
    """α_t[k], ``[batch, time, K]``: logsumexp, or max, over the sequences up to t that end in k,
    less the largest of each earlier step. After a sequence's last step it is of no use."""

    def grow(alpha: Any, emission: Any) -> tuple:
        level = alpha - ops.max(alpha, axis=-1, keepdims=True)
        return over(level[:, :, None] + chain.transitions, axis=1) + emission, alpha

    return _swapped(ops.scan(grow, chain.start + emissions[:, 0], _later(emissions))[1])


def _backward(emissions: Any, chain: Chain, counts: Any, over: Callable = ops.logsumexp) -> Any:
    """The same over the sequences from t on that begin with k: forward, read from the end."""
    turned = Chain(ops.transpose(chain.transitions), chain.end, chain.start)
    return _turned(_forward(_turned(emissions, counts), turned, over), counts)


def _levels(largest: Any, counts: Any) -> Any:
    """The sum of what was taken away, the largest of each step but one, ``[batch, time - 1]``."""
    return ops.sum(ops.where(counts[:, 1:], largest, 0.0), axis=1)


def _log_partition(emissions: Any, chain: Chain, counts: Any, wanted: Any = True) -> Any:
    """log Z; where it is not ``wanted``, a bool for the whole batch, it is not worked out."""
    dtype = emissions.dtype
    return _log_partition_of(emissions, *chain, ops.cast(counts, dtype), ops.cast(wanted, dtype))


@own_gradient
def _log_partition_of(
    emissions: Any, transitions: Any, start: Any, end: Any, counts: Any, wanted: Any
) -> tuple[Any, Callable]:
    """log Z, with its gradient by forward and backward sums: the expected counts. Automatic
    differentiation of the scan gives the same, but XLA does not compile it in TensorFlow."""
    chain, number = Chain(transitions, start, end), transitions.shape[0]
    alpha = ops.cond(
        wanted > 0, lambda: _forward(emissions, chain), lambda: ops.zeros_like(emissions)
    )
    total = ops.logsumexp(_last(alpha, counts) + end, axis=-1)
    total += _levels(ops.max(alpha, axis=2)[:, :-1], counts > 0)

    def expected_counts(weights: Any) -> tuple:
        beta = _backward(emissions, chain, counts)
        tags = ops.softmax(alpha + beta - emissions, axis=-1)
        tags *= (counts * weights[:, None])[:, :, None]
        pairs = alpha[:, :-1, :, None] + transitions + beta[:, 1:, None]
        pairs = ops.softmax(ops.reshape(pairs, (*ops.shape(pairs)[:2], number * number)), axis=-1)
        pairs = ops.einsum("btp,bt->p", pairs, counts[:, 1:] * weights[:, None])
        first, last = ops.sum(tags[:, 0], axis=0), ops.sum(_last(tags, counts), axis=0)
        return tags, ops.reshape(pairs, (number, number)), first, last

    def gradient(*args: Any, upstream: Any = None) -> tuple:
        (weights,) = args if upstream is None else (upstream,)
        found = ops.cond(
            wanted > 0,
            lambda: expected_counts(weights),
            lambda: tuple(ops.zeros_like(part) for part in (emissions, *chain)),
        )
        return (*found, ops.zeros_like(counts), ops.zeros_like(wanted))

    return ops.where(counts[:, 0] > 0, total, 0.0), gradient


def _sequence_score(emissions: Any, chain: Chain, counts: Any, tags: Any) -> Any:
    number = emissions.shape[-1]
    tags = ops.clip(tags, 0, number - 1)
    emitted = ops.take_along_axis(emissions, tags[:, :, None], axis=-1)[:, :, 0]
    steps = ops.take(ops.reshape(chain.transitions, (-1,)), tags[:, :-1] * number + tags[:, 1:])
    score = ops.sum(ops.where(counts, emitted, 0.0), axis=1)
    score += ops.sum(ops.where(counts[:, 1:], steps, 0.0), axis=1)
    score += ops.take(chain.start, tags[:, 0]) + ops.take(chain.end, _last(tags, counts))
    return ops.where(counts[:, 0], score, 0.0)


def _last(values: Any, counts: Any) -> Any:
    """What ``[batch, time, ...]`` is at each sequence's last step."""
    last = ops.maximum(ops.sum(ops.cast(counts, "int32"), axis=1, keepdims=True) - 1, 0)
    return _taken(values, last)[:, 0]


def _agreeing(emissions: Any, tags: Any) -> Any:
    """Emissions under which only sequences that agree with the known tags are possible."""
    agrees = (tags < 0)[:, :, None] | (ops.arange(emissions.shape[-1]) == tags[:, :, None])
    return ops.where(agrees, emissions, IMPOSSIBLE)


def _among(tags: Any, counts: Any, lowest: int, number: int) -> Any:
    """Whether all the tags that count are from ``lowest`` to ``number`` - 1, bool ``[batch]``."""
    return ops.all(ops.logical_not(counts) | ((tags >= lowest) & (tags < number)), axis=1)
