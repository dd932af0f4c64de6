"""Batches of sentences of like length."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

POOL = 40  # batches that are cut from one sorted pool


class SentenceBatches:
    """Which sentences make up which training step.

    Each epoch shuffles the sentences, sorts pools of 40 batches by length, cuts each into batches
    and shuffles those: little padding, and other company for a sentence each epoch. Step and seed
    alone decide, so that a resumed run reads on where it stopped.

    Args:
        lengths: Of every sentence.
        batch_size: Sentences a batch; the last one of a pool may have fewer.
        seed: Of the shuffling.

    >>> batches = SentenceBatches([3, 1, 2, 9, 8], batch_size=2, seed=0)
    >>> sorted(int(k) for step in range(batches.steps_per_epoch) for k in batches.batch(step))
    [0, 1, 2, 3, 4]
    """

    def __init__(self, lengths: Sequence[int] | np.ndarray, batch_size: int, seed: int):
        self.lengths, self.batch_size, self.seed = np.array(lengths), batch_size, seed
        self.steps_per_epoch = math.ceil(len(lengths) / batch_size)
        self._epoch: tuple[int, list[np.ndarray]] = (-1, [])

    def batch(self, step: int) -> np.ndarray:
        """The numbers of the sentences of a step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if self._epoch[0] != epoch:
            self._epoch = (epoch, self._shuffled(epoch))
        return self._epoch[1][place]

    def _shuffled(self, epoch: int) -> list[np.ndarray]:
        draw = np.random.default_rng((self.seed, epoch))
        sentences = draw.permutation(len(self.lengths))
        batches = []
        for start in range(0, len(sentences), POOL * self.batch_size):
            pool = sentences[start : start + POOL * self.batch_size]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            cuts = range(self.batch_size, len(pool), self.batch_size)
            batches += np.split(pool, list(cuts))
        draw.shuffle(batches)
        return batches


def of_like_length(lengths: Sequence[int], at_once: int) -> Iterator[np.ndarray]:
    """The numbers of all sentences, the shortest first, as many at a time as fit into ``at_once``
    tokens when they are padded to the longest of them; one sentence may be longer than that.

    >>> [chosen.tolist() for chosen in of_like_length([3, 1, 2, 9], at_once=6)]
    [[1, 2], [0], [3]]
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and lengths[order[stop]] * (stop + 1 - start) <= at_once:
            stop += 1
        yield order[start:stop]
        start = stop
