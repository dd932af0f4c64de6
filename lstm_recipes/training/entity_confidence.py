"""How sure a tagger is of an entity: the probability that exactly these words are one."""

from collections.abc import Sequence

import numpy as np

from lstm_recipes.data.tag_schemes import split_tag


class EntityConfidence:
    """The sum of the probabilities of all sequences of tags that have an entity (Culotta &
    McCallum 2004), in a time that grows with the entity's words and not with the sentence's.

    Each way to tag the entity is one stretch of tags in a Markov chain, so its probability is that
    of the first tag times those of each tag after the one before it.

    Args:
        tags: The tags' names, in the model's order and in its scheme.
        scheme: That scheme.
        legal: Whether the model allows only sequences that are legal in the scheme.
    """

    def __init__(self, tags: Sequence[str], scheme: str, legal: bool):
        split = [split_tag(tag) for tag in tags]
        self._number = {tag: number for number, tag in enumerate(split)}
        kinds = {kind for _, kind in split}
        # The tags after which an entity of a type does not go on, and those that do not go on.
        self._shut = {k: np.array([k != t or p not in "BI" for p, t in split]) for k in kinds}
        self._new = {k: np.array([k != t or p not in "IE" for p, t in split]) for k in kinds}
        fresh = (True,) if legal and scheme != "IOB1" else (True, False)
        closed = (False,) if scheme != "IOBES" else (True,) if legal else (True, False)
        self._ways = [(begins, ends) for begins in fresh for ends in closed]

    def __call__(
        self, marginals: np.ndarray, transitions: np.ndarray, kind: str, start: int, end: int
    ) -> float:
        """The probability that the words from ``start`` to before ``end`` are an entity.

        Args:
            marginals: p(y_t = k), ``[words, tags]``, of one sentence.
            transitions: p(y_t = k | y_{t-1} = j), ``[words, tags, tags]``.
            kind: The entity's type.
            start, end: Its first word, and the word after its last one.
        """
        place = (kind, start, end)
        return min(1.0, sum(self._of(way, marginals, transitions, *place) for way in self._ways))

    def _of(
        self,
        way: tuple[bool, bool],
        marginals: np.ndarray,
        transitions: np.ndarray,
        kind: str,
        start: int,
        end: int,
    ) -> float:
        """The same of one way to tag it: that begins with B or S (``fresh``), or with I or E after
        what these cannot go on with; and ends with E or S (``closed``), or with B or I before what
        does not go on with it."""
        fresh, closed = way
        first, last = "B" if fresh else "I", "E" if closed else "I"
        if end - start == 1:
            first = last = {"BE": "S", "BI": "B", "IE": "E", "II": "I"}[first + last]
        prefixes = [first, *"I" * (end - start - 2), last][: end - start]
        tags = [self._number.get((prefix, kind)) for prefix in prefixes]
        if None in tags:
            return 0.0
        if fresh or start == 0:
            found = marginals[start, tags[0]]
        else:
            found = (marginals[start - 1] * transitions[start, :, tags[0]])[self._shut[kind]].sum()
        found *= transitions[np.arange(start + 1, end), tags[:-1], tags[1:]].prod()
        if not closed and end < len(marginals):
            found *= transitions[end, tags[-1], self._new[kind]].sum()
        return float(found)
