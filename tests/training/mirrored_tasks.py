"""Trains small models of all recipes on one and on several virtual devices, and writes what came
out.

A program of its own, for a processor can be split only before TensorFlow begins:
python -m tests.training.mirrored_tasks DEVICES FOLDER
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.data import allowed_transitions, load_corpus
from lstm_recipes.data.pairs import pairs_of
from lstm_recipes.data.streams import Streams
from lstm_recipes.data.tagger_vocabulary import TaggerVocabulary
from lstm_recipes.data.translation_vocabulary import TranslationVocabulary
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.models.char_lm import char_lm
from lstm_recipes.models.seq2seq import made
from lstm_recipes.models.tagger import tagger
from lstm_recipes.training.checkpoint import load_checkpoint, save_checkpoint
from lstm_recipes.training.devices import Devices
from lstm_recipes.training.language_model import LanguageModelTask
from lstm_recipes.training.tagging import TaggingTask
from lstm_recipes.training.translation import TranslationTask

from ..data.pair_corpus import sentences
from ..data.tagged_corpus import write_corpus

STEPS = 20


def character_task(replicas, ids=None, **options) -> LanguageModelTask:
    """Eight streams of characters; an epoch ends after six steps."""
    if ids is None:
        ids = np.random.default_rng(0).integers(0, 11, 8 * 5 * 6 + 1).astype("int32")
    model = char_lm(11, units=6, embedding=4, **options)
    numbers = {"weight_decay": 0.1, "clip_norm": 0.1}
    return LanguageModelTask(model, Streams(ids, 8, 5), ids[:90], **numbers, replicas=replicas)


def tagging_task(replicas, folder: Path) -> TaggingTask:
    """Thirty sentences in batches of four, and one of two."""
    corpus = load_corpus(write_corpus(folder, sentences=(30, 12, 12)))
    vocabulary = TaggerVocabulary.of(corpus.train, "IOBES", False, 3)
    table = WordTable.of(corpus, None, 6, 0, False)
    sizes = {"units": 5, "dropout": 0.0}
    model = tagger(
        len(vocabulary.tags),
        vector_size=6,
        character_encoder="none",  # it has nothing to do with the rows
        allowed=allowed_transitions(vocabulary.tags, vocabulary.scheme),
        context_units=4,
        topic_units=3,
        **sizes,
    )
    numbers = {"batch_size": 4, "seed": 0, "weight_decay": 0.1, "clip_norm": 0.1}
    numbers |= {"vector_rate": 1.0, "word_dropout": 0.1}
    return TaggingTask(model, table, vocabulary, corpus, **numbers, replicas=replicas)


def translation_task(replicas) -> TranslationTask:
    """Forty pairs in batches of six, and one of four."""
    parts = {"train": sentences()[:40], "valid": sentences()[40:50]}
    pairs = pairs_of("few", ("en", "fr"), parts)
    vocabulary = TranslationVocabulary.of(pairs, "words")
    model = made(len(vocabulary.source), len(vocabulary.target), units=6, embedding=4)
    numbers = {"batch_size": 6, "seed": 0, "label_smoothing": 0.1, "scheduled_sampling": 0.0}
    numbers |= {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 0.1}
    return TranslationTask(model, vocabulary, pairs, **numbers, replicas=replicas)


def values(task) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(v.value) for v in task.variables]


def train(make, replicas, optimizer: str):
    """A task that has trained, and its losses."""
    keras.utils.set_random_seed(0)
    with replicas.scope():
        task = make(replicas)
        if optimizer == "sgd":
            norm = task.optimizer.global_clipnorm
            task.optimizer = keras.optimizers.SGD(global_clipnorm=norm)
            task.optimizer.build(task.model.trainable_variables)
    rate = 0.5 if optimizer == "sgd" else 0.01
    losses = [task.train_step(step, rate) for step in range(STEPS)]
    return task, losses


def trained_alike(folder: Path, replicas, optimizer: str, names: str) -> dict:
    """The losses and the variables of recipes' models, trained by the replicas."""
    makers = {
        "characters": character_task,
        "tags": lambda replicas: tagging_task(replicas, folder / "corpus"),
        "pairs": translation_task,
    }
    found = {}
    for name in names.split():
        task, losses = train(makers[name], replicas, optimizer)
        run = f"{name} {optimizer} {replicas.number}"
        found[f"{run} losses"] = losses
        found |= {f"{run} value {k:03d}": value for k, value in enumerate(values(task))}
    return found


def resumed_elsewhere(folder: Path, one, several) -> dict:
    """The character model, in mid-epoch, from several devices to one."""
    first, _ = train(character_task, several, "adam")
    save_checkpoint(folder / "moved.npz", first.variables, {})
    with one.scope():
        second = character_task(one)
    load_checkpoint(folder / "moved.npz", second.variables)
    steps = range(STEPS, STEPS + 3)
    return {
        "stayed": [first.train_step(step, 0.01) for step in steps],
        "moved": [second.train_step(step, 0.01) for step in steps],
    }


def dropped_out(folder: Path, replicas) -> dict:
    """All streams read the same character, so that dropout alone makes them differ."""
    same, options = np.ones(300, "int32"), {"recurrent_dropout": 0.5, "dropout": 0.5}

    def made() -> LanguageModelTask:
        keras.utils.set_random_seed(0)
        with replicas.scope():
            return character_task(replicas, same, **options)

    first, second = made(), made()
    first.train_step(0, 0.01)
    states = keras.ops.convert_to_numpy(first.states[0].value)
    save_checkpoint(folder / "dropped.npz", first.variables, {})
    load_checkpoint(folder / "dropped.npz", second.variables)
    steps = range(1, 4)
    return {
        "states": states,
        "unbroken": [first.train_step(step, 0.01) for step in steps],
        "resumed": [second.train_step(step, 0.01) for step in steps],
    }


def main(devices: int, folder: Path) -> None:
    # Of the time that graphs with several replicas take to make, most; they run for a second.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    several = Devices(virtual_devices=devices).replicas()
    one = Devices(devices=("CPU:0",)).replicas()
    assert (one.number, several.number) == (1, devices)
    names = "characters tags pairs" if devices == 2 else "characters"
    found = trained_alike(folder, several, "sgd", names)
    if devices == 2:
        found |= trained_alike(folder, one, "sgd", names)
        for replicas in (one, several):
            found |= trained_alike(folder, replicas, "adam", "characters")
        found |= resumed_elsewhere(folder, one, several) | dropped_out(folder, several)
    np.savez(folder / f"on-{devices}.npz", **found)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
