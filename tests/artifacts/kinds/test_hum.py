"""Hum: level, harmonics, drift, equality of channels."""

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


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_the_level_is_the_given_one(severity: float, clip: np.ndarray) -> None:
    for seed in range(5):
        hum = added(artifacts.render("hum", clip, RATE, severity, seed), clip)
        level = db(np.sqrt(np.mean(hum**2)) / audio.active_rms(clip, RATE))
        assert level == pytest.approx(-40 + 40 * severity, abs=0.3)


@pytest.mark.parametrize("base", [50, 60, 100, 120])
def test_the_spectrum_holds_the_harmonics_only(base: int) -> None:
    silence = np.zeros((1, 4 * RATE), dtype=np.float32)
    levels = {1: -6.0, 2: 0.0, 3: -12.0, 20: -20.0}
    params = {
        "level_db": 0.0, "base_hz": base, "offset": 0.001, "drift": 0.0, "drift_hz": 0.1, "drift_phase": 0.0,
        "harmonics": [[n, level, 0.1 * n % 1] for n, level in levels.items()],
    }  # fmt: skip
    hum = artifacts.artifact("hum").apply(silence, RATE, params)[0].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(hum * signal.windows.blackmanharris(len(hum)), 4 * len(hum)))
    hertz = np.fft.rfftfreq(4 * len(hum), 1 / RATE)
    near = {n: np.abs(hertz - n * base * 1.001) < 2 for n in levels}
    for n, level in levels.items():
        top = np.argmax(spectrum * near[n])
        assert hertz[top] == pytest.approx(n * base * 1.001, abs=0.15)
        assert db(spectrum[top] / spectrum.max()) == pytest.approx(level, abs=0.2)
    assert db(spectrum[~np.any(list(near.values()), axis=0)].max() / spectrum.max()) < -80


def test_the_frequency_drifts_by_the_given_deviation() -> None:
    silence = np.zeros((1, 8 * RATE), dtype=np.float32)
    params = {
        "level_db": 0.0, "base_hz": 60, "offset": 0.0, "drift": 0.002, "drift_hz": 0.5, "drift_phase": 0.3,
        "harmonics": [[1, 0.0, 0.0]],
    }  # fmt: skip
    hum = artifacts.artifact("hum").apply(silence, RATE, params)[0].astype(np.float64)
    hertz = np.diff(np.unwrap(np.angle(signal.hilbert(hum)))) * RATE / (2 * np.pi)
    hertz = hertz[RATE:-RATE]
    assert np.quantile(hertz, 0.99) / 60 - 1 == pytest.approx(0.002, rel=0.15)
    assert 1 - np.quantile(hertz, 0.01) / 60 == pytest.approx(0.002, rel=0.15)


def test_channels_are_equal_and_seeds_differ(clip: np.ndarray) -> None:
    hum = added(artifacts.render("hum", np.repeat(clip, 2, axis=0), RATE, 1.0, 1), clip)
    assert np.allclose(hum[0], hum[1], atol=1e-7)
    drawn = [artifacts.render("hum", clip[:, :4410], RATE, 0.5, seed).params["parameters"] for seed in range(80)]
    assert {p["base_hz"] for p in drawn} == {50, 60, 100, 120}
    counts = {len(p["harmonics"]) for p in drawn}
    assert min(counts) == 1
    assert max(counts) >= 15


def test_drifting_hum_is_the_sum_of_its_sines() -> None:
    params = {
        "level_db": 0.0, "base_hz": 120, "offset": -0.001, "drift": 0.001, "drift_hz": 0.03, "drift_phase": 0.2,
        "harmonics": [[1, 0.0, 0.1], [7, -9.0, 0.6], [20, -12.0, 0.3]],
    }  # fmt: skip
    seconds = np.arange(20 * RATE) / RATE
    swing = 120 * 0.001 / (2 * np.pi * 0.03) * np.cos(2 * np.pi * (0.03 * seconds + 0.2))
    turn = 120 * 0.999 * seconds - swing
    expected = sum(10 ** (db / 20) * np.sin(2 * np.pi * (n * turn + phase)) for n, db, phase in params["harmonics"])
    hum = artifacts.artifact("hum").apply(np.zeros((1, len(seconds)), dtype=np.float32), RATE, params)[0]
    expected *= 1e-3 / np.sqrt(np.mean(expected**2))  # silence counts as -60 dBFS
    assert np.abs(hum - expected).max() < 1e-3 * 1e-3
