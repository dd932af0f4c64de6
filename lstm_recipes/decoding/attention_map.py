"""Pictures of attention: which source tokens each token of a translation looked at."""

import html
import io
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from operator import is_not
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError

_PAGE = """\
<!doctype html>
<html><head><meta charset="utf-8"><title>Attention</title><style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }}
table {{ border-collapse: collapse; margin: 0 0 2.5em }}
td {{ width: 2em; height: 2em; padding: 0 }}
th {{ font-weight: normal; text-align: right; padding: 0 .6em; white-space: pre }}
thead th {{ writing-mode: vertical-rl; transform: rotate(180deg) }}
thead th {{ text-align: left; padding: .4em 0 }}
</style></head><body>
{tables}
</body></html>
"""


MOST, LONGEST = 20, 100  # translations that are drawn, and tokens of each
PIXELS, SIDE = 50_000_000, 60_000  # of a picture, and of its longer side


def check_attention(path: Path) -> None:
    """Raise a UserError if a file's name tells that no attention can be drawn in it."""
    if path.suffix not in (".html", ".png"):
        raise UserError(f"--attention {path} was given; give a file that ends in .html or .png")
    if path.suffix == ".png" and find_spec("matplotlib") is None:
        raise UserError(
            'a .png needs matplotlib; pip install "lstm-recipes[notebooks]", or give a file that '
            "ends in .html"
        )


def write_attention(path: Path, translations: Sequence[Any]) -> None:
    """Draw each translation's attention: a row a token said, a column a token read. Of many
    translations, and of long ones, only the first are drawn, and that is said.

    Args:
        path: Ends in .html, or in .png, for which matplotlib must be installed.
        translations: Of `training.trained_translator.Translation`.

    Raises:
        UserError: The file has another ending or cannot be written; the model has no attention.
    """
    check_attention(path)
    if not translations:
        raise UserError(f"there is no sentence whose attention {path} could show; give one")
    if any(one.attention is None for one in translations):
        raise UserError("this model has no attention to draw; leave out --attention")
    drawn = [_beginning(one) for one in translations[:MOST]]
    content = (_page if path.suffix == ".html" else _picture)(drawn)
    try:
        write_atomically(path, content)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror}); give another file with --attention"
        ) from None
    if len(drawn) < len(translations) or any(map(is_not, drawn, translations)):
        print(
            f"{path} shows the first {len(drawn)} of {len(translations):,} translations, up to "
            f"{LONGEST} tokens of each",
            file=sys.stderr,
        )


def _beginning(one: Any) -> Any:
    """A translation, or as many of its tokens as are drawn."""
    if max(len(one.source), len(one.tokens)) <= LONGEST:
        return one
    return SimpleNamespace(
        source=one.source[:LONGEST],
        tokens=one.tokens[:LONGEST],
        attention=one.attention[:LONGEST, :LONGEST],
    )


def _page(translations: Sequence[Any]) -> bytes:
    return _PAGE.format(tables="\n".join(map(_table, translations))).encode("utf-8")


def _table(one: Any) -> str:
    head = "".join(f"<th>{html.escape(token)}</th>" for token in one.source)
    rows = "".join(
        f"<tr><th>{html.escape(token)}</th>"
        + "".join(
            f'<td style="background: rgba(0, 90, 160, {a:.3f})" title="{a:.2f}"></td>' for a in row
        )
        + "</tr>\n"
        for token, row in zip(one.tokens, one.attention, strict=True)
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"


def _picture(translations: Sequence[Any]) -> bytes:
    from matplotlib.figure import Figure

    sizes = [(len(one.source), len(one.tokens)) for one in translations]
    width, heights = 2 + 0.35 * max(s for s, _ in sizes), [1.5 + 0.35 * t for _, t in sizes]
    height = sum(heights)
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(len(sizes), squeeze=False, height_ratios=heights)[:, 0]
    for place, one in zip(axes, translations, strict=True):
        if one.tokens and one.source:  # an empty line, or an empty translation, has none
            place.imshow(one.attention, cmap="Blues", vmin=0, vmax=1)
        place.set_xticks(range(len(one.source)), one.source, rotation=90)
        place.set_yticks(range(len(one.tokens)), one.tokens)
        place.xaxis.tick_top()
        place.tick_params(length=0)
    content = io.BytesIO()
    figure.savefig(
        content, format="png", dpi=min(120, SIDE / height, (PIXELS / width / height) ** 0.5)
    )
    return content.getvalue()
