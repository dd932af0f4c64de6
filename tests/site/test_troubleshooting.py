"""The package's own messages on the page about troubles are those that the source has."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
OURS = PAGE.split("## Messages of Keras and TensorFlow")[0]
GAP = "\0"


def texts():
    """Every text in the source, with a gap for what an f-string fills in."""
    for folder in ("lstm_recipes", "recipes"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(
                        part.value if isinstance(part, ast.Constant) else GAP
                        for part in node.values
                    )
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
    yield re.sub(r"\$\([^)]*\)+|\s*\\\n\s*", GAP, (ROOT / "Makefile").read_text("utf-8"))


TEXTS = list(texts())


def messages():
    for row in re.findall(r"^\| (`.+?`) \|", OURS, re.MULTILINE):
        yield from re.findall(r"`([^`]+)`", row)


def is_in_the_source(message):
    """Whether one text of the source has all the pieces between the dots, in their order."""
    pieces = [piece.strip() for piece in message.split("…") if piece.strip()]
    pattern = re.compile(".*".join(map(re.escape, pieces)), re.DOTALL)
    return any(pattern.search(text) for text in TEXTS)


@pytest.mark.parametrize("message", messages())
def test_a_message_on_the_page_is_in_the_source(message):
    assert is_in_the_source(message)


def test_there_are_many_and_a_changed_one_is_noticed():
    found = list(messages())
    assert len(found) > 40
    assert not is_in_the_source("holds a run; --overwrite begins again")
