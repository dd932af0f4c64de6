"""Data sets and readers; none of them knows a model."""

from lstm_recipes.data.conll import Corpus, Sentence, load_corpus, read_columns
from lstm_recipes.data.conll2003 import load_conll2003
from lstm_recipes.data.streams import Streams
from lstm_recipes.data.tag_schemes import (
    SCHEMES,
    allowed_transitions,
    convert,
    detect_scheme,
    repair,
    spans,
    split_tag,
)
from lstm_recipes.data.text import Vocabulary, fingerprint, name_characters, read_text, split
from lstm_recipes.data.tiny_shakespeare import load_tiny_shakespeare
from lstm_recipes.data.vectors import WordVectors, read_vectors

__all__ = [
    "SCHEMES",
    "Corpus",
    "Sentence",
    "Streams",
    "Vocabulary",
    "WordVectors",
    "allowed_transitions",
    "convert",
    "detect_scheme",
    "fingerprint",
    "load_conll2003",
    "load_corpus",
    "load_tiny_shakespeare",
    "name_characters",
    "read_columns",
    "read_text",
    "read_vectors",
    "repair",
    "spans",
    "split",
    "split_tag",
]
