"""A program, run in a process of its own: CoNLL-2003 from TensorFlow Datasets.

    python conll2003_tfds.py FOLDER [DATA_DIR]

It writes train.txt, valid.txt and test.txt into FOLDER: a word and its tag on each line, in the
order of the original files. A prepared data set in TensorFlow Datasets' folder is read from
there. Otherwise the genuine builder downloads it (or takes what was downloaded into
DATA_DIR/downloads/conll2003) in FOLDER, so that nothing half made stays in DATA_DIR when this
program is killed.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path


def main(folder: Path, data_dir: str | None) -> None:
    """Write the three files."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # reading a file needs no GPU
    import tensorflow_datasets as tfds

    builder = tfds.builder("conll2003", data_dir=data_dir)
    if not builder.is_prepared():
        root, here = Path(builder.data_path).parents[2], folder / "tfds"
        if (root / "downloads" / "conll2003").is_dir():
            shutil.copytree(root / "downloads" / "conll2003", here / "downloads" / "conll2003")
        builder = tfds.builder("conll2003", data_dir=here)
        builder.download_and_prepare()
    names = builder.info.features["ner"].feature.names
    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    for split, file in ("train", "train.txt"), ("dev", "valid.txt"), ("test", "test.txt"):
        examples = list(tfds.as_numpy(builder.as_dataset(split=split, read_config=in_order)))
        with Path(folder, file).open("wb") as output:
            for example in unshuffled(examples, split):  # one of them, the last, has no words
                for word, tag in zip(example["tokens"], example["ner"], strict=True):
                    output.write(b"%s\t%s\n" % (word, names[tag].encode()))
                output.write(b"\n")


def unshuffled(examples: list, split: str) -> list:
    """The examples as their files have them.

    TensorFlow Datasets keeps them in the order of a hash: the MD5 of the name of the split and
    the number of the example in its file.
    """
    hashes = [hashlib.md5(f"{split}{number}".encode()).digest() for number in range(len(examples))]
    numbers = sorted(range(len(examples)), key=hashes.__getitem__)
    return [example for _, example in sorted(zip(numbers, examples, strict=True), key=_first)]


def _first(pair: tuple) -> int:
    return pair[0]


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    except Exception as error:  # whatever it is, its first line is what a person is told
        sys.exit(f"{type(error).__name__}: {error}".splitlines()[0])
