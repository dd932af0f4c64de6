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


DATA = {"name": "few", "sha256": "1", "pairs": 9}
ROWS = {"forward": Numbers(), "reversed": Numbers(reverse=True)}


class Train:
    """A recipe's train that notes its calls and may stop before the end of one."""

    def __init__(self, stop_at: int | None = None):
        self.calls, self.stop_at = [], stop_at

    def __call__(self, numbers, run, resume=False):
        self.calls.append((run.name, numbers.seed, resume))
        folder = RunFolder(run)
        if not resume:
            folder.begin("fake", asdict(numbers), DATA, False)
        if len(self.calls) == self.stop_at:
            raise KeyboardInterrupt
        return folder.finish({"bleu": 1.0})


def test_each_row_is_trained_with_each_seed(tmp_path):
    train = Train()
    runs = list(trained_rows(ROWS, range(2), tmp_path, train, DATA))
    names = ["forward-0", "reversed-0", "forward-1", "reversed-1"]
    assert [f"{row}-{seed}" for row, seed, _ in runs] == [path.name for *_, path in runs] == names
    assert train.calls == [
        ("forward-0", 0, False),
        ("reversed-0", 0, False),
        ("forward-1", 1, False),
        ("reversed-1", 1, False),
    ]


def test_a_run_is_given_before_the_next_is_trained(tmp_path):
    train = Train()
    next(trained_rows(ROWS, range(2), tmp_path, train, DATA))
    assert len(train.calls) == 1


def test_it_goes_on_where_it_stopped(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        list(trained_rows(ROWS, range(2), tmp_path, Train(stop_at=2), DATA))
    train = Train()
    list(trained_rows(ROWS, range(2), tmp_path, train, DATA))
    assert train.calls[0] == ("reversed-0", 0, True) and len(train.calls) == 3
    again = Train()
    list(trained_rows(ROWS, range(2), tmp_path, again, DATA))
    assert again.calls == []


def test_finished_runs_with_other_numbers_are_not_taken_for_these(tmp_path):
    list(trained_rows(ROWS, [0], tmp_path, Train(), DATA))
    longer = {name: replace(numbers, epochs=9.0) for name, numbers in ROWS.items()}
    with pytest.raises(UserError, match="other numbers"):
        list(trained_rows(longer, [0], tmp_path, Train(), DATA))


def test_finished_runs_on_other_data_are_not_taken_for_these(tmp_path):
    list(trained_rows(ROWS, [0], tmp_path, Train(), DATA))
    other = DATA | {"name": "more", "sha256": "2"}
    with pytest.raises(UserError, match=r"more .* is other data; name another"):
        list(trained_rows(ROWS, [0], tmp_path, Train(), other))
