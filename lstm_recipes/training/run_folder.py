"""One folder a training run: all that sampling, evaluating and resuming need."""

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

from lstm_recipes import __version__
from lstm_recipes.data.cache import write_atomically
from lstm_recipes.data.text import fingerprint
from lstm_recipes.errors import UserError

COLUMNS = ("step", "epoch", "seconds", "train_loss", "validation_loss", "learning_rate")


class RunFolder:
    """The files of a run, each written whole or not at all.

        config.json      every number, the package version, the data's name and sha256
        vocabulary.json  the characters
        validation.txt   the text that evaluate measures on
        best.keras       the model with the lowest validation loss so far
        last/            all that resuming needs
        log.csv          step, epoch, seconds, train_loss, validation_loss, learning_rate
        metrics.json     what evaluate measured
        tensorboard/     the curves

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
    def exists(self) -> bool:
        """Whether a run has been started here."""
        return (self / "config.json").exists()

    def start(self, overwrite: bool) -> None:
        """Make the folder for a new run.

        Raises:
            UserError: A run, or anything else, is there already and is not to be overwritten.
        """
        if self.exists and not overwrite:
            state = "a finished" if (self / "metrics.json").exists() else "an interrupted"
            raise UserError(
                f"{self.path} holds {state} run; --resume goes on with it, --overwrite starts "
                "anew, and --run DIR names another folder"
            )
        if not self.exists and self.path.exists() and any(self.path.iterdir()):
            raise UserError(
                f"{self.path} has files in it that are no run; name another folder with --run DIR"
            )
        if self.exists:
            shutil.rmtree(self.path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"the folder {self.path} cannot be made ({error.strerror}); name another with "
                "--run DIR"
            ) from None

    def resume(self, numbers: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
        """The numbers with which the run was started.

        ``numbers`` are what was asked for now; those that are not their default must agree.

        Raises:
            UserError: There is no run, or another number was asked for.
        """
        if not self.exists:
            raise UserError(f"{self.path} holds no run to resume; leave out --resume to start one")
        stored = self.read_json("config")["numbers"]
        for name, value in numbers.items():
            if value not in (defaults[name], stored[name]):
                raise UserError(
                    f"the run in {self.path} was started with {name}={stored[name]}, and {value} "
                    f"was asked for now; leave out --{name.replace('_', '-')} to resume it, or "
                    "start anew with --overwrite"
                )
        return stored

    def begin(
        self,
        recipe: str,
        numbers: dict[str, Any],
        name: str,
        data: str,
        resume: bool,
        overwrite: bool,
    ) -> None:
        """Start a run and write its config.json, or check that a run to resume has this data.

        Args:
            recipe: The recipe's name.
            numbers: All its numbers.
            name: What the data is called.
            data: The whole of it, as text.
            resume: Whether the run is to go on.
            overwrite: Whether a run that is here may be removed.

        Raises:
            UserError: There is a run, or the data are not those that the run was started with.
        """
        about = {"name": name, "sha256": fingerprint(data), "characters": len(data)}
        if not resume:
            self.start(overwrite)
            self.write_json(
                "config",
                {"recipe": recipe, "version": __version__, "numbers": numbers, "data": about},
            )
            return
        stored = self.read_json("config")["data"]
        if stored["sha256"] != about["sha256"]:
            raise UserError(
                f"the run in {self.path} was started on {stored['name']} "
                f"({stored['characters']:,} characters) and {name} ({len(data):,}) is another "
                "text; give the same --text to resume it, or --init-from to go on with a new one"
            )

    def require(self, name: str, made_by: str = "train") -> Path:
        """The path of a file that the run must have.

        Raises:
            UserError: There is no such run, or it lacks the file.
        """
        path = self / name
        if not path.exists():
            raise UserError(
                f"{self.path} has no {name}: it is not the folder of a run, or {made_by} has not "
                "got so far; give the folder that train wrote with --run"
            )
        return path

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
            return json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise UserError(
                f"{path} is damaged ({error}); take it from an undamaged copy, or train again"
            ) from None

    def write_text(self, name: str, text: str) -> None:
        """Write a text file."""
        write_atomically(self / name, text.encode("utf-8"))

    def log(self, row: dict[str, Any]) -> None:
        """Add a row to log.csv."""
        new = not (self / "log.csv").exists()
        with (self / "log.csv").open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)

    def cut_log(self, step: int) -> None:
        """Drop the rows after ``step``: a resumed run writes them anew."""
        if not (self / "log.csv").exists():
            return
        with (self / "log.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
        lines = [",".join(COLUMNS)] + [",".join(row[c] for c in COLUMNS) for row in rows]
        write_atomically(self / "log.csv", ("\n".join(lines) + "\n").encode())
