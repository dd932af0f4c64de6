"""Loading TensorFlow without its start-up notices, and with its real warnings."""

import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NOISE = re.compile(
    r"^WARNING: All log messages before absl::InitializeLog\(\)"  # and what follows is I or E
    r"|^I\d{4} \d\d:|^\d{4}-\d\d-\d\d [\d:.]+: I "  # notices: oneDNN, processor features
    r"|cudart_stub|cuda_platform|cuda_executor|computation_placer|cuInit|cuda drivers"  # no GPU
    r"|cuda_dnn\.cc|cuda_blas\.cc|cuda_fft\.cc|Unable to register cu\w+ factory"
    r"|rebuild TensorFlow with the appropriate compiler flags"
    r"|oneDNN supports DT_BOOL only"  # it is done without oneDNN then, and all is well
)


def load_tensorflow(set_up: Callable[[], object] | None = None) -> None:
    """Import TensorFlow and look for devices; what it says of itself meanwhile is left out, and
    everything else that is written to standard error comes through afterwards.

    ``set_up`` is called before TensorFlow has done anything: devices can be split only then."""
    said: list[str] = []
    try:
        with standard_error_caught(said):
            import tensorflow as tf

            logging.getLogger("tensorflow").setLevel("WARNING")  # no notices about strategies
            tf.config.list_physical_devices()
            if set_up is not None:
                set_up()
            tf.transpose([[True]])  # loops over masks do it; it is remarked on once
    finally:
        for line in said:
            if line.strip() and not NOISE.search(line):
                print(line, file=sys.stderr)


@contextmanager
def standard_error_caught(said: list[str]) -> Iterator[None]:
    """What is written to standard error while this lasts becomes lines of ``said``.

    TensorFlow's notices are written by C++, some before any log level of its own counts, so they
    are caught where they come out: at file descriptor 2.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile("w+b") as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            caught.seek(0)
            said += caught.read().decode("utf-8", "replace").splitlines()
