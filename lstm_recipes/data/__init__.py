"""Data sets and readers; none of them knows a model."""

from lstm_recipes.data.conll import Corpus, Sentence, load_corpus, read_columns
from lstm_recipes.data.conll2003 import load_conll2003
from lstm_recipes.data.dates import generate_phrases
from lstm_recipes.data.multi30k import load_multi30k
from lstm_recipes.data.pair_files import load_parallel, load_tab_separated
from lstm_recipes.data.pairs import Limits, Pairs
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
from lstm_recipes.data.text_source import TextSource
from lstm_recipes.data.tiny_shakespeare import load_tiny_shakespeare
from lstm_recipes.data.tokenizer import Tokenizer, replace_unknown
from lstm_recipes.data.translation_sets import load_tatoeba, load_tfds_pairs
from lstm_recipes.data.vectors import WordVectors, read_vectors

__all__ = [
    "SCHEMES",
    "Corpus",
    "Limits",
    "Pairs",
    "Sentence",
    "Streams",
    "TextSource",
    "Tokenizer",
    "Vocabulary",
    "WordVectors",
    "allowed_transitions",
    "convert",
    "detect_scheme",
    "fingerprint",
    "generate_phrases",
    "load_conll2003",
    "load_corpus",
    "load_multi30k",
    "load_parallel",
    "load_tab_separated",
    "load_tatoeba",
    "load_tfds_pairs",
    "load_tiny_shakespeare",
    "name_characters",
    "read_columns",
    "read_text",
    "read_vectors",
    "repair",
    "replace_unknown",
    "spans",
    "split",
    "split_tag",
]
