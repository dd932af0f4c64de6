"""Sentence pairs by name: the translation sets of TensorFlow Datasets, and Tatoeba."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from lstm_recipes.data.download import PYTHON
from lstm_recipes.data.pair_files import load_tab_separated, read_tab_separated
from lstm_recipes.data.pairs import SPLITS, Limits, Pairs, dealt_by_source, pairs_dealt
from lstm_recipes.errors import UserError

SECONDS = 60  # how long to wait for a first byte
_TFDS = Path(__file__).with_name("translation_tfds.py")


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def load_tfds_pairs(
    name: str,
    source: str,
    target: str,
    data_dir: str | os.PathLike | None = None,
    limits: Limits | None = None,
    notify: Callable[[str], None] = _say,
) -> Pairs:
    """A translation set of TensorFlow Datasets, which downloads and prepares it if need be.

    A set that has no split to validate with, or none to test, has a twentieth of its sources
    dealt out for that by `split_by_source`.

    Args:
        name: as TensorFlow Datasets has it, with the configuration:
            `ted_hrlr_translate/pt_to_en`, `wmt14_translate/de-en`, `tatoeba/tatoeba_fr`.
        source, target: the languages, as the set names them.
        data_dir: the folder of TensorFlow Datasets; None is its own default.
        limits: which pairs are not trained on.
        notify: gets a sentence before the set is asked for; by default it goes to standard
            error.

    Raises:
        UserError: there is no such set, it has no such languages, or it could not be had.
    """
    where = [] if data_dir is None else [str(Path(data_dir).expanduser())]
    notify(
        f"asking TensorFlow Datasets for {name}, which it keeps in "
        f"{where[0] if where else '~/tensorflow_datasets, or $TFDS_DATA_DIR'}"
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [*PYTHON, str(_TFDS), folder, name, source, target, str(SECONDS), *where]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if done.returncode:
            said = [line for line in done.stderr.decode("utf-8", "replace").split("\n") if line]
            raise UserError(
                f"TensorFlow Datasets does not give {name} from {source} to {target} "
                f"({said[-1].strip()[:300] if said else f'status {done.returncode}'}); correct "
                "the names, try again with a network, or give a folder with train.SOURCE, "
                "train.TARGET and so on of your own with --data DIR"
            )
        paths = {split: Path(folder, f"{split}.txt") for split in SPLITS}
        splits = {k: read_tab_separated(path) for k, path in paths.items() if path.exists()}
        missing = {split: 0.05 for split in ("valid", "test") if split not in splits}
        dealt = chain(
            dealt_by_source(splits.pop("train"), missing),
            ((split, pair) for split, pairs in splits.items() for pair in pairs),
        )
        return pairs_dealt(name, (source, target), dealt, limits)


def load_tatoeba(
    path: str | os.PathLike | None = None,
    source: str = "en",
    target: str = "fr",
    data_dir: str | os.PathLike | None = None,
    limits: Limits | None = None,
    notify: Callable[[str], None] = _say,
) -> Pairs:
    """Sentences that learners collect and translate, CC BY 2.0 FR: a file, or TensorFlow Datasets.

    Without a file there are 1,000 pairs only, enough to try a program out. The tens of thousands
    to train on are a file with tabs, such as the `fra.txt` of manythings.org/anki.

    Args:
        path: a file with tabs: source, target and anything else; None asks TensorFlow Datasets.
        source, target: the languages; one of them English if there is no file.
        data_dir, limits, notify: as `load_tfds_pairs` takes them.

    Raises:
        UserError: as `load_tab_separated` and `load_tfds_pairs` do.
    """
    if path is not None:
        return load_tab_separated(path, (source, target), limits=limits)
    if "en" not in (source, target):
        raise UserError(
            f"Tatoeba in TensorFlow Datasets has English and one other language, not {source} and "
            f"{target}; give a file with tabs, a pair on each line"
        )
    other = target if source == "en" else source
    name = f"tatoeba/tatoeba_{other}"
    return load_tfds_pairs(name, source, target, data_dir, limits, notify)
