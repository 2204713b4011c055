"""Aliasing: a tone is mirrored at half the effective rate."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.kinds.aliasing import effective_rate

RATE = 44100
ALIASING = artifacts.artifact("aliasing")


def spectrum(hertz: int, rate: int, rate_hz: float, images: str) -> np.ndarray:
    """Amplitude at each whole Hz of the output for a tone of amplitude 0.1."""
    wave = (0.1 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype(np.float32)[None]
    out = ALIASING.apply(wave, rate, {"rate_hz": rate_hz, "images": images})[0]
    return np.abs(np.fft.rfft(out * np.hanning(rate))) * 4 / rate


@pytest.mark.parametrize("images", ["hold", "linear", "none"])
@pytest.mark.parametrize(("hertz", "rate_hz"), [(7000, 10000), (5500, 8000), (9000, 16000), (12000, 10000)])
def test_a_tone_is_mirrored(hertz: int, rate_hz: int, images: str) -> None:
    level = spectrum(hertz, RATE, rate_hz, images)
    band = level[: rate_hz // 2]
    assert int(np.argmax(band)) == abs(rate_hz - hertz)
    assert band.max() > 0.045
    others = np.delete(band, np.arange(abs(rate_hz - hertz) - 5, abs(rate_hz - hertz) + 6))
    # A hold changes only at samples of the clip, so that its images are aliased as well.
    assert others.max() < (0.25 if images == "hold" else 0.1) * band.max()


def test_the_tone_itself_is_an_image() -> None:
    assert spectrum(7000, RATE, 10000, "none")[6990:7010].max() < 1e-3
    assert spectrum(7000, RATE, 10000, "linear")[6990:7010].max() > 5e-3
    assert spectrum(7000, RATE, 10000, "hold")[6990:7010].max() > 1e-2


@pytest.mark.parametrize("images", ["hold", "linear", "none"])
def test_low_frequencies_are_not_changed(images: str) -> None:
    wave = (0.1 * np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)).astype(np.float32)[None]
    out = ALIASING.apply(wave, RATE, {"rate_hz": 16000.0, "images": images})
    assert np.abs(out - wave)[:, 200:-200].max() < 0.003  # no delay either


def test_the_effective_rate_is_lower_for_low_sample_rates() -> None:
    assert effective_rate(16000, 8000) == 4000
    assert effective_rate(16000, 48000) == 16000
    assert int(np.argmax(spectrum(2500, 8000, 16000.0, "none"))) == 1500


@pytest.mark.parametrize("images", ["hold", "linear", "none"])
def test_blocks_leave_no_joints(images: str) -> None:
    time = np.arange(8 * RATE) / RATE
    wave = (0.1 * np.sin(2 * np.pi * 50 * time)).astype(np.float32)[None]
    out = ALIASING.apply(wave, RATE, {"rate_hz": 15999.0, "images": images})
    assert np.abs(out - wave)[:, 200:-200].max() < 0.002
