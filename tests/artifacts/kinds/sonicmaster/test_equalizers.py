"""Gains of every equalizer at stated frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.kinds.sonicmaster.equalizers import EQUALIZERS, MICROPHONES

RATE = 44100


def gain_db(name: str, hertz: float, params: dict, rate: int = RATE) -> float:
    """The gain of a tone."""
    tone = np.sin(2 * np.pi * hertz / rate * np.arange(rate)).astype(np.float32)[None]
    out = artifacts.artifact(name).apply(tone, rate, params)
    return 20 * np.log10(np.std(out[0, rate // 2 :]) / np.std(tone[0, rate // 2 :]) + 1e-12)


@pytest.mark.parametrize(
    ("name", "gains"),
    [
        ("eq_bright", {200: 0, 6000: 0.5, 18000: 1}),
        ("eq_dark", {200: 0, 6000: 0.5, 18000: 1}),
        ("eq_airy", {200: 0, 10000: 0.5, 20000: 1}),
        ("eq_boom", {10: 1, 120: 0.5, 3000: 0}),
        ("eq_warm", {30: 1, 400: 0.5, 9000: 0}),
        ("eq_vocal", {20: 0, 350: 0.5, 1107: 1, 3500: 0.5, 20000: 0}),
    ],
)
@pytest.mark.parametrize("severity", [0.0, 1.0])
def test_shelves_and_the_vocal_band(name: str, gains: dict, severity: float) -> None:
    params = artifacts.artifact(name).sample(severity, np.random.default_rng(0))
    for hertz, share in gains.items():
        assert gain_db(name, hertz, params) == pytest.approx(share * params["gain_db"], abs=0.5), hertz


def test_gains_are_negative_for_a_lack_and_positive_for_an_excess() -> None:
    lacking = {"eq_bright": (-6, -15), "eq_airy": (-10, -20), "eq_boom": (-10, -20), "eq_warm": (-6, -20),
               "eq_vocal": (-6, -20)}  # fmt: skip
    for name, ends in {**lacking, "eq_dark": (6, 15), "eq_mud": (6, 15)}.items():
        drawn = [artifacts.artifact(name).sample(s, np.random.default_rng(0))["gain_db"] for s in (0.0, 1.0)]
        assert drawn == pytest.approx(ends)


@pytest.mark.parametrize("seed", range(3))
def test_the_peak_of_mud(seed: int) -> None:
    params = artifacts.artifact("eq_mud").sample(0.7, np.random.default_rng(seed))
    assert gain_db("eq_mud", params["centre_hz"], params) == pytest.approx(params["gain_db"], abs=0.5)
    assert gain_db("eq_mud", 8000, params) == pytest.approx(0, abs=0.5)
    assert gain_db("eq_mud", 20, params) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("order", [3, 4, 5])
def test_clarity_is_a_butterworth_low_pass(order: int) -> None:
    sections = signal.butter(order, 4000, fs=10 * RATE, output="sos")  # at a sample rate without warping
    for hertz in (1000, 3000, 4000, 6000, 10000):
        expected = 20 * np.log10(abs(signal.sosfreqz(sections, [hertz], fs=10 * RATE)[1][0]))
        assert gain_db("eq_clarity", hertz, {"order": order}) == pytest.approx(expected, abs=0.5), hertz


@pytest.mark.parametrize("seed", range(4))
def test_curves_have_the_gains_of_their_bands(seed: int) -> None:
    params = artifacts.artifact("eq_curve").sample(1.0, np.random.default_rng(seed))
    assert 8 <= len(params["bands"]) <= 12
    assert max(abs(gain) for _, gain in params["bands"]) == pytest.approx(6)
    for depth in (0.5, 1.0):
        for hertz, gain in params["bands"]:
            assert gain_db("eq_curve", hertz, {**params, "depth": depth}) == pytest.approx(depth * gain, abs=0.5), hertz


@pytest.mark.parametrize("kind", MICROPHONES)
def test_microphones_have_the_gains_of_their_table(kind: str) -> None:
    for hertz, gain in MICROPHONES[kind]:
        assert gain_db("eq_microphone", hertz, {"kind": kind, "depth": 1.0}) == pytest.approx(gain, abs=0.5), hertz


@pytest.mark.parametrize("name", [record.name for record in EQUALIZERS])
@pytest.mark.parametrize("rate", [8000, 192000])
def test_every_sample_rate_is_equalized(name: str, rate: int) -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(rate)).astype(np.float32)
    out = artifacts.render(name, noise, rate, 0.5, 1).waveform
    before, after = (signal.welch(wave, rate, nperseg=rate // 20)[1][1:-1] for wave in (noise, out))
    assert np.abs(10 * np.log10(after / before)).max() > 1.4
