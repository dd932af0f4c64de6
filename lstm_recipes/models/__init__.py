"""Keras models made of the package's layers."""
