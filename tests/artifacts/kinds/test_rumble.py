"""Rumble: level, spectrum, modulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts, audio

RUMBLE = artifacts.artifact("rumble")


def make(**changes: object) -> dict:
    params = {
        "seed": 4, "snr_db": 5.0, "rpm": "33", "slope_db": -3.0, "low_hz": 8.0, "depth": 0.6, "phase": 0.2,
    }  # fmt: skip
    return {**params, **changes}


@pytest.mark.parametrize("severity", [0.0, 0.4, 1.0])
def test_the_snr_is_the_given_one(severity: float, clip: np.ndarray) -> None:
    for seed in range(5):
        noise = artifacts.render("rumble", clip, 44100, severity, seed).waveform.astype(np.float64) - clip
        snr = 20 * np.log10(audio.active_rms(clip, 44100) / np.sqrt(np.mean(noise**2)))
        assert snr == pytest.approx(30 - 25 * severity, abs=0.5)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 192000])
def test_it_is_below_40_hz(rate: int) -> None:
    noise = RUMBLE.apply(np.zeros((1, 8 * rate), dtype=np.float32), rate, make(slope_db=0.0))[0].astype(np.float64)
    power = np.square(np.abs(np.fft.rfft(noise * signal.windows.blackmanharris(len(noise)))))
    hertz = np.fft.rfftfreq(len(noise), 1 / rate)
    assert power[hertz < 40].sum() > 0.99 * power.sum()
    assert power[hertz < 4].sum() < 0.1 * power.sum()
    assert power[hertz > 60].sum() < 1e-6 * power.sum()  # images of the interpolation


def test_the_slope_of_the_spectrum() -> None:
    silence = np.zeros((1, 120 * 1000), dtype=np.float32)
    noise = RUMBLE.apply(silence, 1000, make(slope_db=-6.0, depth=0.2))[0]
    hertz, power = signal.welch(noise, 1000, nperseg=2000)
    low, high = (power[(hertz > f / 1.1) & (hertz < f * 1.1)].mean() for f in (14.0, 28.0))
    assert 10 * np.log10(high / low) == pytest.approx(-6, abs=1.5)


@pytest.mark.parametrize(("rpm", "hertz"), [("33", 1 / 1.8), ("45", 0.75), ("78", 1.3)])
def test_its_envelope_has_the_rate_of_the_record(rpm: str, hertz: float) -> None:
    silence = np.zeros((1, 120 * 1000), dtype=np.float32)
    noise = RUMBLE.apply(silence, 1000, make(rpm=rpm))[0].astype(np.float64)
    envelope = np.abs(signal.hilbert(noise))
    spectrum = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope)), 8 * len(envelope)))
    grid = np.fft.rfftfreq(8 * len(envelope), 1 / 1000)
    inside = (grid > 0.2) & (grid < 3)
    assert grid[inside][np.argmax(spectrum[inside])] == pytest.approx(hertz, rel=0.01)
