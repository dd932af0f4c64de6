"""Every layer against its equations in NumPy: outputs, states and all gradients, in float64."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from .helpers import (
    BACKEND,
    LAYERS,
    array,
    assert_close,
    built,
    every_layer,
    gradients,
    masks,
    weighted_sum,
)
from .reference import Wiring, complex_step, run

# Keras computes in 32 bits under JAX, whatever is asked for.
DTYPE, TOLERANCE = ("float64", 1e-10) if BACKEND == "tensorflow" else ("float32", 2e-5)


@st.composite
def wirings(draw: Any, kind: str) -> Wiring:
    """Every combination of the options that change the equations."""
    if kind == "gru":
        units, use_bias, reset_after = st.integers(1, 3), st.booleans(), st.booleans()
        return Wiring(kind, draw(units), use_bias=draw(use_bias), reset_after=draw(reset_after))
    block_size = draw(st.integers(1, 3))
    return Wiring(
        kind,
        units=block_size * draw(st.integers(1, 2)),
        block_size=block_size,
        use_bias=draw(st.sampled_from([True, False, "gates"])),
        gate_feedback=draw(st.booleans()),
        truncated_gradient=draw(st.booleans()),
    )


def layer_of(wiring: Wiring, **options: Any) -> Any:
    layer = LAYERS[wiring.kind]
    arguments = layer.cell_class.arguments()
    mine = {name: value for name, value in wiring._asdict().items() if name in arguments}
    return layer(**mine, **options, dtype=DTYPE)


@every_layer
@settings(max_examples=20 if BACKEND == "tensorflow" else 5, deadline=None)
@given(data=st.data())
def test_outputs_states_and_gradients(kind, data):
    """One draw: a wiring, a shape, a mask, a direction and, or not, states to start from."""
    wiring = data.draw(wirings(kind))
    batch, time, features = (data.draw(st.integers(1, n)) for n in (3, 5, 3))
    mask = data.draw(masks(batch, time))
    loop = {
        "go_backwards": data.draw(st.booleans()),
        "zero_output_for_mask": data.draw(st.booleans()),
    }
    from_zero, all_outputs = data.draw(st.booleans()), data.draw(st.booleans())
    seed = data.draw(st.integers(0, 99))

    layer = layer_of(wiring, return_sequences=all_outputs, return_state=True, **loop)
    built(layer, features, seed=seed)
    names = [weight.name for weight in layer.weights]
    scale = 0.0 if from_zero else 1.0
    states = [scale * array(batch, n, seed=seed, dtype=DTYPE) for n in layer.state_size]
    x = array(batch, time, features, seed=seed, dtype=DTYPE)

    def theirs(arrays):
        weights = dict(zip(names, arrays, strict=False))
        x, *states = arrays[len(names) :]
        # What stands for the output before the first step: zeros, or in JAX's loop h.
        before = states[0] if BACKEND == "jax" and time > 1 else 0.0
        outputs, states = run(wiring, weights, x, states, mask, output_before=before, **loop)
        return [outputs if all_outputs else outputs[:, -1], *states]

    def ours(x, *states):
        return list(layer(x, initial_state=None if from_zero else list(states), mask=mask))

    arrays = [a.astype("float64") for a in (*layer.get_weights(), x, *states)]
    assert_close(ours(x, *states), theirs(arrays), TOLERANCE)

    actual = gradients(lambda *a: weighted_sum(ours(*a)), layer.weights, [x, *states])
    expected = complex_step(lambda a: weighted_sum(theirs(a)), arrays)
    if from_zero:  # then the layer does not see the states that it was not given
        actual, expected = actual[: len(names) + 1], expected[: len(names) + 1]
    compared = [*names, "x", *("states" for _ in states)][: len(actual)]
    for name, one, other in zip(compared, actual, expected, strict=True):
        np.testing.assert_allclose(one, other, TOLERANCE, TOLERANCE, err_msg=name)
