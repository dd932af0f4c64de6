"""Recipes: one short program each, which says which numbers and leaves the how to the library."""

RECIPES = {
    "char-rnn": ("lstm_recipes.recipes.char_rnn", "a character model that writes Shakespeare"),
    "ner": ("lstm_recipes.recipes.ner", "a tagger that finds names in text"),
    "translate": ("lstm_recipes.recipes.translate", "a translator of sentences"),
    "lab": ("lstm_recipes.recipes.lab", "what the papers say of LSTMs, re-run"),
}
"""Module and one-line description of each recipe, by its name on the command line."""
