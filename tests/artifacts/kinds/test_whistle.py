"""Whistles: level, frequency, variation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts, audio

RATE = 44100
WHISTLE = artifacts.artifact("whistle")


def of_silence(rate: int, **changes: object) -> np.ndarray:
    params = {
        "level_db": -15.0, "hertz": 15625.0, "wander": 0.0, "wander_hz": 0.5, "wander_phase": 0.1, "phase": 0.3,
    }  # fmt: skip
    return WHISTLE.apply(np.zeros((1, 6 * rate), dtype=np.float32), rate, {**params, **changes})[0].astype(np.float64)


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_the_level_is_the_given_one(severity: float, clip: np.ndarray) -> None:
    for seed in range(5):
        tone = artifacts.render("whistle", clip, RATE, severity, seed).waveform.astype(np.float64) - clip
        level = 20 * np.log10(np.sqrt(np.mean(tone**2)) / audio.active_rms(clip, RATE))
        assert level == pytest.approx(-50 + 35 * severity, abs=0.3)


@pytest.mark.parametrize(
    ("hertz", "rate", "expected"),
    [
        (15625.0, 44100, 15625.0), (15734.27, 48000, 15734.27), (19000.0, 44100, 19000.0), (3000.0, 8000, 3000.0),
        (15625.0, 8000, 15625 / 8), (19000.0, 22050, 9500.0), (19000.0, 1000, 19000 / 64),
    ],
)  # fmt: skip
def test_it_is_one_tone_below_half_the_sample_rate(hertz: float, rate: int, expected: float) -> None:
    wave = of_silence(rate, hertz=hertz)
    spectrum = np.abs(np.fft.rfft(wave * signal.windows.blackmanharris(len(wave))))
    grid = np.fft.rfftfreq(len(wave), 1 / rate)
    assert grid[np.argmax(spectrum)] == pytest.approx(expected, abs=0.2)
    assert spectrum[np.abs(grid - expected) > 2].max() < 1e-4 * spectrum.max()


def test_the_frequency_of_a_heterodyne_varies() -> None:
    tone = of_silence(RATE, hertz=3000.0, wander=0.01)
    hertz = (np.diff(np.unwrap(np.angle(signal.hilbert(tone)))) * RATE / (2 * np.pi))[RATE:-RATE]
    assert hertz.max() / 3000 - 1 == pytest.approx(0.01, rel=0.05)
    assert 1 - hertz.min() / 3000 == pytest.approx(0.01, rel=0.05)


def test_all_kinds_are_drawn(clip: np.ndarray) -> None:
    drawn = [artifacts.render("whistle", clip[:, :441], RATE, 0.5, s).params["parameters"] for s in range(60)]
    assert {15625.0, 15734.27, 19000.0} < {p["hertz"] for p in drawn}
    free = [p for p in drawn if p["hertz"] not in (15625.0, 15734.27, 19000.0)]
    assert any(p["wander"] for p in free)
    assert not all(p["wander"] for p in free)
    assert all(1000 <= p["hertz"] <= 12000 for p in free)
