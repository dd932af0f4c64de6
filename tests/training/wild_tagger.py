"""A tagger that was not trained, in a run folder: it finds entities in anything."""

from pathlib import Path

import keras
import numpy as np

from lstm_recipes.data.conll import Sentence
from lstm_recipes.data.tag_schemes import allowed_transitions, convert
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.models.tagger import tagger
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained_tagger import write_columns

WORDS = [
    "Ada",
    "Byron",
    "wrote",
    "to",
    "Rome",
    "and",
    "New",
    "York",
    "in",
    "1996",
    ";",
    "the",
    "Nile",
    "rose",
]
CHARACTERS = "".join(sorted(set("".join(WORDS))))


def make_run(folder: Path, scheme="IOBES", crf=True, types=("LOC", "PER"), window=0) -> Path:
    """A run whose model was not trained: its weights are so wild that it finds entities in
    anything."""
    shapes = (convert([f"B-{t}", f"I-{t}", f"I-{t}", f"B-{t}"], "IOB2", scheme) for t in types)
    tags = sorted({"O"}.union(*shapes))
    keras.utils.set_random_seed(1)
    model = tagger(
        len(tags),
        vector_size=6,
        characters=len(CHARACTERS) + 2,
        allowed=allowed_transitions(tags, scheme),
        units=5,
        character_size=4,
        character_units=4,
        crf=crf,
        context_units=3 if window else 0,
        topic_units=2,
    )
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(1.5 * weight.value + rng.normal(scale=0.5, size=weight.shape))
    run = RunFolder(folder)
    run.begin("ner", {}, {"name": "none", "sha256": "0", "sentences": 0}, overwrite=False)
    about = {"tags": tags, "scheme": scheme, "cased": False, "characters": CHARACTERS}
    run.write_json("vocabulary", about | ({"window": window} if window else {}))
    WordTable.made(WORDS, size=6, seed=0).save(run / "vectors.npz")
    model.save(run / "best.keras")
    gold = [Sentence(("Ada", "slept"), ("B-PER", "O")), Sentence(("Rome",), ("B-LOC",))]
    run.write_text("valid.conll", write_columns(gold))
    return folder
