"""Examples in docstrings that need a package which not everyone has are left out without it."""

import builtins
from importlib.util import find_spec

import pytest

collect_ignore = (
    [] if find_spec("onnx") and find_spec("onnxruntime") else ["lstm_recipes/export/onnx.py"]
)


@pytest.fixture(autouse=True)
def no_last_value():
    """Takes away the `_` that an example leaves in builtins, where tyro stumbles over a list."""
    yield
    vars(builtins).pop("_", None)
