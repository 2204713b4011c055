"""Measures delayed copies of a noise burst in the signal that an artifact added."""

from __future__ import annotations

import numpy as np
from scipy import signal

RATE = 44100


def lag_and_gain(burst: np.ndarray, added: np.ndarray, around: int) -> tuple[int, float]:
    """Finds the copy of the fixture ``burst`` in ``added`` within 20 ms of the lag ``around``.

    Returns:
        The lag in samples and the gain in dB of the best match.
    """
    source = burst[0, 4 * RATE : 4 * RATE + RATE // 4].astype(np.float64)
    reach = RATE // 50
    start = 4 * RATE + around - reach
    match = signal.correlate(added[0, start : start + len(source) + 2 * reach], source, mode="valid", method="fft")
    best = int(np.argmax(match))
    return best - reach + around, 20 * np.log10(match[best] / np.dot(source, source))
