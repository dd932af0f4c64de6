"""A program, run in a process of its own: tiny Shakespeare from TensorFlow Datasets.

    python tiny_shakespeare_tfds.py FILE [DATA_DIR]

A prepared data set in TensorFlow Datasets' folder is read from there. Otherwise the genuine
builder downloads it (or takes a file that someone put at DATA_DIR/downloads/manual/input.txt),
beside FILE, so that nothing half made stays in that folder when this program is killed.
"""

import os
import sys
from pathlib import Path


def main(file: Path, data_dir: str | None) -> None:
    """Write the whole text to the file."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # reading a file needs no GPU
    import tensorflow_datasets as tfds

    builder = tfds.builder("tiny_shakespeare", data_dir=data_dir)
    if not builder.is_prepared():
        manual = Path(builder.data_path).parents[1] / "downloads" / "manual"
        builder = tfds.builder("tiny_shakespeare", data_dir=file.parent / "tfds")
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(manual_dir=manual)
        )
    # Each split is one example, and the three in this order are the original file.
    with file.open("wb") as output:
        for split in "train", "validation", "test":
            for example in tfds.as_numpy(builder.as_dataset(split=split)):
                output.write(example["text"])


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    except Exception as error:  # whatever it is, its first line is what a person is told
        sys.exit(f"{type(error).__name__}: {error}".splitlines()[0])
