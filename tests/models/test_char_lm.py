"""The character model: shapes, states, precision, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.layers import CECLSTM, GRU, ForgetGateLSTM, PeepholeLSTM
from lstm_recipes.models.char_lm import LAYERS, char_lm, initial_state

OURS = ("cec", "forget", "peephole", "gru")
GRUS = ("gru", "keras_gru")
TOKENS = np.random.default_rng(0).integers(0, 7, (2, 9)).astype("int32")


def make(layer: str, **options) -> keras.Model:
    keras.utils.set_random_seed(0)
    return char_lm(7, layer=layer, units=6, embedding=3, **options)


def call(model, tokens, states, **options):
    return model([ops.array(tokens), *states], **options)


def as_float(value) -> np.ndarray:
    return ops.convert_to_numpy(ops.cast(value, "float32"))


@pytest.fixture(scope="module", params=LAYERS)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(name) -> keras.Model:
    return make(name, layers=2, dropout=0.5, recurrent_dropout=0.5)


def test_the_names_mean_these_layers():
    theirs = {"keras_lstm": keras.layers.LSTM, "keras_gru": keras.layers.GRU}
    ours = {"cec": CECLSTM, "forget": ForgetGateLSTM, "peephole": PeepholeLSTM, "gru": GRU}
    assert ours | theirs == LAYERS


def test_logits_and_states_have_the_documented_shapes(name, model):
    states = initial_state(model, 2)
    assert len(states) == (2 if name in GRUS else 4)
    assert not any(np.any(as_float(s)) for s in states)
    logits, *new = call(model, TOKENS, states)
    assert logits.shape == (2, 9, 7) and logits.dtype == "float32"
    assert [s.shape for s in new] == [s.shape for s in states] == [(2, 6)] * len(states)
    assert [s.dtype for s in new] == [s.dtype for s in states]
    assert [layer.__class__ for layer in model.layers].count(LAYERS[name]) == 2


def test_states_come_layer_by_layer_h_before_c(model):
    """h is the layer's output, so the last h of the upper layer gives the last logits."""
    logits, *new = call(model, TOKENS, initial_state(model, 2))
    h = new[len(new) // 2]
    dense = model.layers[-1]
    np.testing.assert_allclose(as_float(dense(h)), as_float(logits[:, -1]), atol=1e-6)


def test_pieces_with_the_state_handed_on_equal_the_whole(model):
    whole, *end = call(model, TOKENS, initial_state(model, 2))
    states, pieces = initial_state(model, 2), []
    for piece in (TOKENS[:, :4], TOKENS[:, 4:5], TOKENS[:, 5:]):
        logits, *states = call(model, piece, states)
        pieces.append(as_float(logits))
    np.testing.assert_allclose(np.concatenate(pieces, 1), as_float(whole), atol=1e-6)
    for state, last in zip(states, end, strict=True):
        np.testing.assert_allclose(as_float(state), as_float(last), atol=1e-6)


def test_the_state_matters(model):
    zero, *_ = call(model, TOKENS, initial_state(model, 2))
    one, *_ = call(model, TOKENS, [s + 1 for s in initial_state(model, 2)])
    assert np.abs(as_float(zero) - as_float(one)).max() > 1e-3


def test_a_character_sees_only_those_before_it(model):
    changed = TOKENS.copy()
    changed[:, 5] = (changed[:, 5] + 1) % 7
    before, after = (
        as_float(call(model, t, initial_state(model, 2))[0]) for t in (TOKENS, changed)
    )
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert np.abs(before - after)[:, 5:].max() > 1e-4


def test_dropout_is_for_training_alone(model):
    states = initial_state(model, 2)
    one, two = (as_float(call(model, TOKENS, states)[0]) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    one, two = (as_float(call(model, TOKENS, states, training=True)[0]) for _ in range(2))
    assert np.abs(one - two).max() > 1e-3


def test_it_comes_back_from_a_file_without_custom_objects(name, model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    states = initial_state(loaded, 2)
    for a, b in zip(call(model, TOKENS, states), call(loaded, TOKENS, states), strict=True):
        np.testing.assert_array_equal(as_float(a), as_float(b))
    [lower, upper] = [layer for layer in loaded.layers if isinstance(layer, LAYERS[name])]
    assert lower.get_config()["recurrent_dropout"] == upper.get_config()["recurrent_dropout"] == 0.5


def test_mixed_precision_rounds_products_and_not_what_is_carried(name, tmp_path):
    made = make(name, precision="mixed_bfloat16")
    carried = {"gru": ["float32"], "keras_gru": ["bfloat16"], "keras_lstm": ["bfloat16"] * 2}
    wanted = carried.get(name, ["bfloat16", "float32"])
    made.save(tmp_path / "model.keras")
    for model in (made, keras.saving.load_model(tmp_path / "model.keras")):
        states = initial_state(model, 2)
        logits, *new = call(model, TOKENS, states)
        assert logits.dtype == "float32"
        assert [s.dtype for s in states] == [s.dtype for s in new] == wanted
        assert {w.dtype for w in model.weights} == {"float32"}
        if name in OURS:  # and so nothing is lost where the state is handed on
            pieces = [*states]
            for piece in (TOKENS[:, :4], TOKENS[:, 4:]):
                _, *pieces = call(model, piece, pieces)
            np.testing.assert_array_equal(as_float(pieces[-1]), as_float(new[-1]))
            c = as_float(new[-1])
            assert np.any(c != as_float(ops.cast(new[-1], "bfloat16")))


def test_our_forget_gate_lstm_is_the_same_model_as_keras(tmp_path):
    ours, theirs = make("forget", layers=2), make("keras_lstm", layers=2)
    theirs.set_weights(ours.get_weights())
    states = initial_state(ours, 2)
    for a, b in zip(call(ours, TOKENS, states), call(theirs, TOKENS, states), strict=True):
        np.testing.assert_allclose(as_float(a), as_float(b), atol=1e-6)


def test_the_weights_are_counted_by_hand():
    lstm = [4 * 6 * (3 + 6 + 1), 4 * 6 * (6 + 6 + 1)]
    assert make("forget", layers=2).count_params() == 7 * 3 + sum(lstm) + 7 * (6 + 1)


@pytest.mark.parametrize(("dropout", "layers", "count"), [(0.3, 1, 1), (0.3, 3, 3), (0.0, 3, 0)])
def test_dropout_stands_after_each_recurrent_layer(dropout, layers, count):
    model = make("gru", layers=layers, dropout=dropout)
    kinds = [layer.__class__.__name__ for layer in model.layers]
    assert kinds.count("Dropout") == count
    if count:
        assert kinds[-2:] == ["Dropout", "Dense"]
        assert "Dropout" not in kinds[: kinds.index("GRU")]


def test_a_seed_fixes_the_weights():
    one, two = make("peephole").get_weights(), make("peephole").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
