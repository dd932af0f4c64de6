"""The Python blocks of a page in Markdown."""

import re
from collections.abc import Iterator

BLOCK = re.compile(
    r"^(?P<mark><!-- not run: (?P<reason>.+?) -->\n+)?"
    r"^(?P<indent> *)```python[^\n]*\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


def blocks(text: str) -> Iterator[tuple[int, str | None, str]]:
    """Of each block: the line before its first one, the reason not to run it, and the code."""
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code"))
        code = re.sub(f"^{match['indent']}", "", match["code"], flags=re.MULTILINE)
        yield line, match["reason"], code
