"""Every reader of the package, as a function of the bytes of a file.

Whatever the bytes are, a reader gives what it read or raises a `UserError`. Hypothesis tries that
in the tests, and atheris for as long as one likes (`python benchmarks/fuzz.py`).
"""

import gzip
import io
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from lstm_recipes.data import Vocabulary, load_corpus, read_text
from lstm_recipes.data.conll import read_columns
from lstm_recipes.data.pair_files import load_parallel, load_tab_separated
from lstm_recipes.data.pairs import read_lines
from lstm_recipes.data.vectors import read_vectors
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.decoding.entities import read_document
from lstm_recipes.recipe_numbers import restored
from lstm_recipes.recipes.char_rnn import CharRNN
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained import TrainedCharLM
from lstm_recipes.training.trained_tagger import TrainedTagger
from lstm_recipes.training.trained_translator import TrainedTranslator

ABOUT = {"name": "sea.txt", "sha256": "0", "characters": 7}
TAGGED = b"Ada NNP B-PER\nsleeps VBZ O\n\n# # O\n-DOCSTART- -X- O\n\nRome NNP I-LOC\n"
TAGGER = {"tags": ["O", "B-PER"], "scheme": "IOB2", "cased": False, "characters": "aé", "window": 1}
TOKENS = {"kind": "words", "language": "en", "lowercase": False}
TOKENS |= {"vocabulary": ["<pad>", "<s>", "</s>", "<unk>", "the"]}


def file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A reader of one file of that name."""

    def called(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            return read(path)

    return called


def standard_input(columns: bool) -> Callable[[bytes], object]:
    def called(content: bytes) -> object:
        before, sys.stdin = sys.stdin, SimpleNamespace(buffer=io.BytesIO(content))
        try:
            return read_document(None, columns)
        finally:
            sys.stdin = before

    return called


def both_splits(path: Path) -> object:
    (path.parent / "valid.txt").write_bytes(path.read_bytes())
    return load_corpus(path.parent)


def both_languages(path: Path) -> object:
    for name in ("train.fr", "valid.en", "valid.fr"):
        (path.parent / name).write_bytes(path.read_bytes())
    return load_parallel(path.parent, "en", "fr")


def run(config: Path) -> object:
    """What resuming reads before the data."""
    folder = RunFolder(config.parent)
    try:
        stored = folder.resume(asdict(CharRNN()), asdict(CharRNN()))
        restored(CharRNN, stored, config).check()
        folder.check_data(ABOUT, "give the same")
        return folder.total_steps()
    finally:
        folder.unlock()


def log(path: Path) -> None:
    RunFolder(path.parent).cut_log(20)
    RunFolder(path.parent).log({"step": 30, "train_loss": 0.5})


def pairs_kept(path: Path) -> object:
    (path.parent / "vocabulary.json").write_text(json.dumps(TRANSLATOR))
    (path.parent / "best.keras").touch()
    return TrainedTranslator(path.parent).split("test")


def trained(kind: Callable[[Path], object], **files: bytes) -> Callable[[Path], object]:
    """A run's folder with these files beside the one that is read."""

    def called(path: Path) -> object:
        for name, content in {"best.keras": b"", **files}.items():
            if name != path.name:
                (path.parent / name).write_bytes(content)
        return kind(path.parent)

    return called


def vectors() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vectors.npz")
        WordTable(["the", "é"], np.ones((3, 2), "float32"), 3, np.zeros(3, bool)).save(path)
        return path.read_bytes()


TRANSLATOR = {"source": TOKENS, "target": None, "reverse": False}
TAGGER_FILES = {"vocabulary.json": json.dumps(TAGGER).encode(), "vectors.npz": vectors()}
CONFIG = {"recipe": "char-rnn", "version": "0.1.0", "numbers": asdict(CharRNN()), "data": ABOUT}

READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "a text": (file("a.txt", read_text), "the naïve sea\r\n".encode()),
    "a tagged file": (file("a.conll", read_columns), TAGGED),
    "a tagged file by names": (
        file("a.conllup", lambda path: read_columns(path, "NER", "FORM")),
        b"# global.columns = ID FORM NER\n1 Ada B-PER\n2 slept O\n",
    ),
    "a tagged corpus": (file("train.txt", both_splits), TAGGED),
    "text to tag": (standard_input(columns=False), b"Dr. Li won't pay $1,000.50."),
    "columns to tag": (standard_input(columns=True), TAGGED),
    "pairs with tabs": (
        file("fra.txt", load_tab_separated),
        "".join(f"{n} cats\t{n} chats\tCC-BY\n" for n in range(99)).encode(),
    ),
    "parallel files": (file("train.en", both_languages), b"Go.\nRun!\nHello, you.\n"),
    "packed lines": (
        file("train.en.gz", lambda path: list(read_lines(path))),
        gzip.compress(b"Go.\nRun!\n", mtime=0),
    ),
    "vectors": (file("a.vec", read_vectors), b"3 2\nthe 0.1 0.2\nNew York 1e-3 -4\n"),
    "packed vectors": (file("a.gz", read_vectors), gzip.compress(b"the 0.1 0.2\n", mtime=0)),
    "a run's config.json": (file("config.json", run), json.dumps(CONFIG).encode()),
    "a run's log.csv": (file("log.csv", log), b"step,train_loss\n10,0.5\n20,0.25\n30,0.2\n"),
    "a run's vocabulary.json": (
        file("vocabulary.json", trained(TrainedCharLM)),
        json.dumps({"characters": ["a", "é", "\ud83d"]}).encode(),
    ),
    "a tagger's vocabulary.json": (
        file("vocabulary.json", trained(TrainedTagger, **TAGGER_FILES)),
        TAGGER_FILES["vocabulary.json"],
    ),
    "a tagger's vectors.npz": (
        file("vectors.npz", trained(TrainedTagger, **TAGGER_FILES)),
        TAGGER_FILES["vectors.npz"],
    ),
    "a translator's vocabulary.json": (
        file("vocabulary.json", trained(TrainedTranslator)),
        json.dumps(TRANSLATOR).encode(),
    ),
    "a translator's test.tsv": (file("test.tsv", pairs_kept), b"the cat\tle chat\n"),
    "a vocabulary": (file("v.json", Vocabulary.load), b'{"characters": ["a", "b"]}'),
}
"""By what is read: the reader, and a file that it reads."""
