"""Lines in, translations out."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from lstm_recipes.data.text import read_text, standard_input
from lstm_recipes.decoding.attention_map import check_attention, write_attention

CHUNK = 500  # lines that are translated, and written, at a time


class Translates(Protocol):
    """What `training.trained_translator.TrainedTranslator` does."""

    def translate(self, sentences: Sequence[str], **options: Any) -> list[list[Any]]:
        """The translations of each sentence, best first."""


def read_lines(path: str | os.PathLike | None) -> list[str]:
    """The lines of a UTF-8 file; of standard input for None or `-`."""
    stdin = path is None or os.fspath(path) == "-"
    text = standard_input() if stdin else read_text(path)
    return text.removesuffix("\n").split("\n") if text else []


def write_translations(
    translator: Translates,
    paths: Sequence[str | os.PathLike],
    options: dict[str, Any],
    *,
    scores: bool = False,
    attention: Path | None = None,
    stream: TextIO | None = None,
) -> None:
    """Translate the lines of files: for each line one, or its `n_best` best, a line each.

    A line without a word gives an empty one, or as many. Where a line has fewer translations than
    `n_best`, empty lines stand for the others, so that lines in and out can be counted off.

    Args:
        translator: What translates.
        paths: UTF-8 files; none is standard input.
        options: Of the beam search, `n_best` among them.
        scores: Whether the score and a tab stand before each translation.
        attention: A file for a picture of the best translations' attention, .html or .png.
        stream: Where to write; by default standard output.

    Raises:
        UserError: A file cannot be read or written, or the model has no attention to draw.
    """
    if attention is not None:
        check_attention(attention)  # before all is translated
    stream = sys.stdout if stream is None else stream
    lines = [line for path in paths or (None,) for line in read_lines(path)]
    drawn: list[Any] = []
    for found in _translated(translator, lines, options):
        for hypothesis in found:
            before = f"{hypothesis.score:.4f}\t" if scores and hypothesis.source else ""
            stream.write(f"{before}{hypothesis.text}\n")
        stream.write("\n" * (options["n_best"] - len(found)))
        stream.flush()
        drawn += found[:1] if attention is not None and found[0].source else []
    if attention is not None:
        write_attention(attention, drawn)


def _translated(
    translator: Translates, lines: list[str], options: dict[str, Any]
) -> Iterator[list[Any]]:
    for start in range(0, len(lines), CHUNK):
        yield from translator.translate(lines[start : start + CHUNK], **options)
