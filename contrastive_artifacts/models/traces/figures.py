"""All trace figures of a window."""

from __future__ import annotations

import numpy as np

from ...core.errors import AudioError
from . import copies, lows, notches, repeats

LEAST_S = 1.5  # shortest window
VERSION = 2  # to be raised when the values of the figures change
TRACE_FIGURES = (*copies.NAMES, *repeats.NAMES, *lows.NAMES, *notches.NAMES)


def trace_figures(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """The trace figures of a window: float32 ``[len(TRACE_FIGURES)]``, with values of the order of 1.

    They do not depend on the level of the window and are finite for all finite input, silence included.

    Args:
        waveform: Mono float32 ``[T]``, at least LEAST_S long.
        sample_rate: In Hz, 8-192 kHz.

    Raises:
        AudioError: the waveform is not mono, too short, or not finite.
    """
    if waveform.ndim != 1 or len(waveform) < LEAST_S * sample_rate:
        raise AudioError(
            f"Trace figures need a mono window [T] of {LEAST_S} s or more; got {waveform.shape} at {sample_rate} Hz."
        )
    if not np.isfinite(waveform).all():
        raise AudioError("The waveform holds NaN or infinite samples; trace figures need finite ones.")
    x = waveform / np.float32(max(float(np.abs(waveform).max()), 1e-30))
    x /= np.float32(max(float(np.sqrt(np.mean(np.square(x)))), 1e-6))
    return np.concatenate([part.figures(x, sample_rate) for part in (copies, repeats, lows, notches)]).astype(
        np.float32
    )
