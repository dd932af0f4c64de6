"""Imports go one way through the package. Here are the directions, and what holds them.

The rules are read from the sources, without importing them, so that an import inside a
function counts as well.
"""

import ast
import configparser
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "lstm_recipes"

# A room may import itself and these. Modules that stand alone beside the rooms (errors.py)
# are everybody's, except the layers', and import nothing but each other.
MAY_IMPORT = {
    "layers": set(),
    "data": set(),
    "metrics": {"data"},
    "lab": {"layers", "data"},
    "models": {"layers", "data"},
    "training": {"decoding", "models", "layers", "data", "metrics"},
    "decoding": {"models", "layers", "data", "metrics"},
    "export": {"models", "layers", "data", "metrics"},
}
MAY_IMPORT["recipes"] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = set(MAY_IMPORT)
MAY_IMPORT["__main__"] = {"cli"}
MAY_IMPORT["__init__"] = {"layers"}

LAYERS_THIRD_PARTY = {"keras", "numpy", "tensorflow"}
# Folders of the repository that are not installed (the recipes are, inside the package).
OUTSIDE = {"benchmarks", "docs", "notebooks", "recipes", "tests"}
# What a table, a plot or a command line needs, and no one who wants a layer should wait for.
HEAVY = {"IPython", "jupyter", "matplotlib", "pandas", "rich", "seaborn", "tyro"}


def modules(root: Path) -> dict[str, Path]:
    """Every module of the package under its installed name."""
    found = {}
    for folder, name in ((root / PACKAGE, PACKAGE), (root / "recipes", f"{PACKAGE}.recipes")):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join((name, *(part for part in parts if part != "__init__")))] = path
    return found


def imports(path: Path, module: str) -> Iterator[tuple[int, str, str | None]]:
    """Line, module, and name taken from it (None for ``import module``), of every import."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, source, alias.name


def wrong_imports(root: Path) -> list[str]:
    """One line for every import that breaks a rule."""
    known = modules(root)
    rooms = {name.split(".")[1] for name in known if name.count(".") >= 2} | set(MAY_IMPORT)
    found = []

    for module, path in known.items():
        parts = module.split(".")
        room = parts[1] if len(parts) > 1 else "__init__"
        commons = room not in rooms
        if not commons and room not in MAY_IMPORT:
            found.append(f"{path.relative_to(root)}: the rules of {room}/ are not in MAY_IMPORT")
            continue

        for line, source, name in imports(path, module):
            here = f"{path.relative_to(root)}:{line}: {module} imports"
            target = f"{source}.{name}" if f"{source}.{name}" in known else source
            top, *rest = target.split(".")

            if top in OUTSIDE:
                found.append(f"{here} {target}, which is not installed")
            elif top == PACKAGE:
                other = rest[0] if rest else "__init__"
                if other == room:
                    # Within a room all is free, but a recipe stands alone.
                    if room == "recipes" and len(parts) > 2 and target != module and len(rest) > 1:
                        found.append(f"{here} another recipe, {target}")
                elif other in rooms - {"__init__"}:
                    if commons or other not in MAY_IMPORT[room]:
                        found.append(f"{here} {target}: {room} may not know {other}")
                elif room == "layers":
                    found.append(f"{here} {target}: layers know layers alone")
            elif room == "layers" and top not in LAYERS_THIRD_PARTY | sys.stdlib_module_names:
                found.append(f"{here} {target}: layers need {sorted(LAYERS_THIRD_PARTY)} alone")
    return found


def test_imports_go_one_way():
    assert f"{PACKAGE}.layers" in modules(ROOT)
    assert not wrong_imports(ROOT)


GOOD_TREE = {
    "lstm_recipes/__init__.py": "__version__ = '1'",
    "lstm_recipes/errors.py": "import json",
    "lstm_recipes/cli.py": "import tyro\nfrom lstm_recipes.recipes import one, two",
    "lstm_recipes/layers/__init__.py": "from lstm_recipes.layers.gru import GRU",
    "lstm_recipes/layers/gru.py": "import math\nimport keras.src.ops\nfrom . import cell",
    "lstm_recipes/layers/cell.py": "import numpy as np",
    "lstm_recipes/data/text.py": "from lstm_recipes.errors import UserError",
    "lstm_recipes/models/char_lm.py": "from ..layers import GRU",
    "lstm_recipes/training/run.py": "from lstm_recipes import __version__, models",
    "recipes/__init__.py": "from lstm_recipes.recipes import one",
    "recipes/one.py": "from lstm_recipes.training import run",
    "recipes/two.py": "from lstm_recipes.models.char_lm import model",
}


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("lstm_recipes/layers/x.py", "import rich", "layers need"),
        ("lstm_recipes/layers/x.py", "def f():\n    import scipy.special", "layers need"),
        ("lstm_recipes/layers/x.py", "from lstm_recipes import __version__", "layers alone"),
        ("lstm_recipes/layers/x.py", "from lstm_recipes.errors import UserError", "layers alone"),
        ("lstm_recipes/layers/x.py", "from ..errors import UserError", "layers alone"),
        ("lstm_recipes/layers/x.py", "from .. import models", "may not know models"),
        ("lstm_recipes/models/x.py", "import lstm_recipes.training.run", "may not know training"),
        ("lstm_recipes/decoding/x.py", "from lstm_recipes.recipes import one", "know recipes"),
        ("lstm_recipes/data/x.py", "from lstm_recipes.models.char_lm import m", "know models"),
        ("lstm_recipes/metrics/x.py", "from lstm_recipes import layers", "know layers"),
        ("lstm_recipes/lab/x.py", "from ..models import char_lm", "know models"),
        ("lstm_recipes/errors.py", "from lstm_recipes.data import text", "may not know data"),
        ("lstm_recipes/training/x.py", "from lstm_recipes.cli import main", "know cli"),
        ("lstm_recipes/training/x.py", "import tests.helpers", "not installed"),
        ("lstm_recipes/training/x.py", "from notebooks import build", "not installed"),
        ("lstm_recipes/cli.py", "from recipes import one", "not installed"),
        ("recipes/two.py", "from lstm_recipes.recipes import one", "another recipe"),
        ("recipes/two.py", "from lstm_recipes.recipes.one import load", "another recipe"),
        ("recipes/two.py", "from . import one", "another recipe"),
        ("recipes/two.py", "from .one import load", "another recipe"),
        ("recipes/two.py", "from lstm_recipes import cli", "may not know cli"),
        ("lstm_recipes/attic/x.py", "", "not in MAY_IMPORT"),
    ],
)
def test_a_wrong_import_is_found(tmp_path, path, source, complaint):
    for name, text in (GOOD_TREE | {"lstm_recipes/models/__init__.py": ""}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert not wrong_imports(tmp_path)

    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(source)
    (found,) = wrong_imports(tmp_path)
    assert found.startswith(path)
    assert complaint in found


def loaded_by(statement: str, after: str = "pass") -> set[str]:
    """The top-level modules that a statement adds in a fresh interpreter, after another."""
    program = f"""
import sys
{after}
before = set(sys.modules)
{statement}
print()
print(*{{name.split(".")[0] for name in set(sys.modules) - before}})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_the_package_alone_loads_no_framework():
    loaded = loaded_by("import lstm_recipes")
    assert PACKAGE in loaded
    assert not loaded & (HEAVY | {"keras", "tensorflow"})


def test_the_layers_load_nothing_heavy_that_keras_does_not():
    loaded = loaded_by("import lstm_recipes.layers", after="import keras")
    assert PACKAGE in loaded
    assert not loaded & HEAVY


def test_setup_cfg_lists_every_package():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = config["options"]["packages"].split()
    folders = {
        name if path.name == "__init__.py" else name.rpartition(".")[0]
        for name, path in modules(ROOT).items()
    }
    assert sorted(listed) == sorted(folders)
