"""Examples in docstrings that need a package which not everyone has are left out without it."""

from importlib.util import find_spec

collect_ignore = (
    [] if find_spec("onnx") and find_spec("onnxruntime") else ["lstm_recipes/export/onnx.py"]
)
