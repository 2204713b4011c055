"""The choice of one channel of a clip, as a parameter that fits any number of channels."""

from __future__ import annotations

import numpy as np

from ..fields import Number

CHANNEL = Number(0, 1, "of the channels that sound")
_ACTIVE = 1e-4  # power re the loudest channel: one 40 dB below it would not be missed


def pick_channel(waveform: np.ndarray, share: float) -> int:
    """Which of the channels of ``[C, T]``: the one that lies at ``share`` (0 to 1) of those that sound."""
    power = np.array([float(np.square(channel).sum(dtype=np.float64)) for channel in waveform])
    sounding = np.flatnonzero(power >= _ACTIVE * power.max())
    return int(sounding[min(int(share * len(sounding)), len(sounding) - 1)])
