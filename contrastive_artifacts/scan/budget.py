"""How a rate of false segments is shared out among the faults, so that as many faults as possible are still heard."""

from __future__ import annotations

import numpy as np

STEPS = np.geomspace(0.0004, 40, 51)  # false segments per hour of one fault, between which is chosen
_PARTS = 10_000  # of the rate; costs are rounded up to them


def shared_out(rate: float, recalls: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The number of the step in STEPS that each fault gets, int64 [K].

    One step of each fault, so that the mean square root of their recalls is largest for ``rate``: a fault that is heard
    as well with few false segments leaves them to others, and none is given up for a little more of another. This is a
    multiple-choice knapsack problem, solved by dynamic programming (Dudzinski & Walukiewicz, European Journal of
    Operational Research 28(1), 1987). Where even the first steps count as more than ``rate``, all get those.

    Args:
        rate: False segments per hour over all faults.
        recalls: [K, len(STEPS)], share of each fault that is heard at each step.
        costs: [K, len(STEPS)], false segments per hour that each step counts as, rising.
    """
    remaining = rate - costs[:, 0].sum()
    if remaining <= 0:
        return np.zeros(len(costs), np.int64)
    parts = np.ceil(np.minimum((costs - costs[:, :1]) / remaining, 2) * _PARTS - 1e-6).astype(np.int64)
    best, choices = np.zeros(_PARTS + 1), []  # worth of the faults so far for every number of parts
    for worth, needed in zip(np.sqrt(recalls), parts, strict=True):
        options = np.full((len(STEPS), _PARTS + 1), -np.inf)
        for step in np.flatnonzero(needed <= _PARTS):
            options[step, needed[step] :] = best[: _PARTS + 1 - needed[step]] + worth[step]
        choices.append(options.argmax(axis=0))  # the cheapest of equal ones
        best = options.max(axis=0)
    steps, left = np.zeros(len(costs), np.int64), _PARTS
    for fault in reversed(range(len(costs))):
        steps[fault] = choices[fault][left]
        left -= parts[fault, steps[fault]]
    return steps
