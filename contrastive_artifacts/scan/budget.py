"""How a rate of false segments is shared out among the faults, so that as many faults as possible are still heard."""

from __future__ import annotations

import numpy as np

STEPS = np.geomspace(0.0004, 40, 51)  # false segments per hour of one fault, between which is chosen


def shared_out(rate: float, recalls: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The number of the step in STEPS that each fault gets, int64 [K].

    Each fault begins with the first step. Then the step that raises the mean square root of the recalls most for each
    further false segment is taken, until nothing more can be had for ``rate``: a fault that is heard as well with few
    false segments leaves them to others (greedy choice for the multiple-choice knapsack problem, Sinha & Zoltners,
    Operations Research 27(3), 1979). The square root, so that no fault is given up for a little more of another.

    Args:
        rate: False segments per hour over all faults.
        recalls: [K, len(STEPS)], share of each fault that is heard at each step.
        costs: [K, len(STEPS)], false segments per hour that each step counts as, rising.
    """
    chosen, recalls = np.zeros(len(recalls), np.int64), np.sqrt(recalls)
    each = np.arange(len(recalls))
    while True:
        spent = costs[each, chosen]
        more = costs - spent[:, None]
        gains = recalls - recalls[each, chosen][:, None]
        possible = (more > 0) & (gains > 0) & (more <= rate - spent.sum())
        if not possible.any():
            return chosen
        worth = np.where(possible, gains / np.where(more > 0, more, 1.0), -1.0)
        fault, step = np.unravel_index(worth.argmax(), worth.shape)
        chosen[fault] = step
