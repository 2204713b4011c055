"""Mains hum of a clip: steady lines at multiples of 50 or 60 Hz."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from .spectrum import Spectra

MAINS_HZ = (50, 60)
_HARMONICS = 8
_AWAY_HZ = (4, 20)
_LINE_FLOOR = 1e-12  # power: -120 dBFS, above the sidelobes of the window


@dataclass(frozen=True)
class Hum:
    """Attributes:
    prominence_db: Level of lines at multiples of the mains frequency above the spectrum 4 to 20 Hz next to them: the
        median over the seconds of the clip, so that single notes do not count, and of the first eight multiples the
        fundamental or the second strongest, whichever is higher. About 5 dB in noise.
    mains_hz: 50 or 60, whichever has the higher prominence.
    level_db: RMS of the lines among these eight with a prominence of 10 dB or more, dBFS; -160 if there are none.
    """

    prominence_db: float
    mains_hz: int
    level_db: float


class HumMeter:
    """Steady lines at multiples of 50 or 60 Hz in a signal that is given block by block; none within half a second."""

    def __init__(self, samples: int, sample_rate: int) -> None:
        length = int(sample_rate)  # one second: bins of 1 Hz; a shorter clip is padded with zeros
        self._top = mains_bins(length)
        self._frames = Spectra(length, length // 2, self._top)
        self._lines: dict[int, list[np.ndarray]] = {mains: [] for mains in MAINS_HZ}
        self._too_short = samples < sample_rate // 2

    def add(self, mono: np.ndarray) -> None:
        """Takes the next samples ``[n]``."""
        self._take(self._frames.add(mono))

    def hum(self) -> Hum:
        """The measures of what was given."""
        self._take(() if self._too_short else self._frames.end(pad=True))
        if not any(len(part) for part in self._lines[MAINS_HZ[0]]):
            return Hum(0.0, MAINS_HZ[0], -160.0)
        return hum_of({mains: np.concatenate(parts) for mains, parts in self._lines.items()})

    def _take(self, batches: Iterable[np.ndarray]) -> None:
        for power in batches:
            sounding = power[power.sum(axis=1) > 1e-20]
            for mains, parts in self._lines.items():
                parts.append(mains_lines(sounding, mains))


def mains_bins(sample_rate: int) -> int:
    """The bins of 1 Hz, from 0 Hz on, that :func:`mains_lines` looks at."""
    return min(sample_rate // 2, _HARMONICS * MAINS_HZ[1] + _AWAY_HZ[1]) + 1


def mains_lines(power: np.ndarray, mains: int) -> np.ndarray:
    """Power of each line and of the spectrum around it, ``[frames, lines, 2]``.

    Args:
        power: Spectra ``[frames, bins]`` of one second, bins of 1 Hz; :func:`mains_bins` of them are enough.
        mains: 50 or 60.
    """
    near, far = _AWAY_HZ
    columns = []
    for line in range(mains, min(_HARMONICS * mains, power.shape[1] - 1 - far) + 1, mains):
        around = np.concatenate(
            [power[:, line - far : line - near + 1], power[:, line + near : line + far + 1]], axis=1
        )
        columns.append(np.stack([power[:, line - 1 : line + 2].max(axis=1), np.median(around, axis=1)], axis=1))
    return np.stack(columns, axis=1)


def hum_of(lines: Mapping[int, np.ndarray]) -> Hum:
    """The hum of the more prominent mains frequency.

    Args:
        lines: Mains frequency -> :func:`mains_lines` of one or more frames.
    """
    return max((_hum(parts, mains) for mains, parts in lines.items()), key=lambda hum: hum.prominence_db)


def _hum(lines: np.ndarray, mains: int) -> Hum:
    strongest, background = lines[..., 0], lines[..., 1]
    over = np.median(10 * np.log10((strongest + _LINE_FLOOR) / (background + _LINE_FLOOR)), axis=0).tolist()
    levels = np.median(strongest, axis=0).tolist()
    ranked = sorted(over, reverse=True)
    steady = sum(level for level, prominence in zip(levels, over, strict=True) if prominence >= 10)
    level_db = 10 * np.log10(steady) if steady > 1e-16 else -160.0
    return Hum(max(over[0], ranked[1] if len(ranked) > 1 else 0.0), mains, float(level_db))
