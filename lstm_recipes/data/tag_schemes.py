"""Tag schemes: how entities, which are spans of words, are written as one tag for each word.

A tag is `O`, for a word outside every entity, or a prefix, a hyphen and the entity's type.

| scheme | prefixes | two adjacent entities of type X, of two words and of one |
| --- | --- | --- |
| IOB1 | I; B only where an entity follows another of its own type at once | I-X I-X B-X |
| IOB2 | B for an entity's first word, I for its others | B-X I-X B-X |
| IOBES | as IOB2, but E for the last word and S for the only one | B-X E-X S-X |

BIOUL is IOBES with other letters: L is read as E, and U as S.

All three are read by one rule, which is that of the conlleval script wherever that knows the
prefix: a tag goes on with an entity if it is I or E, and the tag before it is B or I of the same
type; any other tag but O begins a new one. So sequences that break their scheme can be read too.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from lstm_recipes.errors import UserError

# Each scheme's prefixes; O stands in all of them.
_PREFIXES = {"IOB1": "BI", "IOB2": "BI", "IOBES": "BIES"}
SCHEMES = tuple(_PREFIXES)

_MEANING = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S"}
_OUTSIDE = ("O", "")


@lru_cache(maxsize=10_000)
def split_tag(tag: str) -> tuple[str, str]:
    """A tag's prefix, with L read as E and U as S, and its type.

    Raises:
        UserError: it is neither `O` nor a prefix, a hyphen and a type.

    >>> split_tag("B-PER"), split_tag("U-work-of-art"), split_tag("O")
    (('B', 'PER'), ('S', 'work-of-art'), ('O', ''))
    """
    if tag == "O":
        return _OUTSIDE
    prefix, _, kind = tag.partition("-")
    if prefix not in _MEANING or not kind:
        raise UserError(
            f"{tag!r} is no tag; write O, or one of {', '.join(_MEANING)}, a hyphen and the "
            "entity's type, such as B-PER"
        )
    return _MEANING[prefix], kind


def spans(tags: Sequence[str], scheme: str) -> list[tuple[str, int, int]]:
    """The entities of a sentence in order: type, first word, and the word after the last one.

    A sequence that is illegal in the scheme is read as conlleval reads it.

    Raises:
        UserError: a tag is none of the scheme's.

    >>> spans(["I-PER", "I-PER", "B-PER", "O", "I-LOC"], "IOB1")
    [('PER', 0, 2), ('PER', 2, 3), ('LOC', 4, 5)]
    >>> spans(["O", "I-PER", "I-LOC"], "IOB2")
    [('PER', 1, 2), ('LOC', 2, 3)]
    """
    found = []
    start, (prefix, kind) = 0, _OUTSIDE
    for place, (next_prefix, next_kind) in enumerate([*_split(tags, scheme), _OUTSIDE]):
        goes_on = next_prefix in "IE" and prefix in "BI" and next_kind == kind
        if not goes_on:
            if prefix != "O":
                found.append((kind, start, place))
            start = place
        prefix, kind = next_prefix, next_kind
    return found


def detect_scheme(sequences: Iterable[Sequence[str]]) -> str:
    """The scheme of a corpus, from all of its tag sequences.

    A corpus with any E, S, L or U is IOBES. Otherwise it is IOB1 or IOB2, whichever fewer
    entities break with their first tag, and IOB2 where that does not tell.

    Raises:
        UserError: a tag fits no scheme.

    >>> detect_scheme([["O", "B-PER", "I-PER"], ["O"]])
    'IOB2'
    >>> detect_scheme([["O", "I-PER", "I-PER"], ["I-LOC", "B-LOC"]])
    'IOB1'
    >>> detect_scheme([["O", "B-PER", "L-PER"]])
    'IOBES'
    """
    starts = {"IOB1": 0, "IOB2": 0}  # entities whose first tag only this scheme writes so
    for tags in sequences:
        before = _OUTSIDE
        for tag in map(split_tag, tags):
            prefix, kind = tag
            if prefix in "ES":
                return "IOBES"
            if prefix != "O" and kind != before[1]:
                starts["IOB2" if prefix == "B" else "IOB1"] += 1
            before = tag
    return "IOB1" if starts["IOB1"] > starts["IOB2"] else "IOB2"


def convert(tags: Sequence[str], source: str, target: str) -> list[str]:
    """The same entities in another scheme; nothing is lost between legal sequences.

    An illegal sequence is read as `spans` reads it, and comes out legal.

    >>> convert(["I-PER", "I-PER", "B-PER"], "IOB1", "IOBES")
    ['B-PER', 'E-PER', 'S-PER']
    >>> convert(["B-PER", "E-PER", "S-PER"], "IOBES", "IOB2")
    ['B-PER', 'I-PER', 'B-PER']
    """
    return _write(spans(tags, source), len(tags), target)


def repair(tags: Sequence[str], scheme: str) -> tuple[list[str], int]:
    """The legal sequence with the entities that conlleval reads, and how many tags it changes.

    L and U come back as E and S, and are not counted for that.

    >>> repair(["O", "I-PER", "I-PER"], "IOB2")
    (['O', 'B-PER', 'I-PER'], 1)
    >>> repair(["B-PER", "L-PER"], "IOBES")
    (['B-PER', 'E-PER'], 0)
    """
    legal = convert(tags, scheme, scheme)
    pairs = zip(tags, legal, strict=True)
    return legal, sum(split_tag(old) != split_tag(new) for old, new in pairs)


def allowed_transitions(tags: Sequence[str], scheme: str) -> np.ndarray:
    """Which tag may follow which, bool of shape (K + 1, K + 1) for K tags.

    Entry [i, j] says that tags[j] may stand right after tags[i]. The last row is for the first
    tag of a sentence, the last column for its last one, and their corner is True. A sequence
    is legal if all its steps are, from the sentence's start to its end.

    Raises:
        UserError: a tag is none of the scheme's.

    >>> allowed_transitions(["O", "B-PER", "I-PER"], "IOB2").astype(int)
    array([[1, 1, 0, 1],
           [1, 1, 1, 1],
           [1, 1, 1, 1],
           [1, 1, 0, 1]])
    """
    # A sentence is as if words outside of every entity stood before and after it.
    split = [*_split(tags, scheme), _OUTSIDE]
    return np.array([[_may_follow(one, other, scheme) for other in split] for one in split])


def _may_follow(before: tuple[str, str], after: tuple[str, str], scheme: str) -> bool:
    same_type = before[1] == after[1]
    match scheme:
        case "IOB1":
            return after[0] != "B" or same_type
        case "IOB2":
            return after[0] != "I" or same_type
        case _:  # IOBES: after B and I the entity has to go on, and nowhere else may it
            return after[0] in "IE" and same_type if before[0] in "BI" else after[0] not in "IE"


def _split(tags: Sequence[str], scheme: str) -> list[tuple[str, str]]:
    """Prefix and type of each tag, all of them the scheme's."""
    prefixes = "O" + _prefixes(scheme)
    split = [split_tag(tag) for tag in tags]
    for tag, (prefix, _) in zip(tags, split, strict=True):
        if prefix not in prefixes:
            raise UserError(
                f"{tag!r} is no tag of {scheme}, whose prefixes are "
                f"{', '.join(prefixes)}; name the scheme of these tags"
            )
    return split


def _prefixes(scheme: str) -> str:
    if scheme not in _PREFIXES:
        raise UserError(f"there is no tag scheme {scheme!r}; name one of {', '.join(SCHEMES)}")
    return _PREFIXES[scheme]


def _write(entities: Iterable[tuple[str, int, int]], length: int, scheme: str) -> list[str]:
    """The tags of entities that `spans` gave, for a sentence of so many words."""
    _prefixes(scheme)
    tags = ["O"] * length
    for kind, start, end in entities:
        tags[start:end] = [f"I-{kind}"] * (end - start)
        if scheme != "IOB1" or (start and tags[start - 1] in (f"B-{kind}", f"I-{kind}")):
            tags[start] = f"B-{kind}"
        if scheme == "IOBES":
            tags[end - 1] = f"S-{kind}" if end - start == 1 else f"E-{kind}"
    return tags
