"""Phrases with dates, times, amounts and measures in two languages, generated from CLDR.

    Tuesday, March 3, 1998, 2:05 PM       mardi 3 mars 1998, 14:05
    Oct 3 – 8, 1998                       3–8 oct. 1998
    12 days ago                           il y a 12 jours
    $1,234.50                             1 234,50 $US

They are made and not collected: Unicode's Common Locale Data Repository, through `babel`, says how
each language writes them. There are as many as one wants, and each has one right translation, so
that a share of exact matches measures a model.

What a model has to learn is what attention is for. The American order month, day, year becomes day,
month, year, so the weekday stays first while its neighbours change places; `PM` at the end of a
time decides about the hour at its beginning; a currency moves from the front to the end; of an
interval, the month that was written once is written once in another place; numbers of any
length are copied digit by digit, with other marks between them; and the century of `3/14/98` has to
be added.

**One right translation.** The form of a source decides about the form of its target, so that the
target is a function of the source. Where two forms write the same source (in French the long and
the medium date often do), the first form in the list decides. Short dates have two digits for the
year, hence all dates are of 1950 to 2049. The no-break and thin spaces of CLDR are plain spaces
here, as they are on a keyboard.
"""

import datetime
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lstm_recipes.data.pairs import Pair, Pairs, pairs_of
from lstm_recipes.errors import UserError


@dataclass(frozen=True)
class Form:
    """A way to write values of one kind.

    Args:
        kind: of the values: a key of `VALUES`.
        weight: how often it is drawn, beside the others.
        write: a value and a locale to text.
    """

    kind: str
    weight: int
    write: Callable[[Any, str], str]


def generate_phrases(
    source: str = "en",
    target: str = "fr",
    train: int = 20_000,
    valid: int = 1_000,
    test: int = 1_000,
    seed: int = 0,
) -> Pairs:
    """Generated phrases with their translations; no source stands in two splits, or twice.

    Args:
        source, target: names of CLDR's locales: `en`, `en_GB`, `fr`, `pt_BR`, `ja`, ...
        train, valid, test: how many pairs each split gets.
        seed: another one draws others.

    Raises:
        UserError: a locale is unknown, or more phrases are asked for than there are.

    >>> pairs = generate_phrases(train=20, valid=10, test=10)
    >>> pairs.train[0]
    ('3:25 AM – 2:00 PM', '03:25 – 14:00')
    """
    locales = _locale(source), _locale(target)
    if locales[0] == locales[1]:
        raise UserError(f"source and target are both {source}; give two locales, such as en and fr")
    sizes = {"train": train, "valid": valid, "test": test}
    if min(train, valid) < 1 or test < 0:
        raise UserError(
            f"the sizes are {train}, {valid} and {test}; train and valid need 1 or more"
        )
    phrases = _phrases(locales, random.Random(f"{seed} {locales}"), sum(sizes.values()))
    splits = {split: [next(phrases) for _ in range(size)] for split, size in sizes.items()}
    return pairs_of(f"phrases generated from {cldr()}", (source, target), splits)


def cldr() -> str:
    """Which data the phrases are made from."""
    import babel

    return f"CLDR (babel {babel.__version__})"


def _phrases(locales: tuple[str, str], rng: random.Random, count: int) -> Iterator[Pair]:
    """So many pairs, all of their sources different."""
    weights = [form.weight for form in FORMS]
    seen: set[str] = set()
    for _ in range(20 * count + 1_000):
        if len(seen) == count:
            return
        [form] = rng.choices(FORMS, weights)
        value = VALUES[form.kind](rng)
        try:
            pair = _pair(form, value, locales)
        except LookupError:  # CLDR has no words for this in one of the languages
            continue
        if pair[0] not in seen:
            seen.add(pair[0])
            yield pair
    raise UserError(
        f"there are not {count:,} different phrases (found {len(seen):,}); ask for fewer"
    )


def _pair(form: Form, value: Any, locales: tuple[str, str]) -> Pair:
    """A value in both languages, the target in the first form that writes the same source."""
    source = _plain(form.write(value, locales[0]))
    rivals = (one for one in FORMS[: FORMS.index(form)] if one.kind == form.kind)
    for rival in rivals:
        if _plain(rival.write(value, locales[0])) == source:
            return source, _plain(rival.write(value, locales[1]))
    return source, _plain(form.write(value, locales[1]))


_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u3000]")


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text)


def _locale(name: str) -> str:
    """The name of a locale, as babel writes it."""
    from babel import Locale, UnknownLocaleError
    from babel.localedata import locale_identifiers

    try:
        return str(Locale.parse(name.replace("-", "_")))
    except (UnknownLocaleError, ValueError, TypeError):
        few = "en, en_GB, fr, de, es, it, nl, pt_BR, pl, ru, tr, ar, he, hi, ja, ko, zh"
        raise UserError(
            f"CLDR has no locale {name!r}; give one of its {len(locale_identifiers()):,}, such as "
            f"{few}"
        ) from None


# --- values -------------------------------------------------------------------------------------

_FIRST = datetime.date(1950, 1, 1).toordinal()
_LAST = datetime.date(2049, 12, 31).toordinal()
_CURRENCIES = "USD", "EUR", "GBP", "JPY", "CAD", "CHF", "INR", "BRL"
_UNITS = "second", "minute", "hour", "day", "week", "month", "year"
_MEASURES = (
    *("length-kilometer", "length-meter", "length-mile", "mass-kilogram", "mass-gram"),
    *("volume-liter", "temperature-celsius", "digital-megabyte"),
    *("duration-year", "duration-week", "duration-minute"),
)


def _a_date(rng: random.Random) -> datetime.date:
    return datetime.date.fromordinal(rng.randint(_FIRST, _LAST))


def _a_time(rng: random.Random) -> datetime.time:
    return datetime.time(rng.randrange(24), rng.randrange(60))


def _two_dates(rng: random.Random) -> tuple[datetime.date, datetime.date]:
    """The first and the last day of an interval of some days, some weeks or some months."""
    first = rng.randint(_FIRST, _LAST - 1)
    last = min(first + rng.randint(1, rng.choice((14, 120, 700))), _LAST)
    return datetime.date.fromordinal(first), datetime.date.fromordinal(last)


def _two_times(rng: random.Random) -> tuple[datetime.time, datetime.time]:
    first, last = sorted(rng.sample(range(24 * 60), 2))
    return datetime.time(*divmod(first, 60)), datetime.time(*divmod(last, 60))


def _a_number(rng: random.Random) -> Decimal:
    """Of one to seven digits, each as often, up to two of them behind the point."""
    digits = rng.randint(1, 7)
    number = rng.randrange(10 ** (digits - 1), 10**digits)
    places = min(rng.randint(0, 2), digits - 1)
    while places and number % 10 == 0:  # 1.0 is written as 1
        number, places = number // 10, places - 1
    return Decimal(number).scaleb(-places)


def _an_amount(rng: random.Random) -> tuple[Decimal, str]:
    whole = rng.randrange(10 ** rng.randint(1, 6))
    return Decimal(100 * whole + rng.randrange(100)) / 100, rng.choice(_CURRENCIES)


def _a_round_amount(rng: random.Random) -> tuple[Decimal, str]:
    """Of two significant digits, for then each language's large numbers write it exactly."""
    return Decimal(rng.randint(1, 99) * 10 ** rng.randint(3, 9)), rng.choice(_CURRENCIES)


def _a_duration(rng: random.Random) -> list[int]:
    """Hours and minutes, and sometimes seconds."""
    return [rng.randint(1, 23), *(rng.randint(1, 59) for _ in range(rng.randint(1, 2)))]


VALUES: dict[str, Callable[[random.Random], Any]] = {
    "date": _a_date,
    "moment": lambda rng: (_a_date(rng), _a_time(rng)),
    "time": _a_time,
    "dates": _two_dates,
    "times": _two_times,
    "ago": lambda rng: (rng.choice((-1, 1)) * rng.randint(1, 99), rng.choice(_UNITS)),
    "number": _a_number,
    "amount": _an_amount,
    "round amount": _a_round_amount,
    "measure": lambda rng: (_a_number(rng), rng.choice(_MEASURES)),
    "duration": _a_duration,
}


# --- forms --------------------------------------------------------------------------------------
# babel is imported when a phrase is written, for the package loads without it.


def _date_in(length: str) -> Callable[[datetime.date, str], str]:
    def write(date: datetime.date, locale: str) -> str:
        from babel.dates import format_date

        return format_date(date, length, locale)

    return write


def _date_with(fields: str) -> Callable[[datetime.date, str], str]:
    """Only these fields of a date, such as the month and the year, or all with short names."""

    def write(date: datetime.date, locale: str) -> str:
        from babel.dates import format_skeleton

        return format_skeleton(fields, date, locale=locale)

    return write


def _time_of_day(time: datetime.time, locale: str) -> str:
    from babel.dates import format_time

    return format_time(time, "short", locale=locale)


def _moment_in(length: str) -> Callable[[tuple[datetime.date, datetime.time], str], str]:
    def write(moment: tuple[datetime.date, datetime.time], locale: str) -> str:
        from babel.dates import get_datetime_format

        pattern = get_datetime_format(length, locale=locale).replace("'", "")
        date, time = _date_in(length)(moment[0], locale), _time_of_day(moment[1], locale)
        return pattern.replace("{1}", date).replace("{0}", time)

    return write


def _interval_with(fields: str) -> Callable[[tuple[datetime.date, datetime.date], str], str]:
    def write(dates: tuple[datetime.date, datetime.date], locale: str) -> str:
        from babel.dates import format_interval

        return format_interval(*dates, fields, locale=locale)

    return write


def _hours(times: tuple[datetime.time, datetime.time], locale: str) -> str:
    from babel.dates import format_interval, get_time_format

    fields = "Hm" if "H" in get_time_format("short", locale).pattern else "hm"
    return format_interval(*times, fields, locale=locale)


def _ago(ago: tuple[int, str], locale: str) -> str:
    from babel.dates import TIMEDELTA_UNITS, format_timedelta

    count, unit = ago
    delta = datetime.timedelta(seconds=count * dict(TIMEDELTA_UNITS)[unit])
    never = 10**9  # of a larger unit there is never enough, so that the count stays as it is
    return format_timedelta(delta, unit, threshold=never, add_direction=True, locale=locale)


def _decimal(number: Decimal, locale: str) -> str:
    from babel.numbers import format_decimal

    return format_decimal(number, locale=locale)


def _percent(number: Decimal, locale: str) -> str:
    from babel.numbers import format_percent

    return format_percent(number / 100, locale=locale, decimal_quantization=False)


def _money(amount: tuple[Decimal, str], locale: str) -> str:
    from babel.numbers import format_currency

    return format_currency(*amount, locale=locale)


def _named_money(amount: tuple[Decimal, str], locale: str) -> str:
    from babel.numbers import format_currency

    return format_currency(*amount, locale=locale, format_type="name")


def _round_money(amount: tuple[Decimal, str], locale: str) -> str:
    from babel.numbers import format_compact_currency

    return format_compact_currency(*amount, locale=locale, fraction_digits=1)


def _measured(measure: tuple[Decimal, str], locale: str) -> str:
    from babel.units import format_unit

    text = format_unit(*measure, locale=locale)
    if measure[1] in text:  # what babel writes where it knows no word
        raise LookupError(f"{locale} has no word for {measure[1]}")
    return text


def _duration(counts: list[int], locale: str) -> str:
    from babel.lists import format_list

    units = ("duration-hour", "duration-minute", "duration-second")
    parts = [_measured(part, locale) for part in zip(counts, units, strict=False)]
    return format_list(parts, locale=locale)


FORMS = (
    Form("date", 4, _date_in("full")),  # Tuesday, March 3, 1998
    Form("date", 3, _date_in("long")),  # March 3, 1998
    Form("date", 3, _date_in("medium")),  # Mar 3, 1998
    Form("date", 3, _date_in("short")),  # 3/3/98
    Form("date", 3, _date_with("yMMMEd")),  # Tue, Mar 3, 1998
    Form("date", 1, _date_with("MMMMd")),  # March 3
    Form("date", 1, _date_with("yMMMM")),  # March 1998
    Form("date", 1, _date_with("yQQQQ")),  # 1st quarter 1998
    Form("moment", 3, _moment_in("full")),  # Tuesday, March 3, 1998, 2:05 PM
    Form("moment", 2, _moment_in("medium")),  # Mar 3, 1998, 2:05 PM
    Form("moment", 2, _moment_in("short")),  # 3/3/98, 2:05 PM
    Form("dates", 3, _interval_with("yMMMd")),  # Mar 3 – 8, 1998
    Form("dates", 2, _interval_with("yMMMEd")),  # Tue, Mar 3 – Sun, Mar 8, 1998
    Form("dates", 1, _interval_with("yMMMM")),  # March – May 1998
    Form("time", 1, _time_of_day),  # 2:05 PM
    Form("times", 2, _hours),  # 9:30 – 11:05 AM
    Form("ago", 2, _ago),  # 3 days ago
    Form("number", 2, _decimal),  # 1,234,567.89
    Form("number", 1, _percent),  # 12.5%
    Form("amount", 3, _money),  # $1,234.50
    Form("amount", 2, _named_money),  # 1,234.50 US dollars
    Form("round amount", 1, _round_money),  # $1.2M
    Form("measure", 2, _measured),  # 12.5 kilometers
    Form("duration", 2, _duration),  # 3 hours, 5 minutes, and 1 second
)
