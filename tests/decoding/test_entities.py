"""Documents in, entities out: nothing of the input is lost, and places are true."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data.tokens import Token
from lstm_recipes.decoding.entities import (
    WRITERS,
    Document,
    Entity,
    TaggedSentence,
    from_columns,
    from_text,
    read_document,
    read_documents,
    tag_document,
    write_color,
    write_conll,
    write_json,
)
from lstm_recipes.errors import UserError

TEXT = "Ada  met Lee\tin\nNew\nYork.\n\n\n  She left — 👩\u200d🚀 تل أبيب!\n"
TAGS = [
    ["B-PER", "O", "B-PER", "O", "B-LOC", "I-LOC", "O"],
    ["O", "O", "O", "O", "B-LOC", "I-LOC", "O"],
]


def tag(document: Document, tags: list[list[str]]) -> Iterator[TaggedSentence]:
    for tokens, row in zip(document.sentences, tags, strict=True):
        count = sum(one.startswith("B-") for one in row)
        yield TaggedSentence(tokens, row, [1 - 0.1 * k for k in range(count)])


def written(kind: str, document: Document, tags: list[list[str]]) -> str:
    stream = io.StringIO()
    WRITERS[kind](document, tag(document, tags), stream)
    return stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


def plain(text: str) -> str:
    """Without the terminal's codes."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


# Entities.


def test_entities_have_their_place_in_the_text():
    document = from_text(TEXT)
    first, second = (sentence.entities(TEXT) for sentence in tag(document, TAGS))
    assert first == [
        Entity("PER", 0, 3, "Ada", 1.0),
        Entity("PER", 9, 12, "Lee", 0.9),
        Entity("LOC", 16, 24, "New\nYork", 0.8),
    ]
    assert [entity.text for entity in second] == ["تل أبيب"]


def test_an_i_without_a_b_begins_an_entity():
    (tokens,) = from_text("a b c d").sentences
    sentence = TaggedSentence(tokens, ["I-PER", "I-PER", "I-LOC", "B-LOC"], [0.1, 0.2, 0.3])
    assert [(e.type, e.text) for e in sentence.entities("a b c d")] == [
        ("PER", "a b"),
        ("LOC", "c"),
        ("LOC", "d"),
    ]


def test_tags_and_confidences_are_as_many_as_they_have_to_be():
    (tokens,) = from_text("a b").sentences
    with pytest.raises(ValueError, match="2 tokens need as many tags, not 1"):
        TaggedSentence(tokens, ["O"], [])
    with pytest.raises(ValueError, match="1 entities need as many confidences, not 0"):
        TaggedSentence(tokens, ["B-PER", "O"], []).entities("a b")


# Reading.


def standard_input(monkeypatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))


@pytest.mark.parametrize("path", [None, "-"])
def test_a_file_and_standard_input_give_the_same_document(tmp_path, monkeypatch, path):
    content = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    (tmp_path / "text").write_bytes(content)
    standard_input(monkeypatch, content)
    assert read_document(path) == read_document(tmp_path / "text") == from_text(TEXT)


def test_columns_are_read_only_when_asked_for(tmp_path):
    path = tmp_path / "columns"
    path.write_text("1 Ada\n2 slept\n")
    assert [t.text for t in read_document(path).sentences[0]] == ["1", "Ada", "2", "slept"]
    document = read_document(path, columns=True, word_column=1)
    assert [t.text for t in document.sentences[0]] == ["Ada", "slept"]


def test_of_several_files_each_document_knows_its_own(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    standard_input(monkeypatch, b"three")
    several = read_documents([tmp_path / "one", "-", tmp_path / "two"])
    assert [d.file for d in several] == [str(tmp_path / "one"), "-", str(tmp_path / "two")]
    assert [d.text for d in several] == ["one", "three", "two"]
    (one,) = read_documents([tmp_path / "one"])
    standard_input(monkeypatch, b"three")
    (none,) = read_documents([])
    assert (one.text, one.file, none.text, none.file) == ("one", None, "three", None)


@pytest.mark.parametrize("columns", [False, True])
def test_empty_standard_input_is_an_empty_document(monkeypatch, columns):
    standard_input(monkeypatch, b"")
    document = read_document(None, columns)
    assert document.text == "" and document.sentences == []
    for kind in WRITERS:
        assert written(kind, document, []) == ""


def test_bytes_that_are_not_utf8_are_an_error_with_their_place(tmp_path, monkeypatch):
    content = b"first\nsecond \xe9t\xe9\n"
    (tmp_path / "bad.txt").write_bytes(content)
    standard_input(monkeypatch, content)
    for path, name in ((None, "standard input"), (tmp_path / "bad.txt", "bad.txt")):
        with pytest.raises(UserError, match=rf"{name} is not UTF-8.*0xe9.* line 2, byte 13 "):
            read_document(path)


def test_a_line_without_its_word_is_an_error_with_its_number(tmp_path):
    (tmp_path / "words").write_text("1 Ada\n\n1\n")
    with pytest.raises(UserError, match=r"words, line 3: there is no word in column 1, counted"):
        read_document(tmp_path / "words", columns=True, word_column=1)
    with pytest.raises(UserError, match="the input, line 2: there is no word in column 0"):
        from_columns("Ada\tNNP\n\tVBD\n")
    with pytest.raises(UserError, match="word_column is -1"):
        from_columns("Ada\n", word_column=-1)


def sentences(document: Document) -> list[list[str]]:
    assert all(document.text[t.start : t.end] == t.text for s in document.sentences for t in s)
    return [[token.text for token in sentence] for sentence in document.sentences]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada\nslept", [["Ada", "slept"]]),
        ("Ada NNP\n \t\n\nslept VBD x y\n\n", [["Ada"], ["slept"]]),
        ("-DOCSTART- -X-\n\nAda NNP\n-DOCSTART-\nLee NNP\n", [["Ada"], ["Lee"]]),
        ("New York\tNNP\n.\t.\n", [["New York", "."]]),
        ("a\u00a0b x\n\u3000c x\n", [["a\u00a0b", "\u3000c"]]),
        ("# id 1\nAda NNP\n# NN\n", [["Ada", "#"]]),
        ("# id\nAda\n#\n\n#\n#tag\n", [["Ada", "#"], ["#", "#tag"]]),
        (
            "\x1f\tNNP\nAda\tNNP\n",
            [["\x1f", "Ada"]],
        ),  # Python's strip() takes a control character too
        ("\n\n", []),
    ],
)
def test_columns(text, expected):
    assert sentences(from_columns(text)) == expected


def test_columns_may_mark_where_documents_begin():
    marked = "-DOCSTART- O\n\nAda O\n\nslept O\n\n-DOCSTART- O\nLee O\n-DOCSTART- O\n"
    assert from_columns(marked).begins == [True, False, True]
    assert from_columns("Ada\n\nslept\n").begins == [False, False]


# CoNLL columns.


def test_plain_text_becomes_two_columns():
    assert written("conll", from_text("Ada met Lee. She left!"), [
        ["B-PER", "O", "B-PER", "O"],
        ["O", "O", "O"],
    ]) == "Ada B-PER\nmet O\nLee B-PER\n. O\n\nShe O\nleft O\n! O\n\n"  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada\nslept\n", "Ada T0\nslept T1\n"),
        ("Ada", "Ada T0\n"),
        ("\n\nAda NNP x\n\n\n \nslept  VBD y \n\n", "\n\nAda NNP x T0\n\n\n \nslept  VBD y T1\n\n"),
        ("Ada\tNNP\t\n.\t.\t_\n", "Ada\tNNP\t\tT0\n.\t.\t_\tT1\n"),
        ("New York\tNNP\n", "New York\tNNP\tT0\n"),
        ("-DOCSTART- -X- O\n\nAda NNP O\n", "-DOCSTART- -X- O O\n\nAda NNP O T0\n"),
        ("# text = Ada slept\nAda NNP\n# NN\n", "# text = Ada slept\nAda NNP T0\n# NN T1\n"),
    ],
)
def test_columns_come_out_as_they_were_with_one_more(text, expected):
    document = from_columns(text)
    numbers = iter(range(100))
    tagged = [TaggedSentence(s, [f"T{next(numbers)}" for _ in s], []) for s in document.sentences]
    stream = io.StringIO()
    write_conll(document, iter(tagged), stream)
    assert stream.getvalue() == expected


anything = st.text(st.characters(exclude_categories=["Cs"]))
rows = st.lists(
    st.lists(st.one_of(anything, st.sampled_from(["Ada", "#", "-DOCSTART-"])), max_size=3).map(
        " ".join
    )
).map("\n".join)


@given(rows)
def test_whatever_the_columns_words_in_are_words_out(text):
    try:
        document = from_columns(text)
    except UserError:
        assert "\t" in text, "only a cell between tabs can be empty"
        return
    words = iter([word for sentence in sentences(document) for word in sentence])
    for line in document.lines:
        if line.tag is None:
            assert line.text.lstrip(" \t").startswith(next(words))
        else:
            assert not line.text.strip() or line.text.strip().startswith(("#", "-DOCSTART-"))
    assert next(words, None) is None

    tags = [["O"] * len(sentence) for sentence in document.sentences]
    lines = text.removesuffix("\n").split("\n") if text else []
    out = written("conll", document, tags).split("\n")[:-1]
    for line, with_tag in zip(lines, out, strict=True):
        assert with_tag == line or with_tag.startswith(line.rstrip(" \t"))


# JSON.


def test_json_has_places_in_the_document():
    rows = [json.loads(line) for line in written("json", from_text(TEXT), TAGS).splitlines()]
    assert len(rows) == 2
    assert rows[0]["entities"][2] == {
        "type": "LOC",
        "start": 16,
        "end": 24,
        "text": "New\nYork",
        "confidence": 0.8,
    }
    for row in rows:
        assert row["text"] == TEXT[row["start"] : row["end"]]
        for entity in row["entities"]:
            assert entity["text"] == TEXT[entity["start"] : entity["end"]]
            place = entity["start"] - row["start"]
            assert row["text"].startswith(entity["text"], place)


def test_json_names_the_file_where_there_are_several():
    text = "Ada slept. She left."
    tags = [["B-PER", "O", "O"], ["O", "O", "O"]]
    alone = written("json", from_text(text), tags).splitlines()
    named = written("json", replace(from_text(text), file="a — b.txt"), tags).splitlines()
    for row, other in zip(alone, named, strict=True):
        assert list(json.loads(other)) == ["file", "text", "start", "end", "entities"]
        assert json.loads(other) == {"file": "a — b.txt"} | json.loads(row)


def test_a_document_is_tagged_sentence_by_sentence():
    class Tagger:
        def tag(self, sentences, confidences, begins):
            assert (
                confidences
                and begins is None
                and sentences == [["Ada", "slept", "."], ["She", "left", "."]]
            )
            yield ["B-PER", "O", "O"], [0.5]
            yield ["O", "O", "O"], []

    document = from_text("Ada slept. She left.")
    one, two = tag_document(document, Tagger())
    assert one == TaggedSentence(document.sentences[0], ["B-PER", "O", "O"], [0.5])
    assert two.entities(document.text) == []


def test_json_of_columns_counts_in_their_words():
    document = from_columns("-DOCSTART-\n\nAda x\n\n\nNew x\nYork x\n")
    rows = written("json", document, [["B-PER"], ["B-LOC", "I-LOC"]]).splitlines()
    assert json.loads(rows[1]) == {
        "text": "New York",
        "start": 4,
        "end": 12,
        "entities": [{"type": "LOC", "start": 4, "end": 12, "text": "New York", "confidence": 1.0}],
    }


@given(anything)
def test_each_sentence_is_one_line_of_json(text):
    document = from_text(text)
    tags = [["B-X" for _ in sentence] for sentence in document.sentences]
    stream = io.StringIO()
    confidences = [[0.5] * len(sentence) for sentence in tags]
    write_json(document, map(TaggedSentence, document.sentences, tags, confidences), stream)
    rows = [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]
    found = [[Token(e["text"], e["start"], e["end"]) for e in row["entities"]] for row in rows]
    assert found == document.sentences


# Colours.


def test_where_there_is_no_terminal_entities_stand_in_brackets():
    assert written("color", from_text(TEXT), TAGS) == (
        "[PER Ada]  met [PER Lee]\tin\n[LOC New\nYork].\n\n\n"
        "  She left — 👩\u200d🚀 [LOC تل أبيب]!\n"
    )


def test_a_terminal_gets_the_text_as_it_is_with_colours(terminal):
    document = from_text(TEXT)
    write_color(document, tag(document, TAGS), terminal)
    found = terminal.getvalue()
    assert plain(found) == (
        "Ada PER  met Lee PER\tin\nNew\nYork LOC.\n\n\n  She left — 👩\u200d🚀 تل أبيب LOC!\n"
    )
    assert found.startswith("\x1b[1;36mAda\x1b[0m \x1b[2;36mPER\x1b[0m  met ")
    assert "\x1b[1;32mNew\x1b[0m\n\x1b[1;32mYork\x1b[0m" in found, "no colour over a line's end"


def test_types_have_colours_of_their_own(terminal):
    document = from_text("a b c d e e")
    tags = [["B-PER", "B-LOC", "B-ORG", "B-MISC", "B-gene", "B-gene"]]
    write_color(document, tag(document, tags), terminal)
    colours = re.findall(r"\x1b\[1;(\d+)m", terminal.getvalue())
    assert len(set(colours)) == 5 and colours[4] == colours[5]


def test_no_color_means_no_colour(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    document = from_text("Ada [slept]")
    write_color(document, tag(document, [["B-PER", "O", "O", "O"]]), terminal)
    assert terminal.getvalue() == "[PER Ada] [slept]\n"


@given(anything)
def test_without_entities_the_text_comes_out_as_it_is(text):
    document = from_text(text)
    tags = [["O"] * len(sentence) for sentence in document.sentences]
    end = "" if not text or text.endswith("\n") else "\n"
    assert written("color", document, tags) == text + end


@pytest.mark.parametrize("kind", WRITERS)
def test_sentences_are_written_as_they_come(kind):
    document, stream = from_text("Ada met Lee. She left."), io.StringIO()
    seen = []

    def slowly():
        for sentence in tag(document, [["B-PER", "O", "B-PER", "O"], ["O", "O", "O"]]):
            yield sentence
            seen.append(stream.getvalue())

    WRITERS[kind](document, slowly(), stream)
    assert "Lee" in seen[0] and "She" not in seen[0] and "She" in seen[1]
