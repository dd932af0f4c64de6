"""A program, run in a process of its own: sentence pairs from TensorFlow Datasets.

    python translation_tfds.py FOLDER NAME SOURCE TARGET SECONDS [DATA_DIR]

It writes train.txt, and valid.txt and test.txt if the data set has such splits, into FOLDER: the
sentences of SOURCE and of TARGET with a tab between them, a pair a line. A prepared data set in
TensorFlow Datasets' folder is read from there; otherwise its builder downloads and prepares it
there, under another name until it is whole. If for SECONDS no byte comes, as without a network,
the program gives up.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

SPLITS = {"train": "train", "validation": "valid", "dev": "valid", "test": "test"}


def main(folder: Path, name: str, source: str, target: str, data_dir: str | None, seconds: float):
    """Write the files."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # reading a file needs no GPU
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=data_dir)
    sentences = reader(builder.info.features, source, target)
    if not builder.is_prepared():
        give_up_without_bytes(Path(builder.data_path).parent, builder.name, seconds)
        builder.download_and_prepare()
    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    for split, file in SPLITS.items():
        if split not in builder.info.splits:
            continue
        examples = tfds.as_numpy(builder.as_dataset(split=split, read_config=in_order))
        with Path(folder, f"{file}.txt").open("wb") as output:
            for example in examples:
                output.write(b"%s\t%s\n" % tuple(map(one_line, sentences(example))))


def reader(features, source: str, target: str) -> Callable[[dict], tuple[bytes, bytes]]:
    """What takes the two sentences out of an example.

    The features are a Translation, or have one among them, or are those of tatoeba, where each
    example has a `source_sentence` and a `target_sentence` and says which language is which.
    """
    from tensorflow_datasets.core.features import Translation

    if isinstance(features, Translation):
        check(features.languages, source, target)
        return lambda example: (example[source], example[target])
    for key, feature in features.items():
        if isinstance(feature, Translation):
            check(feature.languages, source, target)
            return lambda example: (example[key][source], example[key][target])
    if {"source_sentence", "target_sentence"} <= set(features):
        return lambda example: of_tatoeba(example, source, target)
    raise ValueError(f"it has no feature Translation; its features are {', '.join(features)}")


def of_tatoeba(example: dict, source: str, target: str) -> tuple[bytes, bytes]:
    """The two sentences of an example of tatoeba, in the order that is asked for."""
    sentences = {
        example[f"{side}_language"].decode(): example[f"{side}_sentence"]
        for side in ("source", "target")
    }
    check(list(sentences), source, target)
    return sentences[source], sentences[target]


def check(languages: list[str], source: str, target: str) -> None:
    """Both languages must be there."""
    if source == target or not {source, target} <= set(languages):
        raise ValueError(f"its languages are {', '.join(languages)}, not {source} and {target}")


def one_line(sentence: bytes) -> bytes:
    """A sentence without the tabs and line breaks that separate sentences here."""
    return b" ".join(sentence.replace(b"\t", b" ").splitlines())


def give_up_without_bytes(root: Path, name: str, seconds: float) -> None:
    """End the process if nothing is downloaded or prepared within so many seconds.

    TensorFlow Datasets itself tries again and again, for minutes. A download of gigabytes, once
    it has begun, takes as long as it takes.
    """
    while root.name != name:
        root = root.parent
    began = time.time()

    def watch() -> None:
        while time.time() < began + seconds:
            if any(map(came, (*root.rglob("*"), *root.parent.glob("downloads/**/*")))):
                return
            time.sleep(0.2)
        print(f"no byte came within {seconds:g} seconds", file=sys.stderr, flush=True)
        os._exit(1)

    def came(path: Path) -> bool:
        """Whether this is a new file with something in it, and no note about the set itself."""
        try:
            found = path.stat()
        except OSError:  # it was there a moment ago
            return False
        new = found.st_size > 0 and found.st_mtime >= began
        return new and path.is_file() and ".config" not in path.parts

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    try:
        here, name, source, target, seconds, *where = sys.argv[1:]
        main(Path(here), name, source, target, where[0] if where else None, float(seconds))
    except Exception as error:  # whatever it is, its first line is what a person is told
        sys.exit(f"{type(error).__name__}: {error}".splitlines()[0])
