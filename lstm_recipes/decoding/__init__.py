"""Decoding: from a trained model to text."""

from lstm_recipes.decoding.beam_search import Hypotheses, beam_search
from lstm_recipes.decoding.sampling import Carry, Generator, make_sampler
from lstm_recipes.decoding.scoring import (
    CoveragePenalty,
    LengthPenalty,
    NoRepeatedNgrams,
    Penalty,
    Prefixes,
)
from lstm_recipes.decoding.steps import ensemble

__all__ = [
    "Carry",
    "CoveragePenalty",
    "Generator",
    "Hypotheses",
    "LengthPenalty",
    "NoRepeatedNgrams",
    "Penalty",
    "Prefixes",
    "beam_search",
    "ensemble",
    "make_sampler",
]
