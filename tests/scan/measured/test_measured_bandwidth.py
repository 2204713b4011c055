"""Edges of noise that was low-passed or upsampled."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import audio
from contrastive_artifacts.scan.measured.bandwidth import FULL, Bandwidth, BandwidthMeter, suggestion


def bandwidth(samples: np.ndarray, rate: int) -> Bandwidth | None:
    meter = BandwidthMeter(rate)
    for start in range(0, samples.shape[1], 10_000):
        meter.add(samples[:, start : start + 10_000].astype(np.float32))
    return meter.bandwidth()


def noise(rate: int, seconds: float = 6.0) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 0.1, (2, round(rate * seconds))).astype(np.float32)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_low_pass_at_16_khz_suggests_lossy_coding(rate: int) -> None:
    taps = signal.firwin(511, 16_000, fs=rate)
    band = bandwidth(signal.fftconvolve(noise(rate), taps[None], mode="same", axes=1), rate)
    assert band is not None
    assert band.edge_hz == pytest.approx(16_000, abs=250)
    assert band.fall_db > 40
    assert band.suggests.startswith("lossy coding")


@pytest.mark.parametrize(("low", "high"), [(8000, 48_000), (22_050, 44_100), (44_100, 96_000), (48_000, 192_000)])
def test_upsampled_material_names_its_former_rate(low: int, high: int) -> None:
    band = bandwidth(audio.resample(noise(low), low, high), high)
    assert band is not None
    assert band.suggests == f"upsampled from {low / 1000:g} kHz"


def test_opposite_channels_and_pauses_change_nothing() -> None:
    low_passed = audio.resample(noise(16_000), 16_000, 48_000)[:1]
    stereo = np.concatenate([low_passed, -low_passed])
    stereo[:, 100_000:200_000] = 1e-6 * noise(48_000)[:, :100_000]
    band = bandwidth(stereo, 48_000)
    assert band is not None
    assert band.suggests == "upsampled from 16 kHz"


def test_noise_has_the_full_band_and_silence_none() -> None:
    band = bandwidth(noise(44_100), 44_100)
    assert band is not None
    assert (band.edge_hz, band.nyquist_hz, band.suggests) == (22_050, 22_050, FULL)
    assert bandwidth(np.zeros((1, 50_000)), 44_100) is None
    assert bandwidth(noise(44_100)[:, :2000], 44_100) is None


def test_an_edge_that_nothing_usual_makes_is_a_filter() -> None:
    assert suggestion(6000.0, 24_000.0) == "a low-pass filter"
    assert suggestion(19_000.0, 24_000.0) == "lossy coding, or upsampled from 44.1 kHz"
    assert suggestion(17_000.0, 24_000.0) == "lossy coding"


def test_a_recording_is_not_upsampled_from_its_own_rate() -> None:
    assert suggestion(19_500.0, 22_050.0) == "lossy coding"
