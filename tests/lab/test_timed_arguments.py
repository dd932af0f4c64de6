"""The arguments that are about time: what is timed, the sizes, and the verdicts."""

import time

import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.errors import UserError
from lstm_recipes.lab import lstm_or_gpt2, sequential, two_megabytes
from lstm_recipes.lab.argument import Parts
from lstm_recipes.lab.timing import in_turns


def test_calls_take_turns_and_the_first_one_is_not_timed():
    order, first = [], {"a", "b"}

    def call(name):
        order.append(name)
        time.sleep(0.2 if name in first else 0.01)
        first.discard(name)

    found = in_turns({"a": lambda: call("a"), "b": lambda: call("b")}, turns=3, least=0.0)
    assert order == ["a", "a", "b", "b"] + ["a", "b"] * 3
    assert all(low <= middle <= high and middle >= 0.01 for low, middle, high in found.values())
    one = in_turns({"a": lambda: call("a")}, turns=1, least=0.0)
    assert len(one["a"]) == 3
    with pytest.raises(UserError, match="turns is 0; give at least 1"):
        in_turns({"a": lambda: None}, turns=0)


# Steps in a row.


def test_layers_are_measured_by_length_and_large_scores_left_out(monkeypatch):
    monkeypatch.setattr(sequential, "WIDTH", 8)
    monkeypatch.setattr(sequential, "LENGTHS", (4, 16))
    monkeypatch.setattr(sequential, "BATCHES", (1, 2))
    monkeypatch.setattr(sequential, "MOST_BYTES", 4 * sequential.HEADS * 16 * 16)
    found = sequential.measure(Parts(None, notify=lambda line: None), 0)
    assert found["seconds"]["2"]["self-attention"][1] is None  # twice the bytes
    assert all(s > 0 for s in found["seconds"]["1"]["self-attention"])
    assert found["bytes"]["2"] == {"LSTM": 2 * 2 * 8 * 4, "self-attention": [512, 8192]}
    assert sequential.judge(found)[1] in ("holds", "holds in part", "does not hold")


@pytest.mark.parametrize(
    ("attention", "verdict"),
    [
        ([[1.0, 9.0], [1.0, None]], "holds"),
        ([[1.0, 9.0], [3.0, 9.0]], "holds in part"),
        ([[3.0, 1.0], [3.0, 1.0]], "does not hold"),
    ],
)
def test_the_verdict_on_steps_in_a_row(attention, verdict):
    both = zip(("1", "64"), attention, strict=True)
    seconds = {batch: {"LSTM": [2.0, 4.0], "self-attention": row} for batch, row in both}
    size = {"LSTM": 2048, "self-attention": [2**20, 2**24]}
    numbers = {"width": 100, "lengths": [64, 256], "seconds": seconds}
    said, found = sequential.judge(numbers | {"bytes": {"1": size, "64": size}})
    assert found == verdict and "16 MiB of scores and 2 KiB of state" in said
    assert "computed and not measured" in said and "as large at 3 steps" in said  # 256 / √8192


def test_where_scores_are_as_large_as_the_state():
    """At the argument's own width: 8 · width = 4 · heads · n²."""
    n = sequential.memory_crossing(64, sequential.state_bytes(5), sequential.score_bytes(5, 64))
    assert n == pytest.approx((2 * sequential.WIDTH / sequential.HEADS) ** 0.5) and round(n) == 11
    assert "cross at 11 steps" in sequential.SEQUENTIAL.shows


# An LSTM or GPT-2.

TINY = {
    "vocabulary_size": 11,
    "num_layers": 2,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "max_sequence_length": 16,
}


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(lstm_or_gpt2, "GPT2", TINY)
    monkeypatch.setattr(lstm_or_gpt2, "UNITS", 6)
    monkeypatch.setattr(lstm_or_gpt2, "LENGTH", 4)


def test_writing_goes_on_where_reading_ended(tiny, monkeypatch):
    ids = tf.constant([[3, 1, 4, 1, 5], [2, 6, 5, 3, 5]])
    lstm = lstm_or_gpt2.LSTMReader()
    states = lstm.cache(2)
    for k in range(5):
        logits, states = lstm.write(ids[:, k], states)
    np.testing.assert_allclose(logits, lstm.read(ids), atol=1e-5)

    gpt2, cache = lstm_or_gpt2.GPT2Reader(), None
    cache = gpt2.cache(2)
    for k in range(5):  # the step of the measurement is the one at LENGTH
        monkeypatch.setattr(lstm_or_gpt2, "LENGTH", k)
        logits, cache = gpt2.write(ids[:, k], cache)
    np.testing.assert_allclose(logits, gpt2.read(ids), atol=1e-5)


def test_both_models_are_measured(tiny, monkeypatch):
    monkeypatch.setattr(lstm_or_gpt2, "BATCHES", (2,))
    found = lstm_or_gpt2.measure(Parts(None, notify=lambda line: None), 0)
    assert found["weights"]["GPT-2"] > 0 and set(found["speed"]["2"]) == {"reading", "writing"}
    assert all(v > 0 for by in found["speed"]["2"].values() for v in by.values())


def test_the_lstm_has_two_and_a_half_million_weights():
    c, e, u = lstm_or_gpt2.CHARACTERS, lstm_or_gpt2.EMBEDDING, lstm_or_gpt2.UNITS
    assert 2.4e6 < c * e + 4 * u * (e + u + 1) + c * (u + 1) < 2.6e6


@pytest.mark.parametrize(
    ("writing", "verdict"), [(500.0, "holds"), (300.0, "holds in part"), (10.0, "does not hold")]
)
def test_the_verdict_on_an_lstm_and_gpt2(writing, verdict):
    """Of text, not of tokens: 30 times as many tokens a second are 9 times as many characters."""
    reading = {"LSTM": 600.0 if writing > 50 else 20.0, "GPT-2": 10.0}
    speed = {"1": {"reading": reading, "writing": {"LSTM": writing, "GPT-2": 10.0}}}
    numbers = {"weights": {"LSTM": 2.5e6, "GPT-2": 124e6}, "speed": speed}
    said, found = lstm_or_gpt2.judge(numbers)
    assert round(lstm_or_gpt2.PIECE, 2) == 3.3
    characters = f"{writing / 10 / lstm_or_gpt2.PIECE:.1f}x"
    assert found == verdict and f"writing, batch 1 {characters} ({writing / 10:.0f}x)" in said


# Two megabytes.


def test_a_step_is_a_file_that_carries_its_states():
    weights, content = two_megabytes.character_model(8)
    assert weights == 65 * 64 + 4 * 8 * (64 + 8 + 1) + 65 * 9
    assert weights < len(content) < 6 * weights  # int8, and what a file needs beside it
    pytest.importorskip("ai_edge_litert")
    took = two_megabytes.step_milliseconds(content, {"h": "next_h", "c": "next_c"}, 5)
    assert took.shape == (5,) and (took > 0).all()


@pytest.mark.parametrize(
    ("size", "median", "slow", "verdict"),
    [
        (1_990_000, 0.1, 0.2, "holds"),
        (1_990_000, 19.0, 21.0, "holds in part"),
        (1_990_000, 21.0, 22.0, "does not hold"),
        (2_010_000, 0.1, 0.2, "does not hold"),
    ],
)
def test_the_verdict_on_two_megabytes(size, median, slow, verdict):
    one = {"weights": 1_900_000, "bytes": size, "low": 0.1, "median": median, "99 %": slow}
    assert two_megabytes.judge({"sizes": {"660": one}})[1] == verdict
