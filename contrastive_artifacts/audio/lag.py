"""Where a short waveform lies in a longer one that holds a copy of it, to a fraction of a sample."""

from __future__ import annotations

import numpy as np
from scipy import fft

# Lags around the largest value, in samples, and samples on each side of it. Of noise, another one than the nearest can
# be the largest.
_FINE, _NEAR = np.arange(-64, 65) / 32, 16
_FINE_TAPS = np.sinc(_FINE[:, None] - np.arange(-_NEAR, _NEAR + 1)) * np.hanning(2 * _NEAR + 3)[1:-1]


def place_of(inner: np.ndarray, outer: np.ndarray) -> tuple[float, float]:
    """Position of the start of ``inner`` [n] in ``outer`` [m >= n], and the correlation there, in [-1, 1].

    The largest absolute normalised correlation of the first differences, as low tones have no sharp maximum; between
    samples by band-limited interpolation, to 1/32 sample. (0, 0) where one of the two is constant.
    """
    inner, outer = np.diff(inner), np.diff(outer)
    count = outer.size - inner.size + 1
    size = fft.next_fast_len(outer.size, real=True)
    spectrum = fft.rfft(outer, size) * np.conj(fft.rfft(inner, size))
    products = fft.irfft(spectrum, size)[:count].astype(np.float64)
    running = np.concatenate([[0.0], np.cumsum(np.square(outer, dtype=np.float64))])
    energies = running[inner.size :][:count] - running[:count]
    scale = float(np.dot(inner, inner)) * energies
    heights = np.divide(products, np.sqrt(np.maximum(scale, 1e-30)), out=np.zeros_like(products), where=scale > 1e-20)
    place = int(np.argmax(np.abs(heights)))
    fine = _FINE_TAPS @ np.pad(heights, _NEAR)[place : place + 2 * _NEAR + 1]
    best = int(np.argmax(np.abs(fine)))
    return (float(place + _FINE[best]), float(fine[best])) if heights[place] else (0.0, 0.0)
