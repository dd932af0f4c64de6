"""The model card says what was measured, and no more."""

from importlib.metadata import PackageNotFoundError

import pytest

from lstm_recipes.export import card as module
from lstm_recipes.export.card import card, licence

RUN = {
    "config": {
        "recipe": "ner",
        "version": "0.0.9",
        "numbers": {"units": 200, "steps": None, "crf": True},
        "data": {"name": "CoNLL-2003", "sentences": 14041, "vectors": {"name": "glove.txt"}},
    },
    "metrics": {"split": "test", "f1": 91.2, "by type": {"PER": {"f1": 95.0}}, "mistakes": [{}]},
    "files": ["vocabulary.json", "model.pb"],
    "parameters": 1234567,
}


def test_it_has_data_numbers_licence_and_versions():
    text = card(**RUN, target="saved-model", int8=True, notes=["Mind the gap."])
    for line in (
        "# ner: a model for saved-model",
        "1,234,567 weights, int8 kernels, everything else float32.",
        "Mind the gap.",
        "- `vocabulary.json`: the characters, tokens or tags, in the model's order",
        "| sentences | 14,041 |",
        "| vectors name | glove.txt |",
        "Licence: Reuters' text, for research use alone.",
        "| f1 | 91.2 |",
        "| by type PER f1 | 95.0 |",
        "Measured before its weights were rounded.",
        "| crf | True |",
        "(trained with 0.0.9)",
    ):
        assert line in text, line
    assert "mistakes" not in text and "model.pb" not in text
    assert "rounded" not in card(**RUN, target="onnx")


def test_what_nobody_measured_is_not_said():
    text = card(**RUN | {"metrics": {}}, target="litert")
    assert "nobody has measured it" in text and "rounded" not in text


def test_versions_of_what_is_not_installed_are_left_out(monkeypatch):
    def version(package):
        raise PackageNotFoundError

    monkeypatch.setattr(module, "version", version)
    assert "keras" not in card(**RUN, target="web")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("tiny_shakespeare", "public domain"),
        ("phrases generated from CLDR 46", "Unicode licence"),
        ("my_novel.txt", "not known to this package"),
        ("", "not known to this package"),
    ],
)
def test_licences_by_the_name_of_the_data(name, part):
    assert part in licence(name)
