"""Metrics: how good a model's answers are, thin over the libraries that papers cite."""

from lstm_recipes.metrics.spans import Confusion, confusions, entity_scores

__all__ = ["Confusion", "confusions", "entity_scores"]
