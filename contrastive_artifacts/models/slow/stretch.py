"""All slow figures of one stretch of a recording."""

from __future__ import annotations

import numpy as np

from ... import audio
from ...core.errors import AudioError
from . import ghosts, levels, speed

RATE = 16000  # Hz; nothing that these figures look at lies above half of it
LEAST_S = 1.5
VERSION = 1  # changes with any change of the figures' values
SLOW_FIGURES = (*levels.NAMES, *speed.NAMES, *ghosts.NAMES)


def slow_figures(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Figures of a stretch as a whole: float32 ``[len(SLOW_FIGURES)]``, of the order of 1.

    They depend on the stretch alone, not on its level (up to what rounding leaves), and are finite for finite input,
    silence included. About 8 ms of one core per second of sound.

    Args:
        waveform: Mono float32 ``[T]``, LEAST_S long at least. Made for 3 to 30 s.
        sample_rate: Hz, 8-192 kHz. What lies above 8 kHz is not looked at.

    Raises:
        AudioError: not mono, too short, or not finite.
    """
    if waveform.ndim != 1 or len(waveform) < LEAST_S * sample_rate:
        raise AudioError(
            f"Slow figures are those of a mono stretch [T] of {LEAST_S} s or more; got {waveform.shape} at "
            f"{sample_rate} Hz."
        )
    if not np.isfinite(waveform).all():
        raise AudioError("The waveform holds NaN or infinite samples; slow figures need finite ones.")
    x = audio.resample(waveform, sample_rate, RATE)
    x /= max(float(np.abs(x).max()), 1e-30)
    return np.concatenate([part.figures(x, RATE) for part in (levels, speed, ghosts)]).astype(np.float32)
