"""The claims of Hochreiter & Schmidhuber 1997: figures, networks, learning rates and first biases
are those of its tables.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from lstm_recipes.lab.adding import adding, multiplication
from lstm_recipes.lab.claim import Claim
from lstm_recipes.lab.guessing import Guessing
from lstm_recipes.lab.long_lag import distractors, irregular, noise_free
from lstm_recipes.lab.reber_trials import AllPredicted, ReberTrials, reber_strings
from lstm_recipes.lab.temporal_order import temporal_order
from lstm_recipes.lab.trials import RecentRight, Task, Trials
from lstm_recipes.lab.two_sequence import two_sequence
from lstm_recipes.lab.wiring import Wiring

PATIENCE = 3  # times the paper's sequences; what has not succeeded by then has failed


def _claim(
    says: str,
    source: str,
    sequences: int,
    minutes: float,
    method: type = Trials,
    rate: float = 1.0,
    beside: tuple[str, ...] = ("adam", "elman"),
    **task: Any,
) -> Claim:
    uncounted = 0 if task["learnt"].counted else task["learnt"].last
    task = Task(limit=PATIENCE * sequences + uncounted, **task)
    return Claim(says, source, sequences, minutes, task, method, rate=rate, beside=beside)


def adding_claim(length: int, sequences: int, minutes: float, logistic: bool = True) -> Claim:
    """With the paper's logistic output, or with a linear one, which can give the largest and the
    smallest sums as well as those between."""
    says = f"An LSTM adds two numbers that stand up to {length:,} steps back"
    return _claim(
        says if logistic else f"{says}, its output linear",
        "1997, experiment 4, table 7" + ("" if logistic else " (there logistic)"),
        sequences,
        minutes,
        beside=("adam", "elman") if logistic else (),
        wiring=Wiring(2, 1, blocks=2, block_size=2, logistic=logistic),
        sample=partial(adding, length=length),
        learning_rate=0.5,
        bound=0.1,
        biases={"i": [-3.0, -6.0]},
        learnt=RecentRight(tolerance=0.04, error=0.01),
        chunk=50_000 // length,
    )


def temporal_order_claim(
    marks: int, blocks: int, rate: float, sequences: int, minutes: float
) -> Claim:
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


def reber_claim(blocks: int, size: int, sequences: int, rate: float) -> Claim:
    return _claim(
        f"An LSTM of {blocks} blocks of {size} learns the embedded Reber grammar from 256 strings",
        "1997, experiment 1, table 1",
        sequences,
        5,
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
        rate=rate,
        beside=("adam", "elman") if blocks == 4 else ("adam",),  # Elman's would be the same
    )


def noise_free_claim(lag: int, sequences: int) -> Claim:
    return _without_output_gates(
        f"predicts a symbol {lag} steps later, and those between",
        "2a, table 2",
        sequences,
        lag,
        sample=partial(noise_free, lag=lag),
    )


def irregular_claim(lag: int, sequences: int) -> Claim:
    return _without_output_gates(
        f"predicts a symbol {lag} steps later, after as many that follow no rule",
        "2b",
        sequences,
        lag,
        sample=partial(irregular, lag=lag),
        at_end=True,
    )


def _without_output_gates(
    says: str, experiment: str, sequences: int, lag: int, sample: Callable, at_end: bool = False
) -> Claim:
    """What goes into the cell is between 0 and 1, and what it gives is not squashed."""
    return _claim(
        f"An LSTM without output gates {says}",
        f"1997, experiment {experiment}",
        sequences,
        minutes=17,
        beside=("elman",),
        wiring=Wiring(
            lag + 1,
            lag + 1,
            blocks=1,
            output_gate=False,
            recurrent=False,
            activation="sigmoid",
            output_activation="linear",
            hidden_bias=False,
            output_bias=False,
            direct=True,
        ),
        learning_rate=1.0,
        bound=0.2,
        learnt=RecentRight(tolerance=0.25, last=10_000, counted=False, at_end=at_end),
        sample=sample,
        chunk=250,
        tests=1000,
        every_step=True,
        cells_later=True,
    )


def long_lag_claim(
    lag: int, symbols: int, sequences: int, minutes: float, feedback: bool = True
) -> Claim:
    """As the paper wires it, or with hidden units that see the inputs alone, as in the paper's
    experiments 2a and 2b: what is fed back moves the cells at every step, and over a long lag to
    where their output no longer changes (`lstm_recipes.lab.drift`)."""
    says = f"keeps a symbol over {lag:,} steps, among {symbols:,} distractors"
    return _claim(
        f"An LSTM {says}" if feedback else f"An LSTM whose hidden units are not fed back {says}",
        "1997, experiment 2c, table 3" + ("" if feedback else " (there fed back)"),
        sequences,
        minutes,
        beside=("adam", "elman") if feedback else (),
        wiring=Wiring(
            symbols + 4,
            2,
            blocks=2,
            recurrent=feedback,
            hidden_bias=False,
            output_bias=False,
        ),
        sample=partial(distractors, lag=lag, symbols=symbols),
        learning_rate=0.01,
        bound=0.2,
        learnt=RecentRight(tolerance=0.2, last=10_000, counted=False),
        tests=10_000,
    )


TWO_SEQUENCES = Wiring(1, 1, blocks=3, output_bias=False)


def two_sequence_claim(
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
    learnt = {
        "a": RecentRight(tolerance=0.2, last=256, error=0.01 if exact else float("inf")),
        "b": RecentRight(tolerance=0.2, last=256, wrong=5),
        "c": RecentRight(tolerance=0.1, last=256, error=0.015),
    }[part]
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


def two_sequence_guessed_claim() -> Claim:
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
        beside=(),
    )


def multiplication_claim(wrong: int, sequences: int, minutes: float) -> Claim:
    return _claim(
        f"An LSTM multiplies two numbers up to 100 steps back, fewer than {wrong} of 2,000 wrong",
        "1997, experiment 5, table 8",
        sequences,
        minutes,
        wiring=Wiring(2, 1, blocks=2, block_size=2),
        sample=partial(multiplication, length=100),
        learning_rate=0.1,
        bound=0.1,
        learnt=RecentRight(tolerance=0.04, wrong=wrong - 1),
    )
