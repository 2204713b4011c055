"""Peaks of the chances of clean recordings, and how high so many of them reach."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from .budget import STEPS, shared_out

TAIL = 10  # peaks whose mean excess gives the slope of the tail beyond the largest of them
APART = 2  # windows between two peaks of one segment


@dataclass
class Peaks:
    """Of clean material: fault -> the peaks of the log odds of its recordings, and their hours."""

    peaks: dict[str, list[np.ndarray]]
    hours: dict[str, float]

    @classmethod
    def none(cls, names: Iterable[str]) -> Peaks:
        return cls({name: [] for name in names}, dict.fromkeys(names, 0.0))

    @classmethod
    def joined(cls, parts: Sequence[Peaks], names: Iterable[str]) -> Peaks:
        return cls(
            {name: [peaks for part in parts for peaks in part.peaks[name]] for name in names},
            {name: sum(part.hours[name] for part in parts) for name in names},
        )

    def add(self, odds: np.ndarray, hours: float, unknown: Collection[str] = ()) -> None:
        """Adds a recording by its log odds [N, K], "clean" first, for the faults that are not ``unknown`` in it."""
        for column, name in enumerate(self.peaks, start=1):
            if name not in unknown:
                self.peaks[name].append(local_peaks(odds[:, column]))
                self.hours[name] += hours

    @property
    def length(self) -> float:
        """Hours of all recordings."""
        return max(self.hours.values(), default=0.0)

    def above(self, levels: np.ndarray) -> int:
        """How many peaks of all faults reach the log odds [K - 1] of their fault."""
        pairs = zip(self.peaks.values(), levels.tolist(), strict=True)
        return sum(int((peaks >= level).sum()) for of_fault, level in pairs for peaks in of_fault)


@dataclass(frozen=True)
class Levels:
    """Log odds [K - 1, STEPS] that as many false segments of each fault exceed, and the recall [K - 1, STEPS] there."""

    levels: np.ndarray
    recalls: np.ndarray

    @classmethod
    def of(cls, clean: Peaks, damaged: Mapping[str, np.ndarray]) -> Levels:
        falling = {n: np.sort(np.concatenate(peaks or [np.zeros(0)]))[::-1] for n, peaks in clean.peaks.items()}
        levels = np.array([[_level(falling[name], step * clean.hours[name]) for step in STEPS] for name in damaged])
        recalls = [
            (odds[:, None] >= row).mean(0) if len(odds) else np.zeros(len(STEPS))
            for odds, row in zip(damaged.values(), levels, strict=True)
        ]
        return cls(levels, np.array(recalls))

    def at(self, rate: float) -> np.ndarray:
        """The log odds [K - 1] at which all faults together raise ``rate`` false segments per hour."""
        chosen: np.ndarray = self.levels[np.arange(len(self.levels)), shared_out(rate, self.recalls)]
        return chosen


def log_odds(chances: np.ndarray) -> np.ndarray:
    odds: np.ndarray = logit(np.clip(chances.astype(np.float64), 1e-9, 1 - 1e-9))
    return odds


def local_peaks(values: np.ndarray) -> np.ndarray:
    """The largest values [N], each of which stands for all within APART places of it, in falling order."""
    order, taken, peaks = np.argsort(-values, kind="stable"), np.zeros(len(values), bool), []
    for place in order.tolist():
        if not taken[place]:
            peaks.append(values[place])
            taken[max(0, place - APART) : place + APART + 1] = True
    return np.array(peaks)


def _level(falling: np.ndarray, allowed: float) -> float:
    """The level that ``allowed`` of the peaks exceed, as expected; 0 (a chance of one half) without peaks.

    Args:
        falling: All peaks, the largest first.
        allowed: Their number, which need not be whole.
    """
    if not len(falling):
        return 0.0
    whole = int(allowed)
    if whole >= len(falling):
        return float(falling[-1])
    if whole >= 1:
        return float(falling[whole - 1] + falling[whole]) / 2
    tail = falling[: TAIL + 1]
    excess = float((tail[:-1] - tail[-1]).mean()) if len(tail) > 1 else 0.0
    return float(tail[0]) + excess * float(np.log(1 / max(allowed, 1e-6)))
