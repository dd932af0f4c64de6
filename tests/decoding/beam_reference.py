"""A beam search with lists, one hypothesis at a time and to the last turn; and exhaustive search.

The model is a table that has read the whole prefix: its state is a number that each token changes,
and that chooses a row. So a state of the wrong parent gives other probabilities.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

ROWS = 499


class Model(NamedTuple):
    """Log-probabilities [ROWS, vocabulary] and attention [ROWS, source], float32."""

    log_probabilities: np.ndarray
    attention: np.ndarray

    def state(self, sentence: int, tokens: tuple) -> int:
        """After the tokens, the start among them; a sentence begins with a state of its own."""
        for token in tokens:
            sentence = following(sentence, token)
        return sentence


def following(state, token):
    return (state * 31 + token * 7 + 3) % ROWS


def model(vocabulary: int, source: int = 3, seed: int = 0, scale: float = 2.0) -> Model:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, scale, (ROWS, vocabulary))
    weights = rng.normal(0, 2, (ROWS, source))
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    attention = np.exp(weights) / np.exp(weights).sum(axis=1, keepdims=True)
    return Model(log_p.astype("float32"), attention.astype("float32"))


class Rules(NamedTuple):
    """What `beam_search` is asked for, its names and defaults."""

    start: int = 0
    end: int = 1
    beam: int = 5
    max_length: int = 5
    min_length: int = 0
    n_best: int = 1
    length_penalty: float = 0.0
    coverage_penalty: float = 0.0
    no_repeat_ngram: int = 0


class Found(NamedTuple):
    tokens: tuple
    score: float
    log_probability: float
    finished: bool
    attention: np.ndarray  # [tokens, source]


def score(rules: Rules, log_p: float, attention: np.ndarray) -> float:
    """Wu et al. 2016, eq. 14; attention [n, source], the end's included."""
    coverage = np.log(np.minimum(attention.sum(axis=0), 1)).sum()
    divisor = ((5 + len(attention)) / 6) ** rules.length_penalty
    return log_p / divisor + rules.coverage_penalty * coverage


def repeats(tokens: tuple, n: int) -> bool:
    """Whether n tokens in a row occur twice."""
    grams = [tokens[i : i + n] for i in range(len(tokens) - n + 1)] if n else []
    return len(set(grams)) < len(grams)


class Prefix(NamedTuple):
    tokens: tuple
    log_p: float
    attention: tuple


def extended(m: Model, rules: Rules, sentence: int, prefix: Prefix) -> Iterator[Prefix]:
    """By every token that is allowed."""
    state = m.state(sentence, (rules.start, *prefix.tokens))
    attention = (*prefix.attention, m.attention[state].astype("float64"))
    for token, log_p in enumerate(m.log_probabilities[state].astype("float64")):
        tokens = (*prefix.tokens, token)
        if token == rules.end:
            allowed = len(prefix.tokens) >= min(rules.min_length, rules.max_length)
        else:
            allowed = not repeats(tokens, rules.no_repeat_ngram)
        if allowed and log_p > -np.inf:
            yield Prefix(tokens, prefix.log_p + log_p, attention)


def complete(rules: Rules, prefix: Prefix, finished: bool) -> Found:
    attention = np.array(prefix.attention)
    ranked = score(rules, prefix.log_p, attention)
    return Found(prefix.tokens[:-1], ranked, prefix.log_p, finished, attention[:-1])


def best(found: list[Found], number: int) -> list[Found]:
    return sorted(found, key=lambda f: -f.score)[:number]


def beam_search(m: Model, rules: Rules, sentence: int = 0) -> list[Found]:
    live, found = [Prefix((), 0.0, ())], []
    for length in range(rules.max_length + 1):
        grown = [g for prefix in live for g in extended(m, rules, sentence, prefix)]
        grown.sort(key=lambda prefix: -prefix.log_p)
        for rank, prefix in enumerate(grown):
            among_the_best = rank < rules.beam
            if prefix.tokens[-1] == rules.end and (among_the_best or length == rules.max_length):
                found.append(complete(rules, prefix, among_the_best))
        live = [prefix for prefix in grown if prefix.tokens[-1] != rules.end][: rules.beam]
    return best(found, rules.n_best)


def exhaustive_search(m: Model, rules: Rules, sentence: int = 0) -> list[Found]:
    """Every sequence there is."""
    found = []
    others = [t for t in range(m.log_probabilities.shape[1]) if t != rules.end]
    for length in range(rules.min_length, rules.max_length + 1):
        for tokens in product(others, repeat=length):
            rows = [m.state(sentence, (rules.start, *tokens[:n])) for n in range(len(tokens) + 1)]
            steps = zip(rows, (*tokens, rules.end), strict=True)
            log_p = sum(float(m.log_probabilities[row, token]) for row, token in steps)
            if not repeats(tokens, rules.no_repeat_ngram) and log_p > -np.inf:
                prefix = Prefix((*tokens, rules.end), log_p, tuple(m.attention[rows].astype(float)))
                found.append(complete(rules, prefix, True))
    return best(found, rules.n_best)


def argmax_loop(choose: Callable, start: int, end: int, max_length: int) -> list[int]:
    """Greedy decoding: `choose(prefix)` gives the log-probabilities after it."""
    tokens: list[int] = []
    while len(tokens) < max_length:
        token = int(np.argmax(choose((start, *tokens))))
        if token == end:
            break
        tokens.append(token)
    return tokens
