"""Windows of tiny Shakespeare for small character models."""

from collections.abc import Callable, Iterator

import numpy as np

from lstm_recipes.data import Vocabulary, load_tiny_shakespeare, split
from lstm_recipes.lab.argument import Parts
from lstm_recipes.lab.learner import Learner

Windows = tuple[np.ndarray, np.ndarray]


class Characters:
    """A text as numbers, its first nine tenths to train on; windows begin without a state.

    >>> text = Characters("To be, or not to be. " * 20)
    >>> x, y = next(text.batches(np.random.default_rng(0), 1, 2, 5))
    >>> x.shape, bool((x[:, 1:] == y[:, :-1]).all()), len(text.vocabulary)
    ((2, 5), True, 10)
    """

    def __init__(self, text: str):
        self.vocabulary = Vocabulary.of(text)
        self.train, self.rest = (self.vocabulary.encode(part) for part in split(text))

    def batches(
        self, draw: np.random.Generator, count: int, batch: int, time: int
    ) -> Iterator[Windows]:
        """Windows of the training part, drawn anywhere, and each one's next characters."""
        for _ in range(count):
            yield _cut(self.train, draw.integers(0, len(self.train) - time, batch), time)

    def validation(self, count: int, time: int) -> Windows:
        """Windows spread evenly over the validation part."""
        return _cut(self.rest, np.linspace(0, len(self.rest) - time - 1, count).astype(int), time)


def _cut(ids: np.ndarray, starts: np.ndarray, time: int) -> Windows:
    rows = np.stack([ids[start : start + time + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]


def shakespeare() -> Callable[[], Characters]:
    """Tiny Shakespeare, loaded when it is first asked for."""
    kept: list[Characters] = []

    def load() -> Characters:
        if not kept:
            kept.append(Characters(load_tiny_shakespeare()))
        return kept[0]

    return load


def bits_learnt(
    learner: Learner, text: Characters, seed: int, steps: int, batch: int, time: int
) -> float:
    """Bits per character of a net that has learnt for some steps, on 128 windows of the validation
    part, each read from the zero state: a small sample, harder than the whole text in order."""
    learner.begin(seed)
    learner.learn(text.batches(np.random.default_rng(seed), steps, batch, time))
    return learner.loss(*text.validation(128, time)) / float(np.log(2.0))


def bits_by_seed(
    part: Parts,
    name: str,
    learner: Learner,
    text: Callable[[], Characters],
    seeds: int,
    **budget: int,
) -> list[float]:
    """`bits_learnt` of so many seeds, each a part of a measurement."""
    return [
        part(f"{name}, seed {seed}", lambda seed=seed: bits_learnt(learner, text(), seed, **budget))
        for seed in range(seeds)
    ]
