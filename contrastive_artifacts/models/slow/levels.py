"""Common motion of the level in all bands: gain steps, and the breathing of a compressor.

Sounds come and go band by band. A gain moves all bands by the same number of decibels, what is loud and what lies in
the pauses. So the change from one moment to the next is taken in each band, and its median over the bands is held
against its spread. Steps: quantiles of the level before and after a moment, of which a gain moves every one. Slopes:
a compressor lets the level rise steadily where sounds by themselves die away. Floor: the least level around a moment,
common to all bands, which a gain moves and sounds do not; a compressor presses it down where it is loud.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy import fft, ndimage

FRAME_S, HOP_S = 0.04, 0.02
BANDS, LOWEST_HZ, HIGHEST_HZ = 20, 80.0, 7800.0
RANGE_DB, LIVE_DB = 90.0, 75.0  # below the loudest band: what counts as silence, and which bands are not looked at
STEPS_S, SLOPES_S, FLOORS_S = (0.3, 1.0), (0.1, 0.3, 1.0), (0.3, 1.0)
QUANTILES = (0.1, 0.5, 0.9)
TIGHT_DB = 1.5  # spread over the bands below which a change is one of all alike
LEVELS = (5, 25, 50, 75, 90)
NAMES = (
    *(f"step {s:g} s: {n}" for s in STEPS_S for n in ("contrast", "its 90 %", "its 99 %", "size", "spread", "most")),
    *(
        f"slope {s:g} s: {n}"
        for s in SLOPES_S
        for n in ("5 %", "50 %", "95 %", "tight 10 %", "tight 50 %", "tight 90 %", "quiet 10 %", "quiet 50 %",
                  "quiet 90 %", "share of tight")
    ),
    *(f"floor {s:g} s: {n}" for s in FLOORS_S for n in ("common", "all", "share", "with the loudness")),
    *(f"level {n} %" for n in LEVELS),
)  # fmt: skip


def figures(x: np.ndarray, rate: int) -> np.ndarray:
    """``[len(NAMES)]`` of float32 ``[T]``; decibels in tens, contrasts and ratios as natural logarithms."""
    level = band_levels(x, rate)
    found: list[float] = []
    for seconds in STEPS_S:
        found += _steps(level, _frames(seconds, level))
    for seconds in SLOPES_S:
        found += _slopes(level, _frames(seconds, level))
    loudness = 10 * np.log10((10 ** (level / 10)).mean(1))
    for seconds in FLOORS_S:
        found += _floor(level, loudness, _frames(seconds, level))
    return np.array([*found, *(np.percentile(loudness - np.percentile(loudness, 99), LEVELS) / 10)])


def band_levels(x: np.ndarray, rate: int) -> np.ndarray:
    """Level in dB of the bands that sound at all: float32 ``[frames, bands]``, 3 bands at least."""
    length, hop = round(FRAME_S * rate), round(HOP_S * rate)
    window, bank = _bank(length, rate)
    spectrum = fft.rfft(np.lib.stride_tricks.sliding_window_view(x, length)[::hop] * window)
    power = (spectrum.real**2 + spectrum.imag**2) @ bank
    level = 10 * np.log10(np.maximum(power, max(float(power.max()), 1e-20) * 10 ** (-RANGE_DB / 10)))
    loud = np.percentile(level, 95, axis=0)
    return level[:, loud >= min(loud.max() - LIVE_DB, np.sort(loud)[-3])]


@lru_cache(maxsize=4)
def _bank(length: int, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Window, and ``[bins, BANDS]`` that takes the mean power of each band; none is narrower than a bin."""
    hertz = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, 0.4875 * rate), BANDS + 1)
    edges = np.maximum.accumulate(np.maximum(np.ceil(hertz * length / rate), np.arange(BANDS + 1) + 2)).astype(int)
    bank = np.zeros((length // 2 + 1, BANDS), np.float32)
    for band, (start, stop) in enumerate(pairwise(edges.tolist())):
        bank[start : max(stop, start + 1), band] = 1 / max(stop - start, 1)
    return np.hanning(length).astype(np.float32), bank


def _frames(seconds: float, level: np.ndarray) -> int:
    """How many hops, a quarter of the stretch at most."""
    return max(2, min(round(seconds / HOP_S), len(level) // 4))


def _common(change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median over the last axis and the median distance from it."""
    middle = np.median(change, axis=1)
    return middle, np.median(np.abs(change - middle[:, None]), axis=1)


def _steps(level: np.ndarray, reach: int) -> list[float]:
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(level, reach, axis=0)[::2], axis=2)
    held = windows[..., [round(q * (reach - 1)) for q in QUANTILES]]  # [n, bands, quantiles], every other frame
    ahead = (reach + 1) // 2
    common, spread = _common((held[ahead:] - held[:-ahead]).reshape(len(held) - ahead, -1))
    contrast = np.abs(common) / (spread + 0.5)
    best = int(contrast.argmax())
    logs = np.log(np.array([contrast[best], *np.percentile(contrast, (90, 99))]) + 0.01)
    return [*logs, abs(common[best]) / 10, spread[best] / 10, np.abs(common).max() / 10]


def _slopes(level: np.ndarray, reach: int) -> list[float]:
    smooth = ndimage.uniform_filter1d(level, max(1, reach // 2), axis=0)
    common, spread = _common(smooth[reach:] - smooth[:-reach])
    before = np.median(smooth[:-reach], axis=1)
    tight, quiet = spread <= np.percentile(spread, 30), before <= np.percentile(before, 40)
    shown = [np.percentile(common, (5, 50, 95)), np.percentile(common[tight], (10, 50, 90)),
             np.percentile(common[quiet], (10, 50, 90))]  # fmt: skip
    return [*(np.concatenate(shown) / 10), float((spread < TIGHT_DB).mean())]


def _floor(level: np.ndarray, loudness: np.ndarray, reach: int) -> list[float]:
    around = 2 * reach + 1
    least = ndimage.minimum_filter1d(level, around, axis=0, mode="nearest")
    motion = least - least.mean(0)
    common, peaks = motion.mean(1), ndimage.maximum_filter1d(loudness, around, mode="nearest")
    peaks = peaks - peaks.mean()
    together = float((common * peaks).mean()) / (float(common.std() * peaks.std()) + 0.01)
    share = np.log((float(common.var()) + 0.01) / (float(motion.var()) + 0.01))
    return [float(common.std()) / 10, float(motion.std()) / 10, share, together]
