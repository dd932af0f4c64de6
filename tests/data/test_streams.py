"""Parallel streams lose no character and keep their order."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data import Streams
from lstm_recipes.errors import UserError


@st.composite
def streams(draw, fewest=1):
    """Streams over a text whose characters are their own positions."""
    time = draw(st.integers(1, 12))
    length = draw(st.integers(time + 1, 300))
    batch_size = draw(st.integers(fewest, 9))
    return Streams(np.arange(length, dtype=np.int32), batch_size, time)


def epoch(of: Streams, number: int = 0):
    first = number * of.steps_per_epoch
    return [of.window(step) for step in range(first, first + of.steps_per_epoch)]


@given(streams())
def test_every_character_but_the_first_is_a_target_in_each_epoch(of):
    targets = np.concatenate([targets.ravel() for _, targets in epoch(of)])
    assert set(targets.tolist()) == set(range(1, len(of.ids)))
    seen_again = len(targets) - (len(of.ids) - 1)
    assert 0 <= seen_again < of.batch_size * of.time


@given(streams())
def test_windows_have_one_shape_and_targets_are_one_character_later(of):
    for inputs, targets in epoch(of):
        assert inputs.shape == targets.shape == (of.batch_size, of.time)
        assert inputs.dtype == targets.dtype == of.ids.dtype
        np.testing.assert_array_equal(targets, inputs + 1)
        np.testing.assert_array_equal(np.diff(inputs), 1)


@given(streams(fewest=2))
def test_each_row_goes_on_where_it_ended(of):
    windows = epoch(of)
    for (_, before), (after, _) in itertools.pairwise(windows):
        np.testing.assert_array_equal(after[:, 0], before[:, -1])
    first, last = windows[0][0], windows[-1][1]
    assert first[0, 0] == 0 and last[-1, -1] == len(of.ids) - 1


@given(streams(fewest=2))
def test_streams_begin_at_even_distances(of):
    distances = np.diff(of.window(0)[0][:, 0])
    assert distances.max() - distances.min() <= 1


@given(st.integers(1, 12), st.integers(1, 300))
def test_one_stream_alone_steps_back_only_in_its_last_window(time, more):
    of = Streams(np.arange(time + more), 1, time)
    *before, last = (inputs[0, 0] for inputs, _ in epoch(of))
    assert before == [step * time for step in range(of.steps_per_epoch - 1)]
    assert last == len(of.ids) - 1 - time
    assert not before or 0 < last - before[-1] <= time


@given(streams(), st.integers(0, 10_000))
def test_a_window_depends_on_the_step_alone(of, step):
    again = Streams(of.ids.copy(), of.batch_size, of.time)
    of.window(step + 1)
    for one, other in zip(of.window(step), again.window(step), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(of.window(step), of.window(step + of.steps_per_epoch), strict=True):
        np.testing.assert_array_equal(one, other)
    assert of.starts_epoch(step) == (step % of.steps_per_epoch == 0)


def test_a_window_is_a_copy():
    of = Streams(np.arange(20), 2, 3)
    of.window(0)[0][:] = -1
    assert of.ids.tolist() == list(range(20))


def test_tiny_shakespeares_training_text_in_the_default_shape():
    of = Streams(np.arange(1_003_854, dtype=np.int32), batch_size=64, time=128)
    assert of.steps_per_epoch == 123
    assert np.unique([of.window(step)[1] for step in range(123)]).size == 1_003_853


@pytest.mark.parametrize("length", [0, 1, 8])
def test_a_text_too_short_for_one_window(length):
    with pytest.raises(UserError, match=f"text of {length} .*windows of 8; .*at least 9 char"):
        Streams(np.arange(length), batch_size=4, time=8)


@pytest.mark.parametrize(("batch_size", "time"), [(0, 8), (4, 0), (-1, 8)])
def test_sizes_are_at_least_one(batch_size, time):
    with pytest.raises(UserError, match=f"batch_size is {batch_size} and time is {time}"):
        Streams(np.arange(100), batch_size, time)


@pytest.mark.parametrize("ids", [np.zeros((5, 5), int), np.zeros(50)])
def test_ids_are_one_row_of_whole_numbers(ids):
    with pytest.raises(ValueError, match="one row of whole numbers"):
        Streams(ids, 2, 2)
