"""Sentence pairs, split: what a translation model trains on, whatever files they come from."""

import gzip
import hashlib
import math
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from lstm_recipes.data.disk_list import DiskList
from lstm_recipes.data.utf8 import BLOCK, NotUTF8, decoded, lines_of
from lstm_recipes.errors import UserError

Pair = tuple[str, str]
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Limits:
    """Which pairs are not trained on, because they are probably no translations.

    Lengths are counted in characters, which every script has; words would need its spaces.

    Args:
        longest: the most characters of a sentence.
        ratio: how many times longer than the other a sentence may be. 9 is that of Moses'
            clean-corpus-n.perl.
    """

    longest: int = 600
    ratio: float = 9.0

    def __post_init__(self) -> None:
        if self.longest < 1:
            raise UserError(f"the longest sentence has {self.longest} characters; give 1 or more")
        if not self.ratio >= 1:
            raise UserError(f"the ratio of lengths is {self.ratio}; give a number of at least 1")

    def problem(self, pair: Pair) -> str | None:
        """What is wrong with a pair of sentences that both have words, if anything.

        >>> Limits(ratio=3).problem(("Go.", "Allez-vous-en !"))
        'unlike lengths'
        """
        shorter, longer = sorted(map(len, pair))
        if longer > self.longest:
            return "too long"
        return "unlike lengths" if longer > self.ratio * shorter else None


@dataclass(frozen=True)
class Pairs:
    """Sentences with their translations, split.

    Args:
        name: what a person calls it.
        languages: of the sources and of the targets, such as `("en", "fr")`.
        train, valid, test: the pairs (source, target). No sentence is empty, and none has a tab
            or a line break in it. Only `test` may be empty. Those to train on are on the disk.
        dropped: how many pairs are not here, by split and reason. From `valid` and `test`
            nothing is dropped but pairs with an empty sentence.
        sha256: of `content`, so of all sentences that are here.
    """

    name: str
    languages: tuple[str, str]
    train: Sequence[Pair]
    valid: list[Pair]
    test: list[Pair]
    dropped: Mapping[str, Mapping[str, int]]
    sha256: str

    @property
    def about(self) -> dict[str, Any]:
        """What a run's config.json says of them."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "pairs": len(self.train),
            "languages": list(self.languages),
            "dropped": {split: dict(counts) for split, counts in self.dropped.items()},
        }

    def report(self) -> str:
        """How many pairs there are, and how many were dropped and why, in one line."""
        sizes = " / ".join(f"{len(getattr(self, split)):,}" for split in SPLITS)
        reasons = [
            f"{count:,} {reason} ({split})"
            for split, counts in self.dropped.items()
            for reason, count in counts.items()
            if count
        ]
        dropped = ", ".join(reasons) or "none"
        return f"{self.name}: {sizes} pairs for training / validation / test; dropped: {dropped}"


def pairs_of(
    name: str,
    languages: tuple[str, str],
    splits: Mapping[str, Iterable[Pair]],
    limits: Limits | None = None,
) -> Pairs:
    """Pairs from sentences as a file has them: cleaned, the unfit dropped and counted.

    Args:
        name, languages: as `Pairs` has them.
        splits: the pairs of `train` and `valid`, and of `test` if there is one.
        limits: for the training split alone; None is `Limits()`. The others lose their pairs
            with an empty sentence, and nothing else, so that scores stay comparable.

    Raises:
        UserError: no pair is left to train on or to validate with.

    >>> pairs = pairs_of("few", ("en", "fr"), {
    ...     "train": [("Go.", "Va !"), ("Stop!", ""), ("Hi", "long" * 9)],
    ...     "valid": [(" Run! ", "Cours !")],
    ... })
    >>> pairs.train, pairs.valid
    ([('Go.', 'Va !')], [('Run!', 'Cours !')])
    >>> print(pairs.report())
    few: 1 / 1 / 0 pairs for training / validation / test; dropped: 1 empty (train),
    1 unlike lengths (train)
    """
    dealt = ((split, pair) for split, pairs in splits.items() for pair in pairs)
    return pairs_dealt(name, languages, dealt, limits)


def pairs_dealt(
    name: str,
    languages: tuple[str, str],
    dealt: Iterable[tuple[str, Pair]],
    limits: Limits | None = None,
) -> Pairs:
    """What `pairs_of` does, of pairs that come each with its split, in any order."""
    limits = limits or Limits()
    kept: dict[str, list[Pair]] = {"valid": [], "test": []}
    dropped: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    sha256 = hashlib.sha256(content({"train": []}))

    def to_train_on() -> Iterator[Pair]:
        """The training pairs; the others are put aside on the way."""
        for split, raw in dealt:
            pair = cleaned(raw[0]), cleaned(raw[1])
            problem = None if all(pair) else "empty"
            if problem is None and split == "train":
                problem = limits.problem(pair)
            if problem is not None:
                dropped[split][problem] += 1
            elif split == "train":
                sha256.update(_line(pair))
                yield pair
            else:
                kept[split].append(pair)

    train = DiskList(to_train_on(), _line, _pair)
    for split, pairs, purpose in (
        ("train", train, "to train on"),
        ("valid", kept["valid"], "to validate with"),
    ):
        if not pairs:
            counts = ", ".join(f"{count:,} {reason}" for reason, count in dropped[split].items())
            raise UserError(
                f"{name} has no pairs {purpose} (dropped: {counts or 'none'}); give more sentence "
                "pairs, none of them empty or too long"
            )
    sha256.update(content(kept))
    return Pairs(name, languages, train, **kept, dropped=dropped, sha256=sha256.hexdigest())


_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")


def cleaned(sentence: str) -> str:
    r"""A sentence on one line, without tabs, and without white space at its ends.

    Spaces within stay as they are, for French has no-break spaces that mean something.

    >>> cleaned("\tOh\tdear !\u2028Really? \n")
    'Oh dear ! Really?'
    """
    return _BREAKS.sub(" ", sentence).strip()


def content(splits: Mapping[str, Iterable[Pair]]) -> bytes:
    r"""Splits as UTF-8: a line with each one's name, then source, tab and target of each pair.

    >>> content({"train": [("Go.", "Va !")], "valid": []})
    b'train\nGo.\tVa !\nvalid\n'
    """
    return b"".join(
        name.encode() + b"\n" + b"".join(map(_line, pairs)) for name, pairs in splits.items()
    )


def _line(pair: Pair) -> bytes:
    return ("\t".join(pair) + "\n").encode("utf-8", "surrogatepass")


def _pair(line: bytes) -> Pair:
    source, target = line[:-1].decode("utf-8", "surrogatepass").split("\t")
    return source, target


def split_by_source(pairs: Iterable[Pair], shares: Mapping[str, float]) -> dict[str, list[Pair]]:
    """Pairs dealt out by a hash of the source sentence, the same on every machine.

    A sentence often stands in a file several times, with several translations. The hash takes
    all of them to one split, and it makes no difference between capitals and small letters, so
    that no split has a source that another one has, lower-cased or not.

    Args:
        pairs: all pairs.
        shares: how much of the whole each split gets; what is left is `train`.

    Returns:
        `train` and the named splits, each in the order of the pairs.

    >>> split_by_source([("Go.", "Va !"), ("Run!", "Cours !"), ("Run!", "Courez !")],
    ...                 {"valid": 0.25})
    {'train': [('Go.', 'Va !')], 'valid': [('Run!', 'Cours !'), ('Run!', 'Courez !')]}
    """
    dealt: dict[str, list[Pair]] = {split: [] for split in ("train", *shares)}
    for split, pair in dealt_by_source(pairs, shares):
        dealt[split].append(pair)
    return dealt


def dealt_by_source(
    pairs: Iterable[Pair], shares: Mapping[str, float]
) -> Iterator[tuple[str, Pair]]:
    """Each pair with the split to which `split_by_source` deals it."""
    if not (all(share > 0 for share in shares.values()) and math.fsum(shares.values()) < 1):
        raise ValueError(f"the shares {dict(shares)} must be above 0 and leave some for training")
    for pair in pairs:
        text = pair[0].strip().casefold().encode("utf-8", "surrogatepass")
        place = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64
        for split, share in shares.items():
            if place < share:
                yield split, pair
                break
            place -= share
        else:
            yield "train", pair


def read_lines(path: str | os.PathLike) -> Iterator[str]:
    """The lines of a UTF-8 file, or of one that gzip has packed (`.gz`), strictly, one after the
    other.

    Only a line feed, alone or behind a carriage return, ends a line: sentences may contain the
    other characters that Python's `splitlines` breaks at, and files would then not match.

    Raises:
        UserError: the file is missing, empty or not UTF-8, or cannot be read or unpacked. What is
            wrong with its end is found when its beginning has been given.
    """
    path = Path(path).expanduser()
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            blocks = iter(partial(file.read, BLOCK), b"")
            if (first := next(blocks, None)) is None:
                raise UserError(f"{path} is empty; give a file with one sentence on a line")
            lines = lines_of(decoded(chain([first], blocks)))
            line, alone = next(lines), True
            for following in lines:
                yield line
                line, alone = following, False
            if line or alone:  # else the line feed at the end has no line behind it
                yield line
    except NotUTF8 as error:
        raise UserError(
            f"{path}, line {error.line}: this is not UTF-8: {error.reason} ({error.byte:#04x}); "
            "save the file as UTF-8 and try again"
        ) from None
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; give the path of a UTF-8 text file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be unpacked ({error}); fetch it again") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); give a text file that you may read"
        ) from None
