"""Common motion of partials: a known wow is measured, in its depth and its rate; what is no wow is not."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.models.slow import speed

RATE = 16000


def chord(hertz: float = 0.0, deviation: float = 0.0, seconds: float = 10.0) -> np.ndarray:
    """Three notes with harmonics, played at a speed of ``1 + deviation * sin``."""
    t = np.arange(round(seconds * RATE)) / RATE
    ahead = deviation / (2 * np.pi * hertz) * (1 - np.cos(2 * np.pi * hertz * t)) if hertz else 0.0
    rng = np.random.default_rng(0)
    tones = [
        np.sin(2 * np.pi * k * f * (t + ahead) + rng.uniform(0, 6)) / k for f in (220, 277, 330) for k in range(1, 7)
    ]
    return (0.05 * np.sum(tones, axis=0) + 1e-3 * rng.standard_normal(len(t))).astype(np.float32)


def named(x: np.ndarray) -> dict[str, float]:
    return dict(zip(speed.NAMES, speed.figures(x, RATE).tolist(), strict=True))


@pytest.mark.parametrize(("hertz", "deviation"), [(0.556, 0.01), (1.3, 0.01), (1.3, 0.003)])
def test_the_speed_is_measured(hertz, deviation):
    """Its change per second is 2 pi f deviation cos(2 pi f t): within a fifth, and at the right moments."""
    change, _ = speed.speed_changes(chord(hertz, deviation), RATE)
    t = speed.FRAME / 2 / RATE + speed.SPAN * speed.HOP_S + np.arange(len(change)) * speed.HOP_S
    expected = 2 * np.pi * hertz * deviation * np.cos(2 * np.pi * hertz * t)
    assert np.corrcoef(change, expected)[0, 1] > 0.95
    assert 0.8 < change.std() / expected.std() < 1.2


def test_the_line_stands_in_its_band_alone():
    bands = [f"speed {low:g}-{high:g} Hz: contrast" for low, high in speed.BANDS_HZ]
    still, slow, fast = named(chord()), named(chord(0.7, 0.005)), named(chord(3.0, 0.005))
    assert slow[bands[0]] > max(still[bands[0]] + 1, slow[bands[1]] + 1, slow[bands[2]] + 1)
    assert fast[bands[2]] > max(still[bands[2]] + 1, fast[bands[0]] + 1, fast[bands[1]] + 1)


def test_tremolo_and_a_change_of_tone_are_no_wow():
    x, t = chord(), np.arange(10 * RATE) / RATE
    swaying = x * (1 + 0.5 * np.sin(2 * np.pi * 1.3 * t)).astype(np.float32)
    assert named(swaying)["speed 1-2.2 Hz: line"] < named(chord(1.3, 0.003))["speed 1-2.2 Hz: line"] - 1


def test_noise_has_no_speed():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(10 * RATE).astype(np.float32)
    assert named(noise)["speed 1-2.2 Hz: contrast"] < named(chord(1.3, 0.005))["speed 1-2.2 Hz: contrast"] - 1
