"""The claims that the laboratory re-runs, each with what its paper says it took.

The figures are those of the tables of Hochreiter & Schmidhuber 1997; so are the networks, the
learning rates and the first biases. What a verdict means is in `verdict`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from lstm_recipes.errors import UserError
from lstm_recipes.lab.adding import adding, multiplication
from lstm_recipes.lab.guessing import Guessing
from lstm_recipes.lab.long_lag import distractors
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
    sequences: int
    """How many sequences learning took in the paper, on average."""
    minutes: float
    """About how long ten trials take on two cores, at most."""
    task: Task
    method: type = Trials
    """`Trials`, which learn, or `Guessing`."""
    factor: float = 2.0
    """A claim holds up to so many times the paper's sequences."""


def _claim(says: str, source: str, sequences: int, minutes: float, **task: Any) -> Claim:
    return Claim(says, source, sequences, minutes, Task(limit=PATIENCE * sequences, **task))


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
        learnt=RecentRight(tolerance=0.2, last=10_000),
        tests=10_000,
    )


TWO_SEQUENCES = {"wiring": Wiring(1, 1, blocks=3, output_bias=False)}
TWO_SEQUENCES["learnt"] = RecentRight(tolerance=0.2, last=256)


def _two_sequence(informative: int, sequences: int, minutes: float) -> Claim:
    return _claim(
        f"An LSTM remembers over 100 noisy steps what {informative} of the first ones said",
        "1997, experiment 3a, table 4",
        sequences,
        minutes,
        sample=partial(two_sequence, length=100, informative=informative),
        learning_rate=1.0,
        bound=0.1,
        biases={"i": [-1.0, -3.0, -5.0], "o": [-2.0, -4.0, -6.0]},
        chunk=256,
        **TWO_SEQUENCES,
    )


def _two_sequence_guessed() -> Claim:
    return Claim(
        "Guessing weights solves that task (3 steps said it) in fewer trials than an LSTM needs "
        "sequences to learn it",
        "1996, section 2; 1997, experiment 3",
        sequences=27_380,
        minutes=2,
        task=Task(
            sample=partial(two_sequence, length=100, informative=3),
            learning_rate=0.0,
            bound=10.0,
            limit=27_400,
            **TWO_SEQUENCES,
        ),
        method=Guessing,
        factor=1.0,
    )


CLAIMS: dict[str, Callable[[], Claim]] = {
    "temporal-order-4": partial(_temporal, 2, 2, 0.5, 31_390, 3),
    "temporal-order-8": partial(_temporal, 3, 3, 0.1, 571_100, 60),
    "two-sequence-3": partial(_two_sequence, 3, 27_380, 1),
    "two-sequence-1": partial(_two_sequence, 1, 58_370, 2),
    "two-sequence-guessed": _two_sequence_guessed,
    "long-lag-50": partial(_long_lag, 50, 50, 30_000, 5),
    "long-lag-100": partial(_long_lag, 100, 100, 31_000, 10),
    "adding-100": partial(_adding, 100, 74_000, 4),
    "adding-500": partial(_adding, 500, 209_000, 60),
    "adding-1000": partial(_adding, 1000, 853_000, 240),
    "multiplication-140": lambda: _claim(
        "An LSTM multiplies two numbers that stand up to 100 steps back",
        "1997, experiment 5, table 8",
        482_000,
        30,
        wiring=Wiring(2, 1, blocks=2, block_size=2),
        sample=partial(multiplication, length=100),
        learning_rate=0.1,
        bound=0.1,
        biases={"i": [-3.0, -6.0]},
        learnt=RecentRight(tolerance=0.04, wrong=140),
    ),
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
    """ "holds" if every trial succeeded, on average in at most twice the paper's sequences; "holds
    in part" if at least half of them did within three times as many; otherwise "does not hold".

    >>> claim = claim_of("adding-100")
    >>> verdict(claim, {"seeds": 10, "succeeded": 10, "mean_sequences": 100_000})
    'holds'
    """
    most = claim.factor * claim.sequences
    if found["succeeded"] == found["seeds"] and found["mean_sequences"] <= most:
        return "holds"
    return "holds in part" if 2 * found["succeeded"] >= found["seeds"] else "does not hold"
