"""CoNLL-style files: one word on a line, its columns beside it, a blank line between sentences.

    EU NNP B-NP B-ORG
    rejects VBZ B-VP O

Each line has a word in one column, its tag in another, and any others; tags are those of
`tag_schemes`.
"""

import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from lstm_recipes.data.disk_list import DiskList
from lstm_recipes.data.tag_schemes import convert, detect_scheme, repair, split_tag
from lstm_recipes.data.utf8 import lines_of, text_blocks
from lstm_recipes.errors import UserError

DOCUMENT_START = "-DOCSTART-"
"""The word of a row after which a document begins."""

# What a split's file may be called: one of these and an extension (dev.conll), or as the files
# of the CoNLL shared tasks, whose splits are their extensions (eng.testa).
_NAMES = {
    "train": ("train",),
    "valid": ("valid", "validation", "val", "dev", "testa"),
    "test": ("test", "testb"),
}
_EXTENSIONS = (".txt", ".conll", ".conllup", ".iob", ".iob2", ".bio", ".tsv")
_ENGLISH = {"train": "eng.train", "valid": "eng.testa", "test": "eng.testb"}


@dataclass(frozen=True)
class Sentence:
    """Words and, for each of them, a tag."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    begins: bool = field(default=False, compare=False, repr=False)
    """Whether a document begins here."""


@dataclass(frozen=True)
class Corpus:
    """Tagged sentences, split.

    Args:
        name: what a person calls it.
        train, valid, test: the sentences. Their tags are IOB2 and legal, whatever scheme the
            files have. Only `test` may be empty. Those to train on are on the disk, where they come
            from files of one's own.
        scheme: the scheme that was found in the files, over all splits.
        repaired: how many tags of the files were illegal in that scheme and were changed.
        sha256: of `content`, so of all words and of all tags in IOB2; the same text in
            another scheme or with other columns beside it has the same.
    """

    name: str
    train: Sequence[Sentence]
    valid: list[Sentence]
    test: list[Sentence]
    scheme: str
    repaired: int
    sha256: str

    @property
    def about(self) -> dict[str, Any]:
        """What a run keeps in its config.json of the data that it was trained on."""
        about = {"name": self.name, "sha256": self.sha256, "sentences": len(self.train)}
        return about | {"scheme": self.scheme, "repaired": self.repaired}


def content(splits: Mapping[str, Iterable[Sentence]]) -> bytes:
    r"""Splits as UTF-8: a line with each one's name, then word, tab and tag for each word.

    A blank line ends each sentence.

    >>> content({"train": [Sentence(("Rome", "!"), ("B-LOC", "O"))], "test": []})
    b'train\nRome\tB-LOC\n!\tO\n\ntest\n'
    """
    return b"".join(
        name.encode() + b"\n" + b"".join(map(_block, sentences))
        for name, sentences in splits.items()
    )


def _block(sentence: Sentence) -> bytes:
    lines = map("\t".join, zip(sentence.words, sentence.tags, strict=True))
    return "\n".join([*lines, "\n"]).encode("utf-8")


def from_content(content: bytes) -> dict[str, list[Sentence]]:
    r"""The splits that `content` wrote.

    >>> from_content(b"train\nRome\tB-LOC\n!\tO\n\ntest\n")
    {'train': [Sentence(words=('Rome', '!'), tags=('B-LOC', 'O'))], 'test': []}
    """
    splits: dict[str, list[Sentence]] = {}
    sentences: list[Sentence] = []
    rows: list[tuple[str, str]] = []
    for line in content.decode("utf-8").split("\n"):
        word, tab, tag = line.partition("\t")
        if tab:
            rows.append((word, tag))
        elif rows:
            sentences.append(Sentence(*zip(*rows, strict=True)))
            rows = []
        elif line:
            sentences = splits[line] = []
    return splits


def read_columns(
    path: str | os.PathLike, tag_column: int | str = -1, word_column: int | str = 0
) -> list[Sentence]:
    r"""The sentences of a CoNLL-style file, with the tags as they stand there.

    The columns, of which every row has the same number, are separated by tabs if the first row
    has a tab, so that words may then contain spaces, and otherwise by spaces. A no-break space
    never separates. Dropped are

    - blank lines and lines of white space, each of which ends a sentence;
    - rows whose first cell is `-DOCSTART-`, after which a document begins;
    - comments: lines that begin with `# ` before the first word of a sentence, unless they have
      as many columns as the rows and a tag in the tags' column, for that is a word `#`.

    Args:
        path: a UTF-8 file.
        tag_column: the column of the tags, counted from 0, or from the end if it is negative.
            Or its name: the first line then names the columns, either as CoNLL-U Plus does
            (`# global.columns = ID FORM NER`) or as a row of names.
        word_column: the column of the words, likewise.

    Raises:
        UserError: the file cannot be read, a row has another number of columns, a column does
            not exist, a tag is none, or there is no entity. It names the file and the line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "train.txt")
    ...     _ = file.write_text("Ada NNP B-PER\nsleeps VBZ O\n\n# # O\n1 CD O\n")
    ...     for sentence in read_columns(file):
    ...         print(sentence)
    Sentence(words=('Ada', 'sleeps'), tags=('B-PER', 'O'))
    Sentence(words=('#', '1'), tags=('O', 'O'))
    """
    path = Path(path).expanduser()
    return [sentence for _, sentence in _read(path, tag_column, word_column)]


def load_corpus(
    folder: str | os.PathLike,
    tag_column: int | str = -1,
    strict: bool = False,
    word_column: int | str = 0,
) -> Corpus:
    """The corpus in a folder of CoNLL-style files, one for each split.

    A file is called train; valid, validation, val, dev or testa; test or testb; with .txt,
    .conll, .conllup, .iob, .iob2, .bio or .tsv behind it. Or the three are eng.train, eng.testa
    and eng.testb. Only a test file may be missing.

    Args:
        folder: where the files are.
        tag_column, word_column: as `read_columns` takes them.
        strict: refuse a tag sequence that is illegal in the scheme of the corpus; otherwise it
            is repaired, and the corpus says how many tags were.

    Raises:
        UserError: a file is missing or wrong, an entity's type stands in no sentence of the
            training file, or `strict` refuses a sequence.
    """
    folder = Path(folder).expanduser()
    paths = _find(folder)
    known = {""}  # types of entities

    def read(split: str) -> Iterator[tuple[int, Sentence]]:
        return _read(paths[split], tag_column, word_column)

    def tags() -> Iterator[tuple[str, ...]]:
        for split in paths:
            for _, sentence in read(split):
                if split == "train":
                    known.update(split_tag(tag)[1] for tag in sentence.tags)
                yield sentence.tags

    sequences = tags()
    scheme = detect_scheme(sequences)
    deque(sequences, maxlen=0)  # it may know before it has seen all
    sha256, repaired = hashlib.sha256(), 0

    def in_iob2(split: str) -> Iterator[Sentence]:
        """The split's sentences, legal and in IOB2. They count and are summed on the way."""
        nonlocal repaired
        sha256.update(content({split: []}))
        for line, sentence in read(split) if split in paths else ():
            _check_types(sentence, known, paths[split], line, paths["train"])
            legal, changed = repair(sentence.tags, scheme)
            if changed and strict:
                raise UserError(_refusal(sentence.tags, legal, scheme, paths[split], line))
            repaired += changed
            found = replace(sentence, tags=tuple(convert(legal, scheme, "IOB2")))
            sha256.update(_block(found))
            yield found

    train = DiskList(in_iob2("train"), _packed, _unpacked)
    valid, test = list(in_iob2("valid")), list(in_iob2("test"))
    name = folder.resolve().name
    return Corpus(name, train, valid, test, scheme, repaired, sha256.hexdigest())


def _packed(sentence: Sentence) -> bytes:
    parts = "\t".join(sentence.words), "\t".join(sentence.tags), "begins" * sentence.begins
    return "\n".join(parts).encode("utf-8")


def _unpacked(found: bytes) -> Sentence:
    words, tags, begins = found.decode("utf-8").split("\n")
    return Sentence(tuple(words.split("\t")), tuple(tags.split("\t")), bool(begins))


def _check_types(
    sentence: Sentence, known: set[str], path: Path, line: int, training: Path
) -> None:
    for place, tag in enumerate(sentence.tags):
        if split_tag(tag)[1] not in known:
            raise UserError(
                f"{path}, line {line + place}: the tag {tag!r} is of a type that {training.name} "
                "never has, so nothing could learn it; correct the tag, or put a sentence with "
                f"that type into {training.name}"
            )


def _refusal(tags: Sequence[str], legal: list[str], scheme: str, path: Path, line: int) -> str:
    """The sentence that names the first illegal tag."""
    place = next(k for k, tag in enumerate(tags) if split_tag(tag) != split_tag(legal[k]))
    return (
        f"{path}, line {line + place}: the tag {tags[place]!r} is illegal there in {scheme}, the "
        f"scheme of this corpus; write {legal[place]}, or have such tags repaired and counted by "
        "leaving out --strict"
    )


# --- one file ----------------------------------------------------------------------------------


def _read(
    path: Path, tag_column: int | str, word_column: int | str
) -> Iterator[tuple[int, Sentence]]:
    """The sentences, each with the number of its first line."""
    named = [column for column in (tag_column, word_column) if _number(column) is None]
    first = 1 if named else 0
    names = _names(path, next(_lines(path)), named) if named else []
    cells, count = _layout(path, islice(_lines(path), first, None))
    tag_at = _place(path, tag_column, count, names)
    word_at = _place(path, word_column, count, names)

    words: list[str] = []
    tags: list[str] = []
    sentences, entities, begins = 0, False, False
    for number, line in enumerate(chain(islice(_lines(path), first, None), [""]), first + 1):
        row = cells(line)
        if row[0] == DOCUMENT_START or not line.strip():
            if words:
                sentence = Sentence(tuple(words), tuple(tags), begins)
                yield number - len(words), sentence
                sentences += 1
                entities = entities or any(tag != "O" for tag in tags)
                words, tags, begins = [], [], False
            begins |= row[0] == DOCUMENT_START
            continue
        try:
            _check_row(row, count, word_at, tag_at)
        except UserError as error:
            if not words and _may_be_comment(line):
                continue
            header = "; if this line names the columns, ask for the tags' column by its name"
            raise UserError(f"{path}, line {number}: {error}{header * (number == 1)}") from None
        words.append(row[word_at])
        tags.append(row[tag_at])
    if not entities:
        raise UserError(
            f"{path} has {sentences:,} sentences and no entity: all tags in column {tag_at} of "
            f"0..{count - 1} are O; choose the tags' column, or tag some entities"
        )


def _lines(path: Path) -> Iterator[str]:
    return lines_of(text_blocks(path))


def _check_row(row: list[str], count: int, word_at: int, tag_at: int) -> None:
    if len(row) != count:
        raise UserError(
            f"a row has {_columns(len(row))}, and the first row of the file has {count}; give "
            "all rows as many, and put a blank line between sentences"
        )
    if not row[word_at]:
        raise UserError(f"column {word_at} has no word; give the row a word, or remove it")
    try:
        split_tag(row[tag_at])
    except UserError as error:
        raise UserError(
            f"{error}; or choose another column for the tags than {tag_at} of 0..{count - 1}"
        ) from None


def _layout(path: Path, lines: Iterable[str]) -> tuple[Callable[[str], list[str]], int]:
    """How to cut a line into cells, and how many of them a row has: as in the first row, one that
    may be a comment only where there are no others."""
    first = None
    for line in lines:
        if not line.strip() or line.startswith(DOCUMENT_START):
            continue
        if first is None or not _may_be_comment(line):
            first = line
        if not _may_be_comment(line):
            break
    if first is None:
        raise UserError(f"{path} has no sentences; give a file with a word and its tag on a line")
    cells = _between_tabs if "\t" in first.strip(" \t\r") else _between_spaces
    count = len(cells(first))
    if count < 2:
        raise UserError(
            f"{path} has one column, such as {first.strip()!r:.50}; give a word and its tag on "
            "each line, with a space or a tab between them"
        )
    return cells, count


_SPACES = re.compile("[ \t]+")


def _between_tabs(line: str) -> list[str]:
    return [cell.strip(" \r") for cell in line.split("\t")]


def _between_spaces(line: str) -> list[str]:
    return _SPACES.split(line.strip(" \t\r"))


def _may_be_comment(line: str) -> bool:
    return line.startswith("# ") or line == "#"


def _number(column: int | str) -> int | None:
    """A column's number, or None if it is a name."""
    return int(column) if re.fullmatch(r"-?[0-9]+", str(column)) else None


def _names(path: Path, line: str, wanted: list[str]) -> list[str]:
    """The names of the columns, from the first line."""
    found = line.removeprefix("# global.columns =").split()
    for name in wanted:
        if name not in found:
            raise UserError(
                f"{path} has no column named {name!r}: its first line is {line.strip()!r:.80}; "
                "let that line name all columns, or give the column's number"
            )
    return found


def _place(path: Path, column: int | str, count: int, names: list[str]) -> int:
    """Where a column stands, counted from 0."""
    number = _number(column)
    if number is None:
        number = names.index(str(column))
    if not -count <= number < count:
        raise UserError(
            f"{path} has {count} columns, and none with the number {number}; give a number from "
            f"0 to {count - 1}, or from -{count} to -1"
        )
    return number % count


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


# --- one folder --------------------------------------------------------------------------------


def _find(folder: Path) -> dict[str, Path]:
    """The file of each split that has one."""
    try:
        files = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    except OSError as error:
        raise UserError(
            f"the folder {folder} cannot be read ({error.strerror}); give a folder with files "
            "for training and validation, such as train.txt and valid.txt"
        ) from None
    found = {}
    for split, names in _NAMES.items():
        wanted = [f"{name}{extension}" for name in names for extension in _EXTENSIONS]
        there = [files[name] for name in wanted if name in files]
        if len(there) > 1:
            raise UserError(
                f"{folder} has two files for {split}, {there[0].name} and {there[1].name}; keep "
                "one of them there"
            )
        if there:
            found[split] = there[0]
    if not {"train", "valid"} & set(found):
        found = {split: files[name] for split, name in _ENGLISH.items() if name in files}
    for split in "train", "valid":
        if split not in found:
            names = " or ".join(_NAMES[split])
            raise UserError(
                f"{folder} has no file for {split}; looked for {names}, with "
                f"{', '.join(_EXTENSIONS)} behind the name, and for {_ENGLISH[split]}; put or "
                "rename the file there"
            )
    return found
