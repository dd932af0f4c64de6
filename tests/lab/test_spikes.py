"""The timing tasks' circles say what the papers ask."""

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.lab.claims import claim_of
from lstm_recipes.lab.spikes import periodic, spike_delays, timed_spikes
from lstm_recipes.lab.stream_trials import StreamTrials


def draw():
    return np.random.default_rng(0)


def test_delays_are_told_at_the_spike_that_ends_them():
    x, wanted, next_start = spike_delays(draw(), shortest=5, kinds=3, spikes=200)
    places = np.flatnonzero(x[:, 0])
    gaps = np.diff([*places, len(x) + places[0]])  # around the circle
    assert set(gaps) == {5, 6, 7}
    assert wanted[places, 0] == pytest.approx((np.roll(gaps, 1) - 5) / 2)
    assert np.isnan(wanted[x[:, 0] == 0]).all()
    behind = [places[places > t][0] if (places > t).any() else 0 for t in range(len(x))]
    assert next_start.tolist() == behind


def test_spikes_are_asked_for_at_the_distance_that_the_input_says():
    x, wanted, next_start = timed_spikes(draw(), shortest=5, kinds=2, spikes=100)
    spikes = np.flatnonzero(wanted[:, 0])
    gaps = np.diff([-1, *spikes])
    assert set(gaps) == {5, 6} and spikes[-1] == len(x) - 1
    assert (np.repeat(gaps - 5, gaps) == x[:, 0]).all()
    assert set(next_start) == {0, *(spikes[:-1] + 1)}


def test_functions_that_repeat():
    for shape, first in (("cosine", 0.5), ("triangle", 0.5), ("rectangle", 0.0)):
        x, wanted, next_start = periodic(draw(), shape, 20)
        assert not x.any() and not next_start.any()
        assert wanted[5, 0] == pytest.approx(first) and wanted[10, 0] == pytest.approx(1.0)
    with pytest.raises(UserError, match="no function 'sine'; give one of cosine"):
        periodic(draw(), "sine", 10)
    for period in (1, 0, -2):
        with pytest.raises(UserError, match=f"period is {period}; give one of at least 2"):
            periodic(draw(), "cosine", period)
    with pytest.raises(UserError, match="shortest is 1"):
        spike_delays(draw(), 1, 2, 3)


def test_a_cell_learns_to_give_spikes():
    """One of two, within three million steps; without it the streams end after some thirty."""
    trials = StreamTrials(claim_of("timed-spikes-10-peepholes").task, [5, 6])
    for _ in range(15):
        trials.advance()
        if trials.succeeded:
            break
    assert trials.succeeded and trials.best.max() == 10_000
