"""A noise gate: closes where the sound is faint, and chops its tails."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..base import merge
from .levels import block_power

_BLOCK_S = 0.001
_SMOOTH = 10  # blocks: the level is that of 10 ms
_ATTACK = 2  # blocks over which it opens, ahead of the sound
_RELEASE = 10  # blocks over which it closes
_DIP = 20  # blocks: what is gated of a level without any dip
_SAMPLES = 1 << 16


def gate(
    waveform: np.ndarray, sample_rate: int, threshold: float, least: float, floor: float, hold_s: float, heard: float
) -> tuple[np.ndarray, np.ndarray]:
    """Attenuates what stays below a threshold.

    The level is the RMS over 10 ms and all channels, held for ``hold_s``. Once it is below the threshold the gate
    closes in 10 ms; it opens in 2 ms. Where less than ``least`` of what is heard lies below the threshold, it is raised
    until that much does, and of a level without any dip 20 ms are gated: every clip loses something, and more at a
    higher threshold.

    Args:
        waveform: float32 ``[C, T]``.
        sample_rate: Hz.
        threshold: RMS.
        least: share of the time in which something is heard.
        floor: gain of the closed gate.
        hold_s: seconds.
        heard: RMS above which there is something to hear.

    Returns:
        A new float32 ``[C, T]`` and the attenuated samples, int64 ``[K, 2]``.
    """
    samples, length = waveform.shape[-1], max(1, round(_BLOCK_S * sample_rate))
    power = ndimage.uniform_filter1d(block_power(waveform, length), _SMOOTH, mode="nearest")
    hold = round(hold_s / _BLOCK_S)
    held = ndimage.maximum_filter1d(power, hold + 1, mode="nearest", origin=hold // 2)  # what was, not what will be
    audible = held[power > heard**2]
    raised = float(np.quantile(audible, least)) if len(audible) else 0.0
    faint = (held < threshold**2) | (held <= raised)
    if faint.all() and len(audible):  # as even as a constant
        faint[:] = False
        faint[len(faint) // 2 :][:_DIP] = True
    elif not faint.any():
        faint[np.argmin(held) :][:_DIP] = True
    gain = _gains(faint)
    gain = floor + (1.0 - floor) * gain
    gain[~(gain < 1.0)] = 1.0
    out, centre = np.empty_like(waveform), (np.arange(len(gain)) + 0.5) * length
    for start in range(0, samples, _SAMPLES):
        index = np.arange(start, min(start + _SAMPLES, samples))
        out[:, index] = waveform[:, index] * np.interp(index, centre, gain).astype(np.float32)
    # Between two centres the gain is on its way: a block is touched when it or a neighbour is attenuated.
    touched = np.flatnonzero(ndimage.binary_dilation(gain < 1.0, np.ones(3)))
    return out, merge(touched * length, np.minimum((touched + 1) * length, samples))


def _gains(faint: np.ndarray) -> np.ndarray:
    """How far the gate is open, 0 .. 1, in each block."""
    block, far = np.arange(len(faint)), 10 * len(faint) + 1000
    since = block - np.maximum.accumulate(np.where(faint, -far, block))
    until = np.minimum.accumulate(np.where(faint, far, block)[::-1])[::-1] - block
    return np.maximum(np.clip(1 - since / _RELEASE, 0, 1), np.clip(1 - until / _ATTACK, 0, 1))
