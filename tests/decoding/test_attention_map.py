"""Pictures of attention: what a search may find, an empty translation among it, can be drawn."""

from types import SimpleNamespace

import numpy as np
import pytest

from lstm_recipes.decoding.attention_map import write_attention


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
