"""Sentence pairs from files of one's own: two parallel files for each split, or one with tabs."""

import os
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from lstm_recipes.data.pairs import (
    Limits,
    Pair,
    Pairs,
    dealt_by_source,
    pairs_dealt,
    pairs_of,
    read_lines,
)
from lstm_recipes.errors import UserError

# What a split's two files may be called, before `.LANGUAGE` and perhaps `.gz`.
_NAMES = {
    "train": ("train",),
    "valid": ("valid", "val", "validation", "dev"),
    "test": ("test", "test_2016_flickr"),
}


def load_parallel(
    folder: str | os.PathLike, source: str, target: str, limits: Limits | None = None
) -> Pairs:
    """The pairs in a folder of parallel files, where a line of one translates that of the other.

    For English to German they are called train.en and train.de; valid.en and valid.de (or val,
    validation, dev); test.en and test.de (or test_2016_flickr); each may be packed, with .gz
    behind its name. Only the test files may be missing.

    Args:
        folder: where the files are.
        source, target: the languages, as the files' names have them.
        limits: which pairs are not trained on.

    Raises:
        UserError: a file is missing or wrong, or two files have unequal numbers of lines.
    """
    folder = Path(folder).expanduser()
    try:
        files = {path.name: path for path in folder.iterdir() if path.is_file()}
    except OSError as error:
        raise UserError(
            f"the folder {folder} cannot be read ({error.strerror}); give a folder with files "
            f"such as train.{source} and train.{target}"
        ) from None
    splits = {}
    for split, names in _NAMES.items():
        paths = [_find(folder, files, names, split, language) for language in (source, target)]
        if any(paths):
            for path, language in zip(paths, (source, target), strict=True):
                if path is None:
                    raise _missing(folder, names, language)
            splits[split] = read_parallel(*paths)
        elif split != "test":
            raise _missing(folder, names, source)
    return pairs_of(folder.resolve().name, (source, target), splits, limits)


def read_parallel(source: str | os.PathLike, target: str | os.PathLike) -> Iterator[Pair]:
    """The lines of two files, side by side.

    Raises:
        UserError: a file cannot be read, or one has more lines than the other.
    """
    sources, targets = read_lines(source), read_lines(target)
    for number, pair in enumerate(zip_longest(sources, targets)):
        if None in pair:
            more = number + 1 + sum(1 for _ in sources) + sum(1 for _ in targets)
            shorter, longer = (source, target) if pair[0] is None else (target, source)
            raise UserError(
                f"{longer}, line {number + 1:,}: no line of {shorter} belongs to this one, for "
                f"they have {more:,} and {number:,} lines; each line must be the translation of "
                "the other file's line with the same number"
            )
        yield pair


def load_tab_separated(
    path: str | os.PathLike,
    languages: tuple[str, str] = ("en", "fr"),
    source_column: int = 0,
    target_column: int = 1,
    limits: Limits | None = None,
) -> Pairs:
    r"""The pairs in one file with tabs, such as the `fra.txt` of Tatoeba and Anki.

    A twentieth of the sources, chosen by a hash of their text, is there to validate with and
    another twentieth to test; no source stands in two splits.

    Args:
        path: a UTF-8 file, or one packed by gzip: a pair on each line, other columns ignored.
        languages: of the sources and of the targets; nothing depends on them here.
        source_column, target_column: counted from 0, or from the end if they are negative.
        limits: which pairs are not trained on.

    Raises:
        UserError: the file cannot be read, or a line lacks a column; it names the line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "fra.txt")
    ...     lines = (f"{n} cats\t{n} chats\tCC-BY\n" for n in range(99))
    ...     _ = file.write_text("".join(lines), "utf-8")
    ...     print(load_tab_separated(file).report())
    fra.txt: 90 / 5 / 4 pairs for training / validation / test; dropped: none
    """
    path = Path(path).expanduser()
    pairs = read_tab_separated(path, source_column, target_column)
    dealt = dealt_by_source(pairs, {"valid": 0.05, "test": 0.05})
    return pairs_dealt(path.name, languages, dealt, limits)


def read_tab_separated(
    path: str | os.PathLike, source_column: int = 0, target_column: int = 1
) -> Iterator[Pair]:
    """Two columns of a file with tabs. A blank line is a pair of empty sentences."""
    for number, line in enumerate(read_lines(path), 1):
        cells = line.split("\t")
        if not line.strip():
            yield "", ""
            continue
        for column in source_column, target_column:
            if not -len(cells) <= column < len(cells):
                count = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
                missing = column + 1 if column >= 0 else column
                raise UserError(
                    f"{path}, line {number:,}: there is no column {missing}, for {line!r:.60} has "
                    f"{count}; put a tab between source and target, or name other columns "
                    "(counted from 1)"
                )
        yield cells[source_column], cells[target_column]


def _find(
    folder: Path, files: dict[str, Path], names: tuple[str, ...], split: str, language: str
) -> Path | None:
    wanted = [f"{name}.{language}{packed}" for name in names for packed in ("", ".gz")]
    there = [files[name] for name in wanted if name in files]
    if len(there) > 1:
        raise UserError(
            f"{folder} has two files for {split}, {there[0].name} and {there[1].name}; keep one "
            "of them there"
        )
    return there[0] if there else None


def _missing(folder: Path, names: tuple[str, ...], language: str) -> UserError:
    wanted = " or ".join(f"{name}.{language}" for name in names)
    return UserError(
        f"{folder} has no {wanted}, packed (.gz) or not; put the file there, one sentence on a "
        "line, or name the languages as the files' names do"
    )
