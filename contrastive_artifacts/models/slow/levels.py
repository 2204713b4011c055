"""Changes of the level that all bands have in common: gain steps, and the pumping of a compressor.

The sounds of a recording change the level of some bands. A change of gain changes the level of all bands by the same
number of decibels, in loud parts and in pauses. The figures therefore compare the median change over the bands with its
spread over the bands. Steps: changes of the quantiles of the level from before to after a frame; a gain step shifts all
quantiles. Slopes: after a loud part a compressor raises the level steadily, while most sounds decay. Floor: the lowest
level around a frame in each band, which changes with the gain and hardly with the sounds; a compressor lowers it in
loud parts.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy import fft, ndimage

from ...core.quantiles import median, percentiles

FRAME_S, HOP_S = 0.04, 0.02
BANDS, LOWEST_HZ, HIGHEST_HZ = 20, 80.0, 7800.0
RANGE_DB, LIVE_DB = 90.0, 75.0  # below the loudest band: silence, and the bands that are not used
STEPS_S, SLOPES_S, FLOORS_S = (0.3, 1.0), (0.1, 0.3, 1.0), (0.3, 1.0)
QUANTILES = (0.1, 0.5, 0.9)
TIGHT_DB = 1.5  # spread over the bands below which a change is common to all
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
    """float32 ``[T]`` -> ``[len(NAMES)]``: levels in units of 10 dB; contrasts and ratios as natural logarithms."""
    level = band_levels(x, rate)
    values: list[float] = []
    for seconds in STEPS_S:
        values += _steps(level, _frames(seconds, level))
    for seconds in SLOPES_S:
        values += _slopes(level, _frames(seconds, level))
    loudness = 10 * np.log10((10 ** (level / 10)).mean(1))
    for seconds in FLOORS_S:
        values += _floor(level, loudness, _frames(seconds, level))
    return np.array([*values, *(percentiles(loudness - percentiles(loudness, 99), LEVELS) / 10)])


def band_levels(x: np.ndarray, rate: int) -> np.ndarray:
    """Level in dB of all bands that are not silent: float32 ``[frames, bands]``, at least 3 bands."""
    length, hop = round(FRAME_S * rate), round(HOP_S * rate)
    window, bank = _bank(length, rate)
    spectrum = fft.rfft(np.lib.stride_tricks.sliding_window_view(x, length)[::hop] * window)
    power = (spectrum.real**2 + spectrum.imag**2) @ bank
    level = 10 * np.log10(np.maximum(power, max(float(power.max()), 1e-20) * 10 ** (-RANGE_DB / 10)))
    loud = percentiles(level, 95)
    return level[:, loud >= min(loud.max() - LIVE_DB, np.sort(loud)[-3])]


@lru_cache(maxsize=4)
def _bank(length: int, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Window function, and filter bank ``[bins, BANDS]`` for the mean power of each band, at least a bin wide."""
    hertz = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, 0.4875 * rate), BANDS + 1)
    edges = np.maximum.accumulate(np.maximum(np.ceil(hertz * length / rate), np.arange(BANDS + 1) + 2)).astype(int)
    bank = np.zeros((length // 2 + 1, BANDS), np.float32)
    for band, (start, stop) in enumerate(pairwise(edges.tolist())):
        bank[start : max(stop, start + 1), band] = 1 / max(stop - start, 1)
    return np.hanning(length).astype(np.float32), bank


def _frames(seconds: float, level: np.ndarray) -> int:
    """A duration in frames, limited to a quarter of the window."""
    return max(2, min(round(seconds / HOP_S), len(level) // 4))


def _common(change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median over the last axis, and median absolute deviation from it."""
    middle = median(change)
    return middle, median(np.abs(change - middle[:, None]))


def _steps(level: np.ndarray, reach: int) -> list[float]:
    """Changes of the quantiles of each band from the ``reach`` frames before a frame to those after it."""
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(level, reach, axis=0)[::2], axis=2)
    quantiles = windows[..., [round(q * (reach - 1)) for q in QUANTILES]]  # [n, bands, quantiles], every other frame
    ahead = (reach + 1) // 2
    common, spread = _common((quantiles[ahead:] - quantiles[:-ahead]).reshape(len(quantiles) - ahead, -1))
    contrast = np.abs(common) / (spread + 0.5)
    best = int(contrast.argmax())
    logs = np.log(np.array([contrast[best], *percentiles(contrast, (90, 99))]) + 0.01)
    return [*logs, abs(common[best]) / 10, spread[best] / 10, np.abs(common).max() / 10]


def _slopes(level: np.ndarray, reach: int) -> list[float]:
    """Changes of the smoothed level over ``reach`` frames: in all frames, where the bands agree, and in quiet parts."""
    smooth = ndimage.uniform_filter1d(level, max(1, reach // 2), axis=0)
    common, spread = _common(smooth[reach:] - smooth[:-reach])
    before = median(smooth[:-reach])
    tight, quiet = spread <= percentiles(spread, 30), before <= percentiles(before, 40)
    parts = [percentiles(common, (5, 50, 95)), percentiles(common[tight], (10, 50, 90)),
             percentiles(common[quiet], (10, 50, 90))]  # fmt: skip
    return [*(np.concatenate(parts) / 10), float((spread < TIGHT_DB).mean())]


def _floor(level: np.ndarray, loudness: np.ndarray, reach: int) -> list[float]:
    """Changes of the lowest level within ``reach`` frames on either side, and their correlation with the loudness."""
    around = 2 * reach + 1
    least = ndimage.minimum_filter1d(level, around, axis=0, mode="nearest")
    motion = least - least.mean(0)
    common, peaks = motion.mean(1), ndimage.maximum_filter1d(loudness, around, mode="nearest")
    peaks = peaks - peaks.mean()
    together = float((common * peaks).mean()) / (float(common.std() * peaks.std()) + 0.01)
    share = np.log((float(common.var()) + 0.01) / (float(motion.var()) + 0.01))
    return [float(common.std()) / 10, float(motion.std()) / 10, share, together]
