"""In models: compiled by XLA and not, behind Masking and Embedding, and inside TimeDistributed."""

import keras
import numpy as np

from lstm_recipes.layers import CECLSTMCell, GRUCell, Recurrent

from .helpers import LAYERS, array, assert_close, every_layer, randomize, tensorflow_only

WIRING = {
    "cec": {"block_size": 2, "gate_feedback": True, "use_bias": "gates"},
    "forget": {"block_size": 2, "gate_feedback": True, "truncated_gradient": True},
    "peephole": {"block_size": 2, "peephole_initializer": "ones"},
    "gru": {"reset_after": False},
}
IDS = np.array([[1, 2, 3, 0, 0], [4, 0, 0, 0, 0], [1, 2, 3, 4, 5], [0, 0, 0, 0, 0]])


def trained(*layers: keras.Layer, compiled: bool) -> list:
    """The weights after three steps of fit, and then predictions."""
    x, y = array(6, 5, 3), array(6, 4, seed=1)
    x[:2, 3:] = 0.0
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.Masking(), *layers])
    randomize(model)
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=compiled)
    model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    return [*model.get_weights(), model.predict(x, verbose=0)]


@tensorflow_only
@every_layer
def test_xla_trains_and_predicts_as_without(kind):
    """Each layer with the options that change its equations, under one with none of them."""
    results = []
    for compiled in (True, False):
        first = LAYERS[kind](4, return_sequences=True, **WIRING[kind])
        results.append(trained(first, LAYERS[kind](4), compiled=compiled))
    assert_close(*results)


@tensorflow_only
def test_xla_with_dropout_and_state():
    """A stateful layer and one with dropout, stacked, compile and train."""
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(2, 5, 3)),
            LAYERS["cec"](4, block_size=2, stateful=True, return_sequences=True),
            LAYERS["gru"](4, dropout=0.5, recurrent_dropout=0.5),
        ]
    )
    model.compile("sgd", "mse", jit_compile=True)
    history = model.fit(array(6, 5, 3), array(6, 4), batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert np.abs(model.layers[0].states[1].numpy()).max() > 0


@every_layer
def test_embedding_with_mask(kind):
    """Padding has no say: a longer pad gives the same, after an epoch of fit too."""
    model = keras.Sequential(
        [
            keras.layers.Embedding(6, 3, mask_zero=True),
            LAYERS[kind](4, return_sequences=True, **WIRING[kind]),
            LAYERS[kind](4),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", jit_compile=False)
    model.fit(IDS, np.ones((4, 1)), epochs=1, verbose=0)
    padded = np.pad(IDS, ((0, 0), (0, 4)))
    assert_close(model.predict(padded, verbose=0), model.predict(IDS, verbose=0), 1e-6)


@every_layer
def test_masking_and_time_distributed(kind):
    """Sequences of sequences: the inner layer reads each, the outer reads what it said."""
    x = array(2, 3, 5, 4)
    inner = LAYERS[kind](4, **WIRING[kind])
    model = keras.Sequential(
        [
            keras.Input((3, 5, 4)),
            keras.layers.TimeDistributed(inner),
            LAYERS[kind](2, return_sequences=False),
        ]
    )
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(x, array(2, 2), verbose=0)
    hidden = [inner(x[:, k]) for k in range(3)]
    assert_close(model.predict(x, verbose=0), model.layers[-1](np.stack(hidden, axis=1)))


@every_layer
def test_training_lowers_the_loss(kind):
    """Remember the first of five numbers."""
    x = np.random.default_rng(0).uniform(-1, 1, (64, 5, 1)).astype("float32")
    model = keras.Sequential([keras.Input((None, 1)), LAYERS[kind](8), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.03), "mse")
    losses = model.fit(x, x[:, 0], batch_size=16, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_stacked_cells_train():
    cells = keras.layers.StackedRNNCells([CECLSTMCell(4, dropout=0.2), GRUCell(3)])
    model = keras.Sequential([keras.Input((None, 3)), Recurrent(cells)])
    before = model.get_weights()
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(array(4, 5, 3), array(4, 3), verbose=0)
    changed = [np.abs(a - b).max() > 0 for a, b in zip(model.get_weights(), before, strict=True)]
    assert all(changed[:6])  # kernel, recurrent kernel and bias of both


@every_layer
def test_bidirectional_trains(kind):
    """Two of them, with options that change the equations and without."""
    layers = [
        keras.layers.Bidirectional(LAYERS[kind](4, return_sequences=True, **options))
        for options in (WIRING[kind], {})
    ]
    model = keras.Sequential([keras.layers.Embedding(6, 3, mask_zero=True), *layers])
    model.compile("sgd", "mse", jit_compile=False)
    history = model.fit(IDS, array(4, 5, 8), verbose=0)
    assert np.isfinite(history.history["loss"][0])
    outputs = model.predict(IDS, verbose=0)
    assert (outputs[IDS == 0] == 0).all()  # Bidirectional zeroes what is masked
