"""Data sets and readers; none of them knows a model."""

from lstm_recipes.data.streams import Streams
from lstm_recipes.data.text import Vocabulary, fingerprint, name_characters, read_text, split
from lstm_recipes.data.tiny_shakespeare import load_tiny_shakespeare

__all__ = [
    "Streams",
    "Vocabulary",
    "fingerprint",
    "load_tiny_shakespeare",
    "name_characters",
    "read_text",
    "split",
]
