"""Docstrings as the site shows them: examples become code blocks, and roles become links."""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"(?:^[ ]*>>>.*\n?(?:^[ ]*\S.*\n?)*)", re.MULTILINE)
ROLE = re.compile(r":(?:class|func|meth|mod):`~?([\w.]+)`")


def link(role: re.Match) -> str:
    """A name in full links to its place; a short one is code."""
    path = role[1]
    name = f"`{path.rpartition('.')[2]}`"
    return f"[{name}][{path}]" if "." in path else name


class Docstrings(griffe.Extension):
    """Runs over every object that has a docstring, once, before the pages are made."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            text = ROLE.sub(link, obj.docstring.value)
            obj.docstring.value = EXAMPLE.sub(
                lambda block: f"```pycon\n{block[0].rstrip()}\n```\n", text
            )
