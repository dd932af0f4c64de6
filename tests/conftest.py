"""What several folders of tests share: a small text, a run trained on it, the command line."""

import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

WORDS = "the sea naïve café “sing” — moon 日本 river stone light 🚢 wind and of to a Über"
SMALL = (
    "--layer forget --layers 2 --units 10 --embedding 8 --batch-size 6 --time 10"
    " --learning-rate 0.02 --recurrent-dropout 0.2 --validate-every 60"
)


@pytest.fixture(scope="session")
def text() -> str:
    """Some 2,600 characters in lines of words, two-, three- and four-byte ones among them."""
    rng = random.Random(0)
    lines = (" ".join(rng.choices(WORDS.split(), k=8)) for _ in range(70))
    return ".\n".join(lines) + ".\n"


@pytest.fixture(scope="session")
def text_file(text, tmp_path_factory) -> Path:
    """The text in a file."""
    path = tmp_path_factory.mktemp("text") / "sea.txt"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(scope="session")
def small_numbers() -> tuple[str, ...]:
    """Options for a model of two layers that trains in a second."""
    return tuple(SMALL.split())


@pytest.fixture(scope="session")
def trained(text_file, tmp_path_factory) -> Path:
    """A trained run that has moved since, and whose text is gone. Read it, or copy it."""
    from lstm_recipes.cli import main

    folder = tmp_path_factory.mktemp("training")
    source = shutil.copy(text_file, folder)
    run = ["--run", str(folder / "first"), "--text", str(source)]
    assert main(["char-rnn", "train", *run, *SMALL.split(), "--steps", "300"]) == 0
    Path(source).unlink()
    return (folder / "first").rename(folder / "moved")


@pytest.fixture
def copied(trained, tmp_path) -> Path:
    """A copy of the trained run to change."""
    return Path(shutil.copytree(trained, tmp_path / "copy"))


@pytest.fixture
def graphs_as_they_are():
    """A third of the time of trainings as small as tests' is TensorFlow's optimizing of graphs. Not
    for a test that compares a run to another process's, to the last bit."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


class Answer(NamedTuple):
    """What a command gave back."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(capfd) -> Callable[..., Answer]:
    """Runs ``lstm-recipes`` in this process."""
    from lstm_recipes.cli import main

    def run(*arguments: object) -> Answer:
        capfd.readouterr()
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as end:  # how tyro and argparse leave
            status = end.code
        sys.stdout.flush()
        answer = Answer(status, *capfd.readouterr())
        assert "Traceback" not in answer.err
        return answer

    return run


@pytest.fixture
def fails(command) -> Callable[..., str]:
    """Runs ``lstm-recipes``, which must end with status 1 and one sentence, and gives that."""

    def run(*arguments: object) -> str:
        answer = command(*arguments)
        assert answer.status == 1
        assert answer.out == ""
        *notes, sentence, end = answer.err.split("\n")
        assert sentence.startswith("lstm-recipes: ") and end == ""
        assert all(line.startswith("step ") for line in notes), notes
        return sentence.removeprefix("lstm-recipes: ")

    return run
