"""Comb filter: frequency and depth of the notches."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import signal

from contrastive_artifacts import artifacts

RATE = 44100
COMB = artifacts.artifact("comb")
SIZE = 1 << 17


def response(params: dict, rate: int = RATE) -> tuple[np.ndarray, np.ndarray]:
    impulse = np.zeros((1, SIZE), dtype=np.float32)
    impulse[0, 1000] = 1.0
    return np.fft.rfftfreq(SIZE, 1 / rate), np.abs(np.fft.rfft(COMB.apply(impulse, rate, params)[0]))


@pytest.mark.parametrize("delay_ms", [0.05, 0.1234, 0.5, 1.0])
def test_notches_are_at_odd_multiples_of_half_the_inverse_delay(delay_ms: float) -> None:
    hertz, gain = response({"delay_ms": delay_ms, "copy_db": -0.5})
    expected = np.arange(1, 200, 2) / (2e-3 * delay_ms)
    expected = expected[expected < 0.42 * RATE]
    notches = hertz[signal.argrelmin(gain, order=20)[0]]
    notches = notches[notches < expected[-1] + 0.3e3 / delay_ms]
    assert_allclose(notches, expected, rtol=2e-3)


@pytest.mark.parametrize("copy_db", [-18.0, -6.0, -0.5])
def test_depth_of_the_notches_and_level_of_the_peaks(copy_db: float) -> None:
    hertz, gain = response({"delay_ms": 0.5, "copy_db": copy_db})
    copy = 10 ** (copy_db / 20)
    near = (hertz > 100) & (hertz < 12000)
    assert 20 * np.log10(gain[near].max()) == pytest.approx(0, abs=0.1)
    assert 20 * np.log10(gain[near].min()) == pytest.approx(20 * np.log10((1 - copy) / (1 + copy)), abs=0.5)


def test_at_a_low_sample_rate_the_delay_is_lengthened() -> None:
    hertz, gain = response({"delay_ms": 0.05, "copy_db": -0.5}, rate=8000)
    assert hertz[np.argmin(gain)] == pytest.approx(3200, rel=0.01)
