"""Pulses of autoregressive (AR) models for impulsive artifacts, their number, and how they are added to a track."""

from __future__ import annotations

import math

import numpy as np
from scipy import fft

_GROUP = 1 << 21  # spectral values at a time


def ring(excitation: np.ndarray, hertz: np.ndarray, decay: np.ndarray, sample_rate: int) -> np.ndarray:
    """Filters excitations by AR resonators, all rows at once: AR(2) for one resonance, AR(4) for two.

    A click as a short excited AR process is the model of Godsill and Rayner, Digital Audio Restoration, 1998. The
    recursion is computed as a division of spectra, zero-padded so that time aliasing is below -75 dB.

    Args:
        excitation: ``[K, L]``.
        hertz: resonance frequencies ``[K, R]``, below half the sample rate.
        decay: time constants ``[K]`` in samples, L / 3 or less.
        sample_rate: Hz.

    Returns:
        float32 ``[K, L]``, each row scaled to a peak of 1.
    """
    count, length = excitation.shape
    size = 1 << max(3, math.ceil(math.log2(4 * length)))
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size).astype(np.complex64)
    radius = np.exp(-1.0 / decay)[:, None]
    near = (2 * radius * np.cos(2 * np.pi * hertz / sample_rate)).astype(np.float32)
    far = np.square(radius).astype(np.float32)
    out = np.empty((count, length), dtype=np.float32)
    step = max(1, _GROUP // size)
    for start in range(0, count, step):
        rows = slice(start, start + step)
        spectrum = fft.rfft(excitation[rows].astype(np.float32), n=size, axis=1)
        for first in near[rows].T:
            spectrum /= 1 - delay * (first[:, None] - far[rows] * delay)
        out[rows] = fft.irfft(spectrum, n=size, axis=1, overwrite_x=True)[:, :length]
    out /= np.maximum(np.abs(out).max(axis=1, keepdims=True), 1e-20)
    return out


def bank(
    rng: np.random.Generator, count: int, length: int, hertz: float, order: int, sample_rate: int, common: float = 0.0
) -> np.ndarray:
    """A bank of pulses: decaying noise after a step, filtered by resonators drawn around ``hertz``.

    Args:
        rng: draws the excitations and the coefficients.
        count, length: shape ``[K, L]`` of the bank, in pulses and samples.
        hertz: median of the resonance frequencies, which are limited to 50 Hz .. 0.45 x the sample rate.
        order: 2 or 4, the order of the AR models.
        sample_rate: Hz.
        common: weight of the part that all pulses share, 0 (independent) .. 1 (all equal).

    Returns:
        float32 ``[K, L]`` with peaks of 1, faded out at the end.
    """
    independent = np.float32(math.sqrt(1 - common**2))

    def vary(*shape: int) -> np.ndarray:
        shared, single = rng.standard_normal((1, *shape)), rng.standard_normal((count, *shape))
        return common * shared + independent * single

    step = np.arange(length)
    excitation = vary(length) * np.exp(-8.0 * step / length)
    excitation[:, 0] = 2.0
    resonances = np.clip(hertz * np.exp(0.35 * vary(order // 2)), 50.0, 0.45 * sample_rate)
    decay = length / np.clip(6.0 * np.exp(0.2 * vary()), 4.0, 10.0)
    pulses = ring(excitation, resonances, decay, sample_rate)
    pulses *= np.cos(np.pi / 2 * step / length).astype(np.float32)
    return pulses


def bumps(lengths: np.ndarray, dips: np.ndarray, longest: int) -> np.ndarray:
    """Smooth pulses, as of a stylus over a bump in the groove: raised cosines, or sines within them.

    Args:
        lengths: in samples, ``[K]``.
        dips: bool ``[K]``: as high a dip follows the bump.
        longest: L.

    Returns:
        ``[K, L]``, zero beyond each length, with peaks of 1 or less.
    """
    turn = np.minimum((np.arange(longest) + 1) / (lengths[:, None] + 1), 1.0)
    pulses = np.square(np.sin(np.pi * turn))
    pulses[dips] *= np.sin(2 * np.pi * turn[dips])
    return pulses


def count_of(rng: np.random.Generator, expected: float) -> int:
    """A random count of about ``expected``, at least 1, with the variance of a Poisson variable.

    For an equal ``rng`` it grows with ``expected``.
    """
    expected = max(1.0, expected)
    surplus = float(np.clip(rng.standard_normal(), -1.5, 1.5))
    return max(1, round(expected + surplus * math.sqrt(expected)))


def scatter(track: np.ndarray, starts: np.ndarray, pulses: np.ndarray) -> None:
    """Adds pulses ``[K, L]`` to the float32 ``track`` ``[T]`` in place, at ``starts`` ``[K]``.

    Overlapping pulses are summed; a pulse is cut at the end of the track.
    """
    where = starts[:, None] + np.arange(pulses.shape[1])
    if len(where) and int(starts.max()) + pulses.shape[1] > len(track):
        inside = where < len(track)
        np.add.at(track, where[inside], pulses[inside])
    else:
        np.add.at(track, where.reshape(-1), pulses.reshape(-1))
