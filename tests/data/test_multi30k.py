"""Where Multi30k comes from. Invented captions stand in for it, but in the last test."""

import gzip
import hashlib
from pathlib import Path

import pytest

from lstm_recipes.data import multi30k
from lstm_recipes.data.multi30k import load_multi30k
from lstm_recipes.data.pair_files import load_parallel
from lstm_recipes.errors import UserError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "multi30k"
COUNTS = {"train": 5, "val": 3, "test_2016_flickr": 2}


def captions(split, language):
    """A file of captions, as the repository has it."""
    lines = (f"{split} {language} dög {number}\n" for number in range(COUNTS[split]))
    return "".join(lines).encode()


@pytest.fixture(autouse=True)
def repository(monkeypatch, tmp_path):
    """A folder in place of the repository, and a cache that is empty."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for language in multi30k.SHA256:
        files = {split: captions(split, language) for split in COUNTS}
        for split, found in files.items():
            (folder / f"{split}.{language}.gz").write_bytes(gzip.compress(found))
        sha256 = hashlib.sha256(b"".join(files.values())).hexdigest()
        monkeypatch.setitem(multi30k.SHA256, language, sha256)
    monkeypatch.setattr(multi30k, "COUNTS", COUNTS)
    monkeypatch.setattr(multi30k, "URL", folder.as_uri())
    monkeypatch.setenv("LSTM_RECIPES_CACHE", str(tmp_path / "cache"))
    return folder


def load(*languages):
    """The pairs and what was said on the way."""
    said = []
    return load_multi30k(*languages, notify=said.append), said


def test_it_is_fetched_said_and_cached(repository, tmp_path):
    pairs, said = load("en", "fr")
    assert pairs.train[1] == ("train en dög 1", "train fr dög 1")
    assert [len(part) for part in (pairs.train, pairs.valid, pairs.test)] == [5, 3, 2]
    assert pairs.test[0] == ("test_2016_flickr en dög 0", "test_2016_flickr fr dög 0")
    assert (pairs.name, pairs.languages) == ("multi30k", ("en", "fr"))
    assert pairs.sha256 == load_parallel(repository, "en", "fr").sha256
    assert said[0].startswith("downloading Multi30k (en) (0.7 MB) from github.com/multi30k/dataset")
    assert "research use only" in said[0] and len(said) == 4
    cache = tmp_path / "cache"
    assert {path.name for path in cache.iterdir()} == {"multi30k.en.txt", "multi30k.fr.txt"}

    for path in repository.iterdir():
        path.unlink()
    again, said = load("fr", "en")
    assert said == [] and again.train[1] == ("train fr dög 1", "train en dög 1")


def test_without_the_repository_one_sentence_says_what_to_put_where(repository):
    (repository / "val.de.gz").unlink()
    with pytest.raises(UserError) as error:
        load("en", "de")
    message = str(error.value)
    assert "val.de.gz: " in message and "\n" not in message
    assert "train.{en,de}.gz, val.{en,de}.gz, test_2016_flickr.{en,de}.gz" in message
    assert "put them into one folder, and give it with --data DIR" in message


WRONG = {
    "others": gzip.compress(b"others\n"),
    "cut short": gzip.compress(b"x" * 99)[:-9],
    "not packed": b"x",
}


@pytest.mark.parametrize("found", WRONG.values(), ids=WRONG.keys())
def test_wrong_files_do_not_count(repository, found):
    (repository / "train.en.gz").write_bytes(found)
    with pytest.raises(UserError, match=r"wrong bytes|cannot be read"):
        load("en", "de")


@pytest.mark.parametrize("languages", [("en", "en"), ("en", "cs"), ("xx", "de")])
def test_languages_that_are_not_there_are_told(languages):
    with pytest.raises(UserError, match="give two of en, de, fr"):
        load(*languages)


def test_the_files_beside_the_repository(monkeypatch, tmp_path):
    """The real pins, which monkeypatch takes the invented ones off for."""
    if not SHARED.exists():
        pytest.skip("there is no copy of Multi30k beside the repository")
    monkeypatch.undo()
    monkeypatch.setenv("LSTM_RECIPES_CACHE", str(tmp_path))
    for language in multi30k.SHA256:
        found = multi30k._unpacked(SHARED, language)
        (tmp_path / f"multi30k.{language}.txt").write_bytes(found)
    for source, target, train in ("en", "de", 28_998), ("fr", "en", 29_000):
        pairs, said = load(source, target)
        assert said == []
        assert [len(part) for part in (pairs.train, pairs.valid, pairs.test)] == [train, 1014, 1000]
        assert pairs.dropped["train"].total() == 29_000 - train
        assert pairs.sha256 == load_parallel(SHARED, source, target).sha256
