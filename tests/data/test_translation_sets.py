"""Sentence pairs from TensorFlow Datasets, in a process of its own, without a network."""

import subprocess
import sys
from pathlib import Path

import pytest

from lstm_recipes.data import translation_sets
from lstm_recipes.data.translation_sets import load_tatoeba, load_tfds_pairs
from lstm_recipes.errors import UserError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "tatoeba"

# A prepared data set whose features are a Translation, without a split to test with.
MAKE = """
import sys
import tensorflow_datasets as tfds

class TwoTongues(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.Translation(languages=["en", "xx"])
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, manager):
        return {"train": self._generate_examples(99), "validation": self._generate_examples(9)}

    def _generate_examples(self, count):
        for n in range(count):
            yield n, {"en": f"{n}\\tdogs\\n", "xx": f"{n} gods\\u00e9"}

TwoTongues(data_dir=sys.argv[1]).download_and_prepare()
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder of TensorFlow Datasets."""
    folder = tmp_path_factory.mktemp("tfds")
    command = [sys.executable, "-c", MAKE, str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_a_prepared_set_is_read_in_the_direction_that_is_asked_for(prepared):
    before = sorted(prepared.rglob("*"))
    said = []
    pairs = load_tfds_pairs("two_tongues", "xx", "en", prepared, notify=said.append)
    assert len(said) == 1 and "two_tongues" in said[0] and str(prepared) in said[0]
    assert (pairs.name, pairs.languages) == ("two_tongues", ("xx", "en"))
    assert sorted(pairs.valid) == sorted((f"{n} godsé", f"{n} dogs") for n in range(9))
    assert 0 < len(pairs.test) < 15 and len(pairs.train) + len(pairs.test) == 99
    assert not set(pairs.train) & set(pairs.test)
    assert sorted(prepared.rglob("*")) == before


def test_languages_that_a_set_lacks_are_told(prepared):
    with pytest.raises(UserError, match="its languages are en, xx, not en and fr"):
        load_tfds_pairs("two_tongues", "en", "fr", prepared, notify=str)


def test_tatoeba_is_prepared_from_files_put_where_downloads_go(tmp_path):
    """The genuine builder, with its checksums."""
    if not SHARED.exists():
        pytest.skip("there is no copy of Tatoeba beside the repository")
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    for name in "tatoeba.fra-eng.eng", "tatoeba.fra-eng.fra":
        (manual / name).write_bytes((SHARED / name).read_bytes())
    pairs = load_tatoeba(data_dir=tmp_path, notify=str)
    parts = pairs.train, pairs.valid, pairs.test
    assert sum(map(len, parts)) == 1_000 and min(map(len, parts)) > 20
    assert ("We agree with you.", "Nous sommes de votre avis.") in [
        p for part in parts for p in part
    ]


def test_without_a_network_the_wait_is_bounded(monkeypatch, tmp_path):
    """Addresses that do not answer, as behind a closed door."""
    monkeypatch.setattr(translation_sets, "SECONDS", 3)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(UserError) as error:
        load_tatoeba(data_dir=tmp_path, notify=str)
    message = str(error.value)
    assert "tatoeba/tatoeba_fr from en to fr (no byte came within 3 seconds)" in message
    assert "--data DIR" in message and "\n" not in message


def test_a_file_of_tatoeba_needs_no_network(tmp_path):
    path = tmp_path / "deu.txt"
    path.write_text("".join(f"{n} dogs\t{n} Hunde\tCC-BY 2.0\n" for n in range(99)))
    pairs = load_tatoeba(path, "en", "de")
    assert pairs.languages == ("en", "de")
    assert set(pairs.train) < {(f"{n} dogs", f"{n} Hunde") for n in range(99)}


def test_tatoeba_of_two_other_languages_needs_a_file():
    with pytest.raises(UserError, match="not de and fr; give a file with tabs"):
        load_tatoeba(source="de", target="fr")
