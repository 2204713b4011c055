"""Curves without memory at a multiple of the rate, so that their harmonics do not fold back into the band."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr

Curve = Callable[[np.ndarray], np.ndarray]  # samples [N] -> what is to be added to them [N], an array of its own

_TWICE_FROM = 40000  # Hz: from this rate on twice the rate is enough for what music has up there
_QUALITY = "LQ"  # 16 bits: the linear part of the wave does not pass through the filters, only what the curve changes
_BLOCK = {2: 1 << 15, 4: 1 << 18}  # samples bent at a time: in the cache for 2, few joints for 4
_MARGIN = {2: 9, 4: 64}  # samples: how far the filters reach
# The value half way between two samples from five to either side: least largest error up to .3 of the rate, -58 dB.
_NEAR_TO_FAR = (0.6192224876, -0.1654735540, 0.0622439220, -0.0203661036, 0.0043732479)
_HALF_WAY = np.array(_NEAR_TO_FAR[::-1] + _NEAR_TO_FAR, dtype=np.float32)


def sufficient(sample_rate: int) -> int:
    """How many times the rate keep what a smooth curve folds back inaudible: 2, or 4 at low rates."""
    return 2 if sample_rate >= _TWICE_FROM else 4


def change(waveform: np.ndarray, factor: int, curve: Curve) -> np.ndarray:
    """What a curve changes in a waveform when it acts on the wave between the samples, too.

    The waveform is oversampled, bent, and only the difference comes back through the decimation filter: where the curve
    is straight, the change is zero but for the ringing of the filter. The clip counts as constant before and after.
    Factor 2 is a half-band filter of 19 taps that rejects by 60 dB what folds back below .3 of the rate; factor 4 are
    soxr's filters.

    Args:
        waveform: float32 ``[C, T]``.
        factor: 2 or 4 times the rate.
        curve: sees pieces of the oversampled wave, in any order; it must not change them.

    Returns:
        float32 ``[C, T]``; the waveform plus this is the bent one.
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
    """``[N + 18]`` -> ``[N]``: the mean of the change at the samples and of that half way between, brought back."""
    between = np.correlate(wave, _HALF_WAY, mode="valid")
    out = np.correlate(curve(between), _HALF_WAY, mode="valid")
    out += curve(wave[_MARGIN[2] : -_MARGIN[2]])
    out *= np.float32(0.5)
    return out


def _at_four_times(wave: np.ndarray, curve: Curve) -> np.ndarray:
    fine = soxr.resample(wave, 1, 4, quality=_QUALITY)
    return soxr.resample(curve(fine), 4, 1, quality=_QUALITY)[_MARGIN[4] : -_MARGIN[4]]


def _with_margins(channel: np.ndarray, start: int, stop: int, margin: int) -> np.ndarray:
    """The samples [start, stop) of ``[T]`` with ``margin`` neighbours on both sides, held at the ends of the clip."""
    first, last = max(0, start - margin), min(len(channel), stop + margin)
    if (first, last) == (start - margin, stop + margin):
        return channel[first:last]
    ahead = np.full(margin - (start - first), channel[0])
    behind = np.full(margin - (last - stop), channel[-1])
    return np.concatenate([ahead, channel[first:last], behind])
