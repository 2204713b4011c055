"""Levels, and the curve and time constants of the compressor."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from contrastive_artifacts.artifacts.dsp import envelope

HOP_S = 0.001


def test_level_of_a_tone() -> None:
    tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100).astype(np.float32)
    assert_allclose(envelope.level_db(np.stack([tone, tone]), 441), 20 * np.log10(0.1 / np.sqrt(2)), atol=0.01)
    assert_allclose(envelope.level_db(np.zeros((1, 100), np.float32), 44), envelope.FLOOR_DB)


@pytest.mark.parametrize(("level", "expected"), [(-60.0, 0.0), (-40.0, 0.0), (-30.0, -7.5), (0.0, -30.0)])
def test_the_static_curve(level: float, expected: float) -> None:
    gain = envelope.gain_reduction(np.full(50, level), -40.0, 4.0, 0.01, 0.1, HOP_S)
    assert_allclose(gain, expected)


def test_time_constants_of_attack_and_release() -> None:
    level = np.concatenate([np.full(100, -60.0), np.full(400, -20.0), np.full(900, -60.0)])
    gain = envelope.gain_reduction(level, -40.0, 2.0, 0.02, 0.15, HOP_S)
    assert gain[99] == 0
    assert gain[100 + 19] == pytest.approx(-10 * (1 - np.exp(-1)), abs=0.1)
    assert gain[499] == pytest.approx(-10, abs=0.01)
    assert gain[500 + 149] == pytest.approx(-10 * np.exp(-1), abs=0.1)


@pytest.mark.parametrize("hop", [1, 2, 3, 44])
@pytest.mark.parametrize("samples", [1, 43, 44, 45, 1000])
def test_gains_are_interpolated_between_the_middles_of_hops(hop: int, samples: int) -> None:
    steps = -(-samples // hop)
    gain_db = np.linspace(-12, 12, steps)
    out = envelope.apply_gain(np.ones((2, samples), np.float32), gain_db, hop)
    middles = (np.arange(steps) + 0.5) * hop - 0.5
    expected = np.interp(np.arange(samples), middles, 10 ** (gain_db / 20))
    assert out.dtype == np.float32
    assert_allclose(out, np.stack([expected, expected]), rtol=1e-5)
