"""Hiss and hum, measured."""

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
def test_hiss_has_the_asked_snr(severity: float, clip: np.ndarray) -> None:
    for seed in range(5):
        view = artifacts.render("hiss", clip, RATE, severity, seed)
        assert view.params["parameters"]["snr_db"] == pytest.approx(40 - 35 * severity)
        noise = added(view, clip)
        snr = db(audio.active_rms(clip, RATE) / np.sqrt(np.mean(noise**2)))
        assert snr == pytest.approx(40 - 35 * severity, abs=0.5)


@pytest.mark.parametrize("slope", [-3.0, 0.0, 3.0])
def test_hiss_slope(slope: float, steady: np.ndarray) -> None:
    params = {
        "seed": 3, "snr_db": 5.0, "slope_db": slope, "lift_db": 0.0, "lift_hz": 1000.0, "swell": 0.0, "swell_hz": 1.0,
    }  # fmt: skip
    noise = artifacts.artifact("hiss").apply(steady, RATE, params) - steady
    hertz, power = signal.welch(noise[0], RATE, nperseg=4096)
    low, high = (10 * np.log10(power[(hertz > f * 0.8) & (hertz < f * 1.25)].mean()) for f in (500.0, 8000.0))
    assert high - low == pytest.approx(4 * slope, abs=1.0)


def test_tape_hiss_is_lifted(steady: np.ndarray) -> None:
    params = {
        "seed": 3, "snr_db": 5.0, "slope_db": 0.0, "lift_db": 12.0, "lift_hz": 1000.0, "swell": 0.0, "swell_hz": 1.0,
    }  # fmt: skip
    noise = artifacts.artifact("hiss").apply(steady, RATE, params) - steady
    hertz, power = signal.welch(noise[0], RATE, nperseg=4096)
    lift = 10 * np.log10(power[(hertz > 12000) & (hertz < 20000)].mean() / power[(hertz > 50) & (hertz < 150)].mean())
    assert lift == pytest.approx(12, abs=1.0)


def test_hiss_is_independent_between_channels(clip: np.ndarray) -> None:
    noise = added(artifacts.render("hiss", np.repeat(clip, 2, axis=0), RATE, 0.5, 1), clip)
    assert abs(np.corrcoef(noise)[0, 1]) < 0.02


def test_long_hiss_joins_its_blocks_without_a_seam() -> None:
    silence = np.zeros((1, (1 << 20) + 5000), dtype=np.float32)
    params = {
        "seed": 1, "snr_db": 5.0, "slope_db": -3.0, "lift_db": 0.0, "lift_hz": 1000.0, "swell": 0.0, "swell_hz": 1.0,
    }  # fmt: skip
    noise = artifacts.artifact("hiss").apply(silence, RATE, params)[0]
    step = np.abs(np.diff(noise))
    seam = step[(1 << 20) - 2 : (1 << 20) + 1].max()
    assert seam < np.quantile(step, 0.9999)
    assert noise[1 << 20 :].std() == pytest.approx(noise.std(), rel=0.3)


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_hum_has_the_asked_level(severity: float, clip: np.ndarray) -> None:
    for seed in range(5):
        hum = added(artifacts.render("hum", clip, RATE, severity, seed), clip)
        level = db(np.sqrt(np.mean(hum**2)) / audio.active_rms(clip, RATE))
        assert level == pytest.approx(-40 + 40 * severity, abs=0.3)


@pytest.mark.parametrize("base", [50, 60, 100, 120])
def test_hum_peaks_lie_on_the_harmonics_and_nothing_besides(base: int) -> None:
    silence = np.zeros((1, 4 * RATE), dtype=np.float32)
    levels = {1: -6.0, 2: 0.0, 3: -12.0, 20: -20.0}
    params = {
        "level_db": 0.0, "base_hz": base, "offset": 0.001, "drift": 0.0, "drift_hz": 0.1, "drift_phase": 0.0,
        "harmonics": [[n, level, 0.1 * n % 1] for n, level in levels.items()],
    }  # fmt: skip
    hum = artifacts.artifact("hum").apply(silence, RATE, params)[0].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(hum * signal.windows.blackmanharris(len(hum)), 4 * len(hum)))
    hertz = np.fft.rfftfreq(4 * len(hum), 1 / RATE)
    found = {n: np.abs(hertz - n * base * 1.001) < 2 for n in levels}
    for n, level in levels.items():
        top = np.argmax(spectrum * found[n])
        assert hertz[top] == pytest.approx(n * base * 1.001, abs=0.15)
        assert db(spectrum[top] / spectrum.max()) == pytest.approx(level, abs=0.2)
    assert db(spectrum[~np.any(list(found.values()), axis=0)].max() / spectrum.max()) < -80


def test_hum_drifts_as_told() -> None:
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


def test_hum_is_common_to_all_channels_and_varied_between_seeds(clip: np.ndarray) -> None:
    hum = added(artifacts.render("hum", np.repeat(clip, 2, axis=0), RATE, 1.0, 1), clip)
    assert np.allclose(hum[0], hum[1], atol=1e-7)
    drawn = [artifacts.render("hum", clip[:, :4410], RATE, 0.5, seed).params["parameters"] for seed in range(80)]
    assert {p["base_hz"] for p in drawn} == {50, 60, 100, 120}
    counts = {len(p["harmonics"]) for p in drawn}
    assert min(counts) == 1
    assert max(counts) >= 15


def test_drifting_hum_is_the_sum_of_its_harmonics() -> None:
    params = {
        "level_db": 0.0, "base_hz": 120, "offset": -0.001, "drift": 0.001, "drift_hz": 0.03, "drift_phase": 0.2,
        "harmonics": [[1, 0.0, 0.1], [7, -9.0, 0.6], [20, -12.0, 0.3]],
    }  # fmt: skip
    seconds = np.arange(20 * RATE) / RATE
    swing = 120 * 0.001 / (2 * np.pi * 0.03) * np.cos(2 * np.pi * (0.03 * seconds + 0.2))
    turn = 120 * 0.999 * seconds - swing
    wanted = sum(10 ** (db / 20) * np.sin(2 * np.pi * (n * turn + phase)) for n, db, phase in params["harmonics"])
    hum = artifacts.artifact("hum").apply(np.zeros((1, len(seconds)), dtype=np.float32), RATE, params)[0]
    wanted *= 1e-3 / np.sqrt(np.mean(wanted**2))  # silence counts as -60 dBFS
    assert np.abs(hum - wanted).max() < 1e-3 * 1e-3
