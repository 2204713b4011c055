"""Exact repeats at lags of 5 to 125 ms: stutters, and packets that a decoder played again.

Voices and notes repeat a waveform approximately, a buffer that is played twice repeats it to the sample. Each frame is
compared with the sound before it: the best lag is searched at a lowered rate and refined at the native one.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy
from scipy import fft

from ...core.quantiles import median, percentiles

FRAME_S, LEAST_S, MOST_S = 0.016, 0.005, 0.125
SEARCH_RATE = 11025  # Hz, about; the rate of the search is the native one divided by an integer
ACTIVE = 1e-3  # frames with less energy than this share of the median are left out
FLOOR = 1e-5  # smallest difference that is distinguished
BLOCK = 32  # samples at the rate of the search that are filtered at once
PERCENTILES = (0, 1, 3, 10, 50)
EXACT = (1e-2, 1e-3)
NAMES = (*(f"repeat: {n} %" for n in PERCENTILES), *(f"repeat: share below {limit:g}" for limit in EXACT))


def figures(x: np.ndarray, rate: int) -> np.ndarray:
    """float32 ``[T]`` -> ``[len(NAMES)]``: percentiles of log10 of the :func:`differences`, shares of small ones."""
    values = np.log10(np.maximum(differences(x, rate), FLOOR))
    if not len(values):
        return np.zeros(len(NAMES))
    return np.array([*percentiles(values, PERCENTILES), *((values < np.log10(limit)).mean() for limit in EXACT)])


def differences(x: np.ndarray, rate: int) -> np.ndarray:
    """1 - the largest normalised correlation of each active frame with the sound LEAST_S to MOST_S before it: ``[N]``.

    The first difference of the sound is compared, as low frequencies repeat in any sound.
    """
    step = max(1, round(rate / SEARCH_RATE))
    x = np.diff(x)
    coarse = _decimated(x, step)
    length, least, most = (round(s * rate / step) for s in (FRAME_S, LEAST_S, MOST_S))
    starts = np.arange(most, len(coarse) - length - 1, length)
    if not len(starts):
        return np.zeros(0)
    lags, own_energy = _best_lags(coarse, starts, length, least, most)
    active = own_energy >= ACTIVE * median(own_energy) + 1e-12
    return _refined(x, starts[active] * step, lags[active] * step, length * step, step)


def _decimated(x: np.ndarray, step: int) -> np.ndarray:
    """``scipy.signal.resample_poly(x, 1, step)`` of float32 ``[T]`` as a matrix product, a fifth of the time."""
    if step == 1:
        return x
    half, filters = _filters(step)
    width = filters.shape[1] * step
    count = -(-len(x) // step)
    rows = -(-len(x) // width)
    padded = np.pad(x, (half, rows * width + len(filters) - len(x) - half))
    decimated: np.ndarray = np.lib.stride_tricks.sliding_window_view(padded, len(filters))[::width][:rows] @ filters
    return decimated.ravel()[:count]


@lru_cache(maxsize=16)
def _filters(step: int) -> tuple[int, np.ndarray]:
    """Half the length of the low-pass filter, and BLOCK copies of it side by side, each ``step`` samples later."""
    half = 10 * step
    taps = scipy.signal.firwin(2 * half + 1, 1 / step, window=("kaiser", 5.0))
    filters = np.zeros(((BLOCK - 1) * step + len(taps), BLOCK), np.float32)
    for column in range(BLOCK):
        filters[column * step : column * step + len(taps), column] = taps
    return half, filters


def _best_lags(x: np.ndarray, starts: np.ndarray, length: int, least: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Lag of the largest normalised correlation of each frame with the sound before it, and energy of the frame."""
    past = np.lib.stride_tricks.sliding_window_view(x, most + length)[starts - most]
    here = past[:, most:]
    size = fft.next_fast_len(most + length, real=True)
    spectra = fft.rfft(past, size)
    spectra *= np.conj(fft.rfft(here, size))
    products = fft.irfft(spectra, size)[:, : most - least + 1]
    own_energy = np.square(here).sum(1)
    energy = _energies(x, length).astype(np.float32)
    energy = np.lib.stride_tricks.sliding_window_view(energy, most - least + 1)[starts - most]
    energy += 1e-6 * own_energy[:, None] + 1e-20
    return most - (products / np.sqrt(energy, out=energy)).argmax(1), own_energy


def _refined(x: np.ndarray, starts: np.ndarray, lags: np.ndarray, length: int, step: int) -> np.ndarray:
    """1 - the largest normalised correlation of frames at ``starts`` with those ``lags`` +- ``step`` earlier."""
    here = np.lib.stride_tricks.sliding_window_view(x, length)[starts]
    first = np.maximum(starts - lags - step, 0)
    past = np.lib.stride_tricks.sliding_window_view(x, length + 2 * step)[first]
    squares = np.square(past, dtype=np.float64)
    energy, own_energy = squares[:, :length].sum(1), np.square(here, dtype=np.float64).sum(1)
    best = np.full(len(starts), -1.0)
    for shift in range(2 * step + 1):
        products = np.einsum("nt,nt->n", here, past[:, shift : shift + length])
        values = products / np.sqrt(own_energy * energy + 1e-20)
        best = np.where(first + shift <= starts - lags + step, np.maximum(best, values), best)
        if shift < 2 * step:
            energy = np.maximum(energy + squares[:, shift + length] - squares[:, shift], 0)  # rounding may go below
    return 1 - best


def _energies(x: np.ndarray, length: int) -> np.ndarray:
    """Energy of all windows of ``length`` samples: ``[T - length + 1]``."""
    total = np.concatenate([[0.0], np.cumsum(np.square(x, dtype=np.float64))])
    return total[length:] - total[:-length]
