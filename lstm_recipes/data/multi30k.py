"""Multi30k: one-sentence captions of photographs in English, German and French.

Elliott, Frank, Sima'an and Specia (2016); the French by Elliott et al. (2017). Task 1 of WMT 2016:
29,000 / 1,014 / 1,000 captions, the last of them `test_2016_flickr`. The photographs' captions are
Flickr30k's, for research use only, so none of them is in this package.
"""

import gzip
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from lstm_recipes.data.cache import cache_folder
from lstm_recipes.data.download import PYTHON, Download, cached_or_downloaded
from lstm_recipes.data.fetch import Source
from lstm_recipes.data.pairs import Limits, Pairs, pairs_of
from lstm_recipes.errors import UserError

URL = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"
# The files of a language and their numbers of lines.
COUNTS = {"train": 29_000, "val": 1_014, "test_2016_flickr": 1_000}
# Of a language's three files, unpacked, one behind the other.
SHA256 = {
    "en": "8c68038728cf1d02a62673e412e2d84c992f6c2a46063ab5c210764724f59adf",
    "de": "b0eb29967adc4169199014e11ef031a77075852e15fb1d10684c77d6c71380d7",
    "fr": "f6d6dff1ca31a6beff46db80fca4356f229d2b328e31bed09f4ca673721f2b09",
}
SECONDS = 60  # how long to wait for a language


def load_multi30k(
    source: str = "en",
    target: str = "de",
    limits: Limits | None = None,
    notify: Callable[[str], None] = lambda message: print(message, file=sys.stderr),
) -> Pairs:
    """The captions in two languages, from the cache or else from the repository of the data set.

    The cache is `multi30k.LANGUAGE.txt` in $LSTM_RECIPES_CACHE, else in ~/.cache/lstm_recipes:
    the lines of the three splits, one behind the other. They count only with the pinned SHA-256,
    wherever they come from.

    Args:
        source, target: two of `en`, `de` and `fr`.
        limits: which pairs are not trained on; two German captions, `@@`, never are.
        notify: gets a sentence before and after anything is downloaded or removed; by default
            it goes to standard error.

    Raises:
        UserError: a language is not there, or could not be downloaded.
    """
    if source == target or not {source, target} <= set(SHA256):
        raise UserError(
            f"Multi30k has no pairs from {source} to {target}; give two of {', '.join(SHA256)}"
        )
    sources, targets = (_lines(language, source, target, notify) for language in (source, target))
    splits, first = {}, 0
    for split, count in zip(("train", "valid", "test"), COUNTS.values(), strict=True):
        part = slice(first, first := first + count)
        splits[split] = list(zip(sources[part], targets[part], strict=True))
    return pairs_of("multi30k", (source, target), splits, limits)


def _lines(language: str, source: str, target: str, notify: Callable[[str], None]) -> list[str]:
    """All sentences of a language, those of the three splits one behind the other."""
    files = ", ".join(f"{name}.{{{source},{target}}}.gz" for name in COUNTS)
    what = Download(
        name=f"Multi30k ({language})",
        size="0.7 MB",
        remedy=f"fetch {files} from {URL} elsewhere, put them into one folder, and give it with "
        "--data DIR",
        terms="its captions are Flickr30k's and for research use only",
    )
    path = cache_folder() / f"multi30k.{language}.txt"
    repository = Source(
        "github.com/multi30k/dataset",
        lambda folder: [*PYTHON, "-c", _FETCH, str(folder), *_urls(language)],
        lambda folder: _unpacked(folder, language),
    )
    found = cached_or_downloaded(path, what, [repository], SHA256[language], SECONDS, notify)
    return found.decode("utf-8").removesuffix("\n").split("\n")


# A program: fetches files into a folder. Its last words are what a person is told.
_FETCH = """
import shutil, sys, urllib.request
folder, *urls = sys.argv[1:]
for url in urls:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            with open(folder + "/" + url.rsplit("/", 1)[1], "xb") as file:
                shutil.copyfileobj(answer, file)
    except OSError as error:
        sys.exit(f"{url}: {error}")
"""


def _urls(language: str) -> list[str]:
    return [f"{URL}/{name}.{language}.gz" for name in COUNTS]


def _unpacked(folder: Path, language: str) -> bytes:
    """A language's files, unpacked, one behind the other."""
    paths = (folder / f"{name}.{language}.gz" for name in COUNTS)
    try:
        return b"".join(gzip.decompress(path.read_bytes()) for path in paths)
    except (EOFError, zlib.error) as error:  # what else may go wrong, the caller expects
        raise ValueError(f"damaged gzip: {error}") from None
