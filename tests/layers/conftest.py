"""What every test of the layers starts from."""

import keras
import pytest


@pytest.fixture(autouse=True)
def _fresh():
    """Every test starts from the same seed, default policy and names."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture(autouse=True, scope="module")
def _forgotten():
    """What JAX has compiled goes with its file: some thousand programs take more maps of memory
    than a process may have, and the next compilation ends in a segmentation fault."""
    yield
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()
