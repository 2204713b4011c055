"""Log bands: a tone stands in its band and its frames, whatever the level and the sample rate."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.models.detail import numpy_detail
from contrastive_artifacts.models.detail.bands import BANDS, HIGHEST_HZ, log_bands


def tone(hertz: float, rate: int = 44100, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def band_of(hertz: float) -> int:
    """The band whose centre is nearest on the mel scale."""
    centres = np.linspace(0, np.log1p(HIGHEST_HZ / 700), BANDS + 2)[1:-1]
    return int(np.abs(centres - np.log1p(hertz / 700)).argmin())


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 96000])
@pytest.mark.parametrize("hertz", [60.0, 440.0, 3100.0])
def test_a_tone_is_in_its_band(rate, hertz):
    levels = log_bands(tone(hertz, rate), rate)[5:-5]
    assert abs(int(levels.mean(0).argmax()) - band_of(hertz)) <= 1
    assert levels.max() - np.median(levels) > 1.5  # 30 dB


@pytest.mark.parametrize("rate", [8000, 11025, 44100])
@pytest.mark.parametrize("samples", [1, 3000, 44100])
def test_frames_are_as_many_as_those_of_the_detail_figures(rate, samples):
    x = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    assert log_bands(x, rate).shape == (numpy_detail(x[None], rate).frames.shape[1], BANDS)


def test_a_click_is_in_its_frame():
    x = np.zeros(16000, np.float32)
    x[int(20.5 * 256)] = 1
    assert log_bands(x, 16000).sum(1).argmax() == 20


def test_gain_does_not_matter_and_silence_is_finite():
    x = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    np.testing.assert_allclose(log_bands(1e-3 * x, 16000), log_bands(30 * x, 16000), atol=1e-3)
    assert np.isfinite(log_bands(np.zeros(16000, np.float32), 16000)).all()


def test_the_bands_of_white_noise_sum_to_its_energy():
    x = np.random.default_rng(0).standard_normal(40000).astype(np.float32)
    energy = (10 ** (2 * log_bands(x, 40000))).sum(1)[2:-2].mean()
    assert energy == pytest.approx(1, rel=0.1)


def test_bands_above_the_nyquist_frequency_repeat_the_highest_below():
    x = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    levels = log_bands(x, 8000)
    above = levels[:, band_of(4000) :]
    np.testing.assert_allclose(above, np.broadcast_to(above[:, :1], above.shape), atol=1e-5)
