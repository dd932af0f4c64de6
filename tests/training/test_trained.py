"""A trained model as its folder holds it: loaded, extended, and refused when it is damaged."""

import random

import numpy as np
import pytest

from lstm_recipes.data import Vocabulary
from lstm_recipes.errors import UserError
from lstm_recipes.models.char_lm import char_lm
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained import SIZE, TrainedCharLM

DEFAULTS = {"layer": "forget", "layers": 1, "units": 256, "embedding": 128}
ACTUAL = {"layer": "forget", "layers": 2, "units": 10, "embedding": 8}


@pytest.fixture(scope="module")
def old(trained) -> TrainedCharLM:
    return TrainedCharLM(trained)


def test_measure_gives_what_was_recorded(old):
    recorded = old.folder.read_json("metrics")
    measured = old.measure()
    assert measured.items() <= recorded.items()
    assert measured["parameters"] == sum(w.size for w in old.model.get_weights())
    assert measured["bits_per_character"] == pytest.approx(
        measured["nats_per_character"] / np.log(2), abs=1e-6
    )


def test_the_size_goes_on(old):
    assert tuple(ACTUAL) == SIZE
    assert old.size(DEFAULTS, DEFAULTS) == old.size(ACTUAL, DEFAULTS) == ACTUAL
    with pytest.raises(UserError, match=r"units=10, and 16 .* leave out --units to go on from it"):
        old.size(DEFAULTS | {"units": 16}, DEFAULTS)


@pytest.mark.parametrize("name", ["best.keras", "vocabulary.json", "config.json", "validation.txt"])
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    with pytest.raises(UserError, match=f"{copied} has no {name}"):
        trained = TrainedCharLM(copied)
        trained.size(DEFAULTS, DEFAULTS)
        trained.measure()


# --- more characters -------------------------------------------------------------------------


def test_new_characters_are_named_or_added_at_the_end(old, text):
    with pytest.raises(UserError, match=r"2 characters .*: 'Z' .*, '€' .*--add-characters"):
        old.extended(text + "Z€Z", add=False)
    vocabulary = old.extended(text + "Z€Z", add=True)
    assert vocabulary.characters == (*old.vocabulary.characters, "Z", "€")
    assert old.extended(text, add=False) == old.vocabulary


def test_old_rows_are_copied_and_new_ones_stay_as_they_were_drawn(old):
    size = len(old.vocabulary)
    model = char_lm(size + 2, **ACTUAL)
    drawn = model.get_weights()
    old.copy_weights(model)
    before, after = old.model.get_weights(), model.get_weights()
    np.testing.assert_array_equal(after[0][:size], before[0])  # the embedding
    np.testing.assert_array_equal(after[0][size:], drawn[0][size:])
    np.testing.assert_array_equal(after[-2][:, :size], before[-2])  # the softmax's kernel
    np.testing.assert_array_equal(after[-2][:, size:], drawn[-2][:, size:])
    np.testing.assert_array_equal(after[-1], [*before[-1], 0, 0])  # and its bias
    for a, b in zip(after[1:-2], before[1:-2], strict=True):
        np.testing.assert_array_equal(a, b)


# --- prompts ---------------------------------------------------------------------------------


def test_a_prompt_is_encoded(old):
    ids = old.encode_prompt("the 🚢\n", drop_unknown=False)
    assert old.vocabulary.decode(ids) == "the 🚢\n"


def test_unknown_characters_of_a_prompt_are_named_or_dropped(old):
    with pytest.raises(UserError, match=r"2 of the prompt's characters: 'Z' \(U\+005A\), '€'"):
        old.encode_prompt("ZtheZ€", drop_unknown=False)
    assert old.vocabulary.decode(old.encode_prompt("ZtheZ€", drop_unknown=True)) == "the"


@pytest.mark.parametrize(("prompt", "drop"), [("", False), ("", True), ("Z€", True)])
def test_nothing_is_no_prompt(old, prompt, drop):
    with pytest.raises(UserError, match="the prompt is empty"):
        old.encode_prompt(prompt, drop)


@pytest.mark.parametrize(("characters", "opening"), [("ab\n", "\n"), ("cab", "a")])
def test_a_text_opens_with_something_known(copied, characters, opening):
    Vocabulary.of(characters).save(copied / "vocabulary.json")
    RunFolder(copied).seal()
    assert TrainedCharLM(copied).opening == opening


# --- damage ----------------------------------------------------------------------------------


def test_a_damaged_model_is_refused_or_harmless(old, copied):
    path = copied / "best.keras"
    content = path.read_bytes()
    rng = random.Random(0)
    damages = [content[:n] for n in (0, 1, 100, len(content) // 2, len(content) - 1)]
    damages += [b"not a model", b"PK\5\6" + bytes(18)]  # and an empty zip file
    for _ in range(12):
        place = rng.randrange(len(content) - 64)
        damages.append(content[:place] + rng.randbytes(64) + content[place + 64 :])
    refused = 0
    for damaged in damages:
        path.write_bytes(damaged)
        try:
            weights = TrainedCharLM(copied).model.get_weights()
        except UserError as error:
            refused += 1
            assert str(error).startswith(f"{path} is damaged (") and "train again" in str(error)
            assert "\n" not in str(error)
        else:
            for a, b in zip(weights, old.model.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)
    assert refused > 10


def test_a_vocabulary_of_another_size_is_refused(copied, text):
    Vocabulary.of(text + "Z").save(copied / "vocabulary.json")
    with pytest.raises(
        UserError, match=r"vocabulary\.json is damaged \(it is no longer what the run"
    ):
        TrainedCharLM(copied)
    RunFolder(copied).seal()  # as somebody would who wants it
    with pytest.raises(UserError, match=r"best\.keras is damaged \(it is not for the \d+ known"):
        TrainedCharLM(copied).measure()


@pytest.mark.parametrize("content", [b"", b"t", b"caf\xe9", b"Zebra", b"the sea the sea"])
@pytest.mark.parametrize("sealed", [False, True])
def test_a_damaged_validation_text_is_refused(copied, content, sealed):
    if sealed and content == b"the sea the sea":
        return  # nobody can tell
    (copied / "validation.txt").write_bytes(content)
    if sealed:
        RunFolder(copied).seal()
    with pytest.raises(UserError):
        TrainedCharLM(copied).measure()
