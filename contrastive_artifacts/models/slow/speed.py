"""Changes of frequency that all partials have in common: wow.

On a logarithmic frequency axis a change of speed shifts the whole spectrum. The shift from frame to frame is the
least-squares solution of the optical flow equation (Lucas and Kanade, "An iterative image registration technique",
IJCAI 1981) over all frequencies. Periodic changes of speed give lines in the spectrum of this shift, up to 6 Hz.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft, ndimage

from ...core.quantiles import median

FRAME, HOP_S = 4096, 0.025  # 256 ms at 16 kHz, long enough to resolve the partials of a chord
LOWEST_HZ, HIGHEST_HZ, STEPS = 150.0, 7000.0, 120  # steps per octave
RANGE_DB, ABOUT = 80.0, 30  # level of silence; steps (a quarter octave) of the moving average below the partials
SPAN = 2  # the shift is measured from this many frames before to this many after
BLOCK = 16  # frames that are transformed at once: their spectra fit into the cache of a core
FASTEST = 1.0  # largest relative change of speed per second; larger ones are changes of note
BANDS_HZ = ((0.4, 1.0), (1.0, 2.2), (2.2, 6.2))
NAMES = (
    *(f"speed {low:g}-{high:g} Hz: {n}" for low, high in BANDS_HZ for n in ("line", "contrast")),
    "speed: mean change", "speed: median change",
)  # fmt: skip


def figures(x: np.ndarray, rate: int) -> np.ndarray:
    """float32 ``[T]`` -> ``[len(NAMES)]``, natural logarithms."""
    change, weight = speed_changes(x, rate)
    change = change.clip(-FASTEST, FASTEST)
    weight = np.minimum(weight / max(float(weight.mean()), 1e-12), 2)
    total = max(float(weight.sum()), 1e-6)
    window = np.hanning(len(change) + 2)[1:-1]
    swing = weight * (change - (weight * change).sum() / total) * window
    hertz, turns = _rotations(len(change))
    lines = np.abs(turns @ swing) / max(float((weight * window).sum()), 1e-6) + 1e-5
    typical, values = median(lines), []
    for low, high in BANDS_HZ:
        peak = lines[(hertz >= low) & (hertz < high)].max()
        values += [np.log(peak), np.log(peak / typical)]
    size = np.abs(change)
    return np.array([*values, np.log(size.mean() + 1e-5), np.log(median(size) + 1e-5)])


def speed_changes(x: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Relative change of speed per second, and its weight (energy of the partials' slopes): two ``[N]``, hop HOP_S."""
    window, low, share = _axis(rate)
    x = np.pad(x, (0, max(0, FRAME - len(x))))
    frames = np.lib.stride_tricks.sliding_window_view(x, FRAME)[:: round(HOP_S * rate)]
    blocks = (frames[first : first + BLOCK] for first in range(0, len(frames), BLOCK))
    size = np.concatenate([np.abs(fft.rfft(block * window)) for block in blocks])
    level = np.log(np.maximum(size, max(float(size.max()), 1e-10) * 10 ** (-RANGE_DB / 20)))
    spectrum = level[:, low] * (1 - share) + level[:, low + 1] * share  # [N, steps]
    partials = np.maximum(spectrum - ndimage.uniform_filter1d(spectrum, ABOUT, axis=1), 0)
    if len(partials) <= 2 * SPAN:
        return np.zeros(1), np.zeros(1)
    along = (partials[SPAN:-SPAN, 2:] - partials[SPAN:-SPAN, :-2]) / 2
    over_time = (partials[2 * SPAN :, 1:-1] - partials[: -2 * SPAN, 1:-1]) / (2 * SPAN)
    weight = np.square(along).sum(1)
    shift = -(along * over_time).sum(1) / (weight + 1e-3 * weight.mean() + 1e-9)  # steps per hop
    return shift * (np.log(2) / STEPS / HOP_S), weight


@lru_cache(maxsize=4)
def _rotations(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies of the spectrum of ``count`` shifts ``[K]`` in Hz, and its kernel, complex ``[K, count]``."""
    hertz = np.arange(BANDS_HZ[0][0], BANDS_HZ[-1][1], 0.5 / (count * HOP_S))
    return hertz, np.exp(-2j * np.pi * HOP_S * hertz[:, None] * np.arange(count))


@lru_cache(maxsize=4)
def _axis(rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Window function; for each step of the logarithmic axis the bin below it and its fraction towards the next bin."""
    octaves = np.log2(min(HIGHEST_HZ, 0.45 * rate) / LOWEST_HZ)
    bins = LOWEST_HZ * 2 ** (np.arange(int(octaves * STEPS)) / STEPS) * FRAME / rate
    return np.hanning(FRAME).astype(np.float32), bins.astype(int), (bins % 1).astype(np.float32)
