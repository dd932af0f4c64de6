"""Scores of translations against hand-derived numbers and sacreBLEU itself."""

import gzip
import math
from pathlib import Path

import pytest
import sacrebleu

from lstm_recipes.metrics.translation import (
    bleu,
    bleu_by_length,
    chrf,
    exact_match,
    multi30k_bleu,
    multi30k_text,
    paired_bootstrap,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "multi30k"
VERSION = f"version:{sacrebleu.__version__}"

HYPOTHESES = ["The dog bit the man.", "A cat sat."]
REFERENCES = ["The dog bit the man.", "A cat sat down."]
# Tokens: 6 + 4 of 6 + 5. The n-grams that match: 10 of 10, 7 of 8, 5 of 6, 3 of 4.
BY_HAND = 100 * math.exp(1 - 11 / 10) * (10 / 10 * 7 / 8 * 5 / 6 * 3 / 4) ** 0.25


def test_bleu_by_hand():
    score = bleu(HYPOTHESES, REFERENCES)
    assert score.value == pytest.approx(BY_HAND)
    assert score.signature == f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|{VERSION}"


def test_bleu_of_tokens_is_cut_at_spaces_alone(caplog):
    tokens = ["The dog bit the man .", "A cat sat ."], ["The dog bit the man .", "A cat sat down ."]
    score = bleu(*tokens, tokenize="none")
    assert score.value == pytest.approx(BY_HAND)
    assert "tok:none" in score.signature
    # 5 + 3 tokens of 5 + 4: 7 of 8 match, 5 of 6, 3 of 4, 2 of 2
    uncut = 100 * math.exp(1 - 9 / 8) * (7 / 8 * 5 / 6 * 3 / 4 * 2 / 2) ** 0.25
    assert bleu(HYPOTHESES, REFERENCES, tokenize="none").value == pytest.approx(uncut)
    assert not caplog.records


def test_capitals_count_unless_told_otherwise():
    shouted = [text.upper() for text in HYPOTHESES]
    assert bleu(shouted, REFERENCES).value < 10
    score = bleu(shouted, REFERENCES, lowercase=True)
    assert score.value == pytest.approx(BY_HAND) and "case:lc" in score.signature


def test_chrf_by_hand():
    """`chat` has 4, 3, 2, 1 n-grams, all of them among the 5, 4, 3, 2 of `chats`."""
    recall = (4 / 5 + 3 / 4 + 2 / 3 + 1 / 2) / 4
    score = chrf(["chat"], ["chats"])
    assert score.value == pytest.approx(100 * 5 * recall / (4 + recall))
    assert score.signature == f"nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|{VERSION}"


def test_the_protocol_of_multi30k_treats_both_sides_alike():
    assert multi30k_text("Zwei „gut-gelaunte“ Männer …", "de") == 'zwei " gut-gelaunte " männer ...'
    hypotheses = ["Ein Mann im T-Shirt , der schläft .", "Zwei “Hunde” rennen herum."]
    references = ["ein Mann im T-Shirt, der schläft.", 'Zwei "hunde" rennen.']
    # 8 + 7 tokens, and 8 + 6 in the references; `herum` spoils the last n-grams.
    by_hand = 100 * (14 / 15 * 11 / 13 * 9 / 11 * 7 / 9) ** 0.25
    score = multi30k_bleu(hypotheses, references, "de")
    assert score.value == pytest.approx(by_hand)
    assert "tok:none" in score.signature and "case:mixed" in score.signature


def test_the_language_decides_about_apostrophes():
    assert multi30k_text("L'homme, l'enfant", "fr") == "l' homme , l' enfant"
    assert multi30k_text("Uwe's Hund", "de") == "uwe ' s hund"
    assert multi30k_text("Joe's dog", "en") == "joe 's dog"
    one, other = ["l'homme et le chat est là"], ["l 'homme et le chat est là"]
    assert multi30k_bleu(one, other, "de").value == pytest.approx(100)
    assert multi30k_bleu(one, other, "fr").value < 90


def test_exact_matches_are_exact():
    assert exact_match(["a b", "a b", "A b", "a  b"], ["a b"] * 4) == 50.0


def test_groups_of_length_are_corpora_of_their_own():
    texts = [" ".join("abcdefgh"[:n]) for n in (4, 5, 6, 7)]
    wrong = [*texts[:2], *(text + " x y" for text in texts[2:])]
    groups = bleu_by_length([4, 5, 6, 40], wrong, texts, edges=[3, 5, 10])
    assert [group[:3] for group in groups] == [(0, 3, 0), (4, 5, 2), (6, 10, 1), (11, None, 1)]
    assert groups[0].bleu is None
    assert groups[1].bleu == pytest.approx(100)
    for group, place in (groups[2], 2), (groups[3], 3):
        assert group.bleu == pytest.approx(bleu([wrong[place]], [texts[place]]).value)


def test_edges_must_rise():
    for edges in [], [5, 5], [9, 5]:
        with pytest.raises(ValueError, match="edges"):
            bleu_by_length([1], ["a"], ["a"], edges)


@pytest.mark.parametrize("score", [bleu, chrf, exact_match])
def test_unequal_numbers_are_refused(score):
    for sides in (["a"], []), ([], []), (["a"], ["a", "b"]):
        with pytest.raises(ValueError, match="translations and"):
            score(*sides)
    with pytest.raises(ValueError, match="1 translations and 2"):
        multi30k_bleu(["a"], ["a", "b"], "en")
    with pytest.raises(ValueError, match="2 sentences and 1 lengths"):
        bleu_by_length([1], ["a", "b"], ["a", "b"])


# --- two systems --------------------------------------------------------------------------------

LINES = [f"line {n} of a long text has the words {n * 7} and {n * 11} in it" for n in range(80)]
WORSE = [line if n % 2 else line.replace("words", "word") for n, line in enumerate(LINES)]


def test_a_worse_system_is_found_and_its_own_copy_is_not():
    found = paired_bootstrap(WORSE, LINES, LINES, samples=200)
    assert found.system == pytest.approx(100)
    assert found.difference == pytest.approx(100 - bleu(WORSE, LINES).value)
    assert found.p_value == pytest.approx(1 / 201)  # no draw of the 200 goes so far
    assert "bs:200" in found.signature and "tok:13a" in found.signature
    assert paired_bootstrap(LINES, LINES, LINES, samples=200).p_value == 1


def test_chance_alone_is_no_difference():
    """Each system has mistakes that the other lacks, as many."""
    other = [line.replace("words", "word") if n % 2 else line for n, line in enumerate(LINES)]
    other[1] = LINES[1]
    found = paired_bootstrap(WORSE, other, LINES, samples=200)
    assert 0 < abs(found.difference) < 1
    assert found.p_value > 0.2


def test_real_captions_against_sacrebleu():
    path = SHARED / "test_2016_flickr.de.gz"
    if not path.exists():
        pytest.skip("there is no copy of Multi30k beside the repository")
    references = gzip.decompress(path.read_bytes()).decode().split("\n")[:-1]
    hypotheses = [text.replace("Ein", "Der") for text in references]
    score = bleu(hypotheses, references)
    assert score.value == sacrebleu.corpus_bleu(hypotheses, [references]).score
    assert score.value < multi30k_bleu(hypotheses, references, "de").value + 5
    assert multi30k_bleu(references, references, "de").value == pytest.approx(100)
