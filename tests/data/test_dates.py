"""The generated phrases: right, repeatable, each source with one target."""

import datetime
import random
import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_recipes.data import dates
from lstm_recipes.data.dates import FORMS, VALUES, generate_phrases
from lstm_recipes.errors import UserError

DAY = datetime.date(1998, 3, 3)
NOON = datetime.time(14, 5)


def everything(pairs):
    """The pairs of all splits."""
    return [*pairs.train, *pairs.valid, *pairs.test]


@pytest.fixture(scope="module")
def phrases():
    """A few thousand, English to French."""
    return generate_phrases(train=3_000, valid=200, test=300)


def test_known_phrases():
    """As the English and the French write them; CLDR changes slowly."""
    values = {
        "date": DAY,
        "moment": (DAY, NOON),
        "time": NOON,
        "dates": (DAY, datetime.date(1998, 3, 8)),
        "times": (datetime.time(13, 30), NOON),
        "ago": (-3, "week"),
        "number": Decimal("1234567.5"),
        "amount": (Decimal("1234.50"), "USD"),
        "round amount": (Decimal(1_200_000), "EUR"),
        "measure": (Decimal("12.5"), "length-kilometer"),
        "duration": [3, 5],
    }
    found = [dates._pair(form, values[form.kind], ("en", "fr")) for form in FORMS]
    for pair in [
        ("Tuesday, March 3, 1998", "mardi 3 mars 1998"),
        ("3/3/98", "03/03/1998"),
        ("Tue, Mar 3, 1998", "mar. 3 mars 1998"),
        ("Tuesday, March 3, 1998, 2:05 PM", "mardi 3 mars 1998, 14:05"),
        ("Mar 3 – 8, 1998", "3–8 mars 1998"),
        ("1:30 – 2:05 PM", "13:30 – 14:05"),
        ("3 weeks ago", "il y a 3 semaines"),
        ("1,234,567.5", "1 234 567,5"),
        ("$1,234.50", "1 234,50 $US"),
        ("€1.2M", "1,2 M €"),
        ("12.5 kilometers", "12,5 kilomètres"),
        ("3 hours and 5 minutes", "3 heures et 5 minutes"),
    ]:
        assert pair in found, pair


def test_sizes_and_sources_are_as_asked_for(phrases):
    assert [len(part) for part in (phrases.train, phrases.valid, phrases.test)] == [3000, 200, 300]
    sources = [source for source, _ in everything(phrases)]
    assert len(set(sources)) == len(sources)
    assert phrases.languages == ("en", "fr") and "generated" in phrases.name
    assert not any(phrases.dropped.values())


def test_every_form_is_there(phrases):
    """A pattern that only one form of English writes, for the rarer ones."""
    sources = [source for source, _ in everything(phrases)]
    for pattern in [
        r"\d+/\d+/\d\d, \d+:\d\d [AP]M",
        r"[A-Z][a-z]+ \d{4}",
        r"\d(st|nd|rd|th) quarter \d{4}",
        r"in \d+ years?",
        r"-?[\d,.]+%",
        r"[\d,.]+ Swiss francs",
        r"\D+\d(\.\d)?[KMB]|\D+\d+[KMB]",
        r"\d+ hours?, \d+ minutes?, and \d+ seconds?",
    ]:
        assert any(re.fullmatch(pattern, source) for source in sources), pattern


def test_spaces_are_those_of_a_keyboard(phrases):
    text = " ".join(map(" ".join, everything(phrases)))
    assert {one for one in text if one.isspace()} == {" "}


def test_a_seed_gives_the_same_phrases_and_another_one_others(phrases):
    few = {"train": 50, "valid": 5, "test": 5}
    one, again, other = (generate_phrases(**few, seed=seed) for seed in (7, 7, 8))
    assert one == again and one.sha256 == again.sha256
    assert one.sha256 != other.sha256
    assert one.train != generate_phrases(**few).train


@pytest.mark.parametrize("languages", [("fr", "en"), ("de", "en"), ("ja", "fr"), ("en", "hi")])
def test_the_target_is_a_function_of_the_source(monkeypatch, languages):
    """What two draws have in common they translate alike: the form decides, and not the draw.

    In six weeks there are so few dates that every form has written most of them.
    """
    monkeypatch.setattr(dates, "_LAST", dates._FIRST + 42)
    draws = [dict(everything(generate_phrases(*languages, 1_200, 1, 0, seed))) for seed in (1, 2)]
    common = draws[0].keys() & draws[1].keys()
    assert len(common) > 150
    assert all(draws[0][source] == draws[1][source] for source in common)


def test_of_two_forms_with_one_source_the_first_decides():
    """In French the long and the medium date are the same in March, and English has two."""
    forms = [form for form in FORMS if form.kind == "date"]
    pairs = [dates._pair(form, DAY, ("fr", "en")) for form in forms]
    assert {target for source, target in pairs if source == "3 mars 1998"} == {"March 3, 1998"}
    july = datetime.date(1998, 7, 3)
    assert ("3 juil. 1998", "Jul 3, 1998") in [
        dates._pair(form, july, ("fr", "en")) for form in forms
    ]


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_numbers_survive(seed):
    """English and French write the same number, whatever marks stand in it."""
    for kind in "number", "amount":
        [form, *_] = (form for form in FORMS if form.kind == kind)
        value = VALUES[kind](random.Random(seed))
        source, target = dates._pair(form, value, ("en", "fr"))
        digits = [re.sub(r"\D", "", text) for text in (source, target)]
        assert digits[0] == digits[1] != ""
        assert float(re.sub(r"[^\d.]", "", source)) == pytest.approx(
            float(re.sub(r"[^\d,]", "", target).replace(",", "."))
        )


def test_an_unknown_locale_is_told_with_some_that_are_known():
    for name in "xx", "", "english", "en_XX_Y":
        with pytest.raises(UserError, match=r"CLDR has no locale .* such as en, en_GB, fr"):
            generate_phrases("en", name)


def test_names_of_locales_may_have_hyphens():
    assert generate_phrases("en", "pt-BR", 20, 1, 0).languages == ("en", "pt-BR")


def test_a_language_into_itself_is_refused():
    with pytest.raises(UserError, match="both en"):
        generate_phrases("en", "en")


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, -1)])
def test_sizes_must_be_positive(sizes):
    with pytest.raises(UserError, match="the sizes are"):
        generate_phrases("en", "fr", *sizes)


def test_more_phrases_than_there_are_are_refused(monkeypatch):
    monkeypatch.setattr(dates, "FORMS", [form for form in FORMS if form.kind == "ago"])
    monkeypatch.setitem(VALUES, "ago", lambda rng: (rng.randint(1, 9), "day"))
    assert len(generate_phrases(train=7, valid=1, test=1).train) == 7
    with pytest.raises(UserError, match=r"there are not 10 different phrases \(found 9\)"):
        generate_phrases(train=8, valid=1, test=1)
