"""CoNLL-style files: what is read, what is dropped, and what is refused in one sentence."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data.conll import Sentence, content, load_corpus, read_columns
from lstm_recipes.errors import UserError

from .tagged_corpus import write_corpus

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "conll2003"
GOOD = "Ada NNP B-PER\nLovelace NNP I-PER\nsleeps VBZ O\n\nRome NNP B-LOC\n"
SENTENCES = [
    Sentence(("Ada", "Lovelace", "sleeps"), ("B-PER", "I-PER", "O")),
    Sentence(("Rome",), ("B-LOC",)),
]


@pytest.fixture
def file(tmp_path):
    """A call that writes a file and gives its path."""

    def write(text, name="train.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refused(act, *arguments, **options):
    """The sentence that refuses."""
    with pytest.raises(UserError) as error:
        act(*arguments, **options)
    message = str(error.value)
    assert "\n" not in message
    return message


# --- what is read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        "\n \n" + GOOD.replace("\n\n", "\n\n \n\t\n\n") + "\n\n",
        GOOD.replace(" ", "\t"),
        GOOD.replace(" ", "  \t "),
        GOOD.replace("\n", " \n").replace("Ada", " Ada"),
        "-DOCSTART- -X- O\n\n" + GOOD.replace("\n\n", "\n\n-DOCSTART- -X- O\n\n"),
        GOOD.replace("\n\n", "\n-DOCSTART-\n"),
        "# a comment\n# another of three\n" + GOOD.replace("\n\n", "\n\n# sent_id = 2\n#\n"),
        "# id 1\tdomain=en\n" + GOOD,
        "# global.columns = FORM XPOS NER\n" + GOOD.replace(" ", "\t"),
    ],
)
def test_what_is_written_in_many_ways_is_read_as_the_same(file, text):
    assert read_columns(file(text)) == SENTENCES


def test_a_word_that_begins_with_a_hash_is_no_comment(file):
    [sentence] = read_columns(file("# NN O\n1 CD O\n# NN O\n#tag NN O\nRome NNP B-LOC\n"))
    assert sentence.words == ("#", "1", "#", "#tag", "Rome")
    [sentence] = read_columns(file("# 1\tNN\tO\n#\tNN\tO\nRome\tNNP\tB-LOC\n"))
    assert sentence.words == ("# 1", "#", "Rome")


def test_words_keep_their_no_break_spaces_and_between_tabs_their_spaces(file):
    [sentence] = read_columns(file("New\xa0York B-LOC\n\xa0 O\nx\u2028y\x85 O\n"))
    assert sentence.words == ("New\xa0York", "\xa0", "x\u2028y\x85")
    [sentence] = read_columns(file("New York\tB-LOC\n10 000\tO\n"))
    assert sentence.words == ("New York", "10 000")


@pytest.mark.parametrize(
    ("tag_column", "word_column"), [(1, 2), ("1", "2"), (-2, -1), ("ner", "word"), (1, "word")]
)
@pytest.mark.parametrize("separator", ["\t", " "])
def test_columns_by_number_and_by_name(file, tag_column, word_column, separator):
    rows = ["id ner word", "1 B-PER Ada", "2 I-PER Lovelace", "3 O sleeps", "", "1 B-LOC Rome"]
    named = isinstance(word_column, str) and word_column == "word"
    path = file("\n".join(rows if named else rows[1:]).replace(" ", separator))
    assert read_columns(path, tag_column, word_column) == SENTENCES


def test_columns_by_the_names_of_conll_u_plus(file):
    rows = "# global.columns = ID FORM NER\n# text = Rome\n1\tRome\tB-LOC\n"
    assert read_columns(file(rows), "NER", "FORM") == [Sentence(("Rome",), ("B-LOC",))]
    assert read_columns(file(rows), "NER", 1) == [Sentence(("Rome",), ("B-LOC",))]


words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t \0\ufeff"), min_size=1
).filter(lambda word: word != "-DOCSTART-")
rows = st.tuples(words, st.sampled_from(["O", "B-PER", "I-PER", "U-a-b"]))


@given(st.lists(st.lists(rows, min_size=1, max_size=5), min_size=1), st.sampled_from("\t "))
def test_all_words_pass_through(tmp_path_factory, sentences, separator):
    sentences[0].insert(0, ("Rome", "B-LOC"))
    blocks = ("\n".join(map(separator.join, sentence)) for sentence in sentences)
    path = tmp_path_factory.getbasetemp() / "conll.txt"
    path.write_bytes("\n\n".join(blocks).encode())
    expected = [Sentence(*zip(*sentence, strict=True)) for sentence in sentences]
    assert read_columns(path) == expected


# --- what is refused in a file -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("Ada NNP B-PER\nsleeps O\n", -1, "line 2: a row has 2 columns, and the first row .* 3;"),
        ("Ada NNP B-PER\nx\n", -1, "line 2: a row has 1 column, and"),
        ("Ada B-PER\n# x\n", -1, "line 2: 'x' is no tag"),
        ("Ada B-PER\n# a comment\n", -1, "line 2: a row has 3 columns"),
        ("Ada NNP B-PER\nx NNP B_PER\n", -1, "line 2: 'B_PER' is no tag; write O, or one of B,"),
        ("Ada NNP B-PER\n", 1, "line 1: 'NNP' is no tag; .* another column .* than 1 of 0..2; if"),
        ("word ner\nAda B-PER\n", -1, "line 1: 'ner' is no tag; .* names the columns, ask for"),
        ("Ada B-PER\n", 2, "has 2 columns, and none with the number 2; give .* 0 to 1, or from -2"),
        ("Ada B-PER\n", -3, "none with the number -3"),
        ("Ada B-PER\n", "ner", "no column named 'ner': its first line is 'Ada B-PER'; let"),
        ("# global.columns = FORM NER\nx\tO\n", "ner", "no column named 'ner': .*columns = FORM"),
        ("word pos ner\nAda B-PER\n", "ner", "has 2 columns, and none with the number 2"),
        ("Ada\nsleeps\n", -1, "has one column, such as 'Ada'; give a word and its tag"),
        ("x\tB-PER\n\tO\n", -1, "line 2: column 0 has no word"),
        ("Ada O\n\nsleeps O\n", -1, "has 2 sentences and no entity: all tags in column 1 of 0..1"),
        ("", -1, "is empty"),
        (" \n\n-DOCSTART- O\n\n", -1, "has no sentences"),
        ("# only\n# comments here\n", -1, "no tag|one column|no entity"),
        (b"Ada B-PER\nJos\xe9 I-PER\n", -1, r"not UTF-8: .* \(0xe9\) at line 2, byte 13"),
        (GOOD.encode("utf-16"), -1, "looks like UTF-16"),
    ],
)
def test_a_wrong_file_gets_one_sentence_with_file_and_line(file, text, column, message):
    path = file(text)
    said = refused(read_columns, path, column)
    assert said.startswith(str(path))
    assert re.search(message, said), said


def test_a_missing_file_is_told(tmp_path):
    assert "there is no file" in refused(read_columns, tmp_path / "absent.txt")


# --- a folder ----------------------------------------------------------------------------------


def test_a_generated_corpus(tmp_path):
    corpus = load_corpus(write_corpus(tmp_path / "invented"))
    assert (corpus.name, corpus.scheme, corpus.repaired) == ("invented", "IOB2", 0)
    assert [len(part) for part in (corpus.train, corpus.valid, corpus.test)] == [200, 40, 40]
    for part in corpus.train, corpus.valid, corpus.test:
        types = {tag for sentence in part for tag in sentence.tags}
        assert types >= {"O", "B-PER", "B-LOC", "B-ORG", "B-MISC", "I-PER", "I-LOC", "I-ORG"}
    splits = {"train": corpus.train, "valid": corpus.valid, "test": corpus.test}
    assert corpus.sha256 == hashlib.sha256(content(splits)).hexdigest()
    again = load_corpus(write_corpus(tmp_path / "again" / "invented"))
    assert again == corpus
    other = load_corpus(write_corpus(tmp_path / "other", seed=1))
    assert other.sha256 != corpus.sha256


@pytest.mark.parametrize(
    "names",
    [
        ("train.txt", "valid.txt", "test.txt"),
        ("train.conll", "dev.conll", "test.conll"),
        ("train.iob", "testa.iob", "testb.iob"),
        ("Train.TSV", "validation.bio", None),
        ("eng.train", "eng.testa", "eng.testb"),
        ("eng.train", "eng.testa", None),
    ],
)
def test_files_are_found_by_their_names(file, tmp_path, names):
    for name in filter(None, names):
        file(GOOD, name)
    file("not for us", "README.txt")
    corpus = load_corpus(tmp_path)
    assert corpus.train == corpus.valid == SENTENCES
    assert corpus.test == (SENTENCES if names[2] else [])


def test_files_named_by_their_split_come_before_those_of_the_shared_task(file, tmp_path):
    for name in "train.txt", "valid.txt":
        file(GOOD, name)
    for name in "eng.train", "eng.testa", "eng.testb":
        file("not read", name)
    assert load_corpus(tmp_path).test == []


def test_missing_and_doubtful_files_are_named(file, tmp_path):
    said = refused(load_corpus, tmp_path)
    assert "no file for train; looked for train, with .txt, .conll" in said and "eng.train" in said
    file(GOOD, "train.txt")
    assert "no file for valid; looked for valid or validation or" in refused(load_corpus, tmp_path)
    file(GOOD, "valid.txt"), file(GOOD, "dev.conll")
    assert "two files for valid, valid.txt and dev.conll" in refused(load_corpus, tmp_path)
    assert "cannot be read" in refused(load_corpus, tmp_path / "absent")
    assert "cannot be read" in refused(load_corpus, tmp_path / "train.txt")


IOB1 = "Ada I-PER\nRome I-LOC\nParis B-LOC\nNew I-LOC\n"
IOB2 = "Ada B-PER\nRome B-LOC\nParis B-LOC\nNew I-LOC\n"
IOBES = "Ada S-PER\nRome S-LOC\nParis B-LOC\nNew E-LOC\n"
BIOUL = "Ada U-PER\nRome U-LOC\nParis B-LOC\nNew L-LOC\n"


def test_all_schemes_come_out_as_the_same_iob2(file, tmp_path):
    corpora = []
    for scheme, text in ("IOB1", IOB1), ("IOB2", IOB2), ("IOBES", IOBES), ("IOBES", BIOUL):
        file(text, "train.txt"), file(text, "valid.txt")
        corpora.append(load_corpus(tmp_path, strict=True))
        assert (corpora[-1].scheme, corpora[-1].repaired) == (scheme, 0)
        assert corpora[-1].train[0].tags == ("B-PER", "B-LOC", "B-LOC", "I-LOC")
    assert len({corpus.sha256 for corpus in corpora}) == 1


def test_illegal_sequences_are_repaired_and_counted_or_refused(file, tmp_path):
    file(IOB2 + "\n" + IOB2, "train.txt")
    path = file(IOB2 + "\n\nOslo B-LOC\n\nto O\nAda I-PER\nBern I-LOC\nCity I-LOC\n", "dev.txt")
    corpus = load_corpus(tmp_path)
    assert (corpus.scheme, corpus.repaired) == ("IOB2", 2)
    assert corpus.valid[-1].tags == ("O", "B-PER", "B-LOC", "I-LOC")
    said = refused(load_corpus, tmp_path, strict=True)
    assert said.startswith(f"{path}, line 10: the tag 'I-PER' is illegal there in IOB2")
    assert "write B-PER" in said and "--strict" in said


def test_a_type_that_the_training_file_lacks_is_refused(file, tmp_path):
    file("Rome B-LOC\n", "train.txt")
    path = file("in O\nRome B-LOC\nAda B-PER\n", "valid.txt")
    said = refused(load_corpus, tmp_path)
    assert said.startswith(f"{path}, line 3: the tag 'B-PER' is of a type that train.txt never")
    file("in O\nRome S-LOC\n", "valid.txt")  # another prefix is no new type, nor is O
    assert load_corpus(tmp_path).valid[0].tags == ("O", "B-LOC")


def test_columns_are_chosen_for_all_files(file, tmp_path):
    for name in "train.tsv", "valid.tsv":
        file("id\tner\tword\n1\tB-LOC\tRome\n", name)
    expected = [Sentence(("Rome",), ("B-LOC",))]
    assert load_corpus(tmp_path, tag_column="ner", word_column="word").valid == expected


def test_conll2003_in_its_two_forms(tmp_path):
    """The original columns are IOB1, and two of their tags break it."""
    if not SHARED.exists():
        pytest.skip("there is no copy of CoNLL-2003 beside the repository")
    iob2 = load_corpus(SHARED, strict=True)
    for name in "eng.train", "eng.testa", "eng.testb":
        (tmp_path / name).write_bytes((SHARED / name).read_bytes())
    iob1 = load_corpus(tmp_path)
    assert (iob2.scheme, iob2.repaired, iob1.scheme, iob1.repaired) == ("IOB2", 0, "IOB1", 2)
    assert (iob1.train, iob1.valid, iob1.test) == (iob2.train, iob2.valid, iob2.test)
    assert iob1.sha256 == iob2.sha256
