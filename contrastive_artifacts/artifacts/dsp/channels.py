"""The parameter that selects one channel of a clip, whatever its number of channels."""

from __future__ import annotations

import numpy as np

from ..fields import Number

CHANNEL = Number(0, 1, "of the channels that sound")
_ACTIVE = 1e-4  # power re the loudest channel (-40 dB): a weaker channel is as good as silent


def pick_channel(waveform: np.ndarray, share: float) -> int:
    """The index of a channel of ``[C, T]``: ``share`` (0 to 1) of the way through those that are not silent."""
    power = np.array([float(np.square(channel).sum(dtype=np.float64)) for channel in waveform])
    sounding = np.flatnonzero(power >= _ACTIVE * power.max())
    return int(sounding[min(int(share * len(sounding)), len(sounding) - 1)])
