"""What an artifact adds to a sound and takes from it: the damaged sound minus the clean one."""

from __future__ import annotations

import numpy as np
import scipy

_LAG_S = 0.02  # searched on both sides
_BETTER = 1.05  # correlation at a lag, relative to that without, from which on the sounds are shifted


def difference(damaged: np.ndarray, clean: np.ndarray, sample_rate: int) -> np.ndarray:
    """The damaged sound minus the clean one, which is shifted by up to 20 ms and scaled to fit it best.

    The shift is where the cross-correlation is largest, and 0 unless it is clearly larger there; the gain is that of
    least squares, so that a change of level alone leaves nothing.

    Args:
        damaged, clean: float32 [C, T] of equal shape.
        sample_rate: In Hz.
    """
    far = min(round(_LAG_S * sample_rate), damaged.shape[1] - 1)
    a, b = damaged.mean(axis=0, dtype=np.float64), clean.mean(axis=0, dtype=np.float64)
    products = np.abs(scipy.signal.correlate(a, b, method="fft"))
    middle = b.size - 1  # lag 0
    near = products[middle - far : middle + far + 1]
    lag = int(np.argmax(near)) - far
    if near[lag + far] < _BETTER * near[far]:
        lag = 0
    shifted = np.zeros_like(clean)
    length = clean.shape[1] - abs(lag)
    shifted[:, max(0, lag) : max(0, lag) + length] = clean[:, max(0, -lag) : max(0, -lag) + length]
    power = float(np.sum(np.square(shifted, dtype=np.float64)))
    gain = float(np.sum(np.multiply(damaged, shifted, dtype=np.float64))) / power if power > 0 else 0.0
    return (damaged - np.float32(gain) * shifted).astype(np.float32)
