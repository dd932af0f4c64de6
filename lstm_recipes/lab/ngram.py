"""Counting what follows what: the model that a network must beat."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lstm_recipes.errors import UserError


class NGram:
    """An n-gram model, of each order mixed with the next lower one (Witten & Bell 1991).

        p(w | h) = (c(h w) + t(h) p(w | h')) / (c(h) + t(h))

    where c counts, t(h) is how many different symbols have followed h, and h' is h without its
    first symbol. Below the order 1 all symbols of the alphabet are as likely. Of a sequence's
    beginning the model knows that nothing was before.

    Args:
        order: How many symbols are looked at, the one that is told included; at least 1.
        alphabet: All symbols that there are.

    >>> model = NGram(2, "ab")
    >>> model.fit(["abab"])
    >>> np.exp(model.log_probabilities("ab")).round(3).tolist()
    [0.75, 0.833]
    """

    def __init__(self, order: int, alphabet: Iterable):
        if order < 1:
            raise UserError(f"the order is {order}; give one of at least 1")
        self.order, self.alphabet = order, frozenset(alphabet)
        if not self.alphabet:
            raise UserError("the alphabet is empty; give all symbols that there are")
        self.counts: dict[tuple, Counter] = defaultdict(Counter)

    def fit(self, sequences: Iterable[Sequence]) -> None:
        """Count what is in some sequences, beside what has been counted."""
        for symbols in sequences:
            for k, symbol in enumerate(symbols):
                for length in range(self.order):
                    self.counts[self._before(symbols, k, length)][symbol] += 1

    def log_probabilities(self, symbols: Sequence) -> np.ndarray:
        """Of each symbol, given those before it: float ``[symbols]``, in nats."""
        return np.log([self._probability(symbols, k) for k in range(len(symbols))])

    def _before(self, symbols: Sequence, k: int, length: int) -> tuple[Any, ...]:
        kept = tuple(symbols[max(0, k - length) : k])
        return (None,) * (length - len(kept)) + kept

    def _probability(self, symbols: Sequence, k: int) -> float:
        p = 1 / len(self.alphabet)
        for length in range(self.order):
            counts = self.counts.get(self._before(symbols, k, length))
            if counts is None:
                break
            kinds = len(counts)
            p = (counts[symbols[k]] + kinds * p) / (counts.total() + kinds)
        return p
