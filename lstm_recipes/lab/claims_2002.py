"""The claims on streams: the continual Reber grammar of Gers, Schmidhuber & Cummins 2000, with the
network, the learning rate and the first biases of its table 2; and the timing tasks of Gers,
Schraudolph & Schmidhuber 2002 (section 3.1), with its network, learning rate and momentum, and the
first biases as in 2000: a forget gate that is open and an output gate that is shut.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from lstm_recipes.lab.claim import Claim
from lstm_recipes.lab.continual_reber import stream
from lstm_recipes.lab.spikes import periodic, spike_delays, timed_spikes
from lstm_recipes.lab.stream_trials import StreamTask, StreamTrials
from lstm_recipes.lab.wiring import Wiring


def continual_reber_claim(
    gates: bool, decay: float, streams: int | None, rate: float, resets: bool = False
) -> Claim:
    says = f"An LSTM {'with' if gates else 'without'} forget gates"
    says += f"{'' if rate else ' never'} predicts 100,000 symbols of strings without marked ends"
    says += ", the learning rate fading along a stream" * (decay < 1.0)
    says += ", if it is reset after each string" * resets
    biases = [-0.5, -1.0, -1.5, -2.0]
    task = StreamTask(
        wiring=Wiring(
            7,
            7,
            blocks=4,
            block_size=2,
            forget_gate=gates,
            gate_feedback=False,
            hidden_bias="gates",
            direct=True,
        ),
        sample=partial(stream, strings=20_000),
        limit=30_000,
        decay=decay,
        resets=resets,
        biases={"i": biases, "o": biases} | ({"f": [0.5, 1.0, 1.5, 2.0]} if gates else {}),
    )
    source = "2000, section 4, table 2"
    beside = ("adam", "elman") if gates else ("adam",)
    beside = () if decay < 1.0 or resets else beside
    minutes = 3 if resets else 30
    return Claim(says, source, streams, minutes, task, StreamTrials, rate=rate, beside=beside)


def _timing(
    says: str,
    what: str,
    sample: Callable,
    peepholes: bool,
    momentum: float,
    *,
    logistic: bool = True,
    rate: float = 1.0,
    control: str | None = None,
    **task: Any,
) -> Claim:
    """Of 2002: one cell with three gates, which sees a single input."""
    task = StreamTask(
        wiring=Wiring(
            1,
            1,
            blocks=1,
            forget_gate=True,
            gate_feedback=False,
            peepholes=peepholes,
            activation="linear",
            output_activation="linear",
            logistic=logistic,
        ),
        sample=sample,
        limit=10_000_000,
        most_steps=100_000_000,
        learning_rate=1e-5,
        momentum=momentum,
        bound=0.1,
        biases={"i": [0.0], "f": [2.0], "o": [-2.0]},
        longest=10_000,
        chunk=200_000,
        **task,
    )
    cell = f"A cell {'with' if peepholes else 'without'} peepholes"
    beside = ("adam", "elman") if peepholes else ("adam",)
    about = {"rate": rate, "control": control, "beside": beside}
    return Claim(f"{cell} {says}", f"2002, {what}", None, 5, task, StreamTrials, **about)


def spike_delays_claim(shortest: int, peepholes: bool) -> Claim:
    return _timing(
        f"tells whether spikes are {shortest} or {shortest + 1} steps apart",
        "measuring spike delays",
        partial(spike_delays, shortest=shortest, kinds=2, spikes=5000),
        peepholes,
        momentum=0.9999,
        first_asked=False,
    )


def timed_spikes_claim(shortest: int, peepholes: bool) -> Claim:
    says = f"gives a spike after {shortest} or {shortest + 1} steps, as it is told to"
    return _timing(
        says if peepholes else f"never {says}",
        "generating timed spikes",
        partial(timed_spikes, shortest=shortest, kinds=2, spikes=5000),
        peepholes,
        momentum=0.999,
        rate=float(peepholes),
        control=None if peepholes else f"timed-spikes-{shortest}-peepholes",
    )


def periodic_claim(shape: str, period: int, peepholes: bool) -> Claim:
    learnt = peepholes or (shape, period) == ("cosine", 10)
    return _timing(
        f"{'' if learnt else 'never '}repeats a {shape} of {period} steps, out of nothing",
        "periodic functions",
        partial(periodic, shape=shape, period=period),
        peepholes,
        momentum=0.99,
        logistic=False,
        tolerance=0.3,
        drawn=False,
        rate=float(learnt),
        control=None if learnt else f"periodic-{shape}-{period}-peepholes",
    )
