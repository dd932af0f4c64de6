"""Recurrent layers for Keras 3, and recipes that train them on real data.

Start with ``from lstm_recipes.layers import CECLSTM`` or the command ``lstm-recipes list``.
"""

__version__ = "0.1.0"
