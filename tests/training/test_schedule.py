"""The learning rate over a run."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_recipes.training.schedule import warmup_cosine

totals = st.integers(1, 1000)
on_a_busy_machine = settings(deadline=None)


@on_a_busy_machine
@given(totals, st.floats(1e-6, 10), st.integers(0, 2000))
def test_it_rises_to_the_peak_and_then_falls_to_zero(total, peak, warmup):
    rates = [warmup_cosine(step, total, peak, warmup) for step in range(total)]
    assert min(rates) > 0
    assert max(rates) == pytest.approx(peak)
    top = rates.index(max(rates))
    assert top <= max(total // 10, 1)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    if total > 1:
        assert warmup_cosine(total, total, peak, warmup) == 0


@on_a_busy_machine
@given(totals.filter(lambda n: n >= 100))
def test_warm_up_is_a_straight_line_and_the_fall_half_a_cosine(total):
    assert [warmup_cosine(s, total, 1.0, 10) for s in range(10)] == pytest.approx(
        [(s + 1) / 10 for s in range(10)]
    )
    middle = 10 + (total - 10) // 2
    early, late = (warmup_cosine(s, total, 1.0, 10) for s in (middle, total + 10 - middle))
    assert early + late == pytest.approx(1)  # the two sides of a cosine's middle


@on_a_busy_machine
@given(totals, st.floats(0.1, 10))
def test_it_scales_with_its_peak(total, peak):
    for step in (0, total // 2, total - 1):
        unit = warmup_cosine(step, total, 1.0, 50)
        assert warmup_cosine(step, total, peak, 50) == pytest.approx(peak * unit)
