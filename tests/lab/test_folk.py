"""Melodies: the grammar's own loss, counting, the network's loss, and the verdict."""

import numpy as np
import pytest

from lstm_recipes.errors import UserError
from lstm_recipes.lab import folk
from lstm_recipes.lab.melodies import ALPHABET, BARS, FORMS, melody
from lstm_recipes.lab.ngram import NGram


@pytest.fixture(scope="module")
def tunes():
    draw = np.random.default_rng(0)
    return [melody(draw) for _ in range(60)]


def test_a_tune_has_bars_phrases_and_a_form(tunes):
    for tune in tunes:
        assert set(tune.text) <= set(ALPHABET) and tune.text.endswith("|\n")
        assert len(tune.nats) == len(tune.bar) == len(tune.repeated) == len(tune.text)
        bars = tune.text[1:-1].split("|")[:-1]
        assert len(bars) == 4 * BARS
        phrases = ["|".join(bars[k : k + BARS]) for k in range(0, 16, BARS)]
        names = {phrases[0]: "A"}
        form = "".join(names.setdefault(phrase, "B") for phrase in phrases)
        assert form in FORMS
        metre = int(tune.text[0])
        for bar in bars:
            beats = sum(int(letter) - 1 if letter.isdigit() else 1 for letter in bar)
            assert beats == metre


def test_what_a_tune_costs_is_what_was_chosen(tunes):
    for tune in tunes:
        metre = tune.text[0]
        assert tune.nats[0] == pytest.approx(np.log(2))
        paid = tune.nats[tune.repeated].sum()
        assert paid <= np.log(3) + np.log(2) + 1e-9  # the form alone
        cadence = tune.nats[(tune.bar == BARS - 1)]
        assert cadence.sum() == pytest.approx(np.log(2)) and metre in tune.text[1:]


def test_counting_by_hand():
    with pytest.raises(UserError, match="the order is 0"):
        NGram(0, "ab")
    with pytest.raises(UserError, match="the alphabet is empty"):
        NGram(2, "")
    model = NGram(2, "ab")
    model.fit(["aab"])
    # Order 1: a twice, b once, two kinds: (2 + 2/2) / 5. After a: once a, once b, two kinds.
    p = np.exp(model.log_probabilities("aa"))
    first = (1 + 1 * 0.6) / (1 + 1)  # nothing was before, once, and then a
    np.testing.assert_allclose(p, [first, (1 + 2 * 0.6) / (2 + 2)])
    total = sum(np.exp(model.log_probabilities("a" + letter))[1] for letter in "ab")
    assert total == pytest.approx(1.0)


def test_a_model_that_knows_nothing_and_one_that_learns(tunes, monkeypatch):
    monkeypatch.setattr(folk, "STEPS", 3)
    monkeypatch.setattr(folk, "UNITS", 8)
    network = folk.Network(seed=0)
    before = folk.summary(tunes, network.losses(tunes))
    assert before["all"] == pytest.approx(np.log(len(ALPHABET) + 1), abs=0.1)
    network.train(tunes, tunes[:10])
    after = folk.summary(tunes, network.losses(tunes))
    assert after["all"] < before["all"] and len(after["bars"]) == 16
    floor = folk.summary(tunes, [tune.nats for tune in tunes])
    assert 0 < floor["repeated"] < 0.1 < floor["new"] < 1.5


@pytest.mark.parametrize(
    ("everything", "again", "verdict"),
    [(0.9, 0.5, "holds"), (0.9, 0.95, "holds in part"), (1.1, 0.5, "does not hold")],
)
def test_the_verdict(everything, again, verdict):
    one = {"all": everything, "new": 1.0, "repeated": again, "bars": [1.0]}
    other = {"all": 1.0, "new": 1.0, "repeated": 1.0, "bars": [1.0], "order": 4}
    said, found = folk.judge({"n-gram": other, "grammar": other, "GRU": [one, one]})
    assert found == verdict and "4-gram 1.000" in said
