"""TensorFlow's start-up notices stay away, and nothing else does.

A module of the name stands in for TensorFlow and writes what it writes: to file descriptor 2,
past Python.
"""

import os
import subprocess
import sys
from itertools import chain, cycle

import pytest

NOTICES = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795263508.696522   15288 port.cc:153] oneDNN custom operations are on. You may see \
slightly different numerical results due to floating-point round-off errors.
I0000 00:00:1795263508.696869   15288 cudart_stub.cc:31] Could not find cuda drivers on your \
machine, GPU will not be used.
I0000 00:00:1795263508.745707   15288 cpu_feature_guard.cc:227] This TensorFlow binary is \
optimized to use available CPU instructions in performance-critical operations.
To enable the following instructions: AVX2 AVX512F FMA, in other operations, rebuild TensorFlow \
with the appropriate compiler flags.
2026-01-05 10:11:12.131415: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
E0000 00:00:1742.7 99 cuda_dnn.cc:8579] Unable to register cuDNN factory: Attempting to register
E0000 00:00:1742.7 99 cuda_blas.cc:1407] Unable to register cuBLAS factory: Attempting to register
W0000 00:00:1742.7 99 computation_placer.cc:177] computation placer already registered.
2026-01-05 10:11:12.131415: E external/local_xla/xla/stream_executor/cuda/cuda_platform.cc:51] \
failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)
E0000 00:00:1742.7 99 util.cc:131] oneDNN supports DT_BOOL only on platforms with AVX-512.
"""
WARNINGS = """\
UserWarning: the file system is nearly full
I was not a notice
2026-01-05 10:11:12.131415: W tensorflow/core/framework/op.cc:1] deprecated: I mean it
E0000 00:00:1742.7 99 loader.cc:1] a library is broken: naïve café 🚢
  with an indented second line
"""
PROGRAM = """
import sys
from lstm_recipes.quiet import load_tensorflow
print("before", file=sys.stderr)
load_tensorflow()
print("after", file=sys.stderr)
"""


def load(folder, module: str) -> subprocess.CompletedProcess:
    (folder / "tensorflow.py").write_text(module, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=60,
    )


def writes(text: str) -> str:
    return f"import os; os.write(2, {text!r}.encode())\n"


DEVICES = """
class config:
    @staticmethod
    def list_physical_devices():
        {}

def transpose(x):
    pass
"""


def test_notices_stay_away_and_everything_else_comes_through(tmp_path):
    pairs = zip(NOTICES.splitlines(True), cycle(WARNINGS.splitlines(True)), strict=False)
    mixed = "".join(chain.from_iterable(pairs))
    done = load(tmp_path, writes(mixed) + DEVICES.format("pass"))
    assert done.returncode == 0
    first, *lines, last = done.stderr.splitlines()
    assert (first, last) == ("before", "after")
    assert lines == [line for line in mixed.splitlines() if line in WARNINGS]
    assert len(lines) == NOTICES.count("\n")


def test_looking_for_devices_is_quiet_too(tmp_path):
    done = load(tmp_path, DEVICES.format(writes(NOTICES + "real\n")))
    assert done.stderr.splitlines() == ["before", "real", "after"]


@pytest.mark.parametrize("error", ["ImportError('no libstdc++')", "KeyboardInterrupt"])
def test_what_was_written_comes_through_when_the_import_fails(tmp_path, error):
    done = load(tmp_path, writes(NOTICES + WARNINGS) + f"raise {error}")
    assert done.returncode != 0
    lines = done.stderr.splitlines()
    assert lines[0] == "before"
    assert lines[1 : 1 + WARNINGS.count("\n")] == WARNINGS.splitlines()
    assert lines[-1].startswith(error.split("(")[0])
    assert "after" not in lines


def test_standard_error_is_as_it_was_afterwards(tmp_path):
    done = load(tmp_path, DEVICES.format("import os; os.write(1, b'result\\n')"))
    assert done.stdout == "result\n"
    assert done.stderr.splitlines() == ["before", "after"]
