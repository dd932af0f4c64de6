"""Ids on the disk: every slice is right, little memory is needed, and nothing is left behind."""

import errno
import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data.id_file import IdFile
from lstm_recipes.data.streams import Streams
from lstm_recipes.errors import UserError

from ..full_disk import no_file_beyond


@given(st.data(), st.sampled_from([1, 255, 256, 257, 65_536, 65_537, 0x110000]))
def test_a_slice_is_that_of_the_array(data, size):
    ids = data.draw(st.lists(st.integers(0, size - 1), max_size=40).map(np.array))
    ids = ids.astype("int32")
    cut = data.draw(st.integers(0, len(ids)))
    kept = IdFile.of([ids[:cut], ids[cut:]], size)
    assert len(kept) == len(ids) and kept.stored == np.min_scalar_type(size - 1)
    places = data.draw(st.slices(max(len(ids), 1)).filter(lambda one: one.step in (None, 1)))
    assert kept[places].dtype == np.int32
    np.testing.assert_array_equal(kept[places], ids[places])
    np.testing.assert_array_equal(kept.first(cut)[:], ids[:cut])


def test_ids_are_not_read_by_steps():
    with pytest.raises(ValueError, match="steps of 2"):
        IdFile.of([np.arange(9)], 9)[::2]


def test_windows_from_the_disk_are_those_of_the_array(tmp_path):
    ids = np.random.default_rng(0).integers(0, 300, 1000, dtype="int32")
    one, other = Streams(ids, 7, 9), Streams(IdFile.of([ids], 300, tmp_path), 7, 9)
    assert one.steps_per_epoch == other.steps_per_epoch
    for step in range(one.steps_per_epoch + 2):
        for a, b in zip(one.window(step), other.window(step), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def test_memory_does_not_grow_with_the_number_of_ids(tmp_path):
    block = np.zeros(100_000, "int32")
    tracemalloc.start()
    kept = IdFile.of((block for _ in range(200)), 100, tmp_path)
    windows = Streams(kept, 64, 50)
    for step in range(20):
        windows.window(step)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) == 20_000_000 and peak < 500_000
    assert kept.spool.size == 20_000_000


def test_the_file_has_no_name(tmp_path):
    kept = IdFile.of([np.arange(9)], 9, tmp_path)
    assert list(tmp_path.iterdir()) == [] and len(kept[:]) == 9


def test_a_full_disk_is_told_in_one_sentence_and_leaves_nothing(tmp_path):
    blocks = [np.zeros(1000, "int32")] * 3
    with pytest.raises(UserError) as error, no_file_beyond(2500):
        IdFile.of(blocks, 9, tmp_path)
    assert str(error.value) == (
        f"the data that is being read cannot be kept in {tmp_path} ({os.strerror(errno.EFBIG)}) "
        "behind 2,000 bytes of it; make room there, or choose another folder"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"cannot be kept in .*absent \(No such file"):
        IdFile.of([], 9, tmp_path / "absent")
