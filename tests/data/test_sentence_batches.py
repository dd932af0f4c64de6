"""Which sentences make up which step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_recipes.data.sentence_batches import SentenceBatches, of_like_length


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=400),
    st.integers(1, 40),
    st.integers(0, 3),
)
def test_every_epoch_reads_every_sentence_once(lengths, size, epoch):
    batches = SentenceBatches(lengths, size, seed=3)
    steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
    read = [batches.batch(step) for step in steps]
    assert sorted(np.concatenate(read)) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= size for batch in read)


def test_a_batch_has_sentences_of_like_length_and_epochs_differ():
    lengths = np.random.default_rng(0).integers(1, 50, 3000).tolist()
    batches = SentenceBatches(lengths, 20, seed=0)
    epochs = [[batches.batch(e * 150 + k) for k in range(150)] for e in range(2)]
    apart = [np.ptp(batches.lengths[batch]) for batch in epochs[0]]
    assert np.mean(apart) < 3
    longest = [batches.lengths[batch].max() for batch in epochs[0]]
    assert np.corrcoef(longest[:-1], longest[1:])[0, 1] < 0.5  # not from short to long
    assert [b.tolist() for b in epochs[0]] != [b.tolist() for b in epochs[1]]


def test_a_step_has_the_same_sentences_whatever_was_read_before():
    lengths = list(range(1, 100))
    one, other = SentenceBatches(lengths, 8, seed=5), SentenceBatches(lengths, 8, seed=5)
    for step in range(40):
        one.batch(step)
    assert one.batch(17).tolist() == other.batch(17).tolist()
    different = SentenceBatches(lengths, 8, seed=6)
    assert any(one.batch(k).tolist() != different.batch(k).tolist() for k in range(12))


@pytest.mark.parametrize("at_once", [1, 7, 30, 4096])
def test_sentences_are_read_in_batches_of_like_length(at_once):
    lengths = [int(n) for n in np.random.default_rng(0).integers(1, 12, 40)]
    batches = list(of_like_length(lengths, at_once))
    assert sorted(int(k) for batch in batches for k in batch) == list(range(40))
    for batch in batches:
        longest = max(lengths[k] for k in batch)
        assert len(batch) == 1 or len(batch) * longest <= at_once
    assert list(of_like_length([], at_once)) == []
