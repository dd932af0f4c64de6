"""The command `export`: one folder with a model, what is needed to use it, and a card."""

import json

import numpy as np
import pytest
import tensorflow as tf

from lstm_recipes.data import Vocabulary
from lstm_recipes.data.pairs import pairs_of
from lstm_recipes.data.tagger_vocabulary import TaggerVocabulary
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.decoding.translation import Translator
from lstm_recipes.export.in_float32 import in_float32
from lstm_recipes.models.char_lm import char_lm
from lstm_recipes.models.seq2seq import made
from lstm_recipes.training.model_file import save_model
from lstm_recipes.training.run_folder import RunFolder

from .small_models import small_tagger, words

METRICS = {"split": "validation", "nats_per_character": 1.5138, "parameters": 123, "rows": [1]}


def begun(path, recipe, data) -> RunFolder:
    run = RunFolder(path)
    run.begin(recipe, {"layer": "gru", "units": 4}, {"name": data, "sha256": "86c4"}, False)
    run.unlock()
    return run


@pytest.fixture
def characters(tmp_path):
    """The run of a character model, untrained."""
    run = begun(tmp_path / "run", "char-rnn", "tiny_shakespeare")
    Vocabulary.of("abc\n").save(run / "vocabulary.json")
    save_model(char_lm(4, layer="gru", units=4, embedding=3), run / "best.keras")
    run.write_json("metrics", METRICS)
    return run


def files(folder) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_web_and_what_lies_beside_it(command, characters, tmp_path):
    out = tmp_path / "web"
    answer = command("char-rnn", "export", characters.path, "--to", "web", "--out", out)
    assert answer.status == 0 and answer.err == ""
    assert f"folder                   {out}" in answer.out
    assert "step.bin, bytes" in answer.out
    assert files(out) == {"step.bin", "step.json", "vocabulary.json", "README.md"}
    assert json.loads((out / "step.json").read_text())["vocabulary"] == [*"\nabc"]
    card = (out / "README.md").read_text()
    for part in ("public domain text", "| nats per character | 1.5138 |", "| units | 4 |"):
        assert part in card
    assert "rows" not in card and "tensorflow 2." in card


def test_litert_has_a_step_and_a_sequence(command, characters):
    answer = command("char-rnn", "export", characters.path, "--to", "litert", "--int8")
    assert answer.status == 0 and answer.err == ""
    out = characters / "export" / "litert"
    assert files(out) == {"step.tflite", "sequence.tflite", "vocabulary.json", "README.md"}
    card = (out / "README.md").read_text()
    assert "int8 kernels" in card and "| `step` | `state_0` | float32 | [1, 4] |" in card
    assert "| `sequence` | `tokens` | int32 | [1, any] |" in card


def test_onnx_is_one_file_for_steps_and_sequences(command, characters):
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'lstm-recipes[onnx]'")
    assert command("char-rnn", "export", characters.path, "--to", "onnx").status == 0
    out = characters / "export" / "onnx"
    assert files(out) == {"model.onnx", "vocabulary.json", "README.md"}
    session = onnxruntime.InferenceSession(out / "model.onnx")
    assert [part.name for part in session.get_inputs()] == ["tokens", "state_0"]
    assert "`new_state_0`" in (out / "README.md").read_text()


def test_a_tagger_takes_its_vectors_and_tags_along(command, fails, tmp_path):
    run = begun(tmp_path / "run", "ner", "corpus")
    vocabulary = TaggerVocabulary(["B-X", "E-X", "I-X", "O", "S-X"], "IOBES", False, "abcdefg")
    run.write_json("vocabulary", vars(vocabulary))
    WordTable.made(["ada", "slept"], size=4, seed=0).save(run / "vectors.npz")
    model = small_tagger()
    save_model(model, run / "best.keras")
    out = tmp_path / "out"
    answer = command("ner", "export", run.path, "--to", "saved-model", "--out", out)
    assert answer.status == 0 and answer.err == ""
    assert {"vocabulary.json", "vectors.npz", "README.md"} < files(out)
    card = (out / "README.md").read_text()
    assert "not known to this package" in card and "nobody has measured it" in card

    given, emissions = words(model), model(words(model))
    loaded = tf.saved_model.load(out / "saved_model").signatures["sequence"]
    found = loaded(**{name: tf.constant(value) for name, value in given.items()})
    np.testing.assert_allclose(found["emissions"], emissions, atol=1e-5)
    np.testing.assert_array_equal(found["tags"], model.layers[-1].decode(emissions))
    assert found["tags"].numpy()[0, 5:].tolist() == [-1, -1]
    said = fails("ner", "export", run.path, "--to", "web")
    assert said.startswith("--to web is for the step of a character model")


def test_a_translator_takes_its_search_along(command, fails, tmp_path):
    """Of a model of mixed precision, in float32."""
    run = begun(tmp_path / "run", "translate", "phrases")
    few = [("abc", "cba"), ("b", "b")]
    pairs = pairs_of("few", ("en", "fr"), {"train": few, "valid": few})
    vocabulary = TranslationVocabulary.of(pairs, "characters")
    run.write_json("vocabulary", vocabulary.to_json())
    sizes = {"units": 4, "embedding": 3, "layer": "gru", "initial_scale": 0.9}
    sizes |= {"bidirectional": False, "dtype": "mixed_bfloat16"}
    model = made(len(vocabulary.source), len(vocabulary.target), **sizes)
    save_model(model, run / "best.keras")
    out = tmp_path / "out"
    options = ("--to", "saved-model", "--out", out, "--beam", 2)
    answer = command("translate", "export", run.path, *options)
    assert answer.status == 0 and answer.err == ""
    assert "2 after the last" in (out / "README.md").read_text()

    source, longest = np.array([[4, 5, 6, 2], [5, 2, 0, 0]], "int32"), np.array([9, 7], "int32")
    loaded = tf.saved_model.load(out / "saved_model").signatures["translate"]
    found = loaded(source=tf.constant(source), longest=tf.constant(longest))
    search = Translator([in_float32(model)], beam=2, length_penalty=1.0).search
    wanted = search(source, longest)._asdict()
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)
    for target in ("litert", "onnx", "web"):
        said = fails("translate", "export", run.path, "--to", target)
        assert said.startswith(f"--to {target} cannot have the search") and "saved-model" in said


def test_an_export_that_is_there_stays_until_it_may_be_replaced(command, fails, characters):
    arguments = ("char-rnn", "export", characters.path, "--to", "web")
    assert command(*arguments).status == 0
    (characters / "export/web/step.bin").unlink()
    said = fails(*arguments)
    assert said.startswith(f"{characters / 'export/web'} is there already; --overwrite replaces")
    assert command(*arguments, "--overwrite").status == 0
    assert (characters / "export/web/step.bin").exists()
    own = characters / "own"
    own.mkdir()
    (own / "letter.txt").touch()
    said = fails(*arguments, "--overwrite", "--out", own)
    assert said.startswith(f"{own} is no export and stays as it is")


def test_a_failed_export_leaves_nothing(fails, characters):
    said = fails("char-rnn", "export", characters.path, "--to", "web", "--int8")
    assert said.startswith("--int8 is for saved-model and litert; leave it out")
    model = char_lm(4, layer="gru", units=4, embedding=3)
    model.layers[-1].bias.assign([1e6] * 4)
    save_model(model, characters / "best.keras")
    assert "float16 cannot hold" in fails("char-rnn", "export", characters.path, "--to", "web")
    assert not list((characters / "export").iterdir())


def test_a_new_run_keeps_the_old_exports(command, characters):
    assert command("char-rnn", "export", characters.path, "--to", "web").status == 0
    characters.start(overwrite=True)
    characters.unlock()
    assert (characters / "export" / "web" / "step.bin").exists()
