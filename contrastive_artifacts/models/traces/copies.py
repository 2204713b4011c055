"""Copies of the sound at lags of 2 to 550 ms: reflections of a room and echoes.

The sound is whitened in time and frequency, so that only a copy of its phases correlates (generalised correlation with
phase transform, Knapp and Carter, IEEE Trans. ASSP 24(4), 1976). The autocorrelation of the whole window has a peak at
the lag of an echo, and raised values at all short lags in a room. The cepstrum has a peak at the lag of a loud echo.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import fft

from ... import audio
from ...core.quantiles import median
from .. import short_time

RATE = 8000  # Hz
FRAME, LOWEST_HZ = 2048, 100.0
LAGS_S = ((0.002, 0.01), (0.01, 0.03), (0.03, 0.06), (0.06, 0.55))
CEPSTRUM_S = ((0.04, 0.15), (0.15, 0.55))
TYPICAL_S = (0.05, 2.0)  # lags whose median is the typical size
NAMES = (
    *(f"copy at {1e3 * low:g}-{1e3 * high:g} ms" for low, high in LAGS_S), "mean of copies at 2-30 ms",
    *(f"cepstrum at {1e3 * low:g}-{1e3 * high:g} ms" for low, high in CEPSTRUM_S),
)  # fmt: skip


def figures(x: np.ndarray, rate: int) -> np.ndarray:
    """float32 ``[T]`` with unit RMS -> ``[len(NAMES)]``: log10 of the largest value divided by the typical size."""
    y = audio.resample(x, rate, RATE)
    size = fft.next_fast_len(len(y) + round(TYPICAL_S[1] * RATE), real=True)
    spectrum = fft.rfft(_whitened(y), size)
    correlation = np.abs(fft.irfft(spectrum.real**2 + spectrum.imag**2, size))
    typical = _typical(correlation)
    peaks = _peaks(correlation, typical, LAGS_S)
    short = correlation[round(0.002 * RATE) : round(0.03 * RATE)].mean()
    spectrum = fft.rfft(y * _hann(len(y)), size)
    power = spectrum.real**2 + spectrum.imag**2
    cepstrum = fft.irfft(np.log(power + 1e-9 * float(power.max()) + 1e-12), size)
    of_cepstrum = _peaks(cepstrum, _typical(np.abs(cepstrum)), CEPSTRUM_S)
    return np.array([*peaks, _logarithm(short, typical), *of_cepstrum])


@lru_cache(maxsize=16)
def _hann(length: int) -> np.ndarray:
    return np.hanning(length).astype(np.float32)


def _whitened(y: np.ndarray) -> np.ndarray:
    """All bins of all frames with a magnitude of about 1, those of digital silence and below LOWEST_HZ with less."""
    spectra = short_time.spectra(y, FRAME)
    power = spectra.real**2 + spectra.imag**2
    spectra *= 1 / np.sqrt(power + np.float32(1e-9 * max(float(power.max()), 1e-20)))
    spectra[:, : math.ceil(LOWEST_HZ * FRAME / RATE)] = 0
    return short_time.sound(spectra, FRAME)


def _peaks(values: np.ndarray, typical: float, lags: Sequence[tuple[float, float]]) -> list[float]:
    return [_logarithm(values[round(low * RATE) : round(high * RATE)].max(), typical) for low, high in lags]


def _typical(sizes: np.ndarray) -> float:
    return float(median(sizes[round(TYPICAL_S[0] * RATE) : round(TYPICAL_S[1] * RATE)])) / 0.6745


def _logarithm(value: float, typical: float) -> float:
    return float(np.log10((max(float(value), 0.0) + 1e-9) / (typical + 1e-9) + 1e-3))
