"""The one error that a user can mend."""

from collections.abc import Callable
from typing import Any


class UserError(ValueError):
    """Something that the user gave is wrong, and the message says how to mend it.

    The message is one sentence: what was received, what was expected, how to fix it.
    The command line prints it without a traceback and ends with status 1.

    >>> raise UserError("notes.txt is empty; give a text of at least 1,000 characters")
    Traceback (most recent call last):
        ...
    lstm_recipes.errors.UserError: notes.txt is empty; give a text of at least 1,000 characters
    """


def check_numbers(numbers: object, names: str, wanted: str, right: Callable[[Any], bool]) -> None:
    """Raise a UserError unless each named attribute is None or right.

    >>> from types import SimpleNamespace
    >>> check_numbers(SimpleNamespace(units=0), "units", "of at least 1", lambda n: n >= 1)
    Traceback (most recent call last):
        ...
    lstm_recipes.errors.UserError: units is 0; give a number of at least 1
    """
    for name in names.split():
        value = getattr(numbers, name)
        if value is not None and not right(value):
            raise UserError(f"{name} is {value}; give a number {wanted}")
