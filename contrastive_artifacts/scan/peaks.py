"""Peaks of the chances of clean recordings, and how high so many of them reach."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from .budget import STEPS, shared_out

TAIL = 10  # peaks whose mean excess gives the slope of the tail beyond the largest of them
APART = 2  # windows between two peaks of one segment
LEFT_OUT = 2.0  # times that a false segment of left-out material counts


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

    def above(self, levels: np.ndarray) -> np.ndarray:
        """How many peaks of each fault reach its log odds [K - 1, ...]: int64 [K - 1, ...]."""
        pairs = zip(self.rising().values(), levels, strict=True)
        return np.array([len(of_fault) - np.searchsorted(of_fault, level) for of_fault, level in pairs])

    def rising(self) -> dict[str, np.ndarray]:
        """Fault -> the peaks of all recordings, the smallest first."""
        return {name: np.sort(np.concatenate(peaks or [np.zeros(0)])) for name, peaks in self.peaks.items()}


@dataclass(frozen=True)
class Levels:
    """Log odds that so many false segments per hour (STEPS) of each fault exceed, and what they are worth.

    Args:
        levels: Log odds, [K - 1, STEPS].
        recalls: Share of the windows with the fault that exceed them, [K - 1, STEPS].
        costs: False segments per hour that each counts as, [K - 1, STEPS].
    """

    levels: np.ndarray
    recalls: np.ndarray
    costs: np.ndarray

    @classmethod
    def of(cls, materials: Sequence[Peaks], damaged: Mapping[str, np.ndarray]) -> Levels:
        """Measures them on clean materials.

        Material unlike the others raises more at their levels, and of some faults much more. So each is left out in
        turn: a step costs itself, and LEFT_OUT times the rate of what is left out at the levels of the others. More
        than once, as what is chosen are faults that happen to have few of them.

        Args:
            materials: Kinds of clean sound.
            damaged: Each fault -> the log odds of windows that hold it, [N].
        """
        clean = Peaks.joined(materials, damaged)
        levels = _levels(clean)
        raised = np.zeros(levels.shape)
        for material in materials if len(materials) > 1 else ():
            raised += material.above(_levels(Peaks.joined([m for m in materials if m is not material], damaged)))
        hours = np.array([[max(clean.hours[name], 1e-9)] for name in damaged])
        recalls = [
            (odds[:, None] >= row).mean(0) if len(odds) else np.zeros(len(STEPS))
            for odds, row in zip(damaged.values(), levels, strict=True)
        ]
        return cls(levels, np.array(recalls), np.maximum.accumulate(STEPS + LEFT_OUT * raised / hours, axis=1))

    def at(self, rate: float) -> np.ndarray:
        """The log odds [K - 1] at which all faults together raise ``rate`` false segments per hour."""
        steps = shared_out(rate, self.recalls, self.costs)
        chosen: np.ndarray = self.levels[np.arange(len(self.levels)), steps]
        return chosen


def _levels(clean: Peaks) -> np.ndarray:
    """The log odds [K - 1, STEPS] that so many of the peaks exceed."""
    rising = clean.rising()
    return np.array([[_level(rising[name][::-1], step * clean.hours[name]) for step in STEPS] for name in rising])


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
