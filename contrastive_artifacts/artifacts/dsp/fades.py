"""Fades at the start and the end of a clip."""

from __future__ import annotations

import numpy as np

_FADE_S = 0.005  # a clip may start in the middle of a sound: without a fade its delayed copy starts with a click


def fade_ends(waveform: np.ndarray, sample_rate: int, end: bool) -> np.ndarray:
    """A copy of ``[C, T]`` with a fade-in, and a fade-out if ``end``, of 5 ms or a quarter of a shorter clip."""
    out = waveform.copy()
    length = min(round(_FADE_S * sample_rate), waveform.shape[-1] // 4)
    rise = ((np.arange(length) + 0.5) / max(1, length)).astype(np.float32)
    out[:, :length] *= rise
    if end and length:
        out[:, -length:] *= rise[::-1]
    return out
