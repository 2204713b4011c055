"""Crossover distortion, measured on a tone."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts import artifacts

RATE = 44100
CROSSOVER = artifacts.artifact("crossover")
TONE = (0.1 * np.sqrt(2) * np.sin(2 * np.pi * 20 * np.arange(RATE) / RATE)).astype(np.float32)[None]  # active level .1


@pytest.mark.parametrize("width", [0.02, 0.2, 0.7])
def test_the_dead_zone_is_flat_and_the_rest_is_shifted(width: float) -> None:
    out = CROSSOVER.apply(TONE, RATE, {"width": width, "softness": 0.0})
    zone = 0.1 * width
    inside, beyond = np.abs(TONE) < 0.9 * zone, np.abs(TONE) > 1.1 * zone
    assert np.abs(out[inside]).max() < 0.02 * zone + 1e-5
    np.testing.assert_allclose(out[beyond], (TONE - np.sign(TONE) * zone)[beyond], atol=0.02 * zone)
    dead = np.mean(np.abs(out) < 0.02 * zone)
    assert dead == pytest.approx(2 / np.pi * np.arcsin(width / np.sqrt(2)), rel=0.1)


def test_softness_rounds_the_corners() -> None:
    out = CROSSOVER.apply(TONE, RATE, {"width": 0.3, "softness": 1.0})
    np.testing.assert_allclose(out, TONE - 0.03 * np.tanh(TONE / 0.03), atol=3e-4)


@pytest.mark.parametrize("softness", [0.0, 0.7])
def test_harmonics_are_odd_and_grow(softness: float) -> None:
    measured = []
    for width in (0.02, 0.1, 0.3, 0.7):
        level = np.abs(np.fft.rfft(CROSSOVER.apply(TONE, RATE, {"width": width, "softness": softness})[0]))
        assert level[40:400:40].max() < 1e-3 * level[60]
        measured.append(np.sqrt(np.square(level[60:1000:40]).sum()) / level[20])
    assert (np.diff(measured) > 0).all()
    assert measured[0] > 0.002
    assert measured[-1] > 0.15


def test_quiet_passages_vanish() -> None:
    wave = TONE.copy()
    wave[:, RATE // 2 :] *= 0.03
    out = CROSSOVER.apply(wave, RATE, {"width": 0.2, "softness": 0.0})
    assert np.abs(out[:, RATE // 2 + 100 : -100]).max() < 1e-4
