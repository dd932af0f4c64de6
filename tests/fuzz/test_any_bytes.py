"""No file and no command line ends in a traceback, whatever is in it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstm_recipes import cli
from lstm_recipes.errors import UserError
from lstm_recipes.recipes import RECIPES

from .readers import READERS

PIECES = (
    *("O", "B-PER", "I-PER", "E-LOC", "-DOCSTART-", "#", "# global.columns = FORM NER"),
    *("1", "-1", "0.5", "1e999", "nan", "inf", "9" * 30, "{", "}", "[", "]", '"', "\\", ":", ","),
    *("null", "true", '"characters"', '"tags"', '"numbers"', "PK", "\x1f\x8b", "é", "\ud83d"),
    *("\u2028", "\u0600", "\x0b", "\x1c", "\x85", "\xa0", "\ufeff"),
)
SEPARATORS = [b"\n", b"\n\n", b"\r\n", b"\r", b"\t", b" ", b"", b"\0", b"\xff", b"\xed\xa0\xbd"]
pieces = st.sampled_from([*SEPARATORS, *(p.encode("utf-8", "surrogatepass") for p in PIECES)])
any_bytes = st.one_of(st.binary(max_size=200), st.lists(pieces, max_size=40).map(b"".join))


@st.composite
def changed(draw, good: bytes) -> bytes:
    """A good file in which a few places were overwritten, cut out, or put in twice."""
    content = good
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.integers(start, min(len(content), start + 12)))
        between = draw(st.one_of(pieces, st.binary(max_size=4), st.just(content[start:stop] * 2)))
        content = content[:start] + between + content[stop:]
    return content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(max_examples=150, deadline=5000, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_read_or_refused_in_a_sentence(name, data):
    read, good = READERS[name]
    content = data.draw(st.one_of(any_bytes, changed(good)))
    try:
        read(content)
    except UserError as error:
        assert len(str(error)) > 20 and "\n" not in str(error)


@pytest.mark.parametrize("name", READERS)
def test_the_good_file_is_read(name):
    read, good = READERS[name]
    read(good)


WORDS = (
    *("train", "evaluate", "sample", "tag", "translate", "export", "ablation", "list", "run"),
    *("--run", "--text", "--data", "--units", "--layers", "--steps", "--epochs", "--minutes"),
    *("--seed", "--resume", "--overwrite", "--preset", "--layer", "--precision", "--help", "--to"),
    *("--init-from", "--split", "--top-k", "--temperature", "--length", "--columns", "--output"),
    *("--beam", "--n-best", "default", "best", "bahdanau", "gru", "cec", "float32", "test", "web"),
    *("-", "--", "--=", "--units=", "--units=8", "-1", "0", "1.5", "1e999", "nan", "8", "9" * 30),
    *("", "a/b", "é", "\ud83d", "x=y", "@file", "{a}", "None"),
)


@given(st.sampled_from([*RECIPES, "--help", "x"]), st.lists(st.sampled_from(WORDS), max_size=5))
@settings(max_examples=60, deadline=20_000, suppress_health_check=list(HealthCheck))
def test_any_command_line_is_understood_or_refused(recipe, words):
    """What a command does is tested elsewhere: here its arguments are read and checked."""

    def only_parsed(function):
        stub = lambda *args, **options: None  # noqa: E731
        return cli.functools.update_wrapper(stub, function)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_with_tensorflow", only_parsed)
        try:
            status = cli.main([recipe, *words])
        except SystemExit as end:  # how tyro and argparse leave
            status = end.code
    assert status in (0, 2, None)
