"""The greatest values by blocks against a sort."""

import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.decoding.top_k import BLOCK, top_k


@pytest.mark.parametrize("columns", [5, 12 * BLOCK, 12 * BLOCK + 1, 13 * BLOCK - 1, 4000])
@pytest.mark.parametrize("kind", ["normal", "equal", "forbidden", "at the end"])
def test_the_greatest(columns, kind):
    rng = np.random.default_rng(columns)
    values = rng.normal(size=(4, columns)).astype("float32")
    if kind == "equal":
        values = np.round(values)
    elif kind == "forbidden":
        values[:, 2:] = -np.inf
    elif kind == "at the end":
        values[:, -2:] += 100
    found, places = (part.numpy() for part in top_k(tf.constant(values), 3))
    np.testing.assert_array_equal(found, -np.sort(-values, axis=1)[:, :3])
    np.testing.assert_array_equal(np.take_along_axis(values, places, axis=1), found)
    assert all(len(set(row)) == 3 for row in places)
