"""Fuzz one reader, or one after the other, for as long as one likes.

    pip install atheris        (Linux and macOS, Python 3.11 to 3.13; not among our requirements)
    python benchmarks/fuzz.py "a tagged file" -max_total_time=60

The first argument is a key of `readers.READERS`, or `all`, which gives each so many seconds; the
others are libFuzzer's. It ends with status 0, or stops with a traceback at the first bytes that a
reader neither reads nor refuses in a sentence, and keeps them in a file `crash-…`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
with atheris.instrument_imports(include=["lstm_recipes"]):
    from tests.fuzz.readers import READERS

from lstm_recipes.errors import UserError


def fuzz(name: str, options: list[str]) -> None:
    read, good = READERS[name]

    def one(content: bytes) -> None:
        try:
            read(content)
        except UserError as error:
            if "\n" in str(error):
                raise

    with tempfile.TemporaryDirectory() as corpus:
        Path(corpus, "good").write_bytes(good)
        # A reader may take 5 seconds for what libFuzzer makes of 4 KiB, and no more.
        limits = ["-max_len=4096", "-timeout=5", "-rss_limit_mb=2048"]
        atheris.Setup([sys.argv[0], *limits, *options, corpus], one)
        atheris.Fuzz()


if __name__ == "__main__":
    name, *options = sys.argv[1:]
    if name != "all":
        fuzz(name, options)
    for one in READERS if name == "all" else ():  # libFuzzer ends the process that it ran in
        print(f"--- {one}", flush=True)
        subprocess.run([sys.executable, __file__, one, *options], check=True)
