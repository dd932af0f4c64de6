"""Scores of named entities: F1 over spans, and which entities are mistaken for which.

Tags are IOB2, one sequence per sentence. A sequence that breaks the scheme, with an I that follows
no entity of its type, is read as the conlleval script reads it: that I begins an entity.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from lstm_recipes.data.tag_schemes import spans

Tags = Sequence[Sequence[str]]


def entity_scores(gold: Tags, predicted: Tags) -> dict[str, Any]:
    """Precision, recall and F1 over whole entities, in percent, as seqeval computes them.

    An entity is right if its type, its first and its last word are. `precision`, `recall` and `f1`
    are those of seqeval's default mode, which equals conlleval's; `strict_f1` is of its strict
    mode, where an entity that does not begin with a B does not count. Without any entity to
    divide by, a score is 0.

    Args:
        gold: The right tags of each sentence.
        predicted: As many, for the same words.

    Returns:
        `f1`, `precision`, `recall`, `strict_f1`, and `types`: for each entity type, in
        alphabetical order, its `precision`, `recall`, `f1` and `support`, the number of entities
        in `gold`.

    Raises:
        UserError: a tag is not of IOB2.

    >>> gold = [["B-PER", "I-PER", "O"], ["B-LOC", "O"]]
    >>> scores = entity_scores(gold, [["B-PER", "I-PER", "O"], ["B-ORG", "O"]])
    >>> scores["f1"], scores["types"]["PER"]
    (50.0, {'precision': 100.0, 'recall': 100.0, 'f1': 100.0, 'support': 1})
    """
    # They bring scikit-learn along, which takes a second that tagging has no need to wait for.
    from seqeval.metrics import f1_score
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support
    from seqeval.scheme import IOB2

    kinds = sorted(_kinds(gold) | _kinds(predicted))
    _check_lengths(gold, predicted)
    pair = [list(map(list, tags)) or [[]] for tags in (gold, predicted)]
    # Not the classification report, which finds the entities anew for each kind of average.
    overall = precision_recall_fscore_support(*pair, average="micro", zero_division=0)
    by_kind = precision_recall_fscore_support(*pair, average=None, zero_division=0)
    strict = f1_score(*pair, mode="strict", scheme=IOB2, zero_division=0)
    return {
        **_percent(*overall[:3]),
        "strict_f1": 100 * float(strict),
        "types": {
            kind: {**_percent(*row), "support": int(support)}
            for kind, *row, support in zip(kinds, *by_kind, strict=True)
        },
    }


class Confusion(NamedTuple):
    """A kind of mistake, and how often it was made."""

    gold: str  # the entity's type, or "-" where there is no entity
    predicted: str  # likewise
    kind: str  # "wrong type", "wrong boundary", "missed" or "invented"
    count: int
    example: str  # the first such phrase; "gold → predicted" where the words differ


def confusions(
    words: Sequence[Sequence[str]], gold: Tags, predicted: Tags, n: int = 10
) -> list[Confusion]:
    """The commonest mistakes.

    Each wrong entity is in one of them. A gold entity that was not found and a predicted one that
    is not right make a pair if they overlap, at most one to one, and those that share more words
    first. A pair of one type has a wrong boundary. A pair of two types has a wrong type, be its
    boundaries right or not. A gold entity without a partner was missed, a predicted one invented.

    >>> words = [["John", "Smith", "of", "Bonn"]]
    >>> gold, predicted = [["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "O", "O", "B-ORG"]]
    >>> for confusion in confusions(words, gold, predicted):
    ...     print(*confusion, sep=" | ")
    PER | PER | wrong boundary | 1 | John Smith → John
    LOC | ORG | wrong type | 1 | Bonn
    """
    _check_lengths(gold, predicted, words)
    counts: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], str] = {}
    for sentence, right, answer in zip(words, gold, predicted, strict=True):
        if right == answer:
            continue
        for one, other in _pairs(spans(right, "IOB2"), spans(answer, "IOB2")):
            mistake = (one[0] if one else "-", other[0] if other else "-", _kind(one, other))
            counts[mistake] += 1
            if mistake not in examples:
                phrases = [" ".join(sentence[span[1] : span[2]]) for span in (one, other) if span]
                examples[mistake] = " → ".join(dict.fromkeys(phrases))
    return [Confusion(*key, count, examples[key]) for key, count in counts.most_common(n)]


Span = tuple[str, int, int]  # type, first word, and the word after the last


def _pairs(gold: list[Span], predicted: list[Span]) -> list[tuple[Span | None, Span | None]]:
    """The wrong entities of a sentence, each with its partner or None, in order."""
    right = set(gold) & set(predicted)
    missed = dict.fromkeys(span for span in gold if span not in right)
    invented = dict.fromkeys(span for span in predicted if span not in right)
    overlaps = [
        (-shared, one[0] != other[0], one, other)
        for one in missed
        for other in invented
        if (shared := min(one[2], other[2]) - max(one[1], other[1])) > 0
    ]
    pairs: list[tuple[Span | None, Span | None]] = []
    for *_, one, other in sorted(overlaps):
        if one in missed and other in invented:
            del missed[one], invented[other]
            pairs.append((one, other))
    pairs += [(one, None) for one in missed] + [(None, other) for other in invented]
    return sorted(pairs, key=lambda pair: (pair[0] or pair[1])[1])


def _kind(gold: Span | None, predicted: Span | None) -> str:
    if gold is None:
        return "invented"
    if predicted is None:
        return "missed"
    return "wrong boundary" if gold[0] == predicted[0] else "wrong type"


def _kinds(tags: Tags) -> set[str]:
    """The entity types in tags, all of which are of IOB2."""
    every = sorted({tag for sentence in tags for tag in sentence})
    return {kind for tag in every for kind, *_ in spans([tag], "IOB2")}


def _check_lengths(gold: Tags, *others: Sequence[Sequence[str]]) -> None:
    lengths = list(map(len, gold))
    for other in others:
        if list(map(len, other)) != lengths:
            raise ValueError("each sentence needs as many predicted tags, and words, as gold tags")


def _percent(precision: float, recall: float, f1: float) -> dict[str, float]:
    names = ("precision", "recall", "f1")
    return {k: 100 * float(v) for k, v in zip(names, (precision, recall, f1), strict=True)}
