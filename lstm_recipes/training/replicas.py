"""One training step, shared out among replicas of a model on TensorFlow's distribution engine."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_recipes.errors import UserError, WorkerLost
from lstm_recipes.training.workers import Cluster, folder_of

SEED_STRIDE = 1_000_003  # between the dropout seeds of one replica and the next; a prime

LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)
"""What TensorFlow raises in the others when a worker is gone."""


class Replicas:
    """Copies of a model that train as one: in each step every copy takes its rows of the batch, and
    all follow the gradient of the whole batch.

    Model, optimizer and task are made in `scope`. Every replica is given the whole batch, some
    kilobytes of ids, and takes its rows in the graph: so a batch of any size is shared, padded as
    on one device, and no row is seen twice.

    Args:
        strategy: Of TensorFlow; without it the one in whose scope this is, which is one replica
            where no other was chosen.
        cluster: The processes, where the replicas are in several.

    >>> alone = Replicas()
    >>> step = alone.compiled(lambda x: tf.reduce_sum(alone.rows(x)), [tf.TensorSpec([None])])
    >>> alone.number, float(step(np.float32([1, 2, 3])))
    (1, 6.0)
    """

    def __init__(
        self, strategy: tf.distribute.Strategy | None = None, cluster: Cluster | None = None
    ):
        self.strategy = strategy or tf.distribute.get_strategy()
        self.number: int = self.strategy.num_replicas_in_sync
        self.cluster = cluster
        self.workers = 1 if cluster is None else len(cluster.addresses)
        self.chief = cluster is None or cluster.chief
        self._total = tf.function(self._total, input_signature=[tf.TensorSpec([], tf.float64)])

    def scope(self) -> AbstractContextManager:
        """Where variables are made, a copy for each replica."""
        return self.strategy.scope()

    def folder(self, run: Path, resume: bool) -> Path:
        """Where this process writes a run: the chief in its folder, the others elsewhere."""
        return folder_of(self.cluster, run, resume)

    def chiefs(self, value: float) -> float:
        """What the chief says, so that all workers decide alike."""
        if self.workers == 1:
            return value
        return float(self._total(value if self.chief else 0.0)) / (self.number // self.workers)

    def any(self, flag: bool) -> bool:
        """Whether it is so for any worker."""
        return flag if self.workers == 1 else bool(self._total(float(flag)) > 0)

    def _total(self, value: tf.Tensor) -> tf.Tensor:
        found = self.strategy.run(lambda: tf.identity(value))
        return self.strategy.reduce("sum", found, axis=None)

    @contextmanager
    def together(self) -> Iterator[None]:
        """While this lasts a worker that is gone is a `WorkerLost`."""
        try:
            yield
        except LOST as error:
            if self.workers == 1:
                raise
            raise WorkerLost(
                f"another worker is gone or cannot be reached ({type(error).__name__}); start all "
                "again with --resume, which goes on from the last checkpoint"
            ) from None

    def check_batch_size(self, batch_size: int) -> None:
        """Raise a UserError unless all replicas can have as many rows."""
        if batch_size % self.number:
            lower = batch_size - batch_size % self.number
            near = " or ".join(str(n) for n in (lower, lower + self.number) if n)
            raise UserError(
                f"batch_size is {batch_size}, which {self.number} replicas cannot share evenly; "
                f"give --batch-size {near}, or train on another number of devices"
            )

    def compiled(
        self, function: Callable, signature: Sequence[Any], variables: Sequence[keras.Variable] = ()
    ) -> Callable:
        """The function as one graph that every replica runs on the whole batch; it gives the sum
        of what they give. The seeds among the variables are made different before the first run,
        which is after a checkpoint has been read."""

        @tf.function(input_signature=signature, autograph=False)
        def on_all(*batch: Any) -> tf.Tensor:
            return self.strategy.reduce("sum", self.strategy.run(function, args=batch), axis=None)

        seeds = [v for v in variables if "seed_generator_state" in v.path]
        if self.number == 1 or not seeds:
            return on_all

        def step(*batch: Any) -> tf.Tensor:
            if seeds:
                self._vary(seeds)
                seeds.clear()
            return on_all(*batch)

        return step

    def _vary(self, seeds: Sequence[keras.Variable]) -> None:
        """Give each replica dropout masks of its own, where Keras gives all one seed, so that one
        mask would fall on the rows of each. The first keeps its seed, which is what a checkpoint
        has, and those of the others follow from it."""

        def vary() -> None:
            for seed in seeds:
                own = seed.value
                apart = tf.cast([SEED_STRIDE, 0] * self.place(), own.dtype)
                own.assign(own + apart)

        tf.function(lambda: self.strategy.run(vary), autograph=False)()

    # What follows is called in a replica.

    def place(self) -> Any:
        """Which of the replicas this is, from 0."""
        if self.number == 1:
            return 0
        return tf.distribute.get_replica_context().replica_id_in_sync_group

    def bounds(self, count: Any) -> tuple[Any, Any]:
        """Of ``count`` rows the first that this replica takes and the first that it leaves to the
        next; some take one more than others, and none if there are fewer rows than replicas."""
        if self.number == 1:
            return 0, count
        place = self.place()
        return place * count // self.number, (place + 1) * count // self.number

    def rows(self, batch: tf.Tensor) -> tf.Tensor:
        """This replica's rows of a batch."""
        if self.number == 1:
            return batch
        first, last = self.bounds(tf.shape(batch)[0])
        return batch[first:last]

    def summed(self, gradients: Any) -> Any:
        """The sums of all replicas' gradients."""
        if self.number == 1:
            return gradients
        return tf.distribute.get_replica_context().all_reduce("sum", gradients)

    def apply(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[Any],
        weights: Sequence[keras.Variable],
        learning_rate: tf.Tensor,
    ) -> None:
        """Have the weights follow gradients that `summed` has given.

        Keras clips what each replica finds, and adds up what is left. But a gradient is to be
        clipped when it is that of the whole batch: so it is summed before, and not by Keras again.
        (Nor for one replica: TensorFlow would never let go of the graph that it is summed in.)
        """
        optimizer._all_reduce_sum_gradients = list
        optimizer.learning_rate.assign(learning_rate)
        optimizer.apply(gradients, weights)

    def update(self, variable: tf.Variable, change: Callable, value: Any) -> None:
        """``change(variable, value)`` for every replica's copy, with the same value for all."""
        if self.number == 1:
            change(variable, value)
            return

        def outside(strategy: tf.distribute.Strategy, value: Any) -> None:
            strategy.extended.update(variable, change, args=(value,), group=False)

        tf.distribute.get_replica_context().merge_call(outside, args=(value,))


class RowState:
    """A state of each row of the batch, such as a stream's; every replica holds that of its rows.

    Neither Keras nor TensorFlow saves more of such a variable than one replica's copy. So `value`
    gathers all of them in the order of the rows, and `assign` shares them out again: a checkpoint
    is the same whatever the number of replicas, and goes on with another one.

    Args:
        replicas: Whose rows they are.
        initial: float ``[batch, ...]``, of the whole batch, which all replicas share evenly.
    """

    def __init__(self, replicas: Replicas, initial: Any):
        self.replicas, self.shape = replicas, tuple(initial.shape)
        self.dtype = keras.backend.standardize_dtype(initial.dtype)
        with replicas.scope():
            self._own = tf.Variable(
                initial[: self.shape[0] // replicas.number],
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.NONE,
            )

    @property
    def value(self) -> tf.Tensor:
        """Of the whole batch."""
        here = self.replicas.strategy.experimental_local_results(self._own)
        if len(here) < self.replicas.number:  # the others are in other processes
            return self.replicas.strategy.gather(self._own, axis=0)
        return tf.concat([own.read_value() for own in here], axis=0)

    def assign(self, value: Any) -> None:
        """Give every replica the state of its rows; ``value`` is of the whole batch."""
        strategy, share = self.replicas.strategy, self.shape[0] // self.replicas.number
        places = strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(context.replica_id_in_sync_group)
        )
        copies, places = map(strategy.experimental_local_results, (self._own, places))
        for own, place in zip(copies, map(int, places), strict=True):
            own.assign(tf.cast(value[place * share : (place + 1) * share], self.dtype))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.value, dtype)

    # What follows is called in a replica.

    def own(self) -> tf.Tensor:
        """Of this replica's rows."""
        return self._own.read_value()

    def keep(self, value: tf.Tensor) -> None:
        """It is this now, for this replica's rows."""
        self._own.assign(tf.ensure_shape(value, self._own.shape))
