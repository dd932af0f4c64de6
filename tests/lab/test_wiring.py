"""The papers' networks have the papers' numbers of weights."""

import numpy as np
import pytest

from lstm_recipes.lab.wiring import Wiring

NETWORKS = {
    # Embedded Reber grammar: biases on the gates alone, and 3 x 2 or 4 x 1 cells.
    276: Wiring(7, 7, blocks=3, block_size=2, hidden_bias="gates", output_bias=False),
    264: Wiring(7, 7, blocks=4, hidden_bias="gates", output_bias=False),
    # Noise-free long lag, p = 100.
    10_504: Wiring(
        101,
        101,
        blocks=1,
        output_gate=False,
        recurrent=False,
        hidden_bias=False,
        output_bias=False,
        direct=True,
    ),
    # Very long lags with 50 and 100 distractors.
    364: Wiring(54, 2, blocks=2, hidden_bias=False, output_bias=False),
    664: Wiring(104, 2, blocks=2, hidden_bias=False, output_bias=False),
    # Precise timing: with peepholes, and without.
    17: Wiring(1, 1, blocks=1, forget_gate=True, gate_feedback=False, peepholes=True),
    14: Wiring(1, 1, blocks=1, forget_gate=True, gate_feedback=False),
    102: Wiring(1, 1, blocks=3, output_bias=False),  # two sequences
    93: Wiring(2, 1, blocks=2, block_size=2),  # adding
    156: Wiring(8, 4, blocks=2, block_size=2),  # temporal order, four classes
    308: Wiring(8, 8, blocks=3, block_size=2),  # eight
    # Continual embedded Reber grammar.
    424: Wiring(
        7,
        7,
        blocks=4,
        block_size=2,
        forget_gate=True,
        gate_feedback=False,
        hidden_bias="gates",
        direct=True,
    ),
}


@pytest.mark.parametrize("weights", NETWORKS)
def test_weights(weights):
    assert NETWORKS[weights].weights == weights


@pytest.mark.parametrize("weights", [n for n, w in NETWORKS.items() if w.output_gate])
def test_the_layers_make_a_network_of_as_many_weights(weights):
    wiring = NETWORKS[weights]
    hidden, output = np.zeros(wiring.hidden_mask.shape), np.zeros(wiring.output_mask.shape)
    assert wiring.model(hidden, output).count_params() == weights


def test_no_layer_lacks_an_output_gate():
    wiring = NETWORKS[10_504]
    with pytest.raises(ValueError, match="the laboratory's own"):
        wiring.model(wiring.hidden_mask, wiring.output_mask)
