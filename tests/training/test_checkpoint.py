"""Checkpoints: exact, whole, and refused when they are damaged."""

import os
import random

import keras
import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.training.checkpoint import load_checkpoint, save_checkpoint

NUMBERS = {"step": 7, "best": float("inf"), "losses": [1.5, 2.25], "nothing": []}


def make(fill: float) -> list[keras.Variable]:
    """Variables of every kind that a run has."""
    rng = np.random.default_rng(int(fill))
    return [
        keras.Variable(rng.normal(size=(3, 4)), dtype="float32"),
        keras.Variable(rng.normal(size=5), dtype="bfloat16"),
        keras.Variable(rng.normal(size=5), dtype="float16"),
        keras.Variable(fill, dtype="float64"),
        keras.Variable([2**32 - 1 - int(fill), 5], dtype="uint32"),
        keras.Variable(int(fill), dtype="int32"),
        keras.Variable(np.zeros((0, 3)), dtype="float32"),
    ]


def values(variables) -> list[bytes]:
    return [np.asarray(keras.ops.convert_to_numpy(v.value)).tobytes() for v in variables]


def test_every_bit_comes_back(tmp_path):
    path = tmp_path / "new/folder/checkpoint.npz"
    saved, restored = make(1), make(2)
    save_checkpoint(path, saved, NUMBERS)
    assert load_checkpoint(path, restored) == NUMBERS
    assert values(restored) == values(saved)
    assert [v.dtype for v in restored] == [v.dtype for v in saved]


def test_an_interrupted_save_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.npz"
    save_checkpoint(path, make(1), NUMBERS)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", killed)
        save_checkpoint(path, make(2), NUMBERS | {"step": 8})
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.npz"]
    restored = make(3)
    assert load_checkpoint(path, restored)["step"] == 7
    assert values(restored) == values(make(1))


def damages(content: bytes):
    """Truncated, overwritten and foreign content."""
    rng = random.Random(0)
    for length in (0, 1, 30, len(content) // 2, len(content) - 1):
        yield content[:length]
    for _ in range(40):
        place = rng.randrange(len(content) - 64)
        yield content[:place] + bytes(64) + content[place + 64 :]
    yield b"not a checkpoint"
    yield b"\x80\x04K\x01."  # a pickle


def test_a_damaged_file_is_refused_or_harmless(tmp_path):
    path = tmp_path / "checkpoint.npz"
    save_checkpoint(path, make(1), NUMBERS)
    refused = 0
    for content in damages(path.read_bytes()):
        path.write_bytes(content)
        restored = make(2)
        try:
            load_checkpoint(path, restored)
        except UserError as error:
            refused += 1
            assert str(path) in str(error) and "start anew with --overwrite" in str(error)
            assert values(restored) == values(make(2))  # nothing was assigned
        else:
            assert values(restored) == values(make(1))
    assert refused > 40


def test_a_model_of_other_shapes_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    save_checkpoint(path, make(1), NUMBERS)
    for others in (make(2)[:-1], make(2)[::-1]):
        with pytest.raises(UserError, match="belongs to a model of other shapes"):
            load_checkpoint(path, others)
