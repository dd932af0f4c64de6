"""The papers' learning rule: error goes back in time through c alone.

A case by hand: one unit, two steps, x = (1, −2), zero start, loss h_2, all gates at 1/2.
g is the 1997 squashing function, for which g(ln 3) = 1 and g'(ln 3) = 3/4; h is the identity.
With W_c = ln 3 and U_c = 12 ln 3, and σ(0) = 1/2 and σ'(0) = 1/4 for every gate:

    1997            z_c1 = 1 ln 3                      c_1 = ½ · 1 = ½         h_1 = ½ c_1 = ¼
                    z_c2 = −2 ln 3 + ¼ · 12 ln 3 = ln 3   c_2 = ½ + ½ = 1         h_2 = ½
    forget gates    the same with                      c_2 = ½ · ½ + ½ = ¾     h_2 = ⅜

Truncated, the loss sees z_1 through c_1 → c_2 alone. With e = ∂h_2/∂c_2 = o_2 = ½ and
d = ∂c_2/∂c_1 (1, or f_2 = ½), the errors at the net inputs of steps 1 and 2 are

    δ_o = 0,                                           σ' · c_2
    δ_c = e · d · i g' = d · 3/16,                     e · i g' = 3/16
    δ_i = e · d · σ' g = d · 1/8,                      e · σ' g = 1/8
    δ_f = 0 (for c_0 = 0),                             e · σ' · c_1 = 1/16

and every derivative follows: ∂W = 1 · δ_1 − 2 · δ_2, ∂U = ¼ δ_2, ∂b = δ_1 + δ_2,
∂x_t = Σ W δ_t, ∂p_i = ½ δ_i2, ∂p_f = ½ δ_f2, ∂p_o = c_2 δ_o2.

With peepholes of 1, W_o = −½, U_o = −7, U_i = U_f = −2 keep all net inputs of gates at 0:
z_o1 = −½ + c_1, z_o2 = 1 − 7/4 + c_2, z_i2 = z_f2 = −2/4 + c_1. Truncated, the peepholes bring
no error back either: of the derivatives above only ∂x_2 changes, by W_o δ_o2.
"""

from math import log

import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import CECLSTM, ForgetGateLSTM, PeepholeLSTM

from .helpers import LAYERS, array, built, every_lstm, gradients

X = np.array([[[1.0], [-2.0]]], "float32")
W_C, U_C = log(3), 12 * log(3)
LINEAR = {"activation": "cec_input", "output_activation": "linear"}

# By hand, in the order W, U, b, (p,) x.
BY_HAND = {
    "cec": (
        CECLSTM,
        [[0, W_C, 0], [0, U_C, 0], [0, 0, 0]],
        [
            [1 / 8 - 2 / 8, 3 / 16 - 6 / 16, -2 / 4],
            [1 / 32, 3 / 64, 1 / 16],
            [2 / 8, 6 / 16, 1 / 4],
            [W_C * 3 / 16, W_C * 3 / 16],
        ],
    ),
    "forget": (
        ForgetGateLSTM,
        [[0, 0, W_C, 0], [0, 0, U_C, 0], [0, 0, 0, 0]],
        [
            [1 / 16 - 2 / 8, -2 / 16, 3 / 32 - 6 / 16, -6 / 16],
            [1 / 32, 1 / 64, 3 / 64, 3 / 64],
            [3 / 16, 1 / 16, 9 / 32, 3 / 16],
            [W_C * 3 / 32, W_C * 3 / 16],
        ],
    ),
    "peephole": (
        PeepholeLSTM,
        [[0, 0, W_C, -1 / 2], [-2, -2, U_C, -7], [0, 0, 0, 0], [1, 1, 1]],
        [
            [1 / 16 - 2 / 8, -2 / 16, 3 / 32 - 6 / 16, -6 / 16],
            [1 / 32, 1 / 64, 3 / 64, 3 / 64],
            [3 / 16, 1 / 16, 9 / 32, 3 / 16],
            [1 / 16, 1 / 32, 9 / 64],
            [W_C * 3 / 32, W_C * 3 / 16 - 3 / 32],
        ],
    ),
}


def case(kind: str, truncated: bool) -> tuple:
    """The layer of the case by hand, and its derivatives."""
    layer, weights, _ = BY_HAND[kind]
    layer = layer(1, **LINEAR, truncated_gradient=truncated)
    layer.build((None, None, 1))
    layer.set_weights([np.reshape(w, v.shape) for w, v in zip(weights, layer.weights, strict=True)])
    derivatives = gradients(lambda x: ops.sum(layer(x)), layer.weights, [X])
    return layer, [d.ravel() for d in derivatives]


@every_lstm
def test_the_case_by_hand(kind):
    layer, derivatives = case(kind, truncated=True)
    np.testing.assert_allclose(layer(X), [[1 / 2 if kind == "cec" else 3 / 8]], rtol=1e-6)
    for actual, expected in zip(derivatives, BY_HAND[kind][2], strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_the_full_gradient_has_what_truncation_leaves_out():
    """In 1997's case h_1 brings back o_2 i_2 g' U_c = 9/4 ln 3 of error; h_1 is ½ c_1, and o_1
    and c_1 have more from it: ∂W_c grows by 9/4 ln 3 · o_1 i_1 g' x_1 = 27/64 ln 3."""
    _, truncated = case("cec", truncated=True)
    _, full = case("cec", truncated=False)
    np.testing.assert_allclose((full[0] - truncated[0])[1], 27 / 64 * log(3), rtol=1e-5)


@every_lstm
def test_outputs_are_the_same_with_and_without(kind):
    x, options = array(2, 5, 3), {"block_size": 2, "gate_feedback": True}
    one, other = (
        built(LAYERS[kind](4, truncated_gradient=truncated, **options), 3)
        for truncated in (True, False)
    )
    np.testing.assert_array_equal(one(x), other(x))


def error_at_the_start(layer, error: np.ndarray, steps: int) -> list:
    """What an error put into c at the last step has become at h and c before the first."""
    x = array(len(error), steps, 3)
    states = [array(len(error), n, seed=n) for n in layer.state_size]

    def loss(*states):
        return ops.sum(error * layer(x, initial_state=list(states))[2])

    return gradients(loss, [], states)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("wiring", [{}, {"block_size": 2, "gate_feedback": True}])
def test_the_carousel_carries_error_unchanged(wiring, policy):
    """1997, section 3.2: over a thousand steps the error is exactly the error put in."""
    options = {"truncated_gradient": True, "return_state": True, "dtype": policy}
    layer = built(CECLSTM(4, **options, **wiring))
    error = array(2, 4, seed=5)
    h, c, *gates = error_at_the_start(layer, error, steps=1000)
    assert (c == error).all()
    for other in (h, *gates):
        assert (other == 0.0).all()


def test_the_full_gradient_changes_the_error():
    """The test above can fail: without truncation error comes back through h as well."""
    layer = built(CECLSTM(4, return_state=True))
    error = array(2, 4, seed=5)
    h, c = error_at_the_start(layer, error, steps=20)
    assert (c != error).all()
    assert (h != 0.0).all()


@pytest.mark.parametrize("layer", [ForgetGateLSTM, PeepholeLSTM])
def test_with_a_forget_gate_error_is_scaled_by_the_gates_alone(layer):
    """∂c_T/∂c_0 is the product of the forget gates: read them off the fed-back gates."""
    layer = built(layer(4, truncated_gradient=True, gate_feedback=True, return_state=True))
    x, states = array(2, 6, 3), [array(2, n, seed=n) for n in layer.state_size]
    product, now = 1.0, states
    for t in range(6):
        _, *now = layer(x[:, t : t + 1], initial_state=now)
        product = product * ops.convert_to_numpy(now[2])[:, 4:8]
    _, derivative, _ = gradients(lambda *s: ops.sum(layer(x, initial_state=list(s))[2]), [], states)
    np.testing.assert_allclose(derivative, product, rtol=1e-5)


@every_lstm
def test_the_gradient_to_the_inputs_of_all_steps_is_kept(kind):
    """So that truncated layers stack."""
    layer = built(LAYERS[kind](4, truncated_gradient=True))
    (derivative,) = gradients(lambda x: ops.sum(layer(x)), [], [array(2, 5, 3)])
    assert (np.abs(derivative) > 0).all()
