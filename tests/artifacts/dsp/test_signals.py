"""Statistics of noise; sines and phases against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal, stats

from contrastive_artifacts.artifacts.dsp.signals import drifting_phase, rms, shaped_noise, sine

RATE = 44100
HOP = 8192 * 7 // 8  # of the blocks at 44.1 kHz


def white(samples: int, channels: int = 1, seed: int = 2) -> np.ndarray:
    return shaped_noise((channels, samples), RATE, np.random.default_rng(seed))


def test_noise_is_gaussian_of_unit_power() -> None:
    noise = white(1_000_000)[0].astype(np.float64)
    assert noise.std() == pytest.approx(1, rel=0.005)
    assert stats.skew(noise) == pytest.approx(0, abs=0.02)
    assert stats.kurtosis(noise) == pytest.approx(0, abs=0.03)
    assert stats.kstest(noise[::7], "norm").pvalue > 1e-3


def test_noise_does_not_show_its_blocks() -> None:
    noise = white(100 * HOP)[0].astype(np.float64)
    power = np.square(noise).reshape(-1, HOP // 16).mean(axis=1).reshape(100, 16)
    assert power.mean(axis=0) == pytest.approx(np.ones(16), rel=0.03)  # equal within and between cross-fades
    assert power.std() == pytest.approx(np.sqrt(2 / (HOP // 16)), rel=0.15)  # as for Gaussian noise
    spectrum = np.fft.rfft(noise)
    lags = np.fft.irfft(np.square(np.abs(spectrum)))[1 : 4 * 8192] / np.square(noise).sum()
    assert np.abs(lags).max() < 6 / np.sqrt(len(noise))


def test_noise_differs_between_channels_and_seeds_and_is_equal_for_equal_seeds() -> None:
    assert abs(np.corrcoef(white(RATE, 2))[0, 1]) < 0.02
    assert abs(np.corrcoef(white(RATE)[0], white(RATE, seed=3)[0])[0, 1]) < 0.02
    assert np.array_equal(white(RATE), white(RATE))


@pytest.mark.parametrize("samples", [1, 2, HOP - 1, HOP, HOP + 1, (1 << 17) + 3])
def test_shorter_noise_is_the_start_of_longer_noise(samples: int) -> None:
    noise = white(samples)
    assert noise.shape == (1, samples)
    assert noise.dtype == np.float32
    np.testing.assert_allclose(noise, white((1 << 18) + 5)[:, :samples], atol=1e-5)


@pytest.mark.parametrize("slope", [-2.0, -1.0, 1.0])
def test_noise_follows_its_response(slope: float) -> None:
    noise = shaped_noise(
        (1, 40 * RATE), RATE, np.random.default_rng(1), lambda hertz: (np.maximum(hertz, 20) / 1000) ** slope
    )
    hertz, power = signal.welch(noise[0], RATE, nperseg=16384)
    for low in (40, 100, 1000, 10000):
        band = (hertz > low) & (hertz < 1.6 * low)
        expected = (hertz[band] / 1000) ** (2 * slope) * 2 / RATE
        assert 10 * np.log10(power[band].mean() / expected.mean()) == pytest.approx(0, abs=0.6)


@pytest.mark.parametrize("decay", [np.inf, 3000.0])
def test_a_sine_equals_its_formula(decay: float) -> None:
    step = np.arange(100_000)
    expected = np.exp(-step / decay) * np.sin(2 * np.pi * (0.0317 * step + 0.2))
    assert np.abs(sine(len(step), 0.0317, 0.2, decay) - expected).max() < 1e-6
    assert len(sine(1, 0.1, 0.0)) == 1


def test_a_drifting_phase_is_the_integral_of_its_frequency() -> None:
    step = np.arange(10 * RATE)
    inner = 2 * np.pi * (0.5 * step / RATE + 0.3)
    expected = 12000 * step / RATE - 12000 * 0.01 / (2 * np.pi * 0.5) * np.cos(inner)
    for start in (0, 4 * RATE + 17):
        off = drifting_phase(start, len(step), RATE, 12000, 0.01, 0.5, 0.3) - expected[start:]
        off -= np.round(off)
        assert np.abs(off).max() < 3e-5  # -75 dB of the tone


def test_rms_of_two_channels() -> None:
    assert rms(np.array([[3.0, 4.0], [0.0, 5.0]], dtype=np.float32)) == pytest.approx(np.sqrt(12.5))
