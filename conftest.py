"""What all tests share: examples that need a package which not everyone has are left out without
it, and what keeps them quick among thousands of tests."""

import builtins
import gc
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


@pytest.fixture(autouse=True)
def what_is_there_stays(request):
    """Keras collects garbage for each weight that it makes int8, and after a thousand tests there
    is much to look through: an example leaves out what was there before."""
    if isinstance(request.node, pytest.DoctestItem):
        gc.freeze()
    yield
    gc.unfreeze()
