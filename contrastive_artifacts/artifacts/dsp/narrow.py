"""Sounds in the band of a lower sample rate."""

from __future__ import annotations

import numpy as np

from ... import audio

FILLED = 0.4565  # edge of soxr's pass band, as a share of the lower sample rate
_STEP_HZ = 50  # sample rates with a common divisor are resampled faster
_LEAST_HZ = 1000


def rate_for(edge_hz: float) -> int:
    """The sample rate in Hz, 1000 or more in steps of 50, whose band ends at about ``edge_hz`` after resampling."""
    return max(_LEAST_HZ, _STEP_HZ * round(edge_hz / FILLED / _STEP_HZ))


def at_rate(waveform: np.ndarray, sample_rate: int, narrow: int) -> np.ndarray:
    """A sound that once was in a file of another rate: resampled to it and back, without delay.

    Args:
        waveform: float32 ``[..., T]``.
        sample_rate, narrow: Hz; the rate of the sound and that of the file.

    Returns:
        float32 ``[..., T]``; nothing is left above half of the lower rate.
    """
    out = audio.resample(audio.resample(waveform, sample_rate, narrow), narrow, sample_rate)
    return out[..., : waveform.shape[-1]]  # lengths are rounded up, so none is missing
