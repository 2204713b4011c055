"""Interpolation between samples, measured on tones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from contrastive_artifacts.artifacts.dsp.resample_at import delayed, read_at

RATE = 44100


def tone(hertz: float, at: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * hertz / RATE * at)


@pytest.mark.parametrize("share", [1000 / RATE, 0.1, 0.25, 0.35, 0.4])
@pytest.mark.parametrize("speed", [0.88, 1.0003, 1.05])
def test_images_are_below_80_db(share: float, speed: float) -> None:
    hertz = share * RATE
    wave = tone(hertz, np.arange(RATE)).astype(np.float32)[None]
    position = 100 + speed * np.arange(30000)
    out = read_at(wave, position)[0].astype(np.float64)
    error = out - tone(hertz, position)
    assert 20 * np.log10(np.std(error) / np.std(out)) < -80
    window = np.blackman(len(out))
    lines = np.abs(np.fft.rfft(error * window)) / (window.sum() / 2)
    assert 20 * np.log10(lines.max()) < -90, "a spurious line"


def test_whole_positions_give_the_samples_and_zeros_beyond_the_ends() -> None:
    wave = np.random.default_rng(0).standard_normal((2, 500)).astype(np.float32)
    out = read_at(wave, np.arange(-100.0, 600.0))
    np.testing.assert_allclose(out[:, 100:600], wave, atol=1e-6)
    assert_array_equal(out[:, :80], 0)
    assert_array_equal(out[:, 620:], 0)
    assert_array_equal(read_at(wave, np.array([1e15, -1e15])), 0)


def test_the_order_of_positions_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    wave, position = rng.standard_normal((1, 9000)).astype(np.float32), rng.uniform(0, 9000, 20000)
    order = np.argsort(position)
    assert_array_equal(read_at(wave, position)[:, order], read_at(wave, position[order]))


def test_a_lower_cutoff_reduces_aliasing() -> None:
    """A tone at 0.48 x the sample rate, read 1.12 times as fast, is aliased to 0.46; with the cutoff it is weaker."""
    wave = tone(0.48 * RATE, np.arange(RATE)).astype(np.float32)[None]
    position = 100 + 1.12 * np.arange(30000)
    open_, shut = (read_at(wave, position, cutoff)[0].std() for cutoff in (1.0, 1 / 1.12))
    assert shut < 0.5 * open_
    low = tone(0.3 * RATE, np.arange(RATE)).astype(np.float32)[None]
    assert read_at(low, position, 1 / 1.12)[0].std() == pytest.approx(np.sqrt(0.5), rel=0.01)


@pytest.mark.parametrize("delay", [-7.3, -1.0, 0.0, 0.44, 5.0, 43.999])
@pytest.mark.parametrize("share", [0.01, 0.2, 0.43])
def test_fractional_delays(delay: float, share: float) -> None:
    at = np.arange(8000)
    out = delayed(tone(share * RATE, at).astype(np.float32)[None], delay)[0]
    assert np.abs(out - tone(share * RATE, at - delay))[200:-200].max() < 1e-4


def test_whole_delays_move_the_samples() -> None:
    wave = np.random.default_rng(2).standard_normal((2, 300)).astype(np.float32)
    assert_array_equal(delayed(wave, 3)[:, 3:], wave[:, :-3])
    assert_array_equal(delayed(wave, -3)[:, :-3], wave[:, 3:])
    assert_array_equal(delayed(wave, 1000), np.zeros_like(wave))
