"""The encoder–decoder: each historic system is one of its settings."""

import keras
import numpy as np
import pytest
from keras import ops

from lstm_recipes.data.tokenizer import START
from lstm_recipes.models.char_lm import LAYERS
from lstm_recipes.models.seq2seq import Seq2Seq, made, to_int8

RNG = np.random.default_rng(0)
ATTENTIONS = ("none", "bahdanau", "luong")
DEEP = {"layers": 3, "residual_from": 2, "tied": True}


def small(**options) -> Seq2Seq:
    keras.utils.set_random_seed(0)
    return made(20, 30, units=6, embedding=5, **options)


def sentences(source=(7, 4, 1), target=(5, 3, 5)) -> dict[str, np.ndarray]:
    """Random pairs, padded with zeros."""

    def padded(lengths, size):
        ids = RNG.integers(3, size, (len(lengths), max(lengths)))
        return (ids * (np.arange(max(lengths)) < np.array(lengths)[:, None])).astype("int32")

    pairs = {"source": padded(source, 20), "target": padded(target, 30)}
    pairs["target"][:, 0] = START
    return pairs


def logits(model, pairs) -> np.ndarray:
    return ops.convert_to_numpy(model(pairs))


def steps(model, pairs) -> tuple[np.ndarray, np.ndarray | None]:
    """The same, a token at a time, as a search runs it; and the attention's weights."""
    encoded = model.encode(pairs["source"])
    states, memory = model.start(encoded), model.memory(encoded)
    said, maps = [], []
    for tokens in pairs["target"].T:
        found, states, weights = model.step(tokens, states, memory)
        said.append(ops.convert_to_numpy(found))
        maps.append(None if weights is None else ops.convert_to_numpy(weights))
    return np.stack(said, 1), None if maps[0] is None else np.stack(maps, 1)


@pytest.mark.parametrize("options", [{}, DEEP], ids=["plain", "deep"])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_token_by_token_is_what_teacher_forcing_sees(attention, options):
    model, pairs = small(attention=attention, **options), sentences()
    whole = logits(model, pairs)
    assert whole.shape == (3, 5, 30) and whole.dtype == np.float32 and whole.std() > 1e-3
    found, maps = steps(model, pairs)
    np.testing.assert_allclose(found, whole, atol=1e-5)
    if attention == "none":
        assert maps is None
        return
    np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-5)
    assert (maps[1, :, 4:] == 0).all() and (maps[1, :, :4] > 0).all()  # no padding is looked at


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("attention", ["none", "bahdanau"])
def test_every_layer_translates(layer, attention):
    model, pairs = small(attention=attention, layer=layer, layers=2), sentences()
    np.testing.assert_allclose(steps(model, pairs)[0], logits(model, pairs), atol=1e-5)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_company_and_padding_change_nothing(attention):
    model, pairs = small(attention=attention, **DEEP), sentences()
    both = logits(model, pairs)
    alone = {"source": pairs["source"][1:2, :4], "target": pairs["target"][1:2, :3]}
    np.testing.assert_allclose(logits(model, alone)[0], both[1, :3], atol=1e-5)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_the_future_is_not_seen_and_the_source_is(attention):
    model, pairs = small(attention=attention), sentences()
    before = logits(model, pairs)
    later = {**pairs, "target": np.where(np.arange(5) < 3, pairs["target"], 9)}
    np.testing.assert_array_equal(logits(model, later)[:, :3], before[:, :3])
    first = pairs["source"].copy()
    first[:, 0] = 19
    changed = np.abs(logits(model, {**pairs, "source": first}) - before).max((1, 2))
    assert (changed[pairs["source"][:, 0] != 19] > 1e-4).all()


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_saved_and_loaded_without_custom_objects(attention, tmp_path):
    model, pairs = small(attention=attention, dtype="mixed_bfloat16", **DEEP), sentences()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(again, pairs), logits(model, pairs))
    assert again.options == model.options and again.dtype_policy.name == "mixed_bfloat16"


def test_sutskever_hands_every_layers_states_over():
    """Without attention the encoder's last states are all that the decoder has of the source."""
    model, pairs = small(attention="none", layers=2, bidirectional=False), sentences()
    encoded = model.encode(pairs["source"])
    assert [len(states) for states in encoded.states] == [2, 2]  # h and c of each layer
    other = model.encode(pairs["source"][::-1])
    mixed = [encoded.states[0], other.states[1]]
    tokens = pairs["target"][:, 0]
    as_is, _, _ = model.step(tokens, encoded.states, ())
    swapped, _, _ = model.step(tokens, mixed, ())
    assert np.abs(as_is - swapped).max() > 1e-4


def test_the_states_are_those_after_the_last_token_both_ways():
    model = small(attention="none")
    ids = np.array([[3, 4, 5, 6], [7, 8, 0, 0]], "int32")
    h, c = model.encode(ids).states[0]
    h_alone, c_alone = model.encode(ids[1:, :2]).states[0]
    np.testing.assert_allclose(h[1:], h_alone, atol=1e-6)
    np.testing.assert_allclose(c[1:], c_alone, atol=1e-6)
    outputs = model.encode(ids).memory
    np.testing.assert_allclose(h[0, :3], outputs[0, 3, :3], atol=1e-6)  # forwards: the last
    np.testing.assert_allclose(h[0, 3:], outputs[0, 0, 3:], atol=1e-6)  # backwards: the first


@pytest.mark.parametrize(
    ("attention", "tied"), [("none", True), ("bahdanau", False), ("luong", True)]
)
def test_int8_kernels_say_nearly_the_same_and_are_saved(attention, tied, tmp_path, no_collection):
    model, pairs = small(attention=attention, tied=tied), sentences()
    before = logits(model, pairs)
    after = logits(to_int8(model), pairs)
    assert 0 < np.abs(after - before).max() < 0.02 * np.abs(before).max()
    np.testing.assert_allclose(steps(model, pairs)[0], after, atol=1e-5)
    assert not any("kernel" in w.name and w.shape[1] > 1 for w in model.trainable_variables)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded, pairs), after)


@pytest.mark.filterwarnings("ignore:Layer Dropout does not have")
def test_the_tied_softmax_reads_vectors_of_any_integers(no_collection):
    """Keras can make int4 of the vectors and of Dense, and our layers say that they stay."""
    model, pairs = small(tied=True), sentences()
    before = logits(model, pairs)
    with pytest.warns(UserWarning, match="can be quantized to 'int8'"):
        model.quantize("int4")
    after = logits(model, pairs)
    assert 0 < np.abs(after - before).max() < 0.4 * np.abs(before).max()


def test_tied_weights_are_the_target_tokens_vectors():
    free, tied = small(attention="none"), small(attention="none", tied=True)
    assert free.count_params() - tied.count_params() == 6 * 30 - (6 * 5 + 5)


def test_initial_weights_may_be_sutskevers():
    keras.utils.set_random_seed(0)
    model = made(20, 30, units=6, embedding=5, attention="none", initial_scale=0.08)
    values = np.concatenate([np.ravel(w) for w in model.trainable_variables])
    assert np.abs(values).max() <= 0.08 and 0.04 < values.std() < 0.05  # 0.16 / √12 = 0.046


@pytest.mark.parametrize("options", [{"residual_from": 1}, {"units": 5}])
def test_sizes_that_make_no_sense(options):
    with pytest.raises(ValueError, match=r"was given|were given"):
        Seq2Seq(20, 30, **{"units": 4, "embedding": 3} | options)
