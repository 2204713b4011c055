"""Exact repeats at lags of 5 to 125 ms: stutters, and packets that a decoder played again.

Voices and notes repeat a waveform approximately, a buffer that is played twice repeats it to the sample. Each frame is
compared with the sound before it: the best lag is searched at a lowered rate and refined at the native one.
"""

from __future__ import annotations

import numpy as np
from scipy import fft, signal

FRAME_S, LEAST_S, MOST_S = 0.016, 0.005, 0.125
SEARCH_RATE = 11025  # Hz, about; the rate of the search is the native one divided by an integer
ACTIVE = 1e-3  # frames with less energy than this share of the median are left out
FLOOR = 1e-5  # smallest difference that is distinguished
PERCENTILES = (0, 1, 3, 10, 50)
EXACT = (1e-2, 1e-3)
NAMES = (*(f"repeat: {n} %" for n in PERCENTILES), *(f"repeat: share below {limit:g}" for limit in EXACT))


def figures(x: np.ndarray, rate: int) -> np.ndarray:
    """float32 ``[T]`` -> ``[len(NAMES)]``: percentiles of log10 of the :func:`differences`, shares of small ones."""
    values = np.log10(np.maximum(differences(x, rate), FLOOR))
    if not len(values):
        return np.zeros(len(NAMES))
    return np.array([*np.percentile(values, PERCENTILES), *((values < np.log10(limit)).mean() for limit in EXACT)])


def differences(x: np.ndarray, rate: int) -> np.ndarray:
    """1 - the largest normalised correlation of each active frame with the sound LEAST_S to MOST_S before it: ``[N]``.

    The first difference of the sound is compared, as low frequencies repeat in any sound.
    """
    step = max(1, round(rate / SEARCH_RATE))
    x = np.diff(x)
    coarse = signal.resample_poly(x, 1, step).astype(np.float32) if step > 1 else x
    length, least, most = (round(s * rate / step) for s in (FRAME_S, LEAST_S, MOST_S))
    starts = np.arange(most, len(coarse) - length - 1, length)
    if not len(starts):
        return np.zeros(0)
    past = np.lib.stride_tricks.sliding_window_view(coarse, most + length)[starts - most]
    here = past[:, most:]
    size = fft.next_fast_len(most + 2 * length, real=True)
    products = fft.irfft(fft.rfft(past, size) * np.conj(fft.rfft(here, size)), size)[:, : most - least + 1]
    energy = _energies(coarse, length)[starts[:, None] - most + np.arange(most - least + 1)]
    own_energy = np.square(here).sum(1)
    lags = (most - (products / np.sqrt(energy + 1e-6 * own_energy[:, None] + 1e-20)).argmax(1)) * step
    active = own_energy >= ACTIVE * np.median(own_energy) + 1e-12
    return _refined(x, starts[active] * step, lags[active], length * step, step)


def _refined(x: np.ndarray, starts: np.ndarray, lags: np.ndarray, length: int, step: int) -> np.ndarray:
    """1 - the largest normalised correlation of frames at ``starts`` with those ``lags`` +- ``step`` earlier."""
    windows, energies = np.lib.stride_tricks.sliding_window_view(x, length), _energies(x, length)
    here = windows[starts]
    best = np.full(len(starts), -1.0)
    for shift in range(-step, step + 1):
        places = np.clip(starts - lags + shift, 0, len(windows) - 1)
        products = np.einsum("nt,nt->n", here, windows[places])
        best = np.maximum(best, products / np.sqrt(energies[starts] * energies[places] + 1e-20))
    return 1 - best


def _energies(x: np.ndarray, length: int) -> np.ndarray:
    """Energy of all windows of ``length`` samples: ``[T - length + 1]``."""
    total = np.concatenate([[0.0], np.cumsum(np.square(x, dtype=np.float64))])
    return total[length:] - total[:-length]
