"""AR pulses against the recursion they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts.artifacts.dsp.pulses import bank, count_of, ring, scatter

RATE = 44100


@pytest.mark.parametrize("order", [2, 4])
def test_ring_is_the_recursion(order: int) -> None:
    rng = np.random.default_rng(3)
    excitation = rng.standard_normal((20, 90))
    hertz = rng.uniform(300, 15000, (20, order // 2))
    decay = rng.uniform(2, 20, 20)
    found = ring(excitation, hertz, decay, RATE)
    for row, resonances, time, pulse in zip(excitation, hertz, decay, found, strict=True):
        radius, coefficients = np.exp(-1 / time), np.ones(1)
        for f in resonances:
            coefficients = np.convolve(coefficients, [1, -2 * radius * np.cos(2 * np.pi * f / RATE), radius**2])
        wanted = signal.lfilter([1.0], coefficients, row)
        assert np.abs(pulse - wanted / np.abs(wanted).max()).max() < 2e-3


def test_a_bank_has_peaks_of_one_and_dies_away() -> None:
    pulses = bank(np.random.default_rng(1), 64, 44, 3000.0, 4, RATE)
    peaks = np.abs(pulses).max(axis=1)
    assert ((peaks > 0.5) & (peaks <= 1)).all()
    assert np.median(np.abs(pulses[:, -4:]).max(axis=1)) < 0.02
    assert (pulses[:, 0] != 0).all()


def test_alike_pulses_are_alike() -> None:
    def likeness(alike: float) -> float:
        pulses = bank(np.random.default_rng(1), 32, 60, 3000.0, 4, RATE, alike)
        return float(np.median(np.corrcoef(pulses)[np.triu_indices(32, 1)]))

    assert likeness(1.0) == pytest.approx(1, abs=1e-4)
    assert likeness(0.97) > 0.85
    assert likeness(0.0) < 0.7


def test_counts_grow_and_are_those_of_poisson() -> None:
    for seed in range(20):
        counts = [count_of(np.random.default_rng(seed), expected) for expected in np.geomspace(0.01, 1e4, 30)]
        assert counts[0] >= 1
        assert counts == sorted(counts)
    assert np.mean([count_of(np.random.default_rng(s), 100.0) for s in range(300)]) == pytest.approx(100, rel=0.03)


def test_scatter_sums_and_cuts() -> None:
    track = np.zeros(6, dtype=np.float32)
    scatter(track, np.array([0, 1, 1, 5]), np.ones((4, 3), dtype=np.float32))
    assert track.tolist() == [1, 3, 3, 2, 0, 1]
