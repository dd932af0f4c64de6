"""The claims that the laboratory re-runs, each with what its paper says it took.

The figures are those of the tables of Hochreiter & Schmidhuber 1997 and of Gers, Schmidhuber &
Cummins 2000; so are the networks, the learning rates and the first biases. Of Gers, Schraudolph &
Schmidhuber 2002 the network alone is the paper's, and which functions it learns without peepholes.
What a verdict means is in `verdict`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from lstm_recipes.errors import UserError
from lstm_recipes.lab.adding import adding, multiplication
from lstm_recipes.lab.continual_reber import stream
from lstm_recipes.lab.guessing import Guessing
from lstm_recipes.lab.long_lag import distractors, irregular, noise_free
from lstm_recipes.lab.reber_trials import AllPredicted, ReberTrials, reber_strings
from lstm_recipes.lab.spikes import periodic, spike_delays, timed_spikes
from lstm_recipes.lab.stream_trials import StreamTask, StreamTrials
from lstm_recipes.lab.temporal_order import temporal_order
from lstm_recipes.lab.trials import RecentRight, Task, Trials
from lstm_recipes.lab.two_sequence import two_sequence
from lstm_recipes.lab.wiring import Wiring

PATIENCE = 3  # times the paper's sequences; what has not succeeded by then has failed


@dataclass(frozen=True)
class Claim:
    """A sentence of the literature that can be re-run."""

    says: str
    source: str
    sequences: int | None
    """How many sequences learning took in the paper, on average, where that is known."""
    minutes: float
    """About how long ten trials take on two cores, at most."""
    task: Task | StreamTask
    method: type = Trials
    """`Trials`, which learn, of this task or another, or `Guessing`."""
    factor: float = 2.0
    """A claim holds up to so many times the paper's sequences."""
    rate: float = 1.0
    """What share of trials succeeded in the paper; 0 where the claim is that none does."""

    @property
    def networks(self) -> list[str]:
        """By what the task can be learnt: the paper's networks and rule; Adam, if the package's
        layers can be these networks; Elman networks."""
        if self.method is not Trials:
            return ["paper"]
        wiring = self.task.wiring
        layered = wiring.output_gate and wiring.recurrent and not wiring.direct
        return ["paper", *["adam"] * layered, "elman"]


def _claim(
    says: str, source: str, sequences: int, minutes: float, method: type = Trials, **task: Any
) -> Claim:
    uncounted = 0 if task["learnt"].counted else task["learnt"].last
    task = Task(limit=PATIENCE * sequences + uncounted, **task)
    return Claim(says, source, sequences, minutes, task, method)


def _adding(length: int, sequences: int, minutes: float) -> Claim:
    return _claim(
        f"An LSTM adds two numbers that stand up to {length:,} steps back",
        "1997, experiment 4, table 7",
        sequences,
        minutes,
        wiring=Wiring(2, 1, blocks=2, block_size=2),
        sample=partial(adding, length=length),
        learning_rate=0.5,
        bound=0.1,
        biases={"i": [-3.0, -6.0]},
        learnt=RecentRight(tolerance=0.04, error=0.01),
        chunk=50_000 // length,
    )


def _temporal(marks: int, blocks: int, rate: float, sequences: int, minutes: float) -> Claim:
    return _claim(
        f"An LSTM tells the {2**marks} orders of {marks} symbols far apart",
        f"1997, experiment 6{'ab'[marks - 2]}, table 9",
        sequences,
        minutes,
        wiring=Wiring(8, 2**marks, blocks=blocks, block_size=2),
        sample=partial(temporal_order, marks=marks),
        learning_rate=rate,
        bound=0.1,
        biases={"i": [-2.0, -4.0, -6.0][:blocks]},
        learnt=RecentRight(tolerance=0.3, error=0.1),
    )


def _reber(blocks: int, size: int, sequences: int) -> Claim:
    return _claim(
        f"An LSTM of {blocks} blocks of {size} learns the embedded Reber grammar from 256 strings",
        "1997, experiment 1, table 1",
        sequences,
        2,
        method=ReberTrials,
        wiring=Wiring(7, 7, blocks=blocks, block_size=size, hidden_bias="gates", output_bias=False),
        sample=reber_strings,
        learning_rate=0.5,
        bound=0.2,
        biases={"o": [-1.0, -2.0, -3.0, -4.0][:blocks]},
        learnt=AllPredicted(),
        chunk=100,
        tests=256,
        every_step=True,
    )


def _noise_free(lag: int, sequences: int) -> Claim:
    return _without_output_gates(
        f"predicts a symbol {lag} steps later, and those between",
        "2a, table 2",
        sequences,
        10,
        lag,
        sample=partial(noise_free, lag=lag),
        chunk=250,
        tests=1000,
        every_step=True,
    )


def _irregular(lag: int, sequences: int) -> Claim:
    return _without_output_gates(
        f"predicts a symbol {lag} steps later, after as many that follow no rule",
        "2b",
        sequences,
        3,
        lag,
        sample=partial(irregular, lag=lag),
        tests=10_000,
    )


def _without_output_gates(
    says: str, experiment: str, sequences: int, minutes: float, lag: int, **task: Any
) -> Claim:
    return _claim(
        f"An LSTM without output gates {says}",
        f"1997, experiment {experiment}",
        sequences,
        minutes,
        wiring=Wiring(
            lag + 1,
            lag + 1,
            blocks=1,
            output_gate=False,
            recurrent=False,
            hidden_bias=False,
            output_bias=False,
            direct=True,
        ),
        learning_rate=1.0,
        bound=0.2,
        learnt=RecentRight(tolerance=0.25, last=10_000, counted=False),
        **task,
    )


def _long_lag(lag: int, symbols: int, sequences: int, minutes: float) -> Claim:
    return _claim(
        f"An LSTM keeps a symbol over {lag:,} steps, among {symbols:,} distractors",
        "1997, experiment 2c, table 3",
        sequences,
        minutes,
        wiring=Wiring(symbols + 4, 2, blocks=2, hidden_bias=False, output_bias=False),
        sample=partial(distractors, lag=lag, symbols=symbols),
        learning_rate=0.01,
        bound=0.2,
        learnt=RecentRight(tolerance=0.2, last=10_000, counted=False),
        tests=10_000,
    )


TWO_SEQUENCES = Wiring(1, 1, blocks=3, output_bias=False)


def _two_sequence(
    informative: int,
    sequences: int,
    minutes: float,
    *,
    length: int = 100,
    exact: bool = False,
    **variant: bool,
) -> Claim:
    part = "c" if variant.get("noisy_targets") else "b" if variant.get("noise_on_all") else "a"
    table = {"a": "table 4", "b": "table 5", "c": "table 6"}[part]
    learnt = RecentRight(tolerance=0.2, last=256, error=0.01 if exact else float("inf"))
    if part == "c":
        learnt = RecentRight(tolerance=0.1, last=256, error=0.015)
    says = (
        f"An LSTM remembers over {length:,} noisy steps what {informative} of the first ones said"
    )
    says += {"a": "", "b": ", they noisy too", "c": ", from noisy targets"}[part]
    return _claim(
        says + ", to 0.01" * exact,
        f"1997, experiment 3{part}, {table}",
        sequences,
        minutes,
        wiring=TWO_SEQUENCES,
        sample=partial(two_sequence, length=length, informative=informative, **variant),
        learning_rate=0.1 if part == "c" else 1.0,
        bound=0.1,
        biases={"i": [-1.0, -3.0, -5.0], "o": [-2.0, -4.0, -6.0]},
        learnt=learnt,
        chunk=256,
    )


def _two_sequence_guessed() -> Claim:
    return Claim(
        "Guessing weights solves that task (3 steps said it) in fewer trials than an LSTM needs "
        "sequences to learn it",
        "1996, section 2; 1997, experiment 3",
        sequences=27_380,
        minutes=2,
        task=Task(
            wiring=TWO_SEQUENCES,
            sample=partial(two_sequence, length=100, informative=3),
            learning_rate=0.0,
            bound=10.0,
            learnt=RecentRight(tolerance=0.2, last=256),
            limit=27_400,
        ),
        method=Guessing,
        factor=1.0,
    )


def _multiplication(wrong: int, sequences: int, minutes: float) -> Claim:
    return _claim(
        f"An LSTM multiplies two numbers up to 100 steps back, at most {wrong} of 2,000 wrong",
        "1997, experiment 5, table 8",
        sequences,
        minutes,
        wiring=Wiring(2, 1, blocks=2, block_size=2),
        sample=partial(multiplication, length=100),
        learning_rate=0.1,
        bound=0.1,
        biases={"i": [-3.0, -6.0]},
        learnt=RecentRight(tolerance=0.04, wrong=wrong),
    )


def _continual(gates: bool, decay: float, streams: int, rate: float) -> Claim:
    fades = ", the learning rate fading along a stream" if decay < 1.0 else ""
    says = (
        f"An LSTM {'with' if gates else 'without'} forget gates {'' if gates else 'never '}predicts"
    )
    says += " 100,000 symbols of strings without marked ends"
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
        biases={"i": biases, "o": biases} | ({"f": [0.5, 1.0, 1.5, 2.0]} if gates else {}),
    )
    source = "2000, section 4, table 2"
    return Claim(says + fades, source, streams, 15, task, StreamTrials, rate=rate)


def _timing(
    says: str,
    what: str,
    sample: Callable,
    peepholes: bool,
    *,
    forget_bias: float,
    rate: float = 1.0,
    **task: Any,
) -> Claim:
    """Of 2002: one cell with three gates, which sees a single input. The learning rates and the
    forget gate's first bias are not the paper's."""
    task = StreamTask(
        wiring=Wiring(
            1,
            1,
            blocks=1,
            forget_gate=True,
            gate_feedback=False,
            peepholes=peepholes,
            squashed=False,
        ),
        sample=sample,
        limit=10_000_000,
        momentum=0.9,
        bound=0.1,
        biases={"i": [0.0], "f": [forget_bias], "o": [2.0]},
        longest=10_000,
        chunk=100_000,
        **task,
    )
    cell = f"A cell {'with' if peepholes else 'without'} peepholes"
    return Claim(f"{cell} {says}", f"2002, {what}", None, 2, task, StreamTrials, rate=rate)


def _spike_delays(shortest: int, peepholes: bool) -> Claim:
    return _timing(
        f"tells whether spikes are {shortest} or {shortest + 1} steps apart",
        "measuring spike delays",
        partial(spike_delays, shortest=shortest, kinds=2, spikes=5000),
        peepholes,
        forget_bias=2.0,
        learning_rate=0.01,
        first_asked=False,
    )


def _timed_spikes(shortest: int, peepholes: bool) -> Claim:
    return _timing(
        f"gives a spike after {shortest} or {shortest + 1} steps, as it is told to",
        "generating timed spikes",
        partial(timed_spikes, shortest=shortest, kinds=2, spikes=5000),
        peepholes,
        forget_bias=-2.0,
        learning_rate=0.03,
    )


def _periodic(shape: str, period: int, peepholes: bool) -> Claim:
    learnt = peepholes or (shape, period) == ("cosine", 10)
    return _timing(
        f"{'' if learnt else 'never '}repeats a {shape} of {period} steps, out of nothing",
        "periodic functions",
        partial(periodic, shape=shape, period=period),
        peepholes,
        forget_bias=2.0 if shape == "cosine" else -2.0,
        learning_rate=0.03 if shape == "cosine" else 0.01,
        tolerance=0.3,
        rate=float(learnt),
    )


CLAIMS: dict[str, Callable[[], Claim]] = {
    "reber-3x2": partial(_reber, 3, 2, 8_440),
    "reber-4x1": partial(_reber, 4, 1, 9_500),
    "continual-reber-decay": partial(_continual, True, 0.99, 14_087, 0.62),
    "continual-reber": partial(_continual, True, 1.0, 18_889, 0.18),
    "continual-reber-1997": partial(_continual, False, 1.0, 30_000, 0.0),
    "spike-delays-10": partial(_spike_delays, 10, False),
    "spike-delays-10-peepholes": partial(_spike_delays, 10, True),
    "spike-delays-49": partial(_spike_delays, 49, False),
    "spike-delays-49-peepholes": partial(_spike_delays, 49, True),
    "timed-spikes-10": partial(_timed_spikes, 10, False),
    "timed-spikes-10-peepholes": partial(_timed_spikes, 10, True),
    **{
        f"periodic-{shape}-{period}{end}": partial(_periodic, shape, period, bool(end))
        for shape in ("cosine", "triangle", "rectangle")
        for period in (10, 25)
        for end in ("", "-peepholes")
    },
    "noise-free-100": partial(_noise_free, 100, 5_040),
    "irregular-100": partial(_irregular, 100, 5_680),
    "long-lag-50": partial(_long_lag, 50, 50, 30_000, 3),
    "long-lag-100": partial(_long_lag, 100, 100, 31_000, 3),
    "long-lag-200": partial(_long_lag, 200, 200, 33_000, 5),
    "long-lag-500": partial(_long_lag, 500, 500, 38_000, 15),
    "long-lag-1000": partial(_long_lag, 1000, 1000, 49_000, 40),
    "long-lag-1000-500": partial(_long_lag, 1000, 500, 49_000, 40),
    "long-lag-1000-200": partial(_long_lag, 1000, 200, 75_000, 40),
    "long-lag-1000-100": partial(_long_lag, 1000, 100, 135_000, 40),
    "long-lag-1000-50": partial(_long_lag, 1000, 50, 203_000, 40),
    "two-sequence-3": partial(_two_sequence, 3, 27_380, 1),
    "two-sequence-1": partial(_two_sequence, 1, 58_370, 2),
    "two-sequence-3-exact": partial(_two_sequence, 3, 39_850, 1, exact=True),
    "two-sequence-1-exact": partial(_two_sequence, 1, 64_330, 2, exact=True),
    "two-sequence-1000": partial(_two_sequence, 3, 446_850, 30, length=1000),
    "two-sequence-noisy": partial(_two_sequence, 3, 41_740, 1, noise_on_all=True),
    "two-sequence-targets-3": partial(_two_sequence, 3, 269_650, 3, noisy_targets=True),
    "two-sequence-targets-1": partial(_two_sequence, 1, 565_640, 6, noisy_targets=True),
    "two-sequence-guessed": _two_sequence_guessed,
    "adding-100": partial(_adding, 100, 74_000, 2),
    "adding-500": partial(_adding, 500, 209_000, 20),
    "adding-1000": partial(_adding, 1000, 853_000, 80),
    "multiplication-140": partial(_multiplication, 140, 482_000, 5),
    "multiplication-13": partial(_multiplication, 13, 1_273_000, 12),
    "temporal-order-4": partial(_temporal, 2, 2, 0.5, 31_390, 2),
    "temporal-order-8": partial(_temporal, 3, 3, 0.1, 571_100, 10),
}
"""Each claim by the name that the command line knows; made when it is wanted."""


def claim_of(name: str) -> Claim:
    """The claim of a name.

    Raises:
        UserError: There is none of that name.

    >>> claim_of("adding-100").task.wiring.weights
    93
    """
    if name not in CLAIMS:
        raise UserError(f"there is no claim {name!r}; give one of {', '.join(CLAIMS)}")
    return CLAIMS[name]()


def verdict(claim: Claim, found: dict[str, Any]) -> str:
    """ "holds" if as large a share of trials succeeded as in the paper, on average in at most twice
    the paper's sequences; "holds in part" if at least half of that share did; otherwise "does not
    hold". That none succeeds holds if none did.

    >>> claim = claim_of("adding-100")
    >>> verdict(claim, {"seeds": 10, "succeeded": 10, "mean_sequences": 100_000})
    'holds'
    """
    share = found["succeeded"] / found["seeds"]
    if claim.rate == 0.0:
        return "holds" if share == 0.0 else "does not hold"
    most = float("inf") if claim.sequences is None else claim.factor * claim.sequences
    if share >= claim.rate and found["mean_sequences"] <= most:
        return "holds"
    return "holds in part" if 2 * share >= claim.rate else "does not hold"
