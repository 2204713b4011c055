"""All slow figures of a window."""

from __future__ import annotations

import numpy as np

from ... import audio
from ...core.errors import AudioError
from . import ghosts, levels, speed

RATE = 16000  # Hz; the figures use frequencies below half of it
LEAST_S = 1.5  # shortest window
VERSION = 1  # to be raised when the values of the figures change
SLOW_FIGURES = (*levels.NAMES, *speed.NAMES, *ghosts.NAMES)


def slow_figures(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """The slow figures of a window: float32 ``[len(SLOW_FIGURES)]``, with values of the order of 1.

    They do not depend on the level of the window (except for rounding) and are finite for all finite input, silence
    included. They take about 3 ms of one core per second of audio.

    Args:
        waveform: Mono float32 ``[T]``, at least LEAST_S long; designed for 3 to 30 s.
        sample_rate: In Hz, 8-192 kHz. Frequencies above 8 kHz are not used.

    Raises:
        AudioError: the waveform is not mono, too short, or not finite.
    """
    if waveform.ndim != 1 or len(waveform) < LEAST_S * sample_rate:
        raise AudioError(
            f"Slow figures need a mono window [T] of {LEAST_S} s or more; got {waveform.shape} at {sample_rate} Hz."
        )
    if not np.isfinite(waveform).all():
        raise AudioError("The waveform holds NaN or infinite samples; slow figures need finite ones.")
    x = audio.resample(waveform, sample_rate, RATE)
    x /= max(float(np.abs(x).max()), 1e-30)
    return np.concatenate([part.figures(x, RATE) for part in (levels, speed, ghosts)]).astype(np.float32)
