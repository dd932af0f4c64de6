"""Tag schemes: one reading for all of them, and what is lost, repaired and allowed."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data import tag_schemes
from lstm_recipes.data.tag_schemes import (
    SCHEMES,
    allowed_transitions,
    convert,
    detect_scheme,
    repair,
    spans,
)
from lstm_recipes.errors import UserError

TYPES = ("PER", "LOC", "work-of-art")
PREFIXES = {"IOB1": "BI", "IOB2": "BI", "IOBES": "BIES"}

schemes = st.sampled_from(SCHEMES)


def all_tags(scheme):
    return ["O", *(f"{prefix}-{kind}" for kind in TYPES for prefix in PREFIXES[scheme])]


def any_tags(scheme):
    """Sequences of the scheme's tags, legal or not."""
    return st.lists(st.sampled_from(all_tags(scheme)), max_size=12)


@st.composite
def entities(draw):
    """Spans in order that do not overlap, and the sentence's length."""
    found, place = [], 0
    for kind in draw(st.lists(st.sampled_from(TYPES), max_size=5)):
        start = place + draw(st.integers(0, 2))
        place = start + draw(st.integers(1, 3))
        found.append((kind, start, place))
    return found, place + draw(st.integers(0, 2))


def is_legal(tags, scheme):
    """By the matrix: all steps, from the sentence's start to its end."""
    names = all_tags(scheme)
    allowed = allowed_transitions(names, scheme)
    path = [-1, *map(names.index, tags), -1]
    return all(allowed[i, j] for i, j in pairwise(path))


def conlleval(tags):
    """The two rules of the conlleval script (Tjong Kim Sang 2004), written down again."""
    found, start = [], None
    before, before_type = "O", ""
    for place, tag in enumerate([*tags, "O"]):
        now, _, now_type = tag.partition("-")
        ends = (before, now) in {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O")}
        ends |= before != "O" and before_type != now_type
        starts = (before, now) in {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")}
        starts |= now != "O" and before_type != now_type
        if ends:
            found.append((before_type, start, place))
        if starts:
            start = place
        before, before_type = now, now_type
    return found


# --- reading and writing -----------------------------------------------------------------------


@given(entities(), schemes)
def test_what_is_written_is_read_again(sentence, scheme):
    wanted, length = sentence
    assert spans(tag_schemes._write(wanted, length, scheme), scheme) == wanted


@given(st.sampled_from(["IOB1", "IOB2"]).flatmap(lambda s: st.tuples(any_tags(s), st.just(s))))
def test_any_sequence_is_read_as_conlleval_reads_it(sequence):
    tags, scheme = sequence
    assert spans(tags, scheme) == conlleval(tags)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-X E-X", [("X", 0, 2)]),
        ("B-X I-X L-X U-X", [("X", 0, 3), ("X", 3, 4)]),
        ("B-X O E-X", [("X", 0, 1), ("X", 2, 3)]),
        ("B-X E-Y", [("X", 0, 1), ("Y", 1, 2)]),
        ("E-X E-X I-X I-X", [("X", 0, 1), ("X", 1, 2), ("X", 2, 4)]),
        ("S-X I-X B-X S-X", [("X", 0, 1), ("X", 1, 2), ("X", 2, 3), ("X", 3, 4)]),
        ("", []),
    ],
)
def test_illegal_ends_and_singles_are_read_too(tags, expected):
    """In IOBES, for which conlleval has no rules of S: seqeval's default mode gives these."""
    assert spans(tags.split(), "IOBES") == expected


@given(entities(), schemes, schemes)
def test_converting_loses_nothing(sentence, source, target):
    tags = tag_schemes._write(*sentence, source)
    there = convert(tags, source, target)
    assert spans(there, target) == sentence[0]
    assert convert(there, target, source) == tags
    assert is_legal(there, target)


def test_the_schemes_differ_as_the_table_says():
    expected = {
        "IOB1": "I-X I-X B-X O I-X I-Y",
        "IOB2": "B-X I-X B-X O B-X B-Y",
        "IOBES": "B-X E-X S-X O S-X S-Y",
    }
    for source, tags in expected.items():
        for target, same in expected.items():
            assert convert(tags.split(), source, target) == same.split()


# --- illegal sequences -------------------------------------------------------------------------


@given(schemes.flatmap(lambda scheme: st.tuples(any_tags(scheme), st.just(scheme))))
def test_a_sequence_is_legal_if_and_only_if_repair_changes_nothing(sequence):
    tags, scheme = sequence
    repaired, changed = repair(tags, scheme)
    assert is_legal(tags, scheme) == (changed == 0) == (repaired == tags)
    assert is_legal(repaired, scheme)
    assert spans(repaired, scheme) == spans(tags, scheme)
    assert changed == sum(old != new for old, new in zip(tags, repaired, strict=True))


@pytest.mark.parametrize(
    ("scheme", "tags", "repaired", "changed"),
    [
        ("IOB2", "I-X I-X O I-Y", "B-X I-X O B-Y", 2),
        ("IOB2", "B-X I-Y", "B-X B-Y", 1),
        ("IOB1", "B-X I-X B-X", "I-X I-X B-X", 1),
        ("IOBES", "B-X O I-X I-X", "S-X O B-X E-X", 3),
        ("IOBES", "B-X L-X U-Y", "B-X E-X S-Y", 0),
    ],
)
def test_repairs(scheme, tags, repaired, changed):
    assert repair(tags.split(), scheme) == (repaired.split(), changed)


def test_transitions_of_iobes():
    tags = ["O", "B-X", "I-X", "E-X", "S-X", "I-Y"]
    after_an_end = [True, True, False, False, True, False, True]  # the last: the sentence's end
    inside = [False, False, True, True, False, False, False]
    expected = [after_an_end, inside, inside, after_an_end, after_an_end]
    inside_y = [False, False, False, False, False, True, False]
    expected += [inside_y, after_an_end]  # the last: the sentence's start
    allowed = allowed_transitions(tags, "IOBES")
    assert allowed.dtype == bool
    np.testing.assert_array_equal(allowed, expected)


def test_the_letters_of_bioul_allow_the_same():
    iobes = allowed_transitions(["O", "B-X", "I-X", "E-X", "S-X"], "IOBES")
    bioul = allowed_transitions(["O", "B-X", "I-X", "L-X", "U-X"], "IOBES")
    np.testing.assert_array_equal(iobes, bioul)


# --- detection ---------------------------------------------------------------------------------


@given(st.lists(entities(), min_size=1, max_size=5), schemes)
def test_the_scheme_of_a_corpus_is_one_that_breaks_nothing(sentences, scheme):
    corpus = [tag_schemes._write(*sentence, scheme) for sentence in sentences]
    detected = detect_scheme(corpus)
    assert all(is_legal(tags, detected) for tags in corpus)
    if any(found for found, _ in sentences):
        assert detected == scheme
    else:
        assert detected == "IOB2"


@pytest.mark.parametrize(
    ("corpus", "scheme"),
    [
        (["O O", ""], "IOB2"),
        ([], "IOB2"),
        (["B-X", "B-X", "I-X"], "IOB2"),  # one mistake in IOB2, not two in IOB1
        (["I-X", "I-X", "B-X"], "IOB1"),
        (["B-X", "I-X"], "IOB2"),
        (["I-X B-X I-Y"], "IOB1"),
        (["B-X I-X", "U-X"], "IOBES"),
        (["I-X", "B-X E-X"], "IOBES"),
    ],
)
def test_detection(corpus, scheme):
    assert detect_scheme(tags.split() for tags in corpus) == scheme


# --- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["", "o", "B", "B-", "-X", "PER", "X-PER", "B_PER", "O-PER", "b-X"])
def test_what_is_no_tag_is_named(tag):
    for wrong in (
        lambda: detect_scheme([["O", tag]]),
        lambda: spans([tag], "IOBES"),
        lambda: allowed_transitions([tag], "IOB2"),
    ):
        with pytest.raises(UserError) as error:
            wrong()
        assert str(error.value).startswith(f"{tag!r} is no tag; write O, or one of B, I, E, S")


@pytest.mark.parametrize("act", [spans, repair, allowed_transitions])
def test_a_tag_of_another_scheme_is_named(act):
    with pytest.raises(UserError, match="'E-X' is no tag of IOB2, whose prefixes are O, B, I;"):
        act(["B-X", "E-X"], "IOB2")


def test_an_unknown_scheme_is_named():
    with pytest.raises(UserError, match="there is no tag scheme 'BIO'; name one of IOB1, IOB2"):
        spans(["O"], "BIO")
    with pytest.raises(UserError, match="there is no tag scheme 'BIO'"):
        convert(["O"], "IOB2", "BIO")
