"""One folder a training run: all that sampling, evaluating and resuming need."""

import csv
import fcntl
import hashlib
import json
import math
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from lstm_recipes import __version__
from lstm_recipes.data.cache import write_atomically
from lstm_recipes.errors import UserError

LOCK = ".lock"
UNFINISHED = ("last", ".best.part")
"""What only a run that has not finished needs, or has left where it was killed."""

FILES = (
    "config.json",
    "vocabulary.json",
    "validation.txt",
    "valid.conll",
    "test.conll",
    "valid.tsv",
    "test.tsv",
    "best.keras",
    "vectors.npz",
    *UNFINISHED,
    "log.csv",
    "metrics.json",
    "tensorboard",
)
"""All that a run writes, and all that --overwrite removes."""


SEALED = ("vocabulary.json", "validation.txt", "valid.conll", "test.conll", "valid.tsv", "test.tsv")
"""What a model is read with and measured on: another one gives other numbers, and no error."""

_LOCKS: dict[Path, IO] = {}
"""The folders in which this process trains, and the file of each by which others are kept out."""


class RunFolder:
    """The files of a run, each written whole or not at all.

        config.json      every number, the package version, the data's name and sha256
        vocabulary.json  the characters, and a tagger's tags
        validation.txt   the text that evaluate measures on; valid.conll and test.conll for a tagger
        best.keras       the best model so far on the validation split
        vectors.npz      its words and their vectors, if it has any
        last/            all that resuming needs; a run that has finished has none
        log.csv          step, epoch, seconds, losses and learning rate as training went
        metrics.json     what evaluate measured
        tensorboard/     the curves
        export/          the model in other formats, if it was exported; --overwrite keeps it
        .lock            held by the process that trains here

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = RunFolder(folder + "/run")
    ...     run.start(overwrite=False)
    ...     run.write_json("metrics", {"split": "validation"})
    ...     run.read_json("metrics")
    {'split': 'validation'}
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path).expanduser()

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def nearest(self) -> Path:
        """The folder itself, or the nearest one above it that is there: the same disk."""
        path = self.path.absolute()
        return next(one for one in (path, *path.parents) if one.is_dir())

    @property
    def exists(self) -> bool:
        """Whether a run has been started here; its config.json may be damaged, but not somebody
        else's."""
        try:
            return "recipe" in json.loads((self / "config.json").read_text("utf-8"))
        except OSError:
            return False
        except (ValueError, TypeError):
            return (self / "vocabulary.json").exists()

    def start(self, overwrite: bool) -> None:
        """Make the folder for a new run. Of an old one its own files are removed, and nothing
        else.

        Raises:
            UserError: A run is there already and is not to be overwritten, or anything else is, or
                another process trains here.
        """
        if self.exists and not overwrite:
            finished = (self / "metrics.json").exists()
            state = (
                "a finished run;" if finished else "an interrupted run; --resume goes on with it,"
            )
            raise UserError(
                f"{self.path} holds {state} --overwrite starts anew, and --run DIR names another "
                "folder"
            )
        if not self.exists and self.path.is_dir() and self._holds_other_files():
            raise UserError(
                f"{self.path} has files in it that are no run; name another folder with --run DIR"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.lock()
            self._remove(reversed(FILES))  # config.json last: until then it is a run
        except OSError as error:
            raise UserError(
                f"the folder {self.path} cannot be made ({error.strerror}); name another with "
                "--run DIR"
            ) from None

    def _holds_other_files(self) -> bool:
        """Files that no run began with, even one that was killed as it began."""
        begun = {LOCK, *(path.name for path in self.path.glob(".config.json.*.part"))}
        return bool({*os.listdir(self.path)} - begun)

    def lock(self) -> None:
        """Keep other processes from training here, until `unlock` or the end of this process.

        Raises:
            UserError: Another process has it.
        """
        path = (self / LOCK).resolve()
        if path in _LOCKS:
            return
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"process {file.read()} is training in {self.path}; wait until it has finished or "
                "stop it, or name another folder with --run DIR"
            ) from None
        except OSError:  # a file system without locks
            pass
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        _LOCKS[path] = file

    def unlock(self) -> None:
        """Let others train here."""
        path = (self / LOCK).resolve()
        if path in _LOCKS:
            path.unlink(missing_ok=True)  # first: once it is closed it may be another's
            _LOCKS.pop(path).close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out for as long as this lasts, however it ends."""
        self.lock()
        try:
            yield
        finally:
            self.unlock()

    def _remove(self, names: Iterable[str]) -> None:
        """Remove files and folders of the run, and what was being written when it was killed."""
        parts = [path for name in FILES for path in self.path.glob(f".{name}.*.part")]
        for path in [*parts, *(self / name for name in names)]:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def finish(self, metrics: dict[str, Any]) -> dict[str, Any]:
        """Write metrics.json, by which the run has finished, and only then remove what resuming
        needs; give back what the file says."""
        self.write_json("metrics", metrics)
        self._remove(UNFINISHED)
        return self.read_json("metrics")

    def finished(self) -> dict[str, Any] | None:
        """The metrics of a run that has finished, and a line that says so; None of another one.

        Raises:
            UserError: metrics.json is damaged.
        """
        if not (self / "metrics.json").exists():
            return None
        metrics = self.read_json("metrics")
        self._remove(UNFINISHED)  # still there if the run was killed at its very end
        self.unlock()
        print(f"the run in {self.path} has finished: nothing is left to do", file=sys.stderr)
        return metrics

    def resume(self, numbers: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
        """The numbers with which the run was started.

        ``numbers`` are what was asked for now; those that are not their default must agree.

        Raises:
            UserError: There is no run, another process has it, or another number was asked for.
        """
        if not self.exists:
            raise UserError(f"{self.path} holds no run to resume; leave out --resume to start one")
        self.lock()
        self.check_version(resuming=True)
        return self.numbers(numbers, defaults, "resume it, or start anew with --overwrite")

    def check_version(self, resuming: bool = False) -> None:
        """Say so if another version of the package wrote the run; one that differs in its last
        number alone is the same.

        Raises:
            UserError: A newer one did, and may have kept what this one does not know; or an older
                one did, and the run is to be resumed, which would not end with its numbers.
        """
        if not (self / "config.json").exists():
            return
        written = str(self.read_json("config").get("version", __version__))
        theirs, ours = _version(written), _version(__version__)
        if theirs is None:
            raise _damaged(self / "config.json", ValueError(f"its version is {written!r:.40}"))
        if theirs == ours:
            return
        by = f"the run in {self.path} is of version {written} of lstm-recipes, and this is"
        if theirs > ours:
            raise UserError(f"{by} {__version__}; install {written} or a later one to use it")
        if resuming:
            raise UserError(
                f"{by} {__version__}, with which it would not end with the numbers of an unbroken "
                f"run; go on with {written}, or start anew with --overwrite"
            )
        print(f"{by} {__version__}: what it measures may differ a little", file=sys.stderr)

    def numbers(
        self, asked: dict[str, Any], defaults: dict[str, Any], purpose: str
    ) -> dict[str, Any]:
        """The numbers of the run, those that are asked for; one that is asked for with a value
        that is not its default must have that value.

        Raises:
            UserError: Another value was asked for, or config.json lacks a number.
        """
        stored = self._config("numbers", asked)
        for name, value in asked.items():
            if value not in (None, defaults[name], stored[name]):
                raise UserError(
                    f"the run in {self.path} was started with {name}={stored[name]}, and {value} "
                    f"was asked for now; leave out --{name.replace('_', '-')} to {purpose}"
                )
        return {name: stored[name] for name in asked}

    def total_steps(self) -> int | None:
        """How many steps the run has, once that is known.

        Raises:
            UserError: config.json is damaged.
        """
        total = self.read_json("config").get("total_steps")
        if total is not None and (type(total) is not int or total < 1):
            raise _damaged(self / "config.json", ValueError(f"total_steps is {total!r}"))
        return total

    def _config(self, part: str, names: Iterable[str]) -> dict[str, Any]:
        """A part of config.json in which each of these names must be."""
        found = self.read_json("config").get(part)
        missing = [name for name in names if name not in (found or {})]
        if missing:
            raise UserError(
                f"{self / 'config.json'} lacks {', '.join(missing)}; take it from an undamaged "
                "copy, or train again"
            )
        return found

    def begin(
        self,
        recipe: str,
        numbers: dict[str, Any],
        data: dict[str, Any],
        overwrite: bool,
        init_from: Path | None = None,
    ) -> None:
        """Start a run and write its config.json.

        Args:
            recipe: The recipe's name.
            numbers: All its numbers.
            data: The name of the data, its sha256, and how much it is, such as "characters".
            overwrite: Whether a run that is here may be removed.
            init_from: The folder of the run whose model this one begins with, if there is one.

        Raises:
            UserError: There is a run, or other files.
        """
        self.start(overwrite)
        config = {"recipe": recipe, "version": __version__, "numbers": numbers, "data": data}
        if init_from is not None:
            config["init_from"] = str(init_from)
        self.write_json("config", config)

    def check_begun(self) -> None:
        """Raise a UserError if the run was to begin with the model of another one, and was stopped
        before that model was its own."""
        init_from = self.read_json("config").get("init_from")
        if init_from is not None and not any((self / "last").glob("*.npz")):
            raise UserError(
                f"the run in {self.path} was stopped before it had read the model of {init_from}; "
                "start anew with --overwrite and the same --init-from"
            )

    def check_data(self, data: dict[str, Any], remedy: str) -> None:
        """Raise a UserError, which ends in ``remedy``, unless the run was started on this data.

        A part of it that has a name and a sha256 of its own, such as "vectors", must agree too.
        """
        stored = self._config("data", data)
        if stored["sha256"] != data["sha256"]:
            amount = next(name for name in data if name not in ("name", "sha256"))
            raise UserError(
                f"the run in {self.path} was started on {stored['name']} "
                f"({stored[amount]:,} {amount}) and {data['name']} ({data[amount]:,}) is other "
                f"data; {remedy}"
            )
        for part, now in data.items():
            if not isinstance(now, dict) or "sha256" not in now:
                continue
            if stored[part]["sha256"] != now["sha256"]:
                raise UserError(
                    f"the run in {self.path} was started with other {part} "
                    f"({stored[part]['name']}) than these ({now['name']}); give the same --{part} "
                    "to resume it, or start anew with --overwrite"
                )

    def require(self, name: str, made_by: str = "train") -> Path:
        """The path of a file that the run must have.

        Raises:
            UserError: There is no such run, or it lacks the file, or that is not the run's.
        """
        path = self / name
        if not path.exists():
            raise UserError(
                f"{self.path} has no {name}: it is not the folder of a run, or {made_by} has not "
                "got so far; give the folder that train wrote with --run"
            )
        if self._sum(name) not in (None, _sha256(path)):
            raise _damaged(path, ValueError("it is no longer what the run wrote"))
        return path

    def seal(self) -> None:
        """Have config.json keep the sums of the files that numbers depend on, by which `require`
        knows them again."""
        sums = {name: _sha256(self / name) for name in SEALED if (self / name).exists()}
        config = self.read_json("config")
        if config.get("sha256") != sums:
            self.write_json("config", config | {"sha256": sums})

    def _sum(self, name: str) -> str | None:
        """The sum that a file of the run has, if config.json is there and knows it."""
        if name not in SEALED or not (self / "config.json").exists():
            return None
        sums = self.read_json("config").get("sha256")
        return sums.get(name) if isinstance(sums, dict) else None

    def write_json(self, name: str, values: dict[str, Any]) -> None:
        """Write ``name``.json."""
        write_atomically(self / f"{name}.json", (json.dumps(values, indent=2) + "\n").encode())

    def read_json(self, name: str) -> dict[str, Any]:
        """Read ``name``.json.

        Raises:
            UserError: It is not there or is damaged.
        """
        path = self.require(f"{name}.json")
        try:
            values = json.loads(path.read_text("utf-8"))
            if not isinstance(values, dict):
                raise ValueError("it holds no names and values")
            return values
        except ValueError as error:
            raise _damaged(path, error) from None

    def write_text(self, name: str, text: str) -> None:
        """Write a text file, so that ``read_text`` gives back every character."""
        write_atomically(self / name, text.encode("utf-8"))

    def read_text(self, name: str) -> str:
        """Read what ``write_text`` wrote.

        Raises:
            UserError: It is not there or is damaged.
        """
        path = self.require(name)
        try:
            return path.read_bytes().decode("utf-8")
        except ValueError as error:
            raise _damaged(path, error) from None

    def log(self, row: dict[str, Any]) -> None:
        """Add a row to log.csv; the first one names the columns."""
        with (self / "log.csv").open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row), lineterminator="\n")
            if not file.tell():
                writer.writeheader()
            writer.writerow(row)
            file.flush()
            os.fsync(file.fileno())  # before the checkpoint, after which no run writes it anew

    def cut_log(self, step: int) -> None:
        """Drop the rows after ``step``, which a resumed run writes anew, and any half-written."""
        if not (self / "log.csv").exists():
            return
        with (self / "log.csv").open(newline="", errors="replace") as file:
            try:
                lines = [row for row in csv.reader(file) if row]
            except csv.Error as error:
                raise _damaged(self / "log.csv", error) from None
        head, rows = lines[:1], lines[1:]
        rows = [row for row in rows if len(row) == len(head[0]) and _step(row) <= step]
        if not rows:  # and the head may be half-written
            (self / "log.csv").unlink()
            return
        content = "".join(",".join(row) + "\n" for row in [*head, *rows])
        write_atomically(self / "log.csv", content.encode())


def _step(row: list[str]) -> float:
    """The step of a row of log.csv; that of a damaged one is after all others."""
    return int(row[0]) if row[0].isdecimal() and len(row[0]) < 20 else math.inf


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(text: str) -> tuple[int, ...] | None:
    """What of a version tells whether a run is like ours."""
    found = re.match(r"(\d{1,9})\.(\d{1,9})(\.|$)", text)
    return found and (int(found[1]), int(found[2]))


def _damaged(path: Path, error: Exception) -> UserError:
    return UserError(f"{path} is damaged ({error}); take it from an undamaged copy, or train again")
