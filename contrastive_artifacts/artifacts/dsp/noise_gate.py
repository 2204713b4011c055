"""A noise gate."""

from __future__ import annotations

import numpy as np
import scipy

from ..base import merge
from .levels import block_power

_BLOCK_S = 0.001
_SMOOTH = 10  # blocks: the level is measured over 10 ms
_ATTACK = 2  # blocks over which it opens, ahead of the sound
_RELEASE = 10  # blocks over which it closes
_DIP = 20  # blocks that are gated where the level is constant
_SAMPLES = 1 << 16


def gate(
    waveform: np.ndarray, sample_rate: int, threshold: float, least: float, floor: float, hold_s: float, audible: float
) -> tuple[np.ndarray, np.ndarray]:
    """Attenuates sound below a threshold.

    The level is the RMS over 10 ms and all channels; its maximum over the last ``hold_s`` is compared with the
    threshold. The gate closes within 10 ms and opens within 2 ms. Every clip loses something: if less than ``least`` of
    the audible time is below the threshold, the threshold is raised to that quantile, and where the level is constant,
    20 ms are gated.

    Args:
        waveform: float32 ``[C, T]``.
        sample_rate: Hz.
        threshold: RMS.
        least: share of the audible time that is gated at least, 0 to 1.
        floor: gain of the closed gate.
        hold_s: seconds.
        audible: RMS above which sound counts as audible.

    Returns:
        A new float32 ``[C, T]`` and the attenuated samples, int64 ``[K, 2]``.
    """
    samples, length = waveform.shape[-1], max(1, round(_BLOCK_S * sample_rate))
    power = scipy.ndimage.uniform_filter1d(block_power(waveform, length), _SMOOTH, mode="nearest")
    hold = round(hold_s / _BLOCK_S)
    held = scipy.ndimage.maximum_filter1d(
        power, hold + 1, mode="nearest", origin=hold // 2
    )  # of past blocks, not of later ones
    levels = held[power > audible**2]
    raised = float(np.quantile(levels, least)) if len(levels) else 0.0
    faint = (held < threshold**2) | (held <= raised)
    if faint.all() and len(levels):  # a constant level
        faint[:] = False
        faint[len(faint) // 2 :][:_DIP] = True
    elif not faint.any():
        faint[np.argmin(held) :][:_DIP] = True
    gain = _gains(faint)
    gain = floor + (1.0 - floor) * gain
    gain[~(gain < 1.0)] = 1.0
    out = _scaled(waveform, gain, length)
    # The gain is interpolated between block centres: a block is touched if it or a neighbour is attenuated.
    touched = np.flatnonzero(scipy.ndimage.binary_dilation(gain < 1.0, np.ones(3)))
    return out, merge(touched * length, np.minimum((touched + 1) * length, samples))


def _scaled(waveform: np.ndarray, gain: np.ndarray, length: int) -> np.ndarray:
    """``[C, T]`` times a gain that is that of each block ``[N]`` at its centre, and linear between centres."""
    out, first, rise = np.empty_like(waveform), -(-length // 2), np.diff(gain)
    share = (first + np.arange(length)) / length - 0.5  # of the way to the next centre
    out[:, :first] = waveform[:, :first] * np.float32(gain[0])
    group = max(1, _SAMPLES // length)
    for block in range(0, len(rise), group):
        steps = rise[block : block + group, None]
        ramps = (gain[block : block + len(steps), None] + steps * share).astype(np.float32).reshape(-1)
        part = out[:, first + block * length :][:, : len(ramps)]
        np.multiply(waveform[:, first + block * length :][:, : len(ramps)], ramps[: part.shape[1]], out=part)
    out[:, first + len(rise) * length :] = waveform[:, first + len(rise) * length :] * np.float32(gain[-1])
    return out


def _gains(faint: np.ndarray) -> np.ndarray:
    """How far the gate is open in each block, 0 (closed) .. 1; ``faint`` bool ``[N]`` are those it closes for."""
    block, far = np.arange(len(faint)), 10 * len(faint) + 1000
    since = block - np.maximum.accumulate(np.where(faint, -far, block))
    until = np.minimum.accumulate(np.where(faint, far, block)[::-1])[::-1] - block
    return np.maximum(np.clip(1 - since / _RELEASE, 0, 1), np.clip(1 - until / _ATTACK, 0, 1))
