"""Where a run trains: on one device, on several that mirror each other, or on several machines."""

import functools
import math
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lstm_recipes.errors import UserError
from lstm_recipes.recipe_numbers import Range, check_numbers
from lstm_recipes.training.workers import Cluster, cluster, meet

if TYPE_CHECKING:
    import tensorflow as tf

    from lstm_recipes.training.replicas import Replicas


@dataclass(frozen=True)
class Devices:
    """Where to train. No number of a recipe: what comes out is the same to rounding, and a run may
    go on elsewhere.

    >>> Devices("one").replicas().number
    1
    """

    strategy: Literal["auto", "one", "mirrored", "multiworker", "placed"] = "auto"
    """"mirrored" has every device take its share of each batch, "multiworker" every process that
    TF_CONFIG names; "auto" does the one where there are several GPUs, the other where there is
    TF_CONFIG. "placed" puts the layers of a translator that is too large for one device on
    several."""
    devices: tuple[str, ...] = ()
    """Which devices, such as GPU:0 GPU:1; without it all GPUs, or the processor."""
    virtual_devices: int | None = None
    """Split the processor into so many devices, to try out what several do; no faster."""
    wait: float = 300.0
    """Seconds that a worker waits for the others at the start."""

    def replicas(self, places_layers: bool = False) -> "Replicas":
        """The replicas that train, one on each device; or one whose layers are on all, where the
        recipe can do that. The first call has to come before TensorFlow has done anything, where it
        splits the processor; later ones give the same replicas.

        Raises:
            UserError: There are no such devices, or too few, or TensorFlow has begun without them;
                or TF_CONFIG makes no sense, or a worker has not come.
        """
        if self.strategy == "placed" and not places_layers:
            raise UserError(
                "placed is for translate, whose model has layers enough for several devices; give "
                "--strategy mirrored, which shares out the batch"
            )
        return _replicas(self)

    def of_layers(self) -> tuple[str, ...]:
        """The names of the devices for the layers of one model; none unless they are "placed"."""
        return tuple(_several(self)) if self.strategy == "placed" else ()


@functools.cache
def _replicas(wanted: Devices) -> "Replicas":
    from lstm_recipes.training.replicas import Replicas

    check_numbers(wanted, "virtual_devices", Range.COUNT)
    check_numbers(wanted, "wait", Range.POSITIVE)
    there = cluster()
    if wanted.strategy == "multiworker" or (wanted.strategy == "auto" and there is not None):
        return Replicas(_multiworker(wanted, there), there)
    if wanted.strategy == "placed":
        _several(wanted)
        return Replicas()
    return Replicas(_strategy(wanted))


def _multiworker(wanted: Devices, there: Cluster | None) -> "tf.distribute.Strategy":
    import tensorflow as tf

    if there is None:
        raise UserError(
            "multiworker needs TF_CONFIG, which names all workers; set it for each, or let "
            "lstm-recipes launch --workers 2 -- … set it for processes on this machine"
        )
    if wanted.devices or wanted.virtual_devices:
        raise UserError(
            "a worker trains on all GPUs that it sees, or on the processor; leave out --devices "
            "and --virtual-devices, and set CUDA_VISIBLE_DEVICES to choose GPUs"
        )
    meet(there, wanted.wait)
    # All were there a moment ago. Should one be gone already, TensorFlow would wait for it where
    # nothing of Python runs; this ends the process.
    signal.alarm(math.ceil(wanted.wait))
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    signal.alarm(0)
    return strategy


def _strategy(wanted: Devices) -> "tf.distribute.Strategy | None":
    import tensorflow as tf

    names = _several(wanted) if wanted.strategy == "mirrored" else _names(wanted)
    if wanted.strategy == "one" and len(names) > 1 and (wanted.devices or wanted.virtual_devices):
        raise UserError(
            f"{len(names)} devices are given, and one trains on one; leave out --strategy one to "
            "train on all of them"
        )
    if wanted.strategy != "one" and len(names) > 1:
        return _mirrored(tuple(names))
    return tf.distribute.OneDeviceStrategy(wanted.devices[0]) if wanted.devices else None


def _several(wanted: Devices) -> list[str]:
    """The names of the devices, of which there has to be more than one."""
    names = _names(wanted)
    if len(names) < 2:
        raise UserError(
            f"{wanted.strategy} needs more than one device, and there is {names[0]}; give "
            "--virtual-devices 2 to try it on the processor, or --strategy one"
        )
    return names


_MIRRORED: dict[tuple[str, ...], "tf.distribute.Strategy"] = {}


def _mirrored(names: tuple[str, ...]) -> "tf.distribute.Strategy":
    """The one that this process has: the devices of two would wait for each other for ever."""
    import tensorflow as tf

    for others in _MIRRORED.keys() - {names}:
        raise UserError(
            f"this process trains on {', '.join(others)}, and {', '.join(names)} are asked for; "
            "ask in a new process, in a notebook after a restart"
        )
    if names not in _MIRRORED:
        _MIRRORED[names] = tf.distribute.MirroredStrategy(names)
    return _MIRRORED[names]


def _names(wanted: Devices) -> list[str]:
    """The names of the devices to train on."""
    import tensorflow as tf

    if wanted.virtual_devices is not None:
        _split_processor(wanted.virtual_devices)
    there = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices()]
    if missing := set(wanted.devices) - set(there):
        raise UserError(
            f"there is no device {', '.join(sorted(missing))}; there is {', '.join(there)}"
        )
    if wanted.devices:
        return list(wanted.devices)
    gpus = [name for name in there if name.startswith("GPU:")]
    processors = [name for name in there if name.startswith("CPU:")]
    return processors if wanted.virtual_devices or not gpus else gpus


def _split_processor(number: int) -> None:
    import tensorflow as tf

    processor = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * number
    try:
        tf.config.set_logical_device_configuration(processor, parts)
    except RuntimeError:  # TensorFlow has begun; all is well if it began so
        there = len(tf.config.list_logical_devices("CPU"))
        if there != number:
            raise UserError(
                f"the processor is {there} device{'s' * (there > 1)} already, and {number} are "
                "asked for; ask before TensorFlow does anything, in a notebook after a restart"
            ) from None
