"""Notches at equal distances in the spectrum: a copy of the sound at a lag of 0.1 to 1 ms (comb filter).

The logarithm of such a spectrum has a ripple along frequency, whose cepstrum has a positive peak at the lag. The
spectrum of a voice or an instrument has a broad cepstrum at these lags, so the peak is compared with its neighbours.
Lags below about 0.12 ms give one or two notches only, which no figure tells from the timbre of a sound.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy
from scipy import fft, ndimage

from ...core.quantiles import median, percentiles

LONG_S, SHORT_S = 0.12, 0.06  # lengths of frames
LAGS_S = (0.13e-3, 1.1e-3)
BEYOND_S = (1.2e-3, 5e-3)  # lags whose mean is the typical size
LOWEST_HZ, HIGHEST_HZ = 120.0, 18000.0
LIVE_DB = 55.0  # below the loudest part of the spectrum: what lies further down at the top is left out
WIDE_HZ, NARROW_HZ = 2500.0, 600.0  # smoothing of the spectrum of a frame, and of that of the window
NAMES = ("notches: re neighbours", "notches: re long lags", "notches of frames: re long lags")


def figures(x: np.ndarray, rate: int) -> np.ndarray:
    """float32 ``[T]`` with unit RMS -> ``[len(NAMES)]``: natural logarithms of the peak divided by a typical size."""
    hertz, power = _power(x, rate, LONG_S)
    level = np.log(power.mean(1) + 1e-12)
    smooth = ndimage.uniform_filter1d(level, _bins(NARROW_HZ, hertz))
    live = np.flatnonzero(smooth > smooth.max() - LIVE_DB * np.log(10) / 10)
    window = _peak(hertz, level, min(float(hertz[live[-1]]), 0.46 * rate))
    hertz, power = _power(x, rate, SHORT_S)
    levels = np.log(power + 1e-10 * float(power.max()) + 1e-12)
    levels -= ndimage.uniform_filter1d(levels, _bins(WIDE_HZ, hertz), axis=0)
    return np.array([*window, _peak(hertz, median(levels), 0.46 * rate)[1]])


def _power(x: np.ndarray, rate: int, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies ``[bins]`` in Hz, and power ``[bins, frames]`` of all but the quietest fifth of the frames.

    The frames are those of ``scipy.signal.stft``, which takes four times as long.
    """
    length = int(seconds * rate)
    half, hop, size = length // 2, length - length // 2, int(fft.next_fast_len(length, real=True))
    padded = np.pad(x, (half, half + (length - len(x) - 2 * half) % hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    spectrum = fft.rfft(frames * _window(length), size, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    energy = power.sum(1)
    return np.arange(size // 2 + 1) * rate / size, power[energy >= percentiles(energy, 20)].T


@lru_cache(maxsize=64)
def _window(length: int) -> np.ndarray:
    window: np.ndarray = scipy.signal.get_window("hann", length)
    return (window / window.sum()).astype(np.float32)


def _bins(width_hz: float, hertz: np.ndarray) -> int:
    return max(3, int(width_hz / (hertz[1] - hertz[0])))


def _peak(hertz: np.ndarray, level: np.ndarray, top_hz: float) -> tuple[float, float]:
    """Largest value of the cepstrum at LAGS_S: relative to its neighbours, and to the lags BEYOND_S."""
    used = (hertz >= LOWEST_HZ) & (hertz <= min(top_hz, HIGHEST_HZ))
    ripple = level[used]
    if len(ripple) < 64:
        return 0.0, 0.0
    slopes, window = _slopes(len(ripple))
    ripple = ripple - slopes @ (slopes.T @ ripple)
    limit = 2.5 * ripple.std()
    ripple = ripple.clip(-limit, limit) * window
    size = 1 << int(np.ceil(np.log2(8 * len(ripple))))
    step = hertz[1] - hertz[0]
    lags = np.arange(size // 2 + 1) / (size * step)
    resolution = 1 / (len(ripple) * step)
    near = np.flatnonzero((lags >= max(LAGS_S[0], 1.5 * resolution)) & (lags <= LAGS_S[1]))
    if len(near) < 8:
        return 0.0, 0.0
    end = near[-1] + 1 + 8 * round(4 * resolution / lags[1])  # of the neighbours
    lags = lags[: max(end, int(np.searchsorted(lags, BEYOND_S[1])))]
    cepstrum = fft.rfft(ripple, size)[: len(lags)] * np.exp(-2j * np.pi * lags * hertz[used][0])  # real for a comb
    magnitude = np.abs(cepstrum)
    around = ndimage.median_filter(magnitude[:end], 2 * max(1, round(8 * resolution / lags[1])) + 1)
    typical = magnitude[(lags > BEYOND_S[0]) & (lags < BEYOND_S[1])].mean()
    values = cepstrum.real[near]
    return _logarithm((values / (around[near] + 1e-6)).max()), _logarithm(values.max() / (typical + 1e-6))


@lru_cache(maxsize=16)
def _slopes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal polynomials up to the fourth degree over bins ``[count, 5]``, and a Hann window."""
    polynomials, _ = np.linalg.qr(np.polynomial.legendre.legvander(np.linspace(-1, 1, count), 4))
    return polynomials, np.hanning(count)


def _logarithm(ratio: float) -> float:
    return float(np.log(np.clip(ratio, 0.05, 1e3)))
