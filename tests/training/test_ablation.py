"""Runs that differ in one thing: each is trained once, and goes on where it stopped."""

from dataclasses import asdict, dataclass, replace

import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.training.ablation import trained_rows
from lstm_recipes.training.run_folder import RunFolder


@dataclass(frozen=True)
class Numbers:
    reverse: bool = False
    epochs: float = 2.0
    seed: int = 0


ROWS = {"forward": Numbers(), "reversed": Numbers(reverse=True)}


class Train:
    """A recipe's train that notes its calls and may stop before the end of one."""

    def __init__(self, stop_at: int | None = None):
        self.calls, self.stop_at = [], stop_at

    def __call__(self, numbers, run, resume=False):
        self.calls.append((run.name, numbers.seed, resume))
        folder = RunFolder(run)
        if not resume:
            folder.begin("fake", asdict(numbers), {"name": "none", "sha256": ""}, False)
        if len(self.calls) == self.stop_at:
            raise KeyboardInterrupt
        return folder.finish({"bleu": 1.0})


def test_each_row_is_trained_with_each_seed(tmp_path):
    train = Train()
    runs = trained_rows(ROWS, range(2), tmp_path, train)
    assert [path.name for path in runs["reversed"]] == ["reversed-0", "reversed-1"]
    assert train.calls == [
        ("forward-0", 0, False),
        ("reversed-0", 0, False),
        ("forward-1", 1, False),
        ("reversed-1", 1, False),
    ]


def test_it_goes_on_where_it_stopped(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        trained_rows(ROWS, range(2), tmp_path, Train(stop_at=2))
    train = Train()
    trained_rows(ROWS, range(2), tmp_path, train)
    assert train.calls[0] == ("reversed-0", 0, True) and len(train.calls) == 3
    again = Train()
    trained_rows(ROWS, range(2), tmp_path, again)
    assert again.calls == []


def test_finished_runs_with_other_numbers_are_not_taken_for_these(tmp_path):
    trained_rows(ROWS, [0], tmp_path, Train())
    longer = {name: replace(numbers, epochs=9.0) for name, numbers in ROWS.items()}
    with pytest.raises(UserError, match="other numbers"):
        trained_rows(longer, [0], tmp_path, Train())
