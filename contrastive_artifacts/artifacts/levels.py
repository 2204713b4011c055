"""How loud a clip is where it sounds: the level that every additive artifact is set against."""

from __future__ import annotations

import numpy as np

from .. import audio

SILENCE_LEVEL = 1e-3  # -60 dBFS stands in for the level of digital silence: artifacts stay finite and quiet
_NOTHING = 1e-7  # below the last bit of 24-bit audio


def decibels(value: float) -> float:
    """The amplitude ratio of ``value`` dB."""
    return float(10.0 ** (value / 20.0))


def reference(waveform: np.ndarray, sample_rate: int) -> float:
    """RMS of the active part of ``[C, T]``; -60 dBFS when there is none."""
    level = audio.active_rms(waveform, sample_rate)
    return level if level > _NOTHING else SILENCE_LEVEL


def block_power(waveform: np.ndarray, length: int) -> np.ndarray:
    """Mean square over channels of each block of ``length`` samples of ``[C, T]``; the last block may be shorter."""
    samples = waveform.shape[-1]
    starts = np.arange(0, samples, length)
    power = np.zeros(len(starts), dtype=np.float64)
    for channel in waveform:
        power += np.add.reduceat(np.square(channel), starts)
    counts = np.minimum(starts + length, samples) - starts
    return power / (counts * len(waveform))


def active_blocks(waveform: np.ndarray, length: int, below_db: float) -> np.ndarray:
    """Which blocks of ``[C, T]`` lie within ``below_db`` of the loudest; all of them in silence."""
    power = block_power(waveform, length)
    if power.max() <= _NOTHING**2:
        return np.ones(len(power), dtype=bool)
    return power >= power.max() * 10.0 ** (-below_db / 10.0)
