"""Common motion of the level: a gain is seen, at its size; what moves some bands alone is not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import signal

from contrastive_artifacts.models.slow import levels

RATE = 16000


def rustle(seconds: float = 10.0, seed: int = 0) -> np.ndarray:
    """Noise in eight bands, each of which comes and goes by itself at random."""
    rng = np.random.default_rng(seed)
    samples, total = round(seconds * RATE), np.zeros(round(seconds * RATE))
    for edges in pairwise(np.geomspace(60, 7900, 9)):
        narrow = signal.butter(3, edges, "band", fs=RATE, output="sos")
        band = signal.sosfilt(narrow, rng.standard_normal(samples))
        knots = rng.uniform(-5, 5, round(4 * seconds) + 1)
        total += band / band.std() * 10 ** (np.interp(np.arange(samples) / RATE * 4, np.arange(len(knots)), knots) / 20)
    return (0.1 * total / total.std()).astype(np.float32)


def named(x: np.ndarray) -> dict[str, float]:
    return dict(zip(levels.NAMES, levels.figures(x, RATE).tolist(), strict=True))


def test_a_step_of_the_gain_is_found_at_its_size():
    x = rustle()
    for db in (-8.0, 5.0):
        stepped = x.copy()
        stepped[round(4.3 * RATE) :] *= np.float32(10 ** (db / 20))
        before, after = named(x), named(stepped)
        assert after["step 1 s: contrast"] > before["step 1 s: contrast"] + 0.5
        assert abs(10 * after["step 1 s: size"] - abs(db)) < 1.5


def test_a_step_of_some_bands_is_no_step_of_the_gain():
    x = rustle()
    upper = signal.sosfilt(signal.butter(6, 1200, "high", fs=RATE, output="sos"), x).astype(np.float32)
    brighter, louder = x.copy(), x.copy()
    brighter[5 * RATE :] += 1.5 * upper[5 * RATE :]  # 8 dB
    louder[5 * RATE :] *= 2.5
    assert named(louder)["step 1 s: contrast"] > named(brighter)["step 1 s: contrast"] + 0.5


def test_a_gain_that_comes_back_after_every_loud_sound_shows_in_the_slopes_and_the_floor():
    rng = np.random.default_rng(1)
    t = np.arange(10 * RATE) / RATE
    bursts = np.exp(-((t % 1.0) / 0.06)) * rng.standard_normal(len(t))
    x = (0.5 * bursts + 0.02 * rng.standard_normal(len(t))).astype(np.float32)
    pressed = x * (10 ** (-12 * np.exp(-(t % 1.0) / 0.5) / 20)).astype(np.float32)
    before, after = named(x), named(pressed)
    assert after["slope 0.3 s: tight 50 %"] > before["slope 0.3 s: tight 50 %"] + 0.1  # 1 dB in .3 s
    assert after["floor 0.3 s: common"] > 1.3 * before["floor 0.3 s: common"]
    assert after["floor 0.3 s: with the loudness"] < before["floor 0.3 s: with the loudness"]


def test_levels_of_a_tone_are_those_of_its_band():
    t = np.arange(4 * RATE) / RATE
    x = (np.sin(2 * np.pi * 1000 * t) * np.where(t < 2, 1.0, 0.1)).astype(np.float32)
    band_levels = levels.band_levels(x + 1e-3 * rustle(4.0), RATE)
    loudest = band_levels[:, band_levels.mean(0).argmax()]
    assert abs(loudest[20:80].mean() - loudest[120:180].mean() - 20) < 0.2
