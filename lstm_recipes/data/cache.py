"""Files that are either whole or not there, and the folder where downloads are kept."""

import os
import secrets
from pathlib import Path


def cache_folder() -> Path:
    """The folder for downloaded data: $LSTM_RECIPES_CACHE, else ~/.cache/lstm_recipes."""
    return Path(os.environ.get("LSTM_RECIPES_CACHE") or "~/.cache/lstm_recipes").expanduser()


def write_atomically(path: str | os.PathLike, content: bytes) -> None:
    """Write a file so that no one ever sees half of it, whatever interrupts the writing.

    The bytes go to a temporary file in the same folder, which then takes the name.

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
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)  # it is still there only when something went wrong
