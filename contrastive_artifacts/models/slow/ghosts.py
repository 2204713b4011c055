"""Copies of the sound half a second to two seconds away: print-through of tapes and grooves.

A copy at -20 to -45 dB shows best where the sound itself is much fainter than it was, or will be, one turn away. So
the sound is whitened twice, in time and frequency: once so that faint places count more, once so that loud ones do,
and the first is correlated with the second ("generalised correlation", Knapp and Carter, IEEE Trans. ASSP 24(4), 1976).
The turns of a reel grow with its diameter: their duration squared grows linearly, P(t)^2 = P0^2 + 2 q t. So the
correlations of short segments are added along such lines, for a grid of q, on an axis of squared lags, where they are
straight.
"""

from __future__ import annotations

import numpy as np
from scipy import fft, signal

from ... import audio

RATE = 4000  # Hz: a tape prints most at wavelengths of some 350 to 1200 Hz
LEAST_S, MOST_S = 0.5, 2.2
SEGMENT_S = 0.25  # short enough for a growing turn to stay within a sample or two
FRAME, LOWEST_HZ = 1024, 60.0
CONTRAST = 0.5  # exponent by which faint and loud places are set apart
GROWTH = np.concatenate([[0.0], np.linspace(1 / 3000, 1 / 300, 48)])  # q, in s: thickness over speed of the tape
GRID = 2 * LEAST_S / RATE  # of the squared lag, s^2: one sample at the shortest lag
BLOCK = 8192  # sums at once: those of all segments stay in the cache of a core
NAMES = ("copy: steady", "copy: growing", "copy: steady, after", "copy: steady, before")


def figures(x: np.ndarray, rate: int) -> np.ndarray:
    """``[len(NAMES)]`` of float32 ``[T]``: log10 of the largest correlation over all lags against the usual one."""
    faint, loud = _whitened(audio.resample(x, rate, RATE))
    after, before = correlations(faint, loud), correlations(faint[::-1], loud[::-1])[::-1]
    found = [along_lines(after + before, GROWTH), along_lines(after, GROWTH[:1]), along_lines(before, GROWTH[:1])]
    return np.array([_stands_out(found[0][:1]), _stands_out(found[0][1:]), *map(_stands_out, found[1:])])


def _whitened(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sound with faint places raised, and with loud ones kept: two float32 ``[T]``, all bands alike in level."""
    hertz, _, spectrum = signal.stft(x, RATE, nperseg=FRAME, noverlap=FRAME * 3 // 4)
    power = spectrum.real**2 + spectrum.imag**2
    power += 1e-9 * max(float(power.max()), 1e-20)
    weight = np.log(power)
    weight = np.exp(CONTRAST / 2 * (weight - weight.mean(1, keepdims=True)))
    spectrum /= np.sqrt(power)
    spectrum[hertz < LOWEST_HZ] = 0
    sounds = [signal.istft(part, RATE, nperseg=FRAME, noverlap=FRAME * 3 // 4)[1] for part in
              (spectrum / weight, spectrum * weight)]  # fmt: skip
    return sounds[0][: len(x)].astype(np.float32), sounds[1][: len(x)].astype(np.float32)


def correlations(here: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Of each segment of ``here`` with ``earlier`` by every lag from 0 to MOST_S: float32 ``[segments, lags]``."""
    length, most = round(SEGMENT_S * RATE), round(MOST_S * RATE)
    count = len(here) // length
    size = fft.next_fast_len(most + 2 * length, real=True)
    padded = np.concatenate([np.zeros(most, np.float32), earlier])
    past = np.lib.stride_tricks.sliding_window_view(padded, most + length)[::length][:count]
    spectra = fft.rfft(past, size) * np.conj(fft.rfft(here[: count * length].reshape(count, length), size))
    return fft.irfft(spectra, size)[:, most::-1]


def along_lines(found: np.ndarray, growth: np.ndarray) -> np.ndarray:
    """Sums over the segments along P^2 = P0^2 + 2 q t: ``[q, P0^2]``, P0 from LEAST_S to what stays within MOST_S."""
    seconds = (np.arange(len(found)) + 0.5) * SEGMENT_S
    lags = np.sqrt(np.arange(LEAST_S**2, MOST_S**2, GRID)) * RATE
    squared = found[:, np.minimum(np.rint(lags).astype(int), found.shape[1] - 1)]
    shifts = np.rint(2 * growth[:, None] * seconds / GRID).astype(int)
    width = max(1, squared.shape[1] - int(shifts.max()))
    sums = np.zeros((len(growth), width), np.float32)
    for first in range(0, width, BLOCK):
        last = min(first + BLOCK, width)
        for total, ahead in zip(sums[:, first:last], shifts.tolist(), strict=True):
            for segment, start in zip(squared, ahead, strict=True):
                total += segment[start + first : start + last]
    return sums


def _stands_out(sums: np.ndarray) -> float:
    size = np.abs(sums)
    usual = float(np.median(size)) / 0.6745
    return float(np.log10((float(size.max()) + 1e-9) / (usual + 1e-9)))
