"""The built site: every link leads somewhere, and no page asks another host for anything."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

LOADED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}
"""What a browser fetches by itself; what a link leads to it fetches when asked."""
LARGEST_FIRST_PAGE = 500_000  # bytes, without the carousel's weights


class Reference(NamedTuple):
    tag: str
    attribute: str
    url: str


class Page(HTMLParser):
    """A page's references and the places in it that one can link to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.references: list[Reference] = []
        self.anchors = {"", "__search"}
        self.images_without_words: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "img" and not found.get("alt"):
            self.images_without_words.append(found.get("src") or "")
        if tag == "link" and found.get("rel") in ("canonical", "prev", "next", "alternate"):
            return
        for name in ("href", "src"):
            if found.get(name):
                self.references.append(Reference(tag, name, found[name]))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    found = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    assert len(found) > 5
    return found


def is_elsewhere(url: str) -> bool:
    return bool(urlsplit(url).netloc)


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]):
    anchors = cache(lambda path: Page(path).anchors)
    broken = []
    for path, page in pages.items():
        for _, _, url in page.references:
            parts = urlsplit(url)
            if is_elsewhere(url) or parts.scheme in ("mailto", "data", "javascript"):
                continue
            # The page for what is not found is served from anywhere, so it begins at the root.
            start = site if path.name == "404.html" or parts.path.startswith("/") else path.parent
            target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            found = target.is_file()
            if found and target.suffix == ".html":
                found = unquote(parts.fragment) in anchors(target)
            if not found:
                broken.append(f"{path.relative_to(site)}: {url}")
    assert not broken


def test_links_to_other_hosts_are_encrypted(site: Path, pages: dict[Path, Page]):
    urls = {r.url for page in pages.values() for r in page.references if is_elsewhere(r.url)}
    assert not [url for url in urls if urlsplit(url).scheme != "https"]


def test_no_page_loads_anything_from_another_host(site: Path, pages: dict[Path, Page]):
    loaded = [
        f"{path.relative_to(site)}: {reference.url}"
        for path, page in pages.items()
        for reference in page.references
        if reference[:2] in LOADED and is_elsewhere(reference.url)
    ]
    assert not loaded
    for style in site.rglob("*.css"):
        urls = re.findall(r"url\(([^)]*)\)", style.read_text("utf-8"))
        for url in (url.strip("\"'") for url in urls):
            if not url.startswith("data:"):
                assert (style.parent / urlsplit(url).path).is_file(), f"{style.name}: {url}"


def test_every_picture_has_a_description(site: Path, pages: dict[Path, Page]):
    assert not [
        f"{path.relative_to(site)}: {picture}"
        for path, page in pages.items()
        for picture in page.images_without_words
    ]


def test_the_first_page_is_light(site: Path, pages: dict[Path, Page]):
    first = site / "index.html"
    files = {
        (site / urlsplit(r.url).path).resolve()
        for r in pages[first].references
        if r[:2] in LOADED and not is_elsewhere(r.url)
    }
    assert sum(file.stat().st_size for file in {first, *files}) < LARGEST_FIRST_PAGE
