"""Mains lines of known level."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.scan.measured.mains import Mains, MainsMeter

RATE = 48_000
TIME = np.arange(20 * RATE) / RATE


def mains(samples: np.ndarray) -> Mains | None:
    meter = MainsMeter(len(samples), RATE)
    for start in range(0, samples.shape[1], 30_000):
        meter.add(samples[:, start : start + 30_000].astype(np.float32))
    return meter.mains()


def noise() -> np.ndarray:
    return np.random.default_rng(4).normal(0, 1e-3, (2, TIME.size))


def line(hertz: float, dbfs: float) -> np.ndarray:
    """A sine whose RMS has this level."""
    return np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * TIME)


def test_a_line_of_50_hz_at_minus_60() -> None:
    samples = noise()
    samples[1] += line(50, -60)
    hum = mains(samples)
    assert hum is not None
    assert (hum.frequency_hz, hum.channel) == (50, 1)
    assert hum.level_dbfs == pytest.approx(-60, abs=0.3)
    assert hum.prominence_db > 20


def test_harmonics_of_60_hz_add_up() -> None:
    hum = mains(noise() + sum(line(60 * n, -60) for n in (1, 2, 3, 5)))
    assert hum is not None
    assert hum.frequency_hz == 60
    assert hum.level_dbfs == pytest.approx(-60 + 10 * np.log10(4), abs=0.3)


def test_noise_a_passing_note_and_silence_have_none() -> None:
    assert mains(noise()) is None
    assert mains(noise() + line(50, -40) * (TIME < 5)) is None
    assert mains(np.zeros((1, TIME.size))) is None
    assert mains((noise() + line(50, -40))[:, : 8 * RATE]) is None
