"""Hiss: level, spectrum, independence of channels, no discontinuity between blocks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts, audio

RATE = 44100


def added(view: artifacts.RenderedView, clean: np.ndarray) -> np.ndarray:
    return view.waveform.astype(np.float64) - clean


def db(ratio: float) -> float:
    return 20 * np.log10(ratio)


@pytest.mark.parametrize("severity", [0.0, 0.3, 0.7, 1.0])
def test_the_snr_is_the_given_one(severity: float, clip: np.ndarray) -> None:
    for seed in range(5):
        view = artifacts.render("hiss", clip, RATE, severity, seed)
        assert view.params["parameters"]["snr_db"] == pytest.approx(40 - 35 * severity)
        noise = added(view, clip)
        snr = db(audio.active_rms(clip, RATE) / np.sqrt(np.mean(noise**2)))
        assert snr == pytest.approx(40 - 35 * severity, abs=0.5)


@pytest.mark.parametrize("slope", [-3.0, 0.0, 3.0])
def test_the_slope_of_the_spectrum(slope: float, steady: np.ndarray) -> None:
    params = {
        "seed": 3, "snr_db": 5.0, "slope_db": slope, "lift_db": 0.0, "lift_hz": 1000.0, "swell": 0.0, "swell_hz": 1.0,
    }  # fmt: skip
    noise = artifacts.artifact("hiss").apply(steady, RATE, params) - steady
    hertz, power = signal.welch(noise[0], RATE, nperseg=4096)
    low, high = (10 * np.log10(power[(hertz > f * 0.8) & (hertz < f * 1.25)].mean()) for f in (500.0, 8000.0))
    assert high - low == pytest.approx(4 * slope, abs=1.0)


def test_the_high_shelf_of_tape_hiss(steady: np.ndarray) -> None:
    params = {
        "seed": 3, "snr_db": 5.0, "slope_db": 0.0, "lift_db": 12.0, "lift_hz": 1000.0, "swell": 0.0, "swell_hz": 1.0,
    }  # fmt: skip
    noise = artifacts.artifact("hiss").apply(steady, RATE, params) - steady
    hertz, power = signal.welch(noise[0], RATE, nperseg=4096)
    lift = 10 * np.log10(power[(hertz > 12000) & (hertz < 20000)].mean() / power[(hertz > 50) & (hertz < 150)].mean())
    assert lift == pytest.approx(12, abs=1.0)


def test_channels_are_independent(clip: np.ndarray) -> None:
    noise = added(artifacts.render("hiss", np.repeat(clip, 2, axis=0), RATE, 0.5, 1), clip)
    assert abs(np.corrcoef(noise)[0, 1]) < 0.02


def test_blocks_are_joined_without_a_discontinuity() -> None:
    silence = np.zeros((1, (1 << 20) + 5000), dtype=np.float32)
    params = {
        "seed": 1, "snr_db": 5.0, "slope_db": -3.0, "lift_db": 0.0, "lift_hz": 1000.0, "swell": 0.0, "swell_hz": 1.0,
    }  # fmt: skip
    noise = artifacts.artifact("hiss").apply(silence, RATE, params)[0]
    step = np.abs(np.diff(noise))
    seam = step[(1 << 20) - 2 : (1 << 20) + 1].max()
    assert seam < np.quantile(step, 0.9999)
    assert noise[1 << 20 :].std() == pytest.approx(noise.std(), rel=0.3)
