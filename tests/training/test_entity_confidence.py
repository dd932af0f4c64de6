"""How sure a tagger is of an entity: against brute force, and in long sentences."""

import time
from itertools import product

import numpy as np
import pytest

from lstm_recipes.data.tag_schemes import spans, split_tag
from lstm_recipes.data.word_features import EncodedSentences
from lstm_recipes.training.entity_confidence import EntityConfidence
from lstm_recipes.training.tagging import _with_rows
from lstm_recipes.training.trained_tagger import TrainedTagger

from .wild_tagger import WORDS, make_run

KINDS = [("IOB1", True), ("IOB2", True), ("IOBES", True), ("IOBES", False), ("IOB2", False)]
every_kind = pytest.mark.parametrize(("scheme", "crf"), KINDS)


def emitted(decoder, vectors: np.ndarray, words) -> np.ndarray:
    """What the model puts out for one sentence, with nothing around it."""
    nothing = _with_rows(words.context, lambda rows: np.zeros((len(rows), 6), "float32"))
    return decoder._emit(vectors, words.case, words.characters, [*nothing]).numpy()[0]


@every_kind
def test_a_confidence_is_the_sum_over_all_sequences_with_that_entity(tmp_path, scheme, crf):
    """By brute force: exactly these words, an entity of this type, whatever tags say so."""
    types = ("LOC",) if scheme == "IOBES" else ("LOC", "PER")
    trained = TrainedTagger(make_run(tmp_path / "run", scheme, crf, types))
    decoder = trained._decoder
    sentences = [["Ada"], ["New", "York"], ["wrote", "to", "Rome"], ["Ada", "Byron", "rose", ";"]]
    sentences += [["New", "York", "Rome", "Nile"], ["in", "1996", "Ada", "York"]]
    found = list(trained.tag(sentences, confidences=True))
    assert sum(len(row.confidences) for row in found) > 1
    transitions, start, end = (np.asarray(w, "float64") for w in decoder.crf.chain)
    for words, (tags, confidences) in zip(sentences, found, strict=True):
        encoded = trained.features.encode([words])
        vectors = trained.table.matrix[encoded.rows]
        emissions = emitted(decoder, vectors, encoded)
        every = np.array(list(product(range(len(trained.tags)), repeat=len(words))))
        scores = emissions.astype("float64")[np.arange(len(words)), every].sum(1)
        scores += start[every[:, 0]] + end[every[:, -1]]
        scores += transitions[every[:, :-1], every[:, 1:]].sum(1)
        p = np.exp(scores - scores.max())
        p /= p.sum()
        kept = np.flatnonzero(p > 1e-12)
        entities = [set(spans([trained.tags[k] for k in every[n]], scheme)) for n in kept]
        for entity, confidence in zip(spans(tags, "IOB2"), confidences, strict=True):
            total = sum(p[n] for n, there in zip(kept, entities, strict=True) if entity in there)
            assert confidence == pytest.approx(total, abs=1e-5), (words, entity)


def log_sum(emissions: np.ndarray, chain: tuple, may: np.ndarray) -> float:
    """The log of the sum of exp score over all sequences of the tags that may be at each word."""
    transitions, start, end = chain
    scores = np.where(may, emissions.astype("float64"), -1e30)
    alpha = start + scores[0]
    for step in scores[1:]:
        alpha = np.logaddexp.reduce(alpha[:, None] + transitions, axis=0) + step
    return np.logaddexp.reduce(alpha + end)


def restricted(tags: list[str], shape: tuple, place: tuple, fresh: bool, closed: bool):
    """Only tags by which these words are an entity: it begins with B or S (``fresh``), or with I
    or E after what these cannot go on with; it ends with E or S (``closed``), or with B or I
    before what does not go on with it."""
    kind, start, end = place
    split = [split_tag(tag) for tag in tags]
    same = np.array([k == kind for _, k in split])
    goes_on = np.array([prefix in "IE" for prefix, _ in split])
    open_ = np.array([prefix in "BI" for prefix, _ in split])
    may = np.ones(shape, bool)
    may[start:end] &= same
    may[start + 1 : end] &= goes_on
    may[start : end - 1] &= open_
    may[start] &= goes_on != fresh
    may[end - 1] &= open_ != closed
    if not fresh and start > 0:
        may[start - 1] &= ~(same & open_)
    if not closed and end < len(may):
        may[end] &= ~(same & goes_on)
    return may


@every_kind
def test_in_a_long_sentence_it_is_the_sum_over_restricted_sequences(tmp_path, scheme, crf):
    """A sum over the whole sentence for each entity, in float64."""
    trained = TrainedTagger(make_run(tmp_path / "run", scheme, crf))
    rng = np.random.default_rng(0)
    words = [str(word) for word in rng.choice(WORDS, 150)]
    ((tags, confidences),) = trained.tag([words], confidences=True)
    encoded = trained.features.encode([words])
    vectors = trained.table.matrix[encoded.rows]
    emissions = emitted(trained._decoder, vectors, encoded)
    chain = tuple(np.asarray(w, "float64") for w in trained._decoder.crf.chain)
    total = log_sum(emissions, chain, np.ones_like(emissions, bool))
    places = spans(tags, "IOB2")
    assert len(places) > 20
    for place, confidence in zip(places, confidences, strict=True):
        sums = [
            log_sum(emissions, chain, restricted(trained.tags, emissions.shape, place, *way))
            for way in product([True, False], repeat=2)
        ]
        assert confidence == pytest.approx(np.exp(np.array(sums) - total).sum(), abs=1e-4), place


def test_a_type_without_a_tag_that_its_entity_needs_has_no_chance():
    """Such a vocabulary.json is not what train writes."""
    sure = EntityConfidence(["B-PER", "O"], "IOB2", legal=True)
    marginals, steps = np.full((3, 2), 0.5), np.full((3, 2, 2), 0.5)
    assert sure(marginals, steps, "PER", 0, 1) == 0.5 * 1.0
    assert sure(marginals, steps, "PER", 0, 2) == 0.0


def test_time_grows_with_length(tmp_path):
    """Eight times the length has some eight times as many entities, and takes some eight times as
    long: with a sum over the sentence for each entity it were 64 times."""
    trained = TrainedTagger(make_run(tmp_path / "run"))
    rng = np.random.default_rng(0)
    words = [str(word) for word in rng.choice(WORDS, 2000)]
    matrix = trained.table.matrix
    seconds = {}
    for length in (250, 2000):
        encoded = EncodedSentences(trained.features, [words[:length]])
        ((_, emissions),) = trained._decoder.emissions(matrix, encoded)
        tags = [trained._decoder.in_iob2(row) for row in trained._decoder.best(emissions)]
        trained._sure(emissions, tags)
        times = []
        for _ in range(3):
            start = time.process_time()
            trained._sure(emissions, tags)
            times.append(time.process_time() - start)
        seconds[length] = min(times)
    assert seconds[2000] < 24 * seconds[250]
