"""Detected events against true ones: matching within a tolerance of their bounds, precision, recall and F1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .bootstrap import Interval, bootstrap_sums

LENGTH_SHARE = 0.5  # of the length of the true event, by which its end may be missed


class Event(NamedTuple):
    """A part of a recording with a label.

    Attributes:
        start_s, stop_s: Seconds.
        label: Name of the artifact.
    """

    start_s: float
    stop_s: float
    label: str


class Counts(NamedTuple):
    """Matched, true and detected events."""

    matched: int
    true: int
    detected: int


def match(truth: Sequence[Event], detected: Sequence[Event], onset_s: float, offset: bool = True) -> Counts:
    """Counts the detected events of one label that match a true one, each at most once.

    An event matches where its start differs by at most ``onset_s`` and, with ``offset``, its end by at most that or
    half of the true length, whichever is more (event-based figures of Mesaros, Heittola and Virtanen, Applied Sciences
    6(6), 2016). The largest possible number of pairs is counted.

    Args:
        truth, detected: Events of one recording and one label.
        onset_s: Tolerance in seconds, above 0.
        offset: Whether ends count.
    """
    fits = [
        [
            abs(one.start_s - other.start_s) <= onset_s
            and (
                not offset or abs(one.stop_s - other.stop_s) <= max(onset_s, LENGTH_SHARE * (one.stop_s - one.start_s))
            )
            for other in detected
        ]
        for one in truth
    ]
    partner: dict[int, int] = {}  # detected -> true
    matched = sum(_augmented(row, fits, partner, set()) for row in range(len(truth)))
    return Counts(matched, len(truth), len(detected))


def _augmented(row: int, fits: Sequence[Sequence[bool]], partner: dict[int, int], tried: set[int]) -> bool:
    """Whether a true event finds a partner, where need be by giving others another one (Kuhn 1955)."""
    for column, does_fit in enumerate(fits[row]):
        if does_fit and column not in tried:
            tried.add(column)
            if column not in partner or _augmented(partner[column], fits, partner, tried):
                partner[column] = row
                return True
    return False


def overlapped(truth: Sequence[Event], detected: Sequence[Event]) -> Counts:
    """Counts the true events of one label that a detected one overlaps; ``matched`` are these, ``true`` all of them.

    ``detected`` counts the detected events that overlap no true one.
    """
    matched = sum(touches(event, detected) for event in truth)
    return Counts(matched, len(truth), sum(not touches(event, truth) for event in detected))


def touches(event: Event, others: Sequence[Event]) -> bool:
    """Whether an event overlaps another one of its label."""
    return any(o.label == event.label and o.start_s < event.stop_s and o.stop_s > event.start_s for o in others)


def f1(matched: np.ndarray, true: np.ndarray, detected: np.ndarray) -> np.ndarray:
    """F1 of sums of counts; NaN without any event."""
    total = np.asarray(true + detected, float)
    return np.divide(2.0 * matched, total, out=np.full_like(total, np.nan), where=total > 0)


def intervals(counts: np.ndarray, figure: Callable[..., np.ndarray] = f1, seed: int = 0) -> Interval:
    """A figure of the sum of counts over recordings, with its 95 % interval over them.

    Args:
        counts: [N, 3], the :class:`Counts` of each recording.
        figure: Of the three sums.
        seed: Of the resampling.
    """
    recordings = np.arange(len(counts))
    return bootstrap_sums(lambda sums: figure(*np.moveaxis(sums, -1, 0)), counts.astype(float), recordings, 1000, seed)
