"""Copies of the sound at lags of 0.5 to 2 s: print-through of tapes and record grooves.

A copy at -20 to -45 dB is detectable where the sound is much quieter than one turn of the reel earlier or later. The
sound is therefore whitened twice, in time and frequency: once with more weight on quiet parts, once with more weight on
loud parts, and the first is correlated with the second (generalised correlation, Knapp and Carter, IEEE Trans. ASSP
24(4), 1976). The turns of a reel get longer as its diameter grows: the square of their duration grows linearly,
P(t)^2 = P0^2 + 2 q t. The correlations of short segments are therefore summed along such lines, which are straight on
an axis of squared lags, for a grid of q.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import fft

from ... import audio
from .. import short_time

RATE = 4000  # Hz: print-through is strongest at about 350 to 1200 Hz
LEAST_S, MOST_S = 0.5, 2.2
SEGMENT_S = 0.25  # within a segment the duration of a turn changes by two samples at most
FRAME, LOWEST_HZ = 1024, 60.0
CONTRAST = 0.5  # exponent of the weights of quiet and loud parts
GROWTH = np.concatenate([[0.0], np.linspace(1 / 3000, 1 / 300, 48)])  # q in s: thickness / speed of the tape
GRID = 2 * LEAST_S / RATE  # of the squared lag, s^2: one sample at the shortest lag
BLOCK = 18500  # lags that are summed at once: half of them; the fewer blocks, the fewer calls
SAMPLE = 16384  # values from which the bounds of a median are estimated
NAMES = ("copy: steady", "copy: growing", "copy: steady, after", "copy: steady, before")


def figures(x: np.ndarray, rate: int) -> np.ndarray:
    """float32 ``[T]`` -> ``[len(NAMES)]``: log10 of the largest summed correlation divided by the typical one."""
    faint, loud = _whitened(audio.resample(x, rate, RATE))
    after = correlations(faint, loud)
    before = correlations(faint[::-1], loud[::-1])[::-1]
    growing = along_lines(after + before, GROWTH[1:])
    np.abs(growing, out=growing)
    sums = [after.sum(0), before.sum(0)]
    both, *sides = (np.abs(total) for total in (sums[0] + sums[1], *sums))
    return np.array(
        [
            _steady_prominence(both, growing.shape[1]),
            _prominence(growing.max(), _median(growing.ravel())),
            *map(_steady_prominence, sides),
        ]
    )


def _whitened(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sound with quiet parts emphasised, and with loud parts emphasised: two float32 ``[T]``, white."""
    spectra = short_time.spectra(x, FRAME)
    power = spectra.real**2 + spectra.imag**2
    power += np.float32(1e-9 * max(float(power.max()), 1e-20))
    weight = np.log(power)
    weight = np.exp(np.float32(CONTRAST / 2) * (weight - weight.mean(0)))
    spectra *= 1 / np.sqrt(power)
    spectra[:, : math.ceil(LOWEST_HZ * FRAME / RATE)] = 0
    faint, loud = (short_time.sound(spectra * gain, FRAME)[: len(x)] for gain in (1 / weight, weight))
    return faint, loud


def correlations(here: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Correlation of each segment of ``here`` with ``earlier`` at all lags of 0 to MOST_S: ``[segments, lags]``."""
    length, most = round(SEGMENT_S * RATE), round(MOST_S * RATE)
    count = len(here) // length
    size = fft.next_fast_len(most + 2 * length, real=True)
    padded = np.concatenate([np.zeros(most, np.float32), earlier])
    past = np.lib.stride_tricks.sliding_window_view(padded, most + length)[::length][:count]
    spectra = fft.rfft(past, size)
    spectra *= np.conj(fft.rfft(here[: count * length].reshape(count, length), size))
    return fft.irfft(spectra, size)[:, most::-1]


def along_lines(correlation: np.ndarray, growth: np.ndarray) -> np.ndarray:
    """Sums of ``[segments, lags]`` along P^2 = P0^2 + 2 q t: ``[q, P0^2]``.

    P0 begins at LEAST_S; its largest value is such that all lags stay below MOST_S.
    """
    seconds = (np.arange(len(correlation)) + 0.5) * SEGMENT_S
    squared = np.take(correlation, _places(), axis=1)
    shifts = np.rint(2 * growth[:, None] * seconds / GRID).astype(int)
    reach = int(shifts.max())
    width = max(1, squared.shape[1] - reach)
    sums = np.empty((len(growth), width), np.float32)
    for first in range(0, width, BLOCK):
        _sum_block(
            squared[:, first : min(first + BLOCK, width) + reach], shifts.tolist(), sums[:, first : first + BLOCK]
        )
    return sums


def _sum_block(segments: np.ndarray, shifts: list[list[int]], sums: np.ndarray) -> None:
    """Writes ``sums[q, i] = sum over s of segments[s, i + shifts[q][s]]``.

    Two neighbouring segments are shifted against each other by few different distances (0 to 7 on the grid of GROWTH):
    the sum of such a pair is computed once for each distance, which saves two thirds of the time.
    """
    width = sums.shape[1]
    pairs: dict[tuple[int, int], np.ndarray] = {}  # (first segment, distance) -> sum of both
    for total, starts in zip(sums, shifts, strict=True):
        parts = [] if len(segments) % 2 == 0 else [segments[-1, starts[-1] : starts[-1] + width]]
        for s in range(0, len(segments) - 1, 2):
            first = starts[s]
            distance = starts[s + 1] - first
            pair = pairs.get((s, distance))
            if pair is None:
                length = segments.shape[1] - distance
                pair = pairs[s, distance] = segments[s, :length] + segments[s + 1, distance:]
            parts.append(pair[first : first + width])
        np.add(parts[0], parts[1] if len(parts) > 1 else 0, out=total)
        for part in parts[2:]:
            total += part


@lru_cache(maxsize=1)
def _places() -> np.ndarray:
    """The lag, in samples, at each place of the axis of squared lags."""
    lags = np.rint(np.sqrt(np.arange(LEAST_S**2, MOST_S**2, GRID)) * RATE).astype(int)
    return np.minimum(lags, round(MOST_S * RATE))


@lru_cache(maxsize=16)
def _lags(width: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The lags at the first ``width`` places of that axis, and at how many places each of them is."""
    lags, counts = np.unique(_places()[:width], return_counts=True)
    return lags, counts


def _steady_prominence(sizes: np.ndarray, width: int | None = None) -> float:
    """:func:`_prominence` of magnitudes at all lags ``[lags]``, as often as they are on the axis of squared lags.

    Long lags are at several of its places, so that only a fifth of the values needs to be sorted.
    """
    lags, counts = _lags(width)
    values = sizes[lags]
    order = np.argsort(values)
    ends = np.cumsum(counts[order])
    lower, upper = (values[order[np.searchsorted(ends, rank, side="right")]] for rank in _middle(int(ends[-1])))
    return _prominence(values.max(), (float(lower) + float(upper)) / 2)


def _prominence(largest: float, middle: float) -> float:
    """log10 of the largest magnitude divided by the standard deviation, estimated from the median magnitude."""
    return float(np.log10((float(largest) + 1e-9) / (middle / 0.6745 + 1e-9)))


def _median(values: np.ndarray) -> float:
    """``np.median`` of float ``[N]``, ten times as fast where N is large.

    Only the values between two quantiles of a sample, below and above the median, are partitioned.
    """
    sample = np.sort(values[:: max(1, len(values) // SAMPLE)])
    low, high = sample[int(0.48 * len(sample))], sample[int(0.52 * len(sample))]
    below = values < low
    middle = values[np.flatnonzero(below ^ (values <= high))]
    lower, upper = (rank - int(np.count_nonzero(below)) for rank in _middle(len(values)))
    if lower < 0 or upper >= len(middle):  # the sample does not represent the values
        return float(np.median(values))
    ordered = np.partition(middle, upper)  # one place: two take ten times as long
    return (float(ordered[: lower + 1].max()) + float(ordered[upper])) / 2


def _middle(count: int) -> tuple[int, int]:
    """The ranks, from 0, of the values whose mean is the median of ``count`` values."""
    return (count - 1) // 2, count // 2
