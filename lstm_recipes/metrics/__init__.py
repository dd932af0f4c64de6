"""Metrics: how good a model's answers are, thin over the libraries that papers cite."""

from lstm_recipes.metrics.spans import Confusion, confusions, entity_scores
from lstm_recipes.metrics.translation import (
    Comparison,
    LengthBin,
    Score,
    bleu,
    bleu_by_length,
    chrf,
    exact_match,
    multi30k_bleu,
    multi30k_text,
    paired_bootstrap,
)

__all__ = [
    "Comparison",
    "Confusion",
    "LengthBin",
    "Score",
    "bleu",
    "bleu_by_length",
    "chrf",
    "confusions",
    "entity_scores",
    "exact_match",
    "multi30k_bleu",
    "multi30k_text",
    "paired_bootstrap",
]
