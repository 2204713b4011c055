"""Levels of low bands: those of a plain running mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts.models.traces import lows


@pytest.mark.parametrize("band", [lows.BANDS_HZ[0], lows.BURST_HZ])
def test_levels_are_those_of_a_running_mean(band):
    y = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    y[2000:] *= 1e-3
    power = np.square(signal.sosfilt(lows._bandpass(band), y))
    mean = np.convolve(power, np.full(lows.FRAME, 1 / lows.FRAME), mode="same")[lows.SETTLING :: lows.HOP]
    np.testing.assert_allclose(lows._levels(y, band), 10 * np.log10(mean + lows.FLOOR), atol=2e-5)
