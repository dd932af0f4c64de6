"""What the page on devices shows: two virtual devices train as one does."""

import os
import subprocess
import sys
from pathlib import Path

from .page_blocks import blocks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "devices.md"


def test_two_virtual_devices_train_as_one():
    (code,) = [code for _, _, code in blocks(PAGE.read_text("utf-8")) if "Mirrored" in code]
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
