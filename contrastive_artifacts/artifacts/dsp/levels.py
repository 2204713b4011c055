"""How loud a clip is where it sounds: the level that every additive artifact is set against."""

from __future__ import annotations

import numpy as np

from ... import audio

SILENCE_LEVEL = 1e-3  # -60 dBFS stands in for the level of digital silence: artifacts stay finite and quiet
_NOTHING = 1e-7  # below the last bit of 24-bit audio


def reference(waveform: np.ndarray, sample_rate: int) -> float:
    """RMS of the active part of ``[C, T]``; -60 dBFS when there is none."""
    level = audio.active_rms(waveform, sample_rate)
    return level if level > _NOTHING else SILENCE_LEVEL


def block_power(waveform: np.ndarray, length: int) -> np.ndarray:
    """Mean square over channels of each block of ``length`` samples of ``[C, T]``; the last block may be shorter."""
    samples = waveform.shape[-1]
    full, rest = divmod(samples, length)
    power = np.zeros(full + (rest > 0), dtype=np.float64)
    for channel in waveform:
        blocks = channel[: full * length].reshape(full, length)
        # A row times a column per block is one dot product each: a third of the time of squares and their sums.
        power[:full] += np.matmul(blocks[:, None, :], blocks[:, :, None])[:, 0, 0]
        if rest:
            power[full] += np.dot(channel[full * length :], channel[full * length :])
    power[:full] /= length * len(waveform)
    power[full:] /= max(1, rest) * len(waveform)
    return power


def active_blocks(waveform: np.ndarray, length: int, below_db: float) -> np.ndarray:
    """Which blocks of ``[C, T]`` lie within ``below_db`` of the loudest; all of them in silence."""
    power = block_power(waveform, length)
    if power.max() <= _NOTHING**2:
        return np.ones(len(power), dtype=bool)
    return power >= power.max() * 10.0 ** (-below_db / 10.0)
