"""One of two workers that train a small character model: it writes what came out, and then worker 1
dies in mid-epoch.

python -m tests.training.worker_program FOLDER, with TF_CONFIG
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from lstm_recipes.errors import WorkerLost
from lstm_recipes.training.devices import Devices

from .mirrored_tasks import STEPS, character_task, train, values


def main(folder: Path) -> None:
    replicas = Devices(wait=60).replicas()
    task, losses = train(character_task, replicas, "sgd")
    index = replicas.cluster.index
    found = {f"value {k:03d}": value for k, value in enumerate(values(task))}
    found |= {"losses": losses, "said": replicas.chiefs(index + 5.0)}
    np.savez(folder / f"worker-{index}.npz", **found)
    began = time.monotonic()
    try:
        with replicas.together():
            for step in range(STEPS, 100_000):
                if index and step == STEPS + 2:
                    os.kill(os.getpid(), signal.SIGKILL)
                task.train_step(step, 0.1)
    except WorkerLost as lost:
        (folder / "lost.txt").write_text(f"{time.monotonic() - began}\n{lost}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
