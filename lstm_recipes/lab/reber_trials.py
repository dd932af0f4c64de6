"""Learning the embedded Reber grammar from examples (1997, experiment 1)."""

from dataclasses import dataclass

import numpy as np

from lstm_recipes.lab.reber import embedded_reber, encoded
from lstm_recipes.lab.trials import Trials

STRINGS = 256  # to learn from; as many to be tested on
STEPS = 64  # of the longest string that is kept: one in 10,000 is longer


@dataclass(frozen=True)
class AllPredicted:
    """When the grammar has been learnt: at every symbol of all 256 training and all 256 test
    strings, the most active outputs are those that may be next, two where there are two ways."""

    tolerance: float = 0.0
    last: int = 2 * STRINGS
    counted: bool = True


def example_strings(draw: np.random.Generator, count: int = STRINGS) -> list[str]:
    """Strings of the grammar that are no longer than 64 symbols; some more than once."""
    found: list[str] = []
    while len(found) < count:
        text = embedded_reber(draw)
        found += [text] * (len(text) <= STEPS)
    return found


def reber_strings(draw: np.random.Generator, count: int) -> tuple:
    """As many strings: x, the next symbols, and the first step of each, as `encoded` has them."""
    return encoded(example_strings(draw, count), STEPS - 1)[:3]


def all_predicted(found: np.ndarray, legal: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Which strings are predicted throughout.

    Args:
        found: The outputs, ``[strings, time, symbols, ...]``.
        legal: bool, shaped alike: what may be next.
        start: The first step of each string, ``[strings, ...]``.

    Returns:
        bool ``[strings, ...]``.

    >>> found = np.array([[[0.9, 0.4, 0.5], [0.1, 0.2, 0.3]]])
    >>> legal = np.array([[[True, False, True], [False, True, False]]])
    >>> all_predicted(found, legal, np.array([0])), all_predicted(found[:, :1], legal[:, :1], [0])
    (array([False]), array([ True]))
    """
    worst_legal = np.where(legal, found, np.inf).min(2)
    best_other = np.where(legal, -np.inf, found).max(2)
    steps = np.arange(found.shape[1]).reshape(1, -1, *[1] * (worst_legal.ndim - 2))
    return ((worst_legal > best_other) | (steps < np.asarray(start)[:, None])).all(1)


class ReberTrials(Trials):
    """Networks that each learn from 256 strings of their own, drawn in any order, one string at a
    time, and are tested on all of these and on 256 others."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        texts = [example_strings(draw, 2 * STRINGS) for draw in self._draws(4)]
        parts = zip(*(encoded(own, STEPS - 1) for own in texts), strict=True)
        self.x, self.target, self.start, self.legal = (np.stack(part, -1) for part in parts)

    def _draw(self, draws: list[np.random.Generator], count: int) -> list[np.ndarray]:
        """Strings out of each network's first 256."""
        chosen = np.stack([draw.integers(0, STRINGS, count) for draw in draws], axis=-1)
        trial = np.arange(len(draws))
        take = lambda array: np.moveaxis(np.moveaxis(array, -1, 1)[chosen, trial], 1, -1)  # noqa: E731
        return [take(self.x), take(self.target), take(self.start)]

    def _look_at(self, found: np.ndarray, wanted: np.ndarray) -> None:
        """What was wrong in the strings that were learnt from tells nothing of the others."""
        outputs = self._outputs(self.x, self.start)
        off = 1.0 - all_predicted(outputs, self.legal, self.start).astype("float32")
        self.recent = np.stack([off, off], axis=1)

    def _right(self) -> np.ndarray:
        return self.recent[:, 0].sum(0) == 0

    def _tested(self) -> np.ndarray:
        """How many of 256 further strings each network has wrong."""
        texts = [example_strings(draw, self.task.tests) for draw in self._draws(5)]
        parts = zip(*(encoded(own, STEPS - 1) for own in texts), strict=True)
        x, _, start, legal = (np.stack(part, -1) for part in parts)
        outputs = self._outputs(x, start)
        return (~all_predicted(outputs, legal, start)).sum(0)
