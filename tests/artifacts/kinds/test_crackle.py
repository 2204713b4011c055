"""Crackle: number, times, amplitudes and spectrum of the pulses."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
CRACKLE = artifacts.artifact("crackle")


def make(**changes: object) -> dict:
    params = {
        "seed": 5, "rate_hz": 50.0, "level_db": -10.0, "tail": 2.0, "length_ms": 0.3, "resonance_hz": 4000.0,
        "order": 4,
    }  # fmt: skip
    return {**params, **changes}


def silence(seconds: float) -> np.ndarray:
    return np.zeros((1, int(seconds * RATE)), dtype=np.float32)


@pytest.mark.parametrize("rate", [50.0, 300.0, 2000.0])
def test_times_are_a_poisson_process_of_the_given_rate(rate: float) -> None:
    pulses, free = [], []
    for seed in range(6):
        segments = CRACKLE.segments(silence(10), RATE, make(rate_hz=rate, length_ms=0.1, seed=seed))
        pulses.append(len(segments) / 10)
        free.append(1 - (segments[:, 1] - segments[:, 0]).sum() / (10 * RATE))
    # For a Poisson process of pulses of length a, exp(-rate a) of the time is free, and of the pulses is isolated.
    share = np.exp(-rate * 4 / RATE)
    assert np.mean(free) == pytest.approx(share, rel=0.02)
    assert np.mean(pulses) == pytest.approx(rate * share, rel=0.08)


def test_amplitudes_have_the_given_median_and_a_heavy_tail() -> None:
    wave = CRACKLE.apply(silence(60), RATE, make())[0]
    segments = CRACKLE.segments(silence(60), RATE, make())
    peaks = np.maximum.reduceat(np.abs(wave), segments[:, 0]) / 1e-3  # silence counts as -60 dBFS
    assert 20 * np.log10(np.median(peaks)) == pytest.approx(-10, abs=1.5)
    above = [(peaks > factor * np.median(peaks)).mean() for factor in (4, 8)]
    assert above[0] == pytest.approx(1 / 17, rel=0.3)  # log-logistic: 1 / (1 + a ** tail)
    assert above[0] / above[1] == pytest.approx(4, rel=0.5)
    assert peaks.max() < 10 ** ((26 - 10 + 3) / 20)


@pytest.mark.parametrize("order", [2, 4])
def test_the_spectrum_is_centred_on_the_resonance(order: int) -> None:
    for hertz in (3000.0, 8000.0):  # a pulse at a lower frequency is shorter than a period
        wave = CRACKLE.apply(silence(10), RATE, make(resonance_hz=hertz, order=order, rate_hz=500.0, length_ms=1.0))[0]
        grid, power = signal.welch(wave, RATE, nperseg=1024)
        centre = np.exp((np.log(grid[1:]) * power[1:]).sum() / power[1:].sum())
        assert hertz / 1.6 < centre < hertz * 1.6


def test_a_higher_rate_adds_pulses_and_keeps_the_others() -> None:
    few, many = (CRACKLE.segments(silence(5), RATE, make(rate_hz=r)) for r in (100.0, 200.0))
    covered = np.zeros(5 * RATE, dtype=bool)
    for start, stop in many:
        covered[start:stop] = True
    assert all(covered[start:stop].all() for start, stop in few)
    assert len(many) > 1.5 * len(few)


def test_an_hour_renders_within_10_s() -> None:
    hour = np.zeros((1, 3600 * 8000), dtype=np.float32)
    begin = time.perf_counter()
    out, segments = CRACKLE.render(hour, 8000, make(rate_hz=200.0))
    assert time.perf_counter() - begin < 10
    assert len(segments) > 500_000
    assert (out[0, segments[:1000, 0]] != 0).all()
