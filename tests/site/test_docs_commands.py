"""The commands on the pages run: small, and on small data.

Every `$ lstm-recipes …` of the README and the pages has to be understood. Each is then run, page by
page and in order, in a folder that has the files it names; what trains is made small. One that says
in its comment that it takes minutes or hours is left at being understood.
"""

import io
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from lstm_recipes import cli

from ..data.pair_corpus import sentences, write_pairs_folder
from ..data.tagged_corpus import write_corpus

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LONG = re.compile(r"\b(minutes?|hours?)\b")
OTHERS = ("git clone ", "pip install ", "source .venv/bin/activate")
RECIPES = ("char-rnn", "ner", "translate")
SMALL = {
    "char-rnn": "--units 6 --embedding 4 --batch-size 4 --time 8 --steps 2 --overwrite",
    "ner": "--units 5 --character-size 4 --character-units 4 --steps 2 --overwrite",
    "translate": "--units 6 --embedding 6 --layers 1 --steps 1 --batch-size 8 --overwrite",
}
BUDGETS = ("--steps", "--epochs", "--minutes")


class Command(NamedTuple):
    page: str
    text: str
    comment: str

    @property
    def arguments(self) -> list[str]:
        """Those of lstm-recipes, without what the shell does before and after; of the launcher's
        those of each of its processes."""
        words = shlex.split(self.text.partition("lstm-recipes ")[2].partition(" > ")[0])
        return words[words.index("--") + 1 :] if words[0] == "launch" else words

    @property
    def typed(self) -> bytes:
        """What the shell gives it on standard input."""
        echo = re.match(r"echo (\".*?\") \| ", self.text)
        return (shlex.split(echo[1])[0] + "\n").encode() if echo else b""


def commands(page: Path) -> list[Command]:
    found = []
    for block in BLOCK.findall(page.read_text("utf-8")):
        for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
            text, _, comment = line.partition("  #")
            text, _, first = text.partition(" # ")
            found.append(Command(str(page.relative_to(ROOT)), text.strip(), first + comment))
    return found


ALL = [command for page in PAGES for command in commands(page)]
OURS = [command for command in ALL if "lstm-recipes " in command.text]


def test_the_pages_have_commands():
    assert len(OURS) > 30
    assert any(command.typed for command in OURS) and any(LONG.search(c.comment) for c in OURS)


@pytest.mark.parametrize(
    "command", sorted({c.text for c in OURS} - {c.text for c in ALL if c.text.startswith(OTHERS)})
)
def test_a_command_is_understood(command: str, monkeypatch, capsys):
    asked = []

    def only_parsed(function):
        stub = lambda *args, **kwargs: asked.append(function)  # noqa: E731
        return cli.functools.update_wrapper(stub, function)

    monkeypatch.setattr(cli, "_with_tensorflow", only_parsed)
    arguments = Command("", command, "").arguments
    try:
        status = cli.main(arguments)
    except SystemExit as end:  # how tyro leaves
        status = end.code
    assert status in (0, None), capsys.readouterr().err
    assert asked or arguments[-1] in ("list", "--help")


def test_other_commands_are_there():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for command in ALL:
        if command in OURS or command.text.startswith(OTHERS):
            continue
        program, *rest = shlex.split(command.text)
        if program == "make":
            assert all(re.search(rf"^{r}:", makefile, re.MULTILINE) or "=" in r for r in rest)
        else:
            assert program == "python" and (ROOT / rest[0]).is_file(), command


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, text) -> Path:
    """A folder with every file that a page's command reads, under the name that it has there."""
    folder = tmp_path_factory.mktemp("pages")
    letters = "".join(chr(k) for k in range(32, 127))  # those of any prompt on the pages
    for name in ("my_novel.txt", "mine.txt", "sequel.txt"):
        (folder / name).write_text(f"{letters}\n{text}", "utf-8")
    for name in ("corpus", "my_corpus"):
        write_corpus(folder / name, sentences=(30, 12, 12))
        write_pairs_folder(folder / name)
        for french in (folder / name).glob("*.fr"):
            shutil.copy(french, french.with_suffix(".de"))
    words = sorted({word for pair in sentences() for word in pair[0].split()})
    draw = np.random.default_rng(0)
    rows = (f"{word} {' '.join(f'{x:.3f}' for x in draw.normal(size=100))}" for word in words)
    (folder / "glove.6B.100d.txt").write_text("\n".join(rows) + "\n", "utf-8")
    pairs = [f"{english}\t{french}" for english, french in sentences()]
    (folder / "pairs.tsv").write_text("\n".join(pairs) + "\n", "utf-8")
    (folder / "letter.txt").write_text("Ada wrote to Charles.\n", "utf-8")
    (folder / "words.conll").write_text("Ada NNP\nwrote VBD\n", "utf-8")
    (folder / "captions.en").write_text("red cat sleeps.\n", "utf-8")
    (folder / "dates.txt").write_text("July 4\n", "utf-8")
    return folder


def made_small(command: list[str]) -> list[str]:
    """A training command that takes a second."""
    recipe, *rest = command
    kept = [
        word
        for k, word in enumerate(rest)
        if word not in BUDGETS and (k == 0 or rest[k - 1] not in BUDGETS)
    ]
    resumed = {"--resume", "--init-from"} & {*kept}
    sizes = ["--steps", "2", "--overwrite"] if "--init-from" in resumed else SMALL[recipe].split()
    return [recipe, *kept, *([] if "--resume" in resumed else sizes)]


RUNS: dict[tuple[str, ...], Path] = {}
"""Small runs by what was asked of them; on another page each stands for those like it."""


def asked_for(command: list[str]) -> tuple[str, ...]:
    """A small training command without the names of its run and of its data."""
    named = ("--run", "--data", "--text")
    return tuple(word for k, word in enumerate(command) if command[k - 1] not in named)


@pytest.fixture(scope="module")
def run_of(inputs, tmp_path_factory) -> Callable[[str], Path]:
    """Gives a small run of a recipe, for pages whose runs were trained elsewhere."""
    folder = tmp_path_factory.mktemp("runs")
    usual = {
        "char-rnn": ["--text", str(inputs / "mine.txt")],
        "ner": ["--data", str(inputs / "corpus")],
        "translate": ["--preset", "bahdanau", "--data", str(inputs / "pairs.tsv")],
    }

    def trained(recipe: str) -> Path:
        train = made_small([recipe, "train", "--run", str(folder / recipe), *usual[recipe]])
        if asked_for(train) not in RUNS:
            assert cli.main(train) == 0
            RUNS[asked_for(train)] = folder / recipe
        return RUNS[asked_for(train)]

    return trained


def short(page: str, recipe: str) -> list[Command]:
    """The commands of a recipe on a page, but for those that take minutes."""
    there = [c for c in OURS if (c.page, c.arguments[0]) == (page, recipe)]
    return [c for c in there if not LONG.search(c.comment) and "--help" not in c.arguments]


RUN = [(p, r) for p in sorted({c.page for c in OURS}) for r in RECIPES if short(p, r)]


@pytest.mark.usefixtures("graphs_as_they_are")
@pytest.mark.parametrize(("page", "recipe"), RUN)
def test_the_commands_of_a_page_run(page, recipe, inputs, run_of, tmp_path, monkeypatch, command):
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    for one in short(page, recipe):
        arguments = one.arguments
        if arguments[1] == "train":
            arguments = made_small(arguments)
            run = Path(arguments[arguments.index("--run") + 1])
            if asked_for(arguments) in RUNS:
                shutil.copytree(RUNS[asked_for(arguments)], run, dirs_exist_ok=True)
                continue
        else:
            for run in (word for word in arguments if word.startswith("runs/")):
                if not Path(run).exists():
                    shutil.copytree(run_of(recipe), run)
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(one.typed)))
        answer = command(*arguments)
        assert answer.status == 0, f"{one.text}\n{answer.err}"
        if arguments[1] == "train" and not {"--resume", "--init-from"} & {*arguments}:
            RUNS[asked_for(arguments)] = shutil.copytree(run, tmp_path / f"run {len(RUNS)}")
