"""A disk or a memory that is full, in one sentence, whichever library was the one to find out."""

import errno
import os
import re
from collections.abc import Mapping
from typing import Any

_DISK = {
    number: os.strerror(number)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EIO", "EACCES", "EPERM")
    if (number := getattr(errno, name, None)) is not None
}
"""Why a file cannot be written, when nothing is wrong with what was to be written."""

_MEMORY = ("batch_size", "time", "units", "embedding", "vocabulary")
"""What a recipe's memory grows with; the first two leave the model as it is."""


def disk_trouble(error: Exception) -> str | None:
    """That a file cannot be written, and why; None of another error.

    HDF5 has the system's reason in its message alone, and so has TensorFlow.

    >>> disk_trouble(OSError(errno.ENOSPC, "No space left on device", "run/log.csv"))
    'run/log.csv cannot be written (No space left on device)'
    >>> disk_trouble(ValueError("units is 0"))
    """
    if not isinstance(error, OSError) and not _is_of_tensorflow(error):
        return None
    reason = _DISK.get(getattr(error, "errno", None))
    reason = reason or next((text for text in _DISK.values() if text in str(error)), None)
    if reason is None:
        return None
    file = getattr(error, "filename2", None) or getattr(error, "filename", None) or "a file"
    return f"{file} cannot be written ({reason})"


def memory_trouble(error: Exception, numbers: Mapping[str, Any]) -> str | None:
    """That the memory is too small, and which of a recipe's numbers to lower; None of another
    error.

    >>> memory_trouble(MemoryError("Unable to allocate 9 TiB"), {"batch_size": 64, "units": 9999})
    'the memory is too small (Unable to allocate 9 TiB); give a smaller --batch-size than 64, or a
    smaller --units than 9999'
    """
    exhausted = type(error).__name__ == "ResourceExhaustedError" and _is_of_tensorflow(error)
    if not isinstance(error, MemoryError) and not exhausted:
        return None
    found = re.search(r"OOM when allocating [^\n]*?(?= on /| by |\n|$)", str(error))
    reason = found[0] if found else (str(error) or "no more is to be had").splitlines()[0]
    smaller = [
        f"a smaller --{name.replace('_', '-')} than {numbers[name]}"
        for name in _MEMORY
        if name in numbers
    ]
    advice = ", or ".join(smaller) or "a smaller --batch-size, or a smaller model"
    return f"the memory is too small ({reason}); give {advice}"


def _is_of_tensorflow(error: Exception) -> bool:
    """Whether it is an error of TensorFlow's, without importing that."""
    return type(error).__module__.startswith("tensorflow.")
