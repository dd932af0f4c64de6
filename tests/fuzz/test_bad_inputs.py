"""The table of bad inputs in docs/survival.md: each is tried, and gets what the table says."""

import gzip
import re
import shutil
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/survival.md"
LEGAL = "Ada B-PER\nslept O\n\n"
MANY = "".join(f"{n} cats\t{n} chats\n" for n in range(99))


def corpus(**splits: str | bytes) -> dict[str, str | bytes]:
    files = {"train": LEGAL, "valid": LEGAL} | splits
    return {f"corpus/{name}.txt": content for name, content in files.items()}


def parallel(english: str, french: str) -> dict[str, str]:
    files = {"train.en": english, "train.fr": french, "valid.en": "Go.\n", "valid.fr": "Va !\n"}
    return {f"pairs/{name}": content for name, content in files.items()}


TEXT, NER = ("char-rnn", "train", "--text", "a.txt"), ("ner", "train", "--data", "corpus")
PAIRS, FOLDER = ("translate", "train", "--data"), ("translate", "train", "--data", "pairs")
VECTORS = (*NER, "--vectors", "vectors.txt")
SAMPLE = ("char-rnn", "sample", "run", "--prompt")

TRIED = {
    "a text that is not there": (TEXT, {}),
    "an empty text": (TEXT, {"a.txt": ""}),
    "a text of one character": (TEXT, {"a.txt": "a"}),
    "Latin-1": (TEXT, {"a.txt": "un café\n".encode("latin-1")}),
    "UTF-16": (TEXT, {"a.txt": "the sea".encode("utf-16")}),
    "a program, a picture, a PDF": (TEXT, {"a.txt": b"\x7fELF\x02\x01\x01\x00"}),
    "a text shorter than a window": (TEXT, {"a.txt": "the sea, the sea"}),
    "a text whose half surrogates were written as UTF-8": (TEXT, {"a.txt": b"\xed\xa0\xbd sea"}),
    "a folder for a text": (TEXT, {"a.txt/b": "the sea"}),
    "rows of unequal length": (NER, corpus(train=LEGAL + "a b c\n")),
    "a tag that is none": (NER, corpus(train=LEGAL + "a PER\n")),
    "words without tags": (NER, corpus(train="Ada\nslept\n")),
    "no entity in the training file": (NER, corpus(train="Ada O\n")),
    "a type that training lacks": (NER, corpus(valid="Rome B-LOC\n")),
    "no development file": (NER, {"corpus/train.txt": LEGAL}),
    "a file of blank lines": (NER, corpus(valid="\n\n \n")),
    "vectors of unequal width": (VECTORS, corpus() | {"vectors.txt": "the 0.1 0.2\nof 0.3\n"}),
    "a vector with NaN": (VECTORS, corpus() | {"vectors.txt": "ada 0.1 nan\nof 0.3 0.4\n"}),
    "vectors in a zip file": (VECTORS, corpus() | {"vectors.txt": b"PK\x03\x04 and so on"}),
    "vectors whose gzip is cut off": (
        VECTORS,
        corpus() | {"vectors.txt": gzip.compress(b"the 0.1 0.2\n" * 999, mtime=0)[:40]},
    ),
    "a line without a tab": ((*PAIRS, "a.tsv"), {"a.tsv": MANY + "Hi.\n"}),
    "too few pairs": ((*PAIRS, "a.tsv"), {"a.tsv": "Go.\tVa !\n"}),
    "files of unequal length": (FOLDER, parallel("Go.\nRun!\n", "Va !\n")),
    "a side that is empty": (FOLDER, parallel("\n\n", "Va !\nCours !\n")),
    "a packed file that is none": (
        FOLDER,
        {"pairs/train.en.gz": "Go.\n", "pairs/train.fr": "Va !\n"}
        | {"pairs/valid.en": "Go.\n", "pairs/valid.fr": "Va !\n"},
    ),
    "a character that the model never saw": ((*SAMPLE, "中"), {}),
    "an empty prompt": ((*SAMPLE, ""), {}),
    "a vocabulary.json that was edited": (
        (*SAMPLE, "a"),
        {"run/vocabulary.json": lambda old: old.replace(b"[", b'["Z", ')},
    ),
    "a config.json with other types": (
        (*TEXT, "--run", "run", "--resume"),
        {"a.txt": "the sea", "run/config.json": lambda old: old.replace(b": 10,", b': "10",', 1)},
    ),
    "a best.keras that is cut off": ((*SAMPLE, "a"), {"run/best.keras": b"PK\x03\x04"}),
    "a folder that is no run": (("char-rnn", "evaluate", "nothing"), {}),
}
"""What was tried: the command, and the files that it finds; or what becomes of one of the run's."""


def rows() -> dict[str, str]:
    """The page's table: by what was tried, a pattern of what it gets."""
    table = re.findall(r"^\| ([^|`]+) \| `(.+)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {tried: ".*".join(map(re.escape, said.split("…"))) for tried, said in table}


ROWS = rows()


def test_the_page_has_each_and_no_other():
    assert list(ROWS) == list(TRIED)


@pytest.mark.parametrize("tried", TRIED)
def test_a_bad_input_gets_what_the_page_says(tried, trained, fails, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, files = TRIED[tried]
    if "run" in arguments:
        shutil.copytree(trained, "run")
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content = content(path.read_bytes())
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert re.fullmatch(ROWS[tried], fails(*arguments)), tried
    assert not Path("runs").exists()
