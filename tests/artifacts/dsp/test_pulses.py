"""AR pulses against the recursion of their model; counts and sums of pulses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts.artifacts.dsp.pulses import bank, count_of, ring, scatter

RATE = 44100


@pytest.mark.parametrize("order", [2, 4])
def test_ring_equals_the_recursion(order: int) -> None:
    rng = np.random.default_rng(3)
    excitation = rng.standard_normal((20, 90))
    hertz = rng.uniform(300, 15000, (20, order // 2))
    decay = rng.uniform(2, 20, 20)
    pulses = ring(excitation, hertz, decay, RATE)
    for row, resonances, time, pulse in zip(excitation, hertz, decay, pulses, strict=True):
        radius, coefficients = np.exp(-1 / time), np.ones(1)
        for f in resonances:
            coefficients = np.convolve(coefficients, [1, -2 * radius * np.cos(2 * np.pi * f / RATE), radius**2])
        expected = signal.lfilter([1.0], coefficients, row)
        assert np.abs(pulse - expected / np.abs(expected).max()).max() < 2e-3


def test_a_bank_has_peaks_of_one_and_decays() -> None:
    pulses = bank(np.random.default_rng(1), 64, 44, 3000.0, 4, RATE)
    peaks = np.abs(pulses).max(axis=1)
    assert ((peaks > 0.5) & (peaks <= 1)).all()
    assert np.median(np.abs(pulses[:, -4:]).max(axis=1)) < 0.02
    assert (pulses[:, 0] != 0).all()


def test_a_common_part_correlates_the_pulses() -> None:
    def correlation(common: float) -> float:
        pulses = bank(np.random.default_rng(1), 32, 60, 3000.0, 4, RATE, common)
        return float(np.median(np.corrcoef(pulses)[np.triu_indices(32, 1)]))

    assert correlation(1.0) == pytest.approx(1, abs=1e-4)
    assert correlation(0.97) > 0.85
    assert correlation(0.0) < 0.7


def test_counts_grow_and_have_the_expected_mean() -> None:
    for seed in range(20):
        counts = [count_of(np.random.default_rng(seed), expected) for expected in np.geomspace(0.01, 1e4, 30)]
        assert counts[0] >= 1
        assert counts == sorted(counts)
    assert np.mean([count_of(np.random.default_rng(s), 100.0) for s in range(300)]) == pytest.approx(100, rel=0.03)


def test_overlapping_pulses_are_summed_and_cut_at_the_end() -> None:
    track = np.zeros(6, dtype=np.float32)
    scatter(track, np.array([0, 1, 1, 5]), np.ones((4, 3), dtype=np.float32))
    assert track.tolist() == [1, 3, 3, 2, 0, 1]
