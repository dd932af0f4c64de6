"""Sentences on the disk are a list's, and ids in one array are rows'."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data import disk_list
from lstm_recipes.data.disk_list import DiskList
from lstm_recipes.data.ragged import Ragged
from lstm_recipes.errors import UserError

from ..full_disk import no_file_beyond


@given(st.lists(st.text(max_size=9)), st.integers(1, 20), st.integers(1, 5))
def test_it_is_the_list_that_it_was_made_of(items, block, at_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk_list, "BLOCK", block)
        patch.setattr(disk_list, "AT_ONCE", at_once)
        kept = DiskList(iter(items), str.encode, bytes.decode)
        assert kept == items and items == kept and list(kept) == items and len(kept) == len(items)
        assert kept == DiskList(items, str.encode, bytes.decode) and repr(kept) == repr(items)
        assert kept != [*items, "more"] and kept != 3 and bool(kept) == bool(items)
        assert [kept[k] for k in range(-len(items), len(items))] == items * 2
        assert kept[1:-1] == items[1:-1] and kept[::-2] == items[::-2]
        for beyond in (len(items), -len(items) - 1):
            with pytest.raises(IndexError):
                kept[beyond]


def test_memory_holds_where_the_items_end_alone(monkeypatch):
    monkeypatch.setattr(disk_list, "BLOCK", 10_000)
    tracemalloc.start()
    kept = DiskList(("twenty letters of it" for _ in range(50_000)), str.encode, bytes.decode)
    assert sum(map(len, kept)) == 1_000_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 900_000


def test_a_full_disk_is_told_and_how_to_take_another():
    with (
        pytest.raises(UserError, match=r"cannot be kept in .*\(File too large\).* with TMPDIR$"),
        no_file_beyond(100),
    ):
        DiskList(["a" * 60] * 2, str.encode, bytes.decode)


@given(st.lists(st.lists(st.integers(-128, 127))))
def test_rows_in_one_array_are_the_rows(rows):
    kept = Ragged.of(rows, "int8")
    assert [row.tolist() for row in kept] == rows == [kept[k].tolist() for k in range(len(rows))]
    assert all(row.dtype == np.int32 for row in kept)
    assert kept.lengths.tolist() == [len(row) for row in rows]
    assert kept.values.dtype == np.int8 and kept.ends[-1] == len(kept.values)
    with pytest.raises(IndexError):
        kept[len(rows)]
