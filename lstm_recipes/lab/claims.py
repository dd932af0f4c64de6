"""The claims that the laboratory re-runs, by name."""

from collections.abc import Callable
from functools import partial

from lstm_recipes.errors import UserError
from lstm_recipes.lab.claim import Claim
from lstm_recipes.lab.claims_1997 import (
    adding_claim,
    irregular_claim,
    long_lag_claim,
    multiplication_claim,
    noise_free_claim,
    reber_claim,
    temporal_order_claim,
    two_sequence_claim,
    two_sequence_guessed_claim,
)
from lstm_recipes.lab.claims_2002 import (
    continual_reber_claim,
    periodic_claim,
    spike_delays_claim,
    timed_spikes_claim,
)

LONG_LAGS = {  # the lag, the distractors, the paper's sequences, and minutes here
    "50": (50, 50, 30_000, 2),
    "100": (100, 100, 31_000, 2),
    "200": (200, 200, 33_000, 2),
    "500": (500, 500, 38_000, 5),
    "1000": (1000, 1000, 49_000, 11),
    "1000-500": (1000, 500, 49_000, 8),
    "1000-200": (1000, 200, 75_000, 11),
    "1000-100": (1000, 100, 135_000, 15),
    "1000-50": (1000, 50, 203_000, 25),
}

CLAIMS: dict[str, Callable[[], Claim]] = {
    "reber-3x2": partial(reber_claim, 3, 2, 8_440, 1.0),
    "reber-4x1": partial(reber_claim, 4, 1, 9_500, 0.97),
    "continual-reber-decay": partial(continual_reber_claim, True, 0.99, 14_087, 0.62),
    "continual-reber": partial(continual_reber_claim, True, 1.0, 18_889, 0.18),
    "continual-reber-1997": partial(continual_reber_claim, False, 1.0, None, 0.0),
    "continual-reber-1997-reset": partial(
        continual_reber_claim, False, 1.0, 7_441, 0.74, resets=True
    ),
    "spike-delays-10": partial(spike_delays_claim, 10, False),
    "spike-delays-10-peepholes": partial(spike_delays_claim, 10, True),
    "spike-delays-49": partial(spike_delays_claim, 49, False),
    "spike-delays-49-peepholes": partial(spike_delays_claim, 49, True),
    "timed-spikes-10": partial(timed_spikes_claim, 10, False),
    "timed-spikes-10-peepholes": partial(timed_spikes_claim, 10, True),
    **{
        f"periodic-{shape}-{period}{end}": partial(periodic_claim, shape, period, bool(end))
        for shape in ("cosine", "triangle", "rectangle")
        for period in (10, 25)
        for end in ("", "-peepholes")
    },
    "noise-free-100": partial(noise_free_claim, 100, 5_040),
    "irregular-100": partial(irregular_claim, 100, 5_680),
    **{
        f"long-lag-{name}{end}": partial(long_lag_claim, *figures, feedback=not end)
        for name, figures in LONG_LAGS.items()
        for end in ("", "-no-feedback")
    },
    "two-sequence-3": partial(two_sequence_claim, 3, 27_380, 1),
    "two-sequence-1": partial(two_sequence_claim, 1, 58_370, 2),
    "two-sequence-3-exact": partial(two_sequence_claim, 3, 39_850, 2, exact=True),
    "two-sequence-1-exact": partial(two_sequence_claim, 1, 64_330, 2, exact=True),
    "two-sequence-1000": partial(two_sequence_claim, 3, 446_850, 30, length=1000),
    "two-sequence-noisy": partial(two_sequence_claim, 3, 41_740, 3, noise_on_all=True),
    "two-sequence-targets-3": partial(two_sequence_claim, 3, 269_650, 10, noisy_targets=True),
    "two-sequence-targets-1": partial(two_sequence_claim, 1, 565_640, 6, noisy_targets=True),
    "two-sequence-guessed": two_sequence_guessed_claim,
    "adding-100": partial(adding_claim, 100, 74_000, 2),
    "adding-500": partial(adding_claim, 500, 209_000, 20),
    "adding-1000": partial(adding_claim, 1000, 853_000, 110),
    "adding-100-linear": partial(adding_claim, 100, 74_000, 1, logistic=False),
    "adding-500-linear": partial(adding_claim, 500, 209_000, 10, logistic=False),
    "multiplication-140": partial(multiplication_claim, 140, 482_000, 10),
    "multiplication-13": partial(multiplication_claim, 13, 1_273_000, 25),
    "temporal-order-4": partial(temporal_order_claim, 2, 2, 0.5, 31_390, 2),
    "temporal-order-8": partial(temporal_order_claim, 3, 3, 0.1, 571_100, 30),
}
"""Each claim by the name that the command line knows; made when it is wanted."""


def claim_of(name: str) -> Claim:
    """The claim of a name.

    Raises:
        UserError: There is none of that name.

    >>> claim_of("adding-100").task.wiring.weights
    93
    """
    if name not in CLAIMS:
        raise UserError(f"there is no claim {name!r}; give one of {', '.join(CLAIMS)}")
    return CLAIMS[name]()
