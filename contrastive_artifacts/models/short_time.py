"""Short-time spectra of a sound with Hann windows that overlap by three quarters, and the sound of changed spectra.

They are those of ``scipy.signal.stft`` and ``istft`` except for rounding and the order of the axes, in a third of the
time. Frame n is centred at sample ``n * length / 4``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy
from scipy import fft

OVERLAP = 4  # frames that hold a sample


def spectra(x: np.ndarray, length: int) -> np.ndarray:
    """float32 ``[T]`` -> complex64 ``[frames, length / 2 + 1]``; a sine of amplitude 1 has a magnitude of 0.5.

    ``length`` is a multiple of 4; beyond both ends the sound is zero. Computed in double precision: whitening raises
    the rounding of weak bins by up to 90 dB.
    """
    hop = length // OVERLAP
    padded = np.pad(x.astype(np.float64), (length // 2, length // 2 + -len(x) % hop))
    window, scale = _window(length)
    frames = fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, length)[::hop] * window)
    return (frames * (1 / float(scale))).astype(np.complex64)


def sound(spectra: np.ndarray, length: int) -> np.ndarray:
    """The inverse of :func:`spectra`: float32 ``[T]``, up to a hop longer than the sound was."""
    window, scale = _window(length)
    parts = fft.irfft(spectra, length)
    parts *= scale
    parts *= window
    out = _overlapped(parts)
    out /= _overlapped_squares(length, len(parts))
    return out.ravel()[length // 2 : -(length // 2)]


def _overlapped(parts: np.ndarray) -> np.ndarray:
    """Sum of the frames ``[N, length]``, each a hop after the one before it: ``[N + 3, length / 4]``, by hops."""
    hop = parts.shape[1] // OVERLAP
    total = np.zeros((len(parts) + OVERLAP - 1, hop), np.float32)
    for part in reversed(range(OVERLAP)):  # first to last frame
        total[part : part + len(parts)] += parts[:, part * hop : (part + 1) * hop]
    return total


@lru_cache(maxsize=8)
def _window(length: int) -> tuple[np.ndarray, np.float32]:
    """The window, and its sum."""
    window: np.ndarray = scipy.signal.get_window("hann", length).astype(np.float32)
    return window, window.sum()


@lru_cache(maxsize=16)
def _overlapped_squares(length: int, count: int) -> np.ndarray:
    """The squared windows of ``count`` frames, see :func:`_overlapped`; 1 where their sum is zero."""
    total = _overlapped(np.tile(np.square(_window(length)[0]), (count, 1)))
    return np.where(total > 1e-10, total, np.float32(1))
