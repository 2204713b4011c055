"""Memoryless nonlinear curves, applied at a multiple of the sample rate against aliasing of their harmonics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr

Curve = Callable[[np.ndarray], np.ndarray]  # samples [N] -> what to add to them [N], a new array

_TWICE_FROM = 40000  # Hz: from this sample rate on a factor of 2 is enough, as music has little energy up there
_QUALITY = "LQ"  # 16 bits are enough: only the change passes through the filters, not the wave itself
_BLOCK = {2: 1 << 15, 4: 1 << 18}  # samples per block: within the cache for 2, few blocks for 4
_MARGIN = {2: 9, 4: 64}  # samples that the filters reach to either side
# Half-band interpolation from five samples to either side: minimax error of -58 dB up to 0.3 x the sample rate.
_NEAR_TO_FAR = (0.6192224876, -0.1654735540, 0.0622439220, -0.0203661036, 0.0043732479)
_HALF_WAY = np.array(_NEAR_TO_FAR[::-1] + _NEAR_TO_FAR, dtype=np.float32)


def sufficient(sample_rate: int) -> int:
    """The oversampling factor at which aliasing of a smooth curve is inaudible: 2, or 4 at low sample rates."""
    return 2 if sample_rate >= _TWICE_FROM else 4


def change(waveform: np.ndarray, factor: int, curve: Curve) -> np.ndarray:
    """The change that a nonlinear curve makes to a waveform, computed on the oversampled wave.

    Only the change passes through the decimation filter: where the curve is linear, it is zero but for the ringing of
    the filter. The wave is taken as constant before and after the clip. Factor 2 has a half-band filter of 19 taps,
    which rejects by 60 dB what would alias below 0.3 x the sample rate; factor 4 has soxr's filters.

    Args:
        waveform: float32 ``[C, T]``.
        factor: oversampling factor, 2 or 4.
        curve: called with blocks of the oversampled wave, in any order; it must not change them in place.

    Returns:
        float32 ``[C, T]``, to be added to the waveform.
    """
    bend = _at_twice if factor == 2 else _at_four_times
    out = np.empty_like(waveform)
    samples = waveform.shape[-1]
    for row, channel in zip(out, waveform, strict=True):
        for start in range(0, samples, _BLOCK[factor]):
            stop = min(start + _BLOCK[factor], samples)
            row[start:stop] = bend(_with_margins(channel, start, stop, _MARGIN[factor]), curve)
    return out


def _at_twice(wave: np.ndarray, curve: Curve) -> np.ndarray:
    """``[N + 18]`` -> ``[N]``: the mean of the changes at the samples and half way between them."""
    between = np.correlate(wave, _HALF_WAY, mode="valid")
    out = np.correlate(curve(between), _HALF_WAY, mode="valid")
    out += curve(wave[_MARGIN[2] : -_MARGIN[2]])
    out *= np.float32(0.5)
    return out


def _at_four_times(wave: np.ndarray, curve: Curve) -> np.ndarray:
    fine = soxr.resample(wave, 1, 4, quality=_QUALITY)
    return soxr.resample(curve(fine), 4, 1, quality=_QUALITY)[_MARGIN[4] : -_MARGIN[4]]


def _with_margins(channel: np.ndarray, start: int, stop: int, margin: int) -> np.ndarray:
    """Samples [start, stop) of ``[T]`` with ``margin`` more on both sides; beyond the clip its end values."""
    first, last = max(0, start - margin), min(len(channel), stop + margin)
    if (first, last) == (start - margin, stop + margin):
        return channel[first:last]
    ahead = np.full(margin - (start - first), channel[0])
    behind = np.full(margin - (last - stop), channel[-1])
    return np.concatenate([ahead, channel[first:last], behind])
