"""Levels of a clip, and the reference level that artifacts are scaled by."""

from __future__ import annotations

import numpy as np

from ... import audio

SILENCE_LEVEL = 1e-3  # reference level of digital silence (-60 dBFS): finite and quiet
_NOTHING = 1e-7  # below the last bit of 24-bit audio: silence


def reference(waveform: np.ndarray, sample_rate: int) -> float:
    """RMS of ``[C, T]`` without its pauses (:func:`.audio.active_rms`); -60 dBFS for silence."""
    level = audio.active_rms(waveform, sample_rate)
    return level if level > _NOTHING else SILENCE_LEVEL


def block_power(waveform: np.ndarray, length: int) -> np.ndarray:
    """Mean square over channels of each block of ``length`` samples of ``[C, T]``; the last block may be shorter."""
    samples = waveform.shape[-1]
    full, rest = divmod(samples, length)
    power = np.zeros(full + (rest > 0), dtype=np.float64)
    for channel in waveform:
        blocks = channel[: full * length].reshape(full, length)
        # One dot product per block, as a row times a column: a third of the time of squaring and summing.
        power[:full] += np.matmul(blocks[:, None, :], blocks[:, :, None])[:, 0, 0]
        if rest:
            power[full] += np.dot(channel[full * length :], channel[full * length :])
    power[:full] /= length * len(waveform)
    power[full:] /= max(1, rest) * len(waveform)
    return power


def active_blocks(waveform: np.ndarray, length: int, below_db: float) -> np.ndarray:
    """Whether each block of ``length`` samples of ``[C, T]`` is within ``below_db`` of the loudest one.

    Returns:
        bool ``[ceil(T / length)]``; all True in silence.
    """
    power = block_power(waveform, length)
    if power.max() <= _NOTHING**2:
        return np.ones(len(power), dtype=bool)
    return power >= power.max() * 10.0 ** (-below_db / 10.0)
