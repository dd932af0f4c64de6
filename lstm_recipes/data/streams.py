"""A text cut into parallel streams for truncated backpropagation through time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lstm_recipes.data.id_file import IdFile
from lstm_recipes.errors import UserError


@dataclass(frozen=True, eq=False)
class Streams:
    """Windows of fixed shape over contiguous streams of a text, so that state can be carried.

    Row b of each window belongs to stream b, and goes on exactly where row b of the window
    before ended; the targets are the inputs one character later. All streams have
    `steps_per_epoch * time` targets, the fewest windows that hold the text, and their starts
    are spread evenly from the first character to the last possible one. So in each epoch every
    character but the very first is a target at least once, and fewer than `batch_size * time`
    are a target once more, where a stream runs into the next.

    (One stream alone cannot overlap another: with `batch_size=1` the last window of an epoch
    steps back by fewer than `time` characters instead.)

    Args:
        ids: the text as whole numbers, one axis, at least `time + 1` long; an array, or on the
            disk.
        batch_size: the number of streams.
        time: characters per window; gradients go back so far, and the state farther.

    >>> streams = Streams(np.arange(13), batch_size=2, time=3)
    >>> streams.steps_per_epoch
    2
    >>> inputs, targets = streams.window(0)
    >>> inputs
    array([[0, 1, 2],
           [6, 7, 8]])
    >>> targets
    array([[1, 2, 3],
           [7, 8, 9]])
    >>> streams.window(1)[0]
    array([[ 3,  4,  5],
           [ 9, 10, 11]])
    >>> [streams.starts_epoch(step) for step in range(4)]
    [True, False, True, False]
    """

    ids: np.ndarray | IdFile
    batch_size: int
    time: int

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.time < 1:
            raise UserError(
                f"batch_size is {self.batch_size} and time is {self.time}; "
                "each must be a whole number of at least 1"
            )
        if self.ids.ndim != 1 or self.ids.dtype.kind not in "iu":
            raise ValueError(
                f"ids must be one row of whole numbers, not {self.ids.dtype} {self.ids.shape}"
            )
        if len(self.ids) <= self.time:
            raise UserError(
                f"a text of {len(self.ids):,} characters is too short for windows of "
                f"{self.time:,}; give a text of at least {self.time + 1:,} characters, "
                "or a smaller time"
            )

    @property
    def steps_per_epoch(self) -> int:
        """The number of windows in which the whole text is seen once."""
        return -(-(len(self.ids) - 1) // (self.batch_size * self.time))

    @cached_property
    def _starts(self) -> np.ndarray:
        """Where each stream's inputs begin."""
        room = len(self.ids) - 1 - self.steps_per_epoch * self.time  # below 0 in one stream alone
        return np.arange(self.batch_size) * room // max(self.batch_size - 1, 1)

    def window(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of one training step, each of shape (batch_size, time).

        It depends on the global step number alone, so a run resumes anywhere.
        """
        begin = self._starts + step % self.steps_per_epoch * self.time
        begin = np.minimum(begin, len(self.ids) - 1 - self.time)
        rows = np.stack([self.ids[at : at + self.time + 1] for at in begin.tolist()])
        return rows[:, :-1].copy(), rows[:, 1:].copy()

    def starts_epoch(self, step: int) -> bool:
        """Whether the streams begin anew at this step, so that the carried state must too."""
        return step % self.steps_per_epoch == 0
