"""Azimuth error: delays between channels and the loss of highs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
AZIMUTH = artifacts.artifact("azimuth")


def cross(params: dict, channels: int = 2, rate: int = RATE) -> np.ndarray:
    """Delay in s of each channel against the first, from the slope of the phase of the cross-spectrum to 2 kHz."""
    noise = (0.1 * np.random.default_rng(3).standard_normal((1, 2 * rate))).astype(np.float32)
    out = AZIMUTH.apply(np.repeat(noise, channels, axis=0), rate, params)
    delays = []
    for channel in out[1:]:
        hertz, spectrum = signal.csd(channel, out[0], rate, nperseg=4096)
        band = (hertz > 100) & (hertz < 2000)
        phase = np.unwrap(np.angle(spectrum))[band]
        delays.append(np.dot(phase, hertz[band]) / np.dot(hertz[band], hertz[band]) / (2 * np.pi))
    return np.array(delays)


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("delay_ms", [0.01, 0.0777, 0.3])
def test_the_last_channel_is_delayed_or_advanced(delay_ms: float, rate: int) -> None:
    params = {"delay_ms": delay_ms, "later": "last", "track": 0.6}
    assert_allclose(cross(params, rate=rate), delay_ms * 1e-3, rtol=0.01)
    assert_allclose(cross({**params, "later": "first"}, rate=rate), -delay_ms * 1e-3, rtol=0.01)


def test_delays_of_inner_tracks_are_in_proportion() -> None:
    delays_s = cross({"delay_ms": 0.09, "later": "last", "track": 0.3}, channels=4)
    assert_allclose(delays_s, np.array([0.03, 0.06, 0.09]) * 1e-3, rtol=0.01)


@pytest.mark.parametrize(("track", "delay_ms"), [(0.3, 0.1), (0.6, 0.3), (0.8, 0.02)])
def test_the_loss_of_highs_follows_the_track_width(track: float, delay_ms: float) -> None:
    impulse = np.zeros((2, 8192), dtype=np.float32)
    impulse[:, 4000] = 1.0
    gain = np.abs(np.fft.rfft(AZIMUTH.apply(impulse, RATE, {"delay_ms": delay_ms, "later": "last", "track": track})))
    hertz = np.fft.rfftfreq(8192, 1 / RATE)
    below = hertz < 0.42 * RATE
    assert_allclose(
        gain[:, below], np.abs(np.sinc(hertz * track * delay_ms * 1e-3))[None, below].repeat(2, 0), atol=0.02
    )
