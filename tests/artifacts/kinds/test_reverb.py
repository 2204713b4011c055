"""Reverberation: decay time, ratio, direct sound."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
REVERB = artifacts.artifact("reverb")


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
        assert schroeder_t60(tail, RATE) == pytest.approx(params["t60_s"], rel=0.15), (seed, params)


def test_highs_decay_faster() -> None:
    base = {"seed": 2, "t60_s": 1.5, "drr_db": 0.0, "damping": 0.4, "predelay_ms": 5.0, "early_db": -12.0}
    impulse = np.zeros((1, 3 * RATE), dtype=np.float32)
    impulse[0, 0] = 1
    tail = REVERB.apply(impulse, RATE, base)[0, 200:].astype(np.float64)
    high = signal.sosfilt(signal.butter(4, 8000, "highpass", fs=RATE, output="sos"), tail)
    low = signal.sosfilt(signal.butter(4, 1000, fs=RATE, output="sos"), tail)
    assert schroeder_t60(high, RATE) < 0.7 * schroeder_t60(low, RATE)


def test_the_direct_sound_is_not_delayed(clip: np.ndarray) -> None:
    for seed in range(4):
        out = artifacts.render("reverb", clip, RATE, 0.3, seed).waveform
        lag = np.argmax(signal.correlate(out[0], clip[0], method="fft")) - (clip.shape[1] - 1)
        assert lag == 0
