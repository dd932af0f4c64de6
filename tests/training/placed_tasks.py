"""Trains small translators on one device and with their layers on four virtual ones, and writes
what came out.

A program of its own, for a processor can be split only before TensorFlow begins:
python -m tests.training.placed_tasks FOLDER
"""

import json
import sys
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.data.pairs import pairs_of
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary
from lstm_recipes.models.seq2seq import made
from lstm_recipes.training.checkpoint import load_checkpoint, save_checkpoint
from lstm_recipes.training.devices import Devices
from lstm_recipes.training.model_file import load_model
from lstm_recipes.training.translation import TranslationTask

from ..data.pair_corpus import sentences

STEPS = 20
SYSTEMS = {
    "sutskever": {"attention": "none", "bidirectional": False, "initial_scale": 0.08, "layers": 4},
    "gnmt": {"attention": "bahdanau", "residual_from": 2, "layers": 2},
}


def made_task(system: str, devices: tuple[str, ...]) -> TranslationTask:
    """A translator without dropout."""
    parts = {"train": sentences()[:40], "valid": sentences()[40:50]}
    pairs = pairs_of("few", ("en", "fr"), parts)
    vocabulary = TranslationVocabulary.of(pairs, "words")
    keras.utils.set_random_seed(0)
    options = SYSTEMS[system] | {"units": 6, "embedding": 4, "devices": devices}
    model = made(len(vocabulary.source), len(vocabulary.target), **options)
    numbers = {"batch_size": 6, "seed": 0, "label_smoothing": 0.1, "scheduled_sampling": 0.0}
    numbers |= {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 0.1}
    return TranslationTask(model, vocabulary, pairs, **numbers)


def trained(system: str, devices: tuple[str, ...]) -> tuple[TranslationTask, list[float]]:
    task = made_task(system, devices)
    return task, [task.train_step(step, 0.01) for step in range(STEPS)]


def values(task: TranslationTask) -> list[np.ndarray]:
    return [np.array(v.value) for v in task.variables]


def placed_operations(task: TranslationTask) -> dict[str, Counter]:
    """How many loops, products and changes of weights each device has in a training step, the
    bodies of loops left out."""
    graph = task._step.get_concrete_function().graph
    kinds = ("While", "MatMul", "Assign", "ResourceApply")
    found: dict[str, Counter] = {}
    for op in graph.get_operations():
        for kind in kinds:
            if kind in op.type and op.inputs and "iteration" not in op.name:
                device = op.device.removeprefix("/device:")[-5:] or "none"
                found.setdefault(kind, Counter())[device] += 1
    return found


def main(folder: Path) -> None:
    # Of the time that graphs take to make, most; they run for a second.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    where = Devices("placed", virtual_devices=4)
    where.replicas(places_layers=True)
    four = where.of_layers()
    found, about = {}, {}
    for system in SYSTEMS:
        one, losses = trained(system, ())
        several, losses_of_several = trained(system, four)
        found |= {f"{system} losses": losses, f"{system} placed losses": losses_of_several}
        found |= {f"{system} value {k:03d}": value for k, value in enumerate(values(one))}
        found |= {f"{system} placed {k:03d}": value for k, value in enumerate(values(several))}
        weights = several.model.trainable_variables
        about[system] = {
            "weights": Counter(w.value.device[-5:] for w in weights),
            "slots": Counter(v.value.device[-5:] for v in several.optimizer.variables[2:]),
            "operations": placed_operations(several),
        }
    # From four devices to one, in the middle of training; and as the file of a finished run.
    save_checkpoint(folder / "moved.npz", several.variables, {})
    moved = made_task(system, ())
    load_checkpoint(folder / "moved.npz", moved.variables)
    steps = range(STEPS, STEPS + 3)
    found["stayed"] = [several.train_step(step, 0.01) for step in steps]
    found["moved"] = [moved.train_step(step, 0.01) for step in steps]
    about["validation"] = [several.validate().figures, moved.validate().figures]
    several.save(folder / "placed.keras")
    loaded = load_model(folder / "placed.keras", lambda model: None)
    source, read, _ = several.train.batch([0, 1, 2])
    asked = {"source": source, "target": read}
    found["saved"], found["loaded"] = np.array(several.model(asked)), np.array(loaded(asked))
    np.savez(folder / "placed.npz", **found)
    (folder / "placed.json").write_text(json.dumps(about))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
