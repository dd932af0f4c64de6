"""What is too large for the memory and needed by this process alone: a file without a name."""

import os
import tempfile
import weakref
from pathlib import Path

from lstm_recipes.errors import UserError


class Spool:
    """Bytes on the disk, one behind the other, of which any part can be read.

    The file has no name: it goes with this object or with the process, however that ends, and
    nobody sees half of it. It is read by the system's call for that and not mapped, for mapped
    pages would count as this process's memory.

    Args:
        folder: in whose file system it is; None is the one for temporary files.

    Raises:
        UserError: no file can be made there.

    >>> spool = Spool()
    >>> spool.append(b"to be"); spool.append(b" or not")
    >>> spool.size, spool.read(3, 8)
    (12, b'be or')
    """

    def __init__(self, folder: str | os.PathLike | None = None):
        self.folder = Path(tempfile.gettempdir() if folder is None else folder)
        self.size = 0
        try:
            self._file = tempfile.TemporaryFile(buffering=0, dir=self.folder)  # noqa: SIM115  kept
        except OSError as error:
            raise self._full(error) from None
        weakref.finalize(self, self._file.close)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Write bytes behind all others.

        Raises:
            UserError: there is no room for them.
        """
        left = memoryview(data)
        try:
            while left:  # without a buffer the system may take some only
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._full(error) from None
        self.size += len(data)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from one place to before another."""
        return os.pread(self._file.fileno(), max(stop - start, 0), start)

    def _full(self, error: OSError) -> UserError:
        return UserError(
            f"the data that is being read cannot be kept in {self.folder} ({error.strerror}) "
            f"behind {self.size:,} bytes of it; make room there, or choose another folder"
            f"{' with TMPDIR' if self.folder == Path(tempfile.gettempdir()) else ''}"
        )
