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


@pytest.fixture
def no_collection(monkeypatch):
    """Keras collects garbage for each weight that it replaces, half a second each time, and
    longer after a thousand tests."""
    monkeypatch.setattr("gc.collect", lambda *generation: 0)


@pytest.fixture(autouse=True)
def examples_collect_no_garbage(request):
    """They make weights int8, and cannot ask for a fixture."""
    if isinstance(request.node, pytest.DoctestItem):
        request.getfixturevalue("no_collection")


def pytest_collection_finish():
    """TensorFlow, Keras and the tests themselves are 700,000 objects that stay: garbage is not
    looked for among them."""
    gc.collect()
    gc.freeze()
