"""Files that are either whole or not there, and the folder where downloads are kept."""

import contextlib
import os
import secrets
from pathlib import Path


def cache_folder() -> Path:
    """The folder for downloaded data: $LSTM_RECIPES_CACHE, else ~/.cache/lstm_recipes."""
    return Path(os.environ.get("LSTM_RECIPES_CACHE") or "~/.cache/lstm_recipes").expanduser()


def write_atomically(
    path: str | os.PathLike, content: bytes, keep: str | os.PathLike | None = None
) -> None:
    """Write a file so that no one ever sees half of it, whatever interrupts the writing, and so
    that a power cut afterwards takes nothing back.

    The bytes go to a temporary file in the same folder, which is synced and takes the name.

    Args:
        path: The file.
        content: All that it is to hold.
        keep: The name that the file which was there takes, instead of being replaced.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "notes.txt"), b"whole")
    ...     [(file.name, file.read_bytes()) for file in Path(folder).iterdir()]
    [('notes.txt', b'whole')]
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if keep is not None and path.exists():
            os.replace(path, keep)
        os.replace(part, path)
        sync(path.parent)
    finally:
        part.unlink(missing_ok=True)  # it is still there only when something went wrong


def sync(path: Path) -> None:
    """Have the disk keep a file as it is now, or the names in a folder."""
    number = os.open(path, os.O_RDONLY)
    try:
        # Some file systems cannot do it for a folder; they keep its names in their own time.
        with contextlib.suppress(OSError) if path.is_dir() else contextlib.nullcontext():
            os.fsync(number)
    finally:
        os.close(number)
