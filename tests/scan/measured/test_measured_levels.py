"""Peaks and offsets of tones of known level."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import audio
from contrastive_artifacts.scan.measured.levels import Levels, TruePeak

RATE = 48_000


def true_peak(samples: np.ndarray, rate: int = RATE) -> float:
    meter = TruePeak(len(samples), rate)
    for start in range(0, samples.shape[1], 5000):
        meter.add(samples[:, start : start + 5000].astype(np.float32))
    return audio.gain_to_db(meter.end())


@pytest.mark.parametrize(("divisor", "degrees"), [(4, 45), (6, 60), (8, 22.5), (3, 90), (10, 18)])
@pytest.mark.parametrize("rate", [8000, 48_000, 96_000, 192_000])
def test_a_sine_between_the_samples_is_read_within_EBU_3341(divisor: int, degrees: float, rate: int) -> None:
    """Cases 15 to 19 of EBU Tech 3341: +0.2, -0.4 dB. At a quarter of the rate no sample is above -3.01 dB."""
    sine = 0.5 * np.sin(2 * np.pi * np.arange(rate) / divisor + np.radians(degrees))
    fade = np.minimum(1, np.arange(rate) / 1000) * np.minimum(1, np.arange(rate)[::-1] / 1000)
    assert true_peak((sine * fade)[None], rate) == pytest.approx(-6.02, abs=0.1)


def test_the_peak_is_of_any_channel_and_never_below_the_sample_peak() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, (3, RATE))
    samples[2, 777] = -0.9
    levels = Levels(3)
    levels.add(samples.astype(np.float32))
    assert levels.peak() == pytest.approx(0.9)
    assert true_peak(samples) >= audio.gain_to_db(levels.peak())


def test_the_interpolator_agrees_with_a_resampler() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (1, 4000)).astype(np.float32)
    noise = audio.resample(audio.resample(noise, 40_000, RATE), RATE, RATE)  # band-limited to 20 kHz
    expected = audio.peak(audio.resample(noise, RATE, 8 * RATE))
    assert true_peak(noise) == pytest.approx(audio.gain_to_db(expected), abs=0.15)


def test_an_offset_is_measured_outside_of_silence() -> None:
    sine = np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)
    levels = Levels(2)
    levels.add(np.stack([0.1 * sine + 0.01, 0.1 * sine - 0.002]).astype(np.float32))
    levels.add(np.zeros((2, RATE), np.float32))
    assert levels.dc(RATE) == pytest.approx((0.01, -0.002), abs=1e-6)
    assert Levels(1).dc(0) == (0.0,)
