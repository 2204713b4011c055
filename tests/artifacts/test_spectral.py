"""Band limits and rooms, measured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.spectral import cutoff

RATE = 44100
BANDLIMIT, REVERB = artifacts.artifact("bandlimit"), artifacts.artifact("reverb")


def gain_db(hertz: float, params: dict, rate: int = RATE) -> float:
    tone = np.sin(2 * np.pi * hertz / rate * np.arange(rate)).astype(np.float32)[None]
    out = BANDLIMIT.apply(tone, rate, params)
    return 20 * np.log10(np.std(out[0, rate // 4 :]) / np.std(tone[0, rate // 4 :]) + 1e-12)


@pytest.mark.parametrize("corner", [3400.0, 5000.0, 8000.0])
@pytest.mark.parametrize("order", [8, 16])
def test_a_tone_within_passes_and_one_beyond_vanishes(corner: float, order: int) -> None:
    params = {"cutoff_hz": corner, "order": order, "highpass_hz": 0.0}
    assert abs(gain_db(0.6 * corner, params)) < 0.2
    assert gain_db(corner, params) == pytest.approx(-3, abs=0.3)
    assert gain_db(2 * corner, params) < -45


def test_telephone_takes_the_lows_too() -> None:
    params = {"cutoff_hz": 3400.0, "order": 8, "highpass_hz": 300.0}
    assert gain_db(75, params) < -40
    assert abs(gain_db(1000, params)) < 0.2


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 192000])
def test_more_severity_cuts_more_at_every_rate(rate: int) -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(2 * rate)).astype(np.float32)
    for seed in range(3):
        left = [np.std(artifacts.render("bandlimit", noise, rate, s, seed).waveform) for s in (0, 0.25, 0.5, 0.75, 1)]
        assert (np.diff(left) < 0).all()


def test_cutoff_stays_under_nyquist_and_is_kept_where_it_fits() -> None:
    assert cutoff(8000, 8000) == pytest.approx(3600)
    assert cutoff(3400, 8000) < cutoff(5000, 8000) < 3600
    assert cutoff(5000, 16000) == 5000
    assert cutoff(8000, 44100) == 8000


def response(severity: float, seed: int, rate: int = RATE) -> tuple[np.ndarray, dict]:
    impulse = np.zeros(4 * rate, dtype=np.float32)
    impulse[0] = 1
    view = artifacts.render("reverb", impulse, rate, severity, seed)
    return view.waveform.astype(np.float64), view.params["parameters"]


def schroeder_t60(tail: np.ndarray, rate: int) -> float:
    """T30: the line through -5 .. -35 dB of the backward integral, times two (ISO 3382)."""
    decay = np.cumsum(tail[::-1] ** 2)[::-1]
    level = 10 * np.log10(decay / decay[0] + 1e-20)
    span = (level < -5) & (level > -35)
    return -60 / np.polyfit(np.flatnonzero(span) / rate, level[span], 1)[0]


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_decay_time_and_direct_to_reverberant_ratio(severity: float) -> None:
    for seed in range(12):
        impulse, params = response(severity, seed)
        assert impulse[0] == 1.0
        assert np.abs(impulse[1 : int(0.0025 * RATE)]).max() < 1e-7
        tail = impulse[int(0.0025 * RATE) :]
        assert -10 * np.log10(np.sum(tail**2)) == pytest.approx(params["drr_db"], abs=0.2)
        assert params["t60_s"] == pytest.approx(0.3 * (2.5 / 0.3) ** severity)
        assert schroeder_t60(tail, RATE) == pytest.approx(params["t60_s"], rel=0.2), (seed, params)


def test_highs_die_first() -> None:
    base = {"seed": 2, "t60_s": 1.5, "drr_db": 0.0, "damping": 0.4, "predelay_ms": 5.0, "early_db": -12.0}
    impulse = np.zeros((1, 3 * RATE), dtype=np.float32)
    impulse[0, 0] = 1
    tail = REVERB.apply(impulse, RATE, base)[0, 200:].astype(np.float64)
    high = signal.sosfilt(signal.butter(4, 8000, "highpass", fs=RATE, output="sos"), tail)
    low = signal.sosfilt(signal.butter(4, 1000, fs=RATE, output="sos"), tail)
    assert schroeder_t60(high, RATE) < 0.7 * schroeder_t60(low, RATE)


def test_the_direct_sound_is_not_moved(clip: np.ndarray) -> None:
    for seed in range(4):
        out = artifacts.render("reverb", clip, RATE, 0.3, seed).waveform
        lag = np.argmax(signal.correlate(out[0], clip[0], method="fft")) - (clip.shape[1] - 1)
        assert lag == 0
