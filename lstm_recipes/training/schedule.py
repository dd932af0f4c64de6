"""How large a step is when."""

import math


def warmup_cosine(step: int, total: int, peak: float, warmup: int) -> float:
    """The learning rate of a step: up in a straight line to ``peak``, then down a half cosine to
    zero at the end (Loshchilov & Hutter 2017, without restarts).

    ``warmup`` is cut to a tenth of ``total`` where the run is short.

    >>> [round(warmup_cosine(step, 100, 1.0, 10), 3) for step in (0, 9, 10, 55, 99)]
    [0.1, 1.0, 1.0, 0.5, 0.0]
    """
    warmup = min(warmup, max(total // 10, 1))
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1)))


def halving(step: int, total: int, peak: float, warmup: int) -> float:
    """The learning rate of a step: ``peak`` for two thirds of the run, then halved at once and
    after each fifteenth (Sutskever, Vinyals & Le 2014, section 3.4: 7.5 epochs, halved each half
    epoch after the fifth). There is no warm-up.

    >>> [halving(step, 75, 0.7, 0) for step in (0, 49, 50, 54, 55, 74)]
    [0.7, 0.7, 0.35, 0.35, 0.175, 0.021875]
    """
    return peak * 0.5 ** max(0, 15 * step // total - 9)


SCHEDULES = {"cosine": warmup_cosine, "halving": halving}
