"""Where words stand again nearby."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data.word_context import Occurrences, may_be_name, surroundings
from lstm_recipes.data.word_features import EncodedSentences, WordFeatures, case_of

sentences = st.lists(
    st.lists(st.sampled_from(["Ajax", "AJAX", "ajax", "won", "PSV", "3", "東京"]), max_size=5),
    max_size=9,
)


@given(sentences, st.integers(0, 4), st.randoms())
def test_occurrences_are_all_of_the_others_within_window_and_document(sentences, window, random):
    begins = [random.random() < 0.3 for _ in sentences]
    document = np.cumsum(begins)
    ends = np.cumsum([0, *map(len, sentences)])
    everywhere = [(k, w) for k, words in enumerate(sentences) for w in words]
    names = [w.lower() for _, w in everywhere if may_be_name(w)]
    numbers = [names.index(w.lower()) if may_be_name(w) else -1 for _, w in everywhere]
    near = ends[surroundings(begins, window)].reshape(-1, 2)
    places = np.array([at for at, number in enumerate(numbers) if number >= 0], int)[::-1]
    owners = np.array([everywhere[at][0] for at in places], int)
    which, found = Occurrences(np.array(numbers, int)).of(places, near[owners])
    expected = [
        (number, place)
        for number, at in enumerate(places)
        for place, (other, again) in enumerate(everywhere)
        # One in small letters is no name, but what stands beside it tells nothing of one.
        if may_be_name(again) and again.lower() == everywhere[at][1].lower()
        if abs(other - everywhere[at][0]) <= window
        if document[other] == document[everywhere[at][0]]
        if place != at
    ]
    assert list(zip(which.tolist(), found.tolist(), strict=True)) == expected


def test_a_batch_has_the_words_beside_each_occurrence():
    features = WordFeatures(["ajax", "beat", "psv", "from", "in"], "ajx")
    written = [["Ajax", "beat", "PSV"], ["from", "AJAX"], ["in", "Ajax", "…"], ["PSV"]]
    encoded = EncodedSentences(features, written, window=2)
    batch = encoded.batch([1, 0])
    place, left, right, cases, around, ranges = batch.context
    assert place.tolist() == [1, 1, 3, 3]  # AJAX, whose row of the batch is the first, and Ajax
    assert left.tolist() == [0, 5, 4, 5]  # nothing, in; from, in
    assert right.tolist() == [2, 0, 0, 0]  # beat, an unknown word; nothing, an unknown word
    assert around.tolist() == [1, 2, 3, 4, 1, 5, 1, 0, 3]
    assert ranges.tolist() == [[0, 9], [0, 8]]  # the window ends before the fourth sentence
    alone = encoded.batch([3]).context
    assert alone.around.tolist() == [4, 1, 5, 1, 0, 3] and alone.ranges.tolist() == [[0, 6]]
    assert cases.shape == (2, 3, 6)
    assert cases[0, 1].tolist() == [0, 1, 0, 0, 0, 1]
    assert cases[1, 0].tolist() == [0, 0.5, 0.5, 0, 0, 1]
    assert not cases[1, 1:].any() and not cases[0, 0].any()  # PSV is three sentences away
    assert [case_of(w) for w in ("Ajax", "AJAX")] == [2, 3]


def test_without_a_window_nothing_is_seen():
    features = WordFeatures(["ajax"], "ajx")
    context = EncodedSentences(features, [["Ajax", "Ajax"]]).batch().context
    assert all(len(context[k]) == 0 for k in (0, 1, 2, 4)) and not context.ranges.any()
    assert context.cases.shape == (1, 2, 6) and not np.any(context.cases)


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(1, 4))
def test_all_words_around_are_of_the_document(begins, window):
    """Each sentence is a word of its own, whose row is its number."""
    features = WordFeatures([f"w{k}" for k in range(len(begins))], "w")
    written = [[f"w{k}"] for k in range(len(begins))]
    encoded = EncodedSentences(features, written, window, begins)
    document = np.cumsum(begins)
    chosen = [k for k in range(len(begins)) if k % 3 != 1]
    context = encoded.batch(chosen).context
    for k, (first, stop) in zip(chosen, context.ranges, strict=True):
        near = [
            j for j in range(len(begins)) if abs(j - k) <= window and document[j] == document[k]
        ]
        assert context.around[first:stop].tolist() == [j + 1 for j in near]
