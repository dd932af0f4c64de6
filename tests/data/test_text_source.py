"""A text in blocks: what one reading tells, its ids, and that it is never held whole."""

import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data import TextSource, Vocabulary, fingerprint, read_text
from lstm_recipes.errors import UserError

texts = st.text(st.sampled_from("ab é日👩\u0301\r\n"), min_size=1, max_size=30)


@given(st.lists(texts, min_size=1))
def test_blocks_tell_what_the_whole_text_does(blocks):
    whole = "".join(blocks)
    source = TextSource.of("notes", lambda: blocks)
    assert source.about == {
        "name": "notes",
        "sha256": fingerprint(whole),
        "characters": len(whole),
    }
    assert source.characters == "".join(dict.fromkeys(whole))
    assert source.read() == whole
    vocabulary = Vocabulary.of(whole)
    np.testing.assert_array_equal(source.ids(vocabulary)[:], vocabulary.encode(whole))


def test_a_file_is_found_and_named(text_file, text):
    source = TextSource.file(str(text_file))
    assert (source.name, source.read()) == (text_file.name, text)
    with pytest.raises(UserError, match="there is no file"):
        TextSource.file("absent.txt")
    with pytest.raises(UserError, match="is a folder"):
        TextSource.file(text_file.parent)


def test_a_pipe_which_can_be_read_once_is_kept(tmp_path):
    read, write = os.pipe()
    os.write(write, b"a pipe")
    os.close(write)
    source = TextSource.file(f"/dev/fd/{read}")
    os.close(read)
    assert source.read() == source.read() == "a pipe"


def test_a_text_that_grows_while_it_is_read_is_noticed(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("one\n")
    source = TextSource.file(path)
    path.write_text("one\none\n")
    with pytest.raises(UserError, match=r"log\.txt had 4 characters and now has 8; wait until"):
        source.ids(Vocabulary.of(source.characters))


def test_a_large_text_is_never_in_memory(tmp_path):
    path = tmp_path / "large.txt"
    path.write_text("Zoë saw the 日 rise.\n" * 1_000_000, "utf-8")
    tracemalloc.start()
    source = TextSource.file(path)
    ids = source.ids(Vocabulary.of(source.characters), tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    assert len(ids) == 20_000_000 and peak < 25_000_000
    tracemalloc.stop()
    assert read_text(path).startswith("Zoë saw")
