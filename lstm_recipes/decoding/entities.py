"""Tagged text in and out: what a tagger reads, and its entities as columns, JSON or colours.

What is read is a `Document`, whose sentences a model tags. A writer takes the document and its
tagged sentences, which may come one by one, and writes each as it comes.
"""

import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TextIO

from lstm_recipes.data.conll import DOCUMENT_START
from lstm_recipes.data.tag_schemes import spans
from lstm_recipes.data.text import read_text, standard_input
from lstm_recipes.data.tokens import Token, tokenize
from lstm_recipes.errors import UserError

_SPACES = re.compile("[ \t]+")  # any other space is part of a word

_COLOURS = {"PER": "cyan", "LOC": "green", "ORG": "yellow", "MISC": "magenta"}
_OTHER_COLOURS = ("blue", "red", "bright_cyan", "bright_green", "bright_yellow", "bright_magenta")


class Line(NamedTuple):
    """A line of columns, and what is to be written behind it."""

    text: str
    separator: str = ""
    tag: str | None = ""  # None is the tag of the next word


@dataclass(frozen=True)
class Document:
    """A text and its sentences.

    Attributes:
        text: The text that the tokens' places count in, from 0, in characters. Of columns it is
            the words, with a space between words and a line break between sentences.
        sentences: The tokens to tag, `text[token.start:token.end] == token.text`.
        lines: Where the input was columns, its lines, as many without a tag as there are tokens.
        file: The file's name, where what is written has to tell it from others.
        begins: Whether a document of the input begins with each sentence; None if it has no marks
            for that, and then it is all one.
    """

    text: str
    sentences: Sequence[Sequence[Token]]
    lines: Sequence[Line] | None = None
    file: str | None = None
    begins: Sequence[bool] | None = None


class Entity(NamedTuple):
    """An entity and its place: `text` is the document's text from `start` to `end`."""

    type: str
    start: int
    end: int
    text: str
    confidence: float


@dataclass(frozen=True)
class TaggedSentence:
    """A sentence with what a model says of it.

    Attributes:
        tokens: The sentence.
        tags: One IOB2 tag for each token. An I without a B before it begins an entity.
        confidences: The probability of each entity, in their order.
    """

    tokens: Sequence[Token]
    tags: Sequence[str]
    confidences: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.tags):
            raise ValueError(f"{len(self.tokens)} tokens need as many tags, not {len(self.tags)}")

    def entities(self, text: str) -> list[Entity]:
        """The entities, in order, of a sentence of this text.

        >>> text = "Ada Byron slept."
        >>> (tokens,) = tokenize(text)
        >>> TaggedSentence(tokens, ["B-PER", "I-PER", "O", "O"], [0.9]).entities(text)
        [Entity(type='PER', start=0, end=9, text='Ada Byron', confidence=0.9)]
        """
        found = []
        for kind, first, after in spans(self.tags, "IOB2"):
            start, end = self.tokens[first].start, self.tokens[after - 1].end
            found.append((kind, start, end, text[start:end]))
        if len(found) != len(self.confidences):
            raise ValueError(
                f"{len(found)} entities need as many confidences, not {len(self.confidences)}"
            )
        return [
            Entity(*entity, float(confidence))
            for entity, confidence in zip(found, self.confidences, strict=True)
        ]


class Tagger(Protocol):
    """What tags sentences, such as a `TrainedTagger`."""

    def tag(
        self,
        sentences: Sequence[Sequence[str]],
        confidences: bool,
        begins: Sequence[bool] | None,
    ) -> Iterable[tuple[Sequence[str], Sequence[float]]]:
        """The tags of each sentence, and how sure each of its entities is."""


def tag_document(document: Document, tagger: Tagger) -> Iterator[TaggedSentence]:
    """The sentences of a document with their tags, as these are found."""
    words = [[token.text for token in sentence] for sentence in document.sentences]
    found = tagger.tag(words, confidences=True, begins=document.begins)
    for sentence, row in zip(document.sentences, found, strict=True):
        yield TaggedSentence(sentence, *row)


# Reading.


def read_documents(
    paths: Sequence[str | os.PathLike], columns: bool = False, word_column: int = 0
) -> list[Document]:
    """The documents in these files, or the one on standard input if there are none; of several,
    each knows its file's name. See `read_document`."""
    if len(paths) < 2:
        return [read_document(path, columns, word_column) for path in paths or (None,)]
    return [replace(read_document(p, columns, word_column), file=os.fspath(p)) for p in paths]


def read_document(
    path: str | os.PathLike | None, columns: bool = False, word_column: int = 0
) -> Document:
    r"""The document in a UTF-8 file, or on standard input.

    A byte order mark at the start is removed, and each `\r\n` becomes `\n`; places are counted
    after that. Empty standard input is an empty document, but an empty file is an error.

    Args:
        path: The file; None or `-` is standard input.
        columns: Read a word from each line (`from_columns`), instead of plain text.
        word_column: Where the word stands in the columns, counted from 0.

    Raises:
        UserError: The text cannot be read, is not UTF-8, or lacks a word; the message says where.
    """
    if path is None or os.fspath(path) == "-":
        name, text = "standard input", standard_input()
    else:
        name, text = os.fspath(path), read_text(path)
    return from_columns(text, word_column, name) if columns else from_text(text)


def from_text(text: str) -> Document:
    """Plain text, cut into sentences and tokens by the rule of `tokenize`."""
    return Document(text, tokenize(text))


def from_columns(text: str, word_column: int = 0, name: str = "the input") -> Document:
    r"""CoNLL columns: a word on each line, and blank lines between the sentences.

    Columns are separated by tabs if the first row has one, so that words may contain spaces, and
    otherwise by spaces. All lines are kept, but these are no words and end a sentence: blank
    lines, lines that begin with `-DOCSTART-`, and comments, which are lines that begin with `# `
    before the first word of a sentence and have not as many columns as the first row.

    Args:
        text: The lines.
        word_column: Where the word stands, counted from 0.
        name: What errors call the input.

    Raises:
        UserError: a line has no word where it should.

    >>> document = from_columns("Ada NNP\nByron NNP\n\n\nslept VBD\n")
    >>> document.text
    'Ada Byron\nslept'
    >>> document.sentences[1]
    [Token(text='slept', start=10, end=15)]
    """
    if word_column < 0:
        raise UserError(f"word_column is {word_column}; give a number of at least 0")
    rows = text.removesuffix("\n").split("\n")
    full = [r for r in rows if r.strip() and not r.startswith(DOCUMENT_START)]
    first = next((r for r in full if not _may_be_comment(r)), full[0] if full else "")
    tabs = "\t" in first.strip(" \t\r")
    separator = "\t" if tabs else " "

    def cells(row: str) -> list[str]:
        return [c.strip(" ") for c in row.split("\t")] if tabs else _SPACES.split(row.strip(" \t"))

    count = len(cells(first))
    lines: list[Line] = []
    sentences: list[list[Token]] = []
    sentence: list[Token] = []
    begins: set[int] = set()
    place = 0
    for number, row in enumerate(rows, 1):
        found = cells(row)
        start = found[0] == DOCUMENT_START
        comment = _may_be_comment(row) and not sentence and len(found) != count
        if start or comment or not row.strip():
            lines.append(Line(row, separator, "O") if start else Line(row))
            if sentence:
                sentences.append(sentence)
                sentence = []
            begins |= {len(sentences)} if start else set()
            continue
        word = found[word_column] if word_column < len(found) else ""
        if not word:
            raise UserError(
                f"{name}, line {number}: there is no word in column {word_column}, counted from "
                "0; give each line its word, or choose another column"
            )
        lines.append(Line(row if tabs else row.rstrip(" \t"), separator, None))
        sentence.append(Token(word, place, place + len(word)))
        place += len(word) + 1
    if sentence:
        sentences.append(sentence)
    words = "\n".join(" ".join(token.text for token in sentence) for sentence in sentences)
    marks = [k in begins for k in range(len(sentences))]
    return Document(words, sentences, lines if text else [], begins=marks)


def _may_be_comment(line: str) -> bool:
    return line.startswith("# ") or line == "#"


# Writing.


def write_conll(document: Document, tagged: Iterable[TaggedSentence], stream: TextIO) -> None:
    r"""Write a line `token tag` for each token, and a blank line after each sentence.

    Where the input was columns, its lines come out again as they were, blank ones and comments
    included, each word with its tag as one more column. `-DOCSTART-` gets O.

    >>> document = from_columns("Ada\tNNP\n\n\nslept\tVBD\n")
    >>> tags = (["B-PER"], ["O"])
    >>> tagged = map(TaggedSentence, document.sentences, tags, ([0.9], []))
    >>> import sys
    >>> write_conll(document, tagged, sys.stdout)
    Ada	NNP	B-PER
    <BLANKLINE>
    <BLANKLINE>
    slept	VBD	O
    """
    if document.lines is None:
        for sentence in tagged:
            pairs = zip(sentence.tokens, sentence.tags, strict=True)
            stream.write("".join(f"{token.text} {tag}\n" for token, tag in pairs) + "\n")
        return
    tags = (tag for sentence in tagged for tag in sentence.tags)
    for text, separator, tag in document.lines:
        stream.write(f"{text}{separator}{next(tags) if tag is None else tag}\n")


def write_json(document: Document, tagged: Iterable[TaggedSentence], stream: TextIO) -> None:
    """Write one JSON object for each sentence, each on a line of its own.

    `{"text", "start", "end", "entities": [{"type", "start", "end", "text", "confidence"}]}`, and
    before these `"file"`, if the document has one. All places are in characters (code points) from
    the document's start, so that an entity stands in its sentence's `text` from
    `entity["start"] - sentence["start"]`.

    >>> document = from_text("Hush. Ada slept.")
    >>> tags = (["O"] * 2, ["B-PER", "O", "O"])
    >>> tagged = map(TaggedSentence, document.sentences, tags, ([], [0.93751]))
    >>> import sys
    >>> write_json(document, tagged, sys.stdout)
    {"text": "Hush.", "start": 0, "end": 5, "entities": []}
    {"text": "Ada slept.", "start": 6, "end": 16, "entities": [{"type": "PER", "start": 6,
     "end": 9, "text": "Ada", "confidence": 0.9375}]}
    """
    for sentence in tagged:
        start, end = sentence.tokens[0].start, sentence.tokens[-1].end
        entities = [
            entity._replace(confidence=round(entity.confidence, 4))._asdict()
            for entity in sentence.entities(document.text)
        ]
        row = {} if document.file is None else {"file": document.file}
        row |= {"text": document.text[start:end], "start": start, "end": end, "entities": entities}
        stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_color(document: Document, tagged: Iterable[TaggedSentence], stream: TextIO) -> None:
    """Write the text as it is, with each entity in its type's colour and followed by its type.

    Where the stream is no terminal, or NO_COLOR is set, entities stand in brackets instead.

    >>> document = from_text("Hush,  Ada slept.")
    >>> tagged = map(TaggedSentence, document.sentences, [["O", "O", "B-PER", "O", "O"]], [[0.9]])
    >>> import sys
    >>> write_color(document, tagged, sys.stdout)
    Hush,  [PER Ada] slept.
    """
    mark = _coloured if _has_colours(stream) else _bracketed
    place = 0
    for sentence in tagged:
        for entity in sentence.entities(document.text):
            stream.write(document.text[place : entity.start] + mark(entity))
            place = entity.end
        end = sentence.tokens[-1].end
        stream.write(document.text[place:end])
        place = end
    rest = document.text[place:]
    stream.write(rest if rest.endswith("\n") or not document.text else f"{rest}\n")


WRITERS: dict[str, Callable[[Document, Iterable[TaggedSentence], TextIO], None]] = {
    "conll": write_conll,
    "json": write_json,
    "color": write_color,
}


def _has_colours(stream: TextIO) -> bool:
    from rich.console import Console  # not before somebody wants colours

    console = Console(file=stream)
    return console.color_system is not None and not console.no_color


def _bracketed(entity: Entity) -> str:
    return f"[{entity.type} {entity.text}]"


def _coloured(entity: Entity) -> str:
    from rich.style import Style

    other = _OTHER_COLOURS[zlib.crc32(entity.type.encode()) % len(_OTHER_COLOURS)]
    colour = _COLOURS.get(entity.type, other)
    # Not printed by rich, which would wrap lines and turn tabs into spaces.
    name = "\n".join(Style.parse(f"bold {colour}").render(line) for line in entity.text.split("\n"))
    return f"{name} {Style.parse(f'dim {colour}').render(entity.type)}"
