"""The model's file: written whole, and read without running what somebody has put into it."""

import json
import zipfile
from pathlib import Path

import keras
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.models.char_lm import char_lm
from lstm_recipes.training.model_file import load_model, save_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "best.keras"
    save_model(char_lm(4, units=2), path)
    return path


def accepted(model: keras.Model) -> None:
    return None


def with_layer(saved: Path, place: int | None, layer: dict, path: Path) -> Path:
    """The file with another layer in its place, or another model as a whole."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                changed = config if place is None else config["config"]["layers"][place]
                changed.update(layer)
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return path


@pytest.mark.parametrize("place", [None, 1])
@pytest.mark.parametrize(
    ("module", "name", "options"),
    [
        ("os", "system", {"command": "touch marker"}),
        ("os", "mkdir", {"path": "marker"}),
        ("builtins", "exec", {"source": "open('marker', 'w')"}),
        ("subprocess", "Popen", {"args": ["touch", "marker"]}),
        ("keras.utils", "get_file", {"fname": "marker", "origin": "file:///etc/hostname"}),
        ("lstm_recipes.data.cache", "write_atomically", {"path": "marker", "content": "x"}),
    ],
)
def test_a_file_that_names_code_is_refused_and_runs_none(
    saved, tmp_path, monkeypatch, place, module, name, options
):
    monkeypatch.chdir(tmp_path)
    layer = {"module": module, "class_name": name, "config": options, "registered_name": None}
    path = with_layer(saved, place, layer, tmp_path / "best.keras")
    with pytest.raises(UserError, match=r"best\.keras is damaged \(.*; take it from an undamaged"):
        load_model(path, accepted)
    assert {one.name for one in tmp_path.iterdir()} == {"best.keras"}


def test_a_function_in_the_file_is_refused(tmp_path):
    layer = keras.layers.Lambda(lambda x: x * 2)
    save_model(keras.Sequential([keras.Input((2,)), layer]), tmp_path / "best.keras")
    with pytest.raises(UserError, match=r"damaged \(Requested the deserialization of a `Lambda`"):
        load_model(tmp_path / "best.keras", accepted)


def test_a_good_file_is_read(saved):
    assert load_model(saved, accepted).count_params() > 0
    with pytest.raises(UserError, match=r"is damaged \(it has two heads\)"):
        load_model(saved, lambda model: "it has two heads")
