"""The pictures of the layers are what their script draws, and can be read without seeing them."""

import importlib.util
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def load():
    spec = importlib.util.spec_from_file_location("cells", DOCS / "pictures" / "cells.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CELLS = load()


@pytest.mark.parametrize("name", CELLS.PICTURES)
def test_the_committed_picture_is_the_scripts(name):
    committed = (DOCS / "pictures" / f"{name}.svg").read_text("utf-8")
    assert committed == str(CELLS.PICTURES[name]()), "run python docs/pictures/cells.py"


@pytest.mark.parametrize("name", CELLS.PICTURES)
def test_a_picture_says_in_words_what_it_shows(name):
    root = ElementTree.fromstring(str(CELLS.PICTURES[name]()))
    assert root.find(f"{SVG}title").text
    assert len(root.find(f"{SVG}desc").text) > 100


@pytest.mark.parametrize("name", CELLS.PICTURES)
def test_its_page_shows_it_with_other_words_for_who_cannot_see_it(name):
    page = (DOCS / "layers" / f"{name}.md").read_text("utf-8")
    (line,) = [line for line in page.split("\n") if f"pictures/{name}.svg" in line]
    alternative = line.split("![", 1)[1].split("]", 1)[0]
    assert len(alternative) > 20


def test_a_formula_lowers_and_raises():
    shown = CELLS.formula("c_{t−1} + x^{2}")
    assert ">t−1</tspan>" in shown and ">2</tspan>" in shown and "{" not in shown
    assert "font-style" not in CELLS.formula("tanh")
