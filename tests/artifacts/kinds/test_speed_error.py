"""Speed error: pitch, tempo, ends of the clip."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
SPEED = artifacts.artifact("speed_error")
STEADY = {"speed": 0.0, "drift": 0.0, "drift_hz": 0.2, "drift_phase": 0.0}


def tone(hertz: float, seconds: float = 5.0, rate: int = RATE) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[None]


def frequency(wave: np.ndarray, rate: int = RATE) -> np.ndarray:
    phase = np.unwrap(np.angle(signal.hilbert(wave[0].astype(np.float64))))
    return np.gradient(phase) * rate / (2 * np.pi)


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("speed", [-0.12, -0.02, 0.02, 0.07, 0.12])
def test_the_pitch_is_multiplied_by_the_speed(speed: float, rate: int) -> None:
    out = SPEED.apply(tone(1000, 3.0, rate), rate, {**STEADY, "speed": speed})
    middle = frequency(out, rate)[int(0.5 * rate) : int(2.5 * rate)]
    assert middle.mean() == pytest.approx(1000 * (1 + speed), rel=1e-4)
    assert np.ptp(middle) < 1


@pytest.mark.parametrize("drift", [-0.12, 0.03])
def test_drift_follows_its_cosine(drift: float) -> None:
    out = SPEED.apply(tone(1000), RATE, {**STEADY, "speed": 0.02, "drift": drift, "drift_hz": 0.5, "drift_phase": 0.4})
    time = (np.arange(5 * RATE) - (5 * RATE - 1) / 2) / RATE
    inside = slice(RATE // 2, -RATE // 2)
    expected = 1000 * (1.02 + drift * np.cos(2 * np.pi * 0.5 * time + 0.4))
    assert np.abs(frequency(out) - expected)[inside].max() < 0.5


@pytest.mark.parametrize("speed", [-0.12, 0.12])
def test_the_middle_is_not_moved_and_distances_scale(speed: float) -> None:
    wave = np.zeros((1, 4 * RATE + 1), dtype=np.float32)
    middle, apart = 2 * RATE, RATE // 2
    wave[0, [middle - apart, middle, middle + apart]] = 1.0
    clicks = signal.find_peaks(SPEED.apply(wave, RATE, {**STEADY, "speed": speed})[0], height=0.4, distance=100)[0]
    np.testing.assert_allclose(clicks - middle, np.array([-1, 0, 1]) * apart / (1 + speed), atol=0.6)


def test_fast_playback_extends_the_ends_without_a_gap_or_a_step() -> None:
    wave = tone(440)
    out = SPEED.apply(wave, RATE, {**STEADY, "speed": 0.12})
    power = np.square(out[0, : 5 * RATE]).reshape(-1, RATE // 20).mean(axis=1)
    assert power.min() > 0.9 * np.square(wave).mean()
    # The reflection of a tone has a corner, but no step.
    assert np.abs(np.diff(out[0])).max() < 1.5 * 0.5 * 2 * np.pi * 440 * 1.12 / RATE


def test_kinds_and_signs_are_drawn() -> None:
    drawn = [artifacts.render("speed_error", np.zeros(800), 8000, 1.0, s).params["parameters"] for s in range(60)]
    assert any(p["speed"] > 0 for p in drawn)
    assert any(p["speed"] < 0 for p in drawn)
    assert any(p["speed"] == 0 and p["drift"] for p in drawn)
    assert any(p["speed"] and p["drift"] for p in drawn)
    assert all(max(abs(p["speed"]), abs(p["drift"])) == pytest.approx(0.12) for p in drawn)
