"""What the impulse responses of all rooms share: the direct sound, the decay, the energy."""

from __future__ import annotations

import numpy as np

DIRECT_S = 0.0025  # the direct sound: what comes within 2.5 ms of it (ISO 3382 takes this for the direct path)


def decay(samples: int, t60_s: float, sample_rate: int) -> np.ndarray:
    """The amplitude of what falls by 60 dB in ``t60_s``: float32 ``[samples]`` that starts at 1."""
    time = np.arange(samples, dtype=np.float32)
    time *= np.float32(-3.0 * np.log(10.0) / (t60_s * sample_rate))
    return np.exp(time, out=time)


def norm(response: np.ndarray) -> float:
    """The square root of the energy, or next to nothing."""
    return max(float(np.linalg.norm(response)), 1e-15)
