"""The numbers of a recipe: which of them make sense, and some of them for a call."""

import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from lstm_recipes.errors import UserError

Numbers = TypeVar("Numbers")


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


def search_options(**options: Any) -> dict[str, Any]:
    """The options of a beam search, as they were given, if they make sense.

    >>> search_options(beam=5, n_best=9)
    Traceback (most recent call last):
        ...
    lstm_recipes.errors.UserError: n_best is 9; give a number of at most the beam, 5
    """
    asked = SimpleNamespace(**options)
    for name in options:
        counted = name in ("beam", "n_best")
        check_numbers(asked, name, Range.COUNT if counted else Range.NOT_NEGATIVE)
    if options.get("n_best", 1) > options["beam"]:
        raise UserError(
            f"n_best is {asked.n_best}; give a number of at most the beam, {asked.beam}"
        )
    return options


def chosen(numbers: object, names: str) -> dict[str, Any]:
    """The named attributes, to be given on under their own names.

    >>> from types import SimpleNamespace
    >>> chosen(SimpleNamespace(units=8, layers=2, steps=9), "layers units")
    {'layers': 2, 'units': 8}
    """
    return {name: getattr(numbers, name) for name in names.split()}


def restored(kind: type[Numbers], found: Mapping[str, Any], path: Path) -> Numbers:
    """The dataclass of a recipe's numbers, with those that a file keeps.

    Raises:
        UserError: One of them is not of its type: the file was changed.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Few:
    ...     units: int | None = None
    ...     rate: float = 0.5
    >>> restored(Few, {"units": 8, "rate": 1}, Path("config.json"))
    Few(units=8, rate=1)
    >>> restored(Few, {"units": "8"}, Path("config.json"))
    Traceback (most recent call last):
        ...
    lstm_recipes.errors.UserError: config.json is damaged (units is '8', and must be int | None);
    take it from an undamaged copy, or train again
    """
    kinds = get_type_hints(kind)
    for name, value in found.items():
        if not _fits(value, kinds[name]):
            wanted = kinds[name].__name__ if isinstance(kinds[name], type) else str(kinds[name])
            raise UserError(
                f"{path} is damaged ({name} is {value!r:.60}, and must be "
                f"{wanted.removeprefix('typing.')}); take it from an undamaged copy, or train again"
            )
    return kind(**found)


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if isinstance(kind, UnionType):
        return any(_fits(value, one) for one in get_args(kind))
    if kind is float:
        return type(value) in (int, float)
    return type(value) is (NoneType if kind is None else kind)
