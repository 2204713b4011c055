"""Levels and gains at a control rate, for artifacts of dynamics."""

from __future__ import annotations

import math

import numpy as np

from .levels import block_power

FLOOR_DB = -140.0  # the level of digital silence


def control_hop(sample_rate: int, hop_s: float = 0.001) -> int:
    """Samples from one control value to the next, at least 1."""
    return max(1, round(hop_s * sample_rate))


def level_db(waveform: np.ndarray, hop: int) -> np.ndarray:
    """RMS over channels and ``hop`` samples of ``[C, T]``, in dB re full scale: float64 ``[ceil(T / hop)]``."""
    return np.maximum(FLOOR_DB, 10.0 * np.log10(block_power(waveform, hop) + 1e-20))


def gain_reduction(
    level_db: np.ndarray, threshold: float, ratio: float, attack: float, release: float, hop_s: float
) -> np.ndarray:
    """The gain of a feed-forward compressor with a hard knee.

    The static curve is followed by a decoupled one-pole smoothing of the gain in dB, as in Giannoulis, Massberg and
    Reiss (2012), "Digital dynamic range compressor design". It starts in the steady
    state of the first level.

    Args:
        level_db: ``[N]``, one level per hop.
        threshold: dB, on the scale of ``level_db``.
        ratio: dB of input per dB of output above the threshold, 1 or more.
        attack: time constant in s while the reduction rises.
        release: time constant in s while it falls.
        hop_s: s from one level to the next.

    Returns:
        Gains in dB, 0 or less: float64 ``[N]``.
    """
    target = np.minimum(0.0, (threshold - level_db) * (1.0 - 1.0 / ratio))
    rise, fall = math.exp(-hop_s / max(attack, 1e-9)), math.exp(-hop_s / max(release, 1e-9))
    values = target.tolist()  # in a loop, Python's floats are several times as fast as NumPy's
    state = values[0] if values else 0.0
    for index, value in enumerate(values):
        state = value + (rise if value < state else fall) * (state - value)
        values[index] = state
    return np.array(values)


def apply_gain(waveform: np.ndarray, gain_db: np.ndarray, hop: int) -> np.ndarray:
    """Multiplies ``[C, T]`` by gains that are interpolated linearly.

    Args:
        waveform: float32 ``[C, T]``.
        gain_db: ``[ceil(T / hop)]``, the gain in the middle of each hop.
        hop: samples.

    Returns:
        float32 ``[C, T]``.
    """
    samples = waveform.shape[-1]
    amplitude = np.exp(gain_db * (math.log(10.0) / 20.0)).astype(np.float32)
    amplitude = np.concatenate([amplitude[:1], amplitude, amplitude[-1:]])
    phase = (np.arange(hop, dtype=np.float32) + np.float32(0.0 if hop % 2 else 0.5)) / np.float32(hop)
    steps = amplitude[:-1, None] + np.diff(amplitude)[:, None] * phase
    gain = steps.reshape(-1)[hop - hop // 2 :][:samples]
    return waveform * gain
