"""Pages as a browser shows them: formulas, widths, nothing from elsewhere, no serious fault."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

SERIOUS = {"serious", "critical"}
PHONE, WIDE = 360, 1280
WHOLE = {"index.html", "carousel.html", "layers/crf.html", "troubleshooting.html"}
"""Pages of which everything is looked at, navigation and colours too, which takes seconds: they
have all that the style colours. Of the others, what is theirs alone."""


@dataclass
class Visit:
    """What a browser saw on one page."""

    widths: dict[int, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    formulas: int = 0
    rendered: int = 0
    faults: list[str] = field(default_factory=list)


def faults(response: dict) -> list[str]:
    """axe's serious findings, each with the first places."""
    return [
        f"{one['help']}: " + "; ".join(node["html"][:120] for node in one["nodes"][:3])
        for one in response["violations"]
        if one["impact"] in SERIOUS
    ]


def settled(page) -> None:
    """Waits until what was changed is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")


def visit(page, path: Path, axe, whole: bool) -> Visit:
    seen = Visit()
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.goto(path.as_uri())
    seen.formulas = page.locator(".arithmatex").count()
    if seen.formulas:
        page.wait_for_selector(".arithmatex .katex")
    seen.rendered = page.locator(".arithmatex:has(.katex):not(:has(.katex-error))").count()
    options = {"rules": {"color-contrast": {"enabled": whole}}, "resultTypes": ["violations"]}
    seen.faults = faults(axe.run(page, None if whole else "article", options).response)
    if whole:
        page.emulate_media(color_scheme="dark")
        settled(page)
        seen.faults += faults(axe.run(page, options={"runOnly": ["color-contrast"]}).response)
    for width in (PHONE, WIDE):
        page.set_viewport_size({"width": width, "height": 800})
        settled(page)
        seen.widths[width] = page.evaluate("document.documentElement.scrollWidth")
    return seen


@pytest.fixture(scope="module")
def visits(site: Path, browser) -> dict[str, Visit]:
    """Every page, visited from its folder; not that for what is not found, which needs a server."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe-playwright-python is missing: pip install -e '.[dev]'",
    ).Axe()
    seen = {}
    for path in sorted(site.rglob("*.html")):
        if path.name != "404.html":
            page = browser.new_page(color_scheme="light")
            name = str(path.relative_to(site))
            seen[name] = visit(page, path, axe, whole=name in WHOLE)
            page.close()
    assert seen.keys() >= WHOLE
    return seen


def test_every_page(visits: dict[str, Visit]):
    """One test, so that the pages are visited once, and not by each process that runs tests."""
    local = ("file://", "data:", "blob:")
    found = {
        "serious faults": {name: v.faults for name, v in visits.items() if v.faults},
        "wider than the window": [
            n for n, v in visits.items() if any(a < v.widths[a] for a in v.widths)
        ],
        "from elsewhere": [
            url for v in visits.values() for url in v.requests if not url.startswith(local)
        ],
        "errors": {name: v.errors for name, v in visits.items() if v.errors},
        "formulas not rendered": [n for n, v in visits.items() if v.rendered != v.formulas],
    }
    assert not {what: where for what, where in found.items() if where}
    assert any(v.formulas for v in visits.values())
    assert all({*v.widths} == {PHONE, WIDE} for v in visits.values())
