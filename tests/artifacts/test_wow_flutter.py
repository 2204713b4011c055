"""Wow and flutter, demodulated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
WOW = artifacts.artifact("wow_flutter")


def tone(hertz: float, seconds: float = 5.0, rate: int = RATE) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[None]


def speed(wave: np.ndarray, hertz: float) -> np.ndarray:
    """Relative speed deviation over time, by the instantaneous frequency of the tone."""
    phase = np.unwrap(np.angle(signal.hilbert(wave[0].astype(np.float64))))
    return (np.gradient(phase) * RATE / (2 * np.pi * hertz) - 1)[2000:-2000]


@pytest.mark.parametrize("rate", [0.5, 2.0, 6.0, 25.0, 100.0])
@pytest.mark.parametrize("deviation", [0.001, 0.02])
def test_peak_deviation_and_rate(rate: float, deviation: float) -> None:
    for phase in (0.0, 0.3):
        out = WOW.apply(tone(3000), RATE, {"deviation": deviation, "parts": [[rate, 1.0, phase]]})
        curve = speed(out, 3000)
        assert np.abs(curve).max() == pytest.approx(deviation, rel=0.1)
        spectrum = np.abs(np.fft.rfft(curve * np.hanning(len(curve)), 16 * RATE))
        found = np.argmax(spectrum[1:]) + 1
        assert found / 16 == pytest.approx(rate, rel=0.1, abs=0.15)


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_severity_is_the_peak_whatever_the_parts(severity: float) -> None:
    for seed in range(8):
        view = artifacts.render("wow_flutter", tone(3000), RATE, severity, seed)
        assert np.abs(speed(view.waveform, 3000)).max() == pytest.approx(0.001 * 20**severity, rel=0.1)


@pytest.mark.parametrize("hertz", [440.0, 3000.0, 12000.0, 16000.0])
def test_interpolation_adds_nothing_of_its_own(hertz: float) -> None:
    """What is left of a tone played at .5 Hz wow, once the ideal modulated tone is taken out."""
    params = {"deviation": 0.02, "parts": [[0.5, 1.0, 0.0]]}
    seconds = (
        4.0  # two whole periods: the mean of the speed curve is zero, so that its integral is known in closed form
    )
    time = np.arange(int(seconds * RATE)) / RATE
    ahead = 0.02 / (2 * np.pi * 0.5) * (1 - np.cos(2 * np.pi * 0.5 * time))
    ideal = 0.5 * np.sin(2 * np.pi * hertz * (time + ahead))
    error = (WOW.apply(tone(hertz, seconds), RATE, params)[0] - ideal)[100:-1000]
    assert 20 * np.log10(np.std(error) / np.std(ideal)) < -65


def test_the_clip_ends_where_it_did() -> None:
    """No drift: a click at either end stays there, one in the middle moves by what the wow adds up to."""
    wave = np.zeros((1, 5 * RATE), dtype=np.float32)
    at = np.array([500, len(wave[0]) // 2, len(wave[0]) - 500])
    wave[0, at] = 1.0
    for seed in range(10):
        out = artifacts.render("wow_flutter", wave, RATE, 1.0, seed).waveform[0]
        for place, slack in zip(at, (12, 700, 12), strict=True):
            near = out[max(0, place - slack) : place + slack + 1]
            assert np.abs(near).max() > 0.5


def test_constant_stays_constant() -> None:
    out = WOW.apply(np.ones((1, RATE), dtype=np.float32), RATE, {"deviation": 0.02, "parts": [[3.0, 1.0, 0.2]]})
    assert np.abs(out[0, 50:-50] - 1).max() < 1e-4


def test_kinds_are_varied(clip: np.ndarray) -> None:
    rates = [
        [row[0] for row in artifacts.render("wow_flutter", clip[:, :4410], RATE, 0.5, s).params["parameters"]["parts"]]
        for s in range(60)
    ]
    assert any(max(r) <= 6 for r in rates)
    assert any(min(r) > 6 for r in rates)
    assert any(min(r) <= 6 < max(r) for r in rates)
