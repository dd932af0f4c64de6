"""Decoding: from a trained model to text."""

from lstm_recipes.decoding.sampling import Carry, Generator, make_sampler

__all__ = ["Carry", "Generator", "make_sampler"]
