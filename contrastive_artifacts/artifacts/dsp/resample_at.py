"""Band-limited interpolation of a waveform at fractional sample positions, for changes of speed and for delays."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view

TAPS = 32
_PHASES = 16384
_CHUNK = 1 << 13  # samples read at a time: their taps fit in the cache
_BETA = 9.0  # Kaiser window: with 32 taps, images are below -85 dB up to 0.4 x the sample rate
_DELAY_TAPS = 64  # of the filter of a constant delay: flat to 0.45 x the sample rate
_STEPS = 50  # cutoffs are rounded to so many steps, so that few tables are cached


def read_at(waveform: np.ndarray, position: np.ndarray, cutoff: float = 1.0) -> np.ndarray:
    """Reads a waveform at fractional positions, by interpolation with a Kaiser-windowed sinc of 32 taps.

    The weights are those of the nearest of 16384 phases (Smith, Digital Audio Resampling, CCRMA 2002). The error of a
    tone below 0.4 x the sample rate is less than -85 dB. Beyond its ends the waveform is zero.

    Args:
        waveform: float32 ``[C, T]``.
        position: float64 ``[N]``, in samples, in any order; it is fastest if neighbouring positions are close.
        cutoff: of the sinc, as a share of half the sample rate, 0.5 .. 1, rounded down to 0.02. Reading at a speed
            above 1 aliases; a cutoff of 1 / speed prevents it.

    Returns:
        float32 ``[C, N]``.
    """
    samples = waveform.shape[-1]
    table = _sinc_table(min(_STEPS, max(_STEPS // 2, int(cutoff * _STEPS + 1e-6))))
    out = np.empty((len(waveform), len(position)), dtype=np.float32)
    buffer = np.empty((min(_CHUNK, len(position)), TAPS), dtype=np.float32)
    for start in range(0, len(position), _CHUNK):
        place = np.clip(position[start : start + _CHUNK], -TAPS, samples + TAPS)
        first = np.floor(place).astype(np.int64)
        place -= first
        place *= _PHASES
        weights = buffer[: len(place)]
        np.take(table, np.round(place, out=place).astype(np.int64), axis=0, mode="clip", out=weights)
        # Window w of the excerpt holds the samples low + w ...; the sinc is centred on its tap TAPS/2 - 1.
        low = int(first.min()) - (TAPS // 2 - 1)
        excerpt = _excerpt(waveform, low, int(first.max()) + TAPS // 2 + 1)
        first -= low + TAPS // 2 - 1
        if (
            first[-1] - first[0] == len(first) - 1 and (np.diff(first) == 1).all()
        ):  # a constant delay: nothing to gather
            for channel, row in enumerate(excerpt):
                windows = sliding_window_view(row, TAPS)[first[0] : first[-1] + 1]
                np.einsum("nk,nk->n", windows, weights, out=out[channel, start : start + len(place)])
            continue
        for channel, row in enumerate(excerpt):
            # As one opaque item per window, NumPy gathers them more than twice as fast as rows of numbers.
            items = np.ndarray((excerpt.shape[1] - TAPS + 1,), f"V{4 * TAPS}", row.data, strides=(4,))
            windows = items[first].view(np.float32).reshape(-1, TAPS)
            np.einsum("nk,nk->n", windows, weights, out=out[channel, start : start + len(place)])
    return out


def delayed(waveform: np.ndarray, delay: float) -> np.ndarray:
    """Delays a waveform by ``delay`` samples (earlier if negative); beyond its ends it is zero.

    A whole number only moves the samples; a fraction is interpolated with a Kaiser-windowed sinc of 64 taps.

    Args:
        waveform: float32 ``[C, T]``.
        delay: in samples.

    Returns:
        float32 ``[C, T]``.
    """
    steps = math.floor(delay)
    if steps == delay:
        return _excerpt(waveform, -steps, waveform.shape[-1] - steps)
    return filtered(waveform, delay_taps(delay - steps), steps)


def delay_taps(fraction: float) -> np.ndarray:
    """The zero-centred filter ``[65]`` that delays by a ``fraction`` of a sample, 0 <= fraction < 1; gain 1 at DC."""
    distance = np.arange(_DELAY_TAPS + 1) - _DELAY_TAPS // 2 - fraction
    taps = np.sinc(distance) * _kaiser(distance / (_DELAY_TAPS // 2 + 1))
    return taps / taps.sum()


def filtered(waveform: np.ndarray, taps: np.ndarray, later: int = 0) -> np.ndarray:
    """Filters float32 ``[C, T]`` and delays it.

    Args:
        waveform: float32 ``[C, T]``; zero beyond its ends.
        taps: ``[L]``, L odd, centred at L // 2.
        later: delay in whole samples.

    Returns:
        float32 ``[C, T]``.
    """
    samples, reach = waveform.shape[-1], len(taps) // 2
    whole = _excerpt(waveform, -later - reach, samples - later + reach)
    return scipy.signal.oaconvolve(whole, taps.astype(np.float32)[None], mode="valid", axes=1)


def _excerpt(waveform: np.ndarray, start: int, stop: int) -> np.ndarray:
    """A contiguous copy of the samples [start, stop) of ``[C, T]``, zero beyond its ends."""
    samples = waveform.shape[-1]
    out = np.zeros((len(waveform), stop - start), dtype=np.float32)
    low, high = min(max(start, 0), samples), min(max(stop, 0), samples)
    out[:, low - start : high - start] = waveform[:, low:high] if low < high else 0.0
    return out


@lru_cache(maxsize=16)
def _sinc_table(steps: int) -> np.ndarray:
    """``[_PHASES + 1, TAPS]`` weights of unit sum; row p interpolates p / _PHASES of the way after tap TAPS/2 - 1."""
    distance = np.arange(TAPS) - (TAPS // 2 - 1) - (np.arange(_PHASES + 1) / _PHASES)[:, None]
    weights = np.sinc(distance * (steps / _STEPS)) * _kaiser(distance / (TAPS / 2))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _kaiser(distance: np.ndarray) -> np.ndarray:
    """The Kaiser window at a distance from its centre; it ends at a distance of 1."""
    return np.i0(_BETA * np.sqrt(np.maximum(0, 1 - distance**2))) / np.i0(_BETA)
