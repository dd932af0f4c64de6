"""A folder that is either whole or not there."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_recipes.errors import UserError


@contextmanager
def written_whole(
    path: str | os.PathLike, overwrite: bool = False, own: str = ""
) -> Iterator[Path]:
    """Gives a new folder to write to, which takes the name in the end, unless something went wrong.

    Args:
        path: The name.
        overwrite: Whether a folder of that name may be replaced.
        own: A file by which a folder shows that it may; another one is left alone.

    Raises:
        UserError: It is there and is not to be replaced, or it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with written_whole(Path(place, "a")) as folder:
    ...         _ = (folder / "b").write_text("whole")
    ...     [str(found.relative_to(place)) for found in Path(place).rglob("*")]
    ['a', 'a/b']
    """
    path = Path(path).expanduser()
    _check(path, overwrite, own)
    mark = secrets.token_hex(4)
    part, old = (path.with_name(f".{path.name}.{mark}.{end}") for end in ("part", "old"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        yield part
        if path.exists():
            path.rename(old)
        part.rename(path)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}); name another with --out"
        ) from None
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)


def _check(path: Path, overwrite: bool, own: str) -> None:
    if not path.exists():
        return
    if not overwrite:
        raise UserError(
            f"{path} is there already; --overwrite replaces it, --out names another folder"
        )
    if not path.is_dir() or (own and os.listdir(path) and not (path / own).exists()):
        raise UserError(f"{path} is no export and stays as it is; name another folder with --out")
