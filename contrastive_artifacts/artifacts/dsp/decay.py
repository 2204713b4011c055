"""Impulse responses of rooms: the end of the direct sound, the exponential decay, the norm."""

from __future__ import annotations

import numpy as np

DIRECT_S = 0.0025  # the direct sound ends 2.5 ms after its arrival (ISO 3382)


def decay(samples: int, t60_s: float, sample_rate: int) -> np.ndarray:
    """An exponential that starts at 1 and falls by 60 dB in ``t60_s`` seconds: float32 ``[samples]``."""
    time = np.arange(samples, dtype=np.float32)
    time *= np.float32(-3.0 * np.log(10.0) / (t60_s * sample_rate))
    return np.exp(time, out=time)


def norm(response: np.ndarray) -> float:
    """The square root of the energy, at least 1e-15."""
    return max(float(np.linalg.norm(response)), 1e-15)
