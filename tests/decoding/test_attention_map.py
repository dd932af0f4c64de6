"""Pictures of attention: what a search may find, an empty translation among it, can be drawn."""

from types import SimpleNamespace

import numpy as np
import pytest

from lstm_recipes.decoding import attention_map
from lstm_recipes.decoding.attention_map import LONGEST, PIXELS, write_attention
from lstm_recipes.decoding.write_translations import write_translations
from lstm_recipes.errors import UserError


@pytest.mark.parametrize("ending", ["html", "png"])
@pytest.mark.parametrize("sizes", [(2, 3), (1, 1), (0, 3), (0, 0)])
def test_translations_of_any_length_are_drawn(ending, sizes, tmp_path):
    pytest.importorskip("matplotlib")
    said, read = sizes
    one = SimpleNamespace(
        tokens=["<mot>"] * said, source=["word"] * read, attention=np.full((said, read), 0.5)
    )
    full = SimpleNamespace(tokens=["a"], source=["b", "c"], attention=np.array([[0.2, 0.8]]))
    path = tmp_path / f"map.{ending}"
    write_attention(path, [one, full])
    assert path.read_bytes().startswith(b"\x89PNG" if ending == "png" else b"<!doctype html>")
    if ending == "html":
        assert path.read_text("utf-8").count("&lt;mot&gt;") == said


@pytest.mark.parametrize("ending", ["html", "png"])
def test_of_many_and_long_ones_the_first_are_drawn(ending, tmp_path, capsys, monkeypatch):
    """A line of 500 words and a file of many lines fill neither the memory nor the screen."""
    pytest.importorskip("matplotlib")
    long = SimpleNamespace(
        tokens=["said"] * 600, source=["read"] * 500, attention=np.full((600, 500), 0.5)
    )
    path = tmp_path / f"map.{ending}"
    monkeypatch.setattr(attention_map, "MOST", 3)
    write_attention(path, [long] * 8)
    assert "the first 3 of 8 translations" in capsys.readouterr().err
    if ending == "html":
        assert path.read_text("utf-8").count("<th>said</th>") == 3 * LONGEST
    else:
        width, height = (int.from_bytes(path.read_bytes()[k : k + 4], "big") for k in (16, 20))
        assert width * height < 1.1 * PIXELS


def test_a_file_of_another_kind_is_told_before_anything_is_translated(tmp_path):
    class Untouched:
        def translate(self, sentences, **options):
            raise AssertionError

    with pytest.raises(UserError, match=r"ends in \.html or \.png"):
        write_translations(Untouched(), [], {"n_best": 1}, attention=tmp_path / "a.gif")
