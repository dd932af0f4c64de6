"""The numbers of a recipe: which of them make sense, and some of them for a call."""

import math
from enum import Enum
from typing import Any

from lstm_recipes.errors import UserError


class Range(Enum):
    """What a number may be: in words, after "give a number", and as a test."""

    COUNT = ("of at least 1", lambda n: n >= 1)
    EVEN = ("that is even, half of it each way", lambda n: n % 2 == 0)
    SHARE = ("from 0 to below 1", lambda n: 0 <= n < 1)
    POSITIVE = ("above 0", lambda n: 0 < n < math.inf)
    NOT_NEGATIVE = ("of at least 0", lambda n: 0 <= n < math.inf)
    SEED = ("from 0 to below 2**32", lambda n: 0 <= n < 2**32)


def check_numbers(numbers: object, names: str, allowed: Range) -> None:
    """Raise a UserError unless each named attribute is None or in the range.

    >>> from types import SimpleNamespace
    >>> check_numbers(SimpleNamespace(units=0), "units", Range.COUNT)
    Traceback (most recent call last):
        ...
    lstm_recipes.errors.UserError: units is 0; give a number of at least 1
    """
    wanted, right = allowed.value
    for name in names.split():
        value = getattr(numbers, name)
        if value is not None and not right(value):
            raise UserError(f"{name} is {value}; give a number {wanted}")


def chosen(numbers: object, names: str) -> dict[str, Any]:
    """The named attributes, to be given on under their own names.

    >>> from types import SimpleNamespace
    >>> chosen(SimpleNamespace(units=8, layers=2, steps=9), "layers units")
    {'layers': 2, 'units': 8}
    """
    return {name: getattr(numbers, name) for name in names.split()}
