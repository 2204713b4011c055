"""Fades at the ends of a clip."""

from __future__ import annotations

import numpy as np

_FADE_S = 0.005  # a clip may begin in the middle of a sound: its delayed copy must not begin with a click


def fade_ends(waveform: np.ndarray, sample_rate: int, end: bool) -> np.ndarray:
    """A copy that fades in at the start, and out at the ``end``, over 5 ms or a quarter of the clip."""
    out = waveform.copy()
    length = min(round(_FADE_S * sample_rate), waveform.shape[-1] // 4)
    rise = ((np.arange(length) + 0.5) / max(1, length)).astype(np.float32)
    out[:, :length] *= rise
    if end and length:
        out[:, -length:] *= rise[::-1]
    return out
