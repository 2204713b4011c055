"""Filters against SciPy, and the gains of curves, bells and shelves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts.artifacts.dsp import filters

RATE = 44100


def gains_db(response: np.ndarray, hertz: list[float], rate: int = RATE) -> np.ndarray:
    return 20 * np.log10(np.abs(signal.freqz(response, worN=hertz, fs=rate)[1]))


@pytest.mark.parametrize("samples", [1, 2, 100, 5000, 60000])
@pytest.mark.parametrize("length", [1, 3, 700, 5000, 40000])
def test_convolution_equals_that_of_scipy(samples: int, length: int) -> None:
    rng = np.random.default_rng(samples + length)
    wave = rng.standard_normal((2, samples)).astype(np.float32)
    response = rng.standard_normal((2, length))
    for kernel in (response[0], response):
        expected = np.stack([
            signal.fftconvolve(wave[c].astype(np.float64), np.atleast_2d(kernel)[c % np.ndim(kernel)])[:samples]
            for c in range(2)
        ])  # fmt: skip
        out = filters.convolve(wave, kernel)
        assert out.dtype == np.float32
        assert np.abs(out - expected).max() < 2e-6 * np.abs(expected).max()


@pytest.mark.parametrize("highpass", [False, True])
@pytest.mark.parametrize(("order", "hertz"), [(2, 50.0), (4, 300.0), (8, 3400.0), (16, 8000.0), (8, 19000.0)])
def test_butterworth_equals_that_of_scipy(order: int, hertz: float, highpass: bool) -> None:
    expected = signal.butter(order, hertz, "highpass" if highpass else "lowpass", fs=RATE, output="sos")
    grid = np.geomspace(10, 20000, 50)
    ours, theirs = (
        signal.sosfreqz(s, grid, fs=RATE)[1] for s in (filters.butterworth(order, hertz, RATE, highpass), expected)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-7)


def test_an_impulse_response_is_long_enough() -> None:
    for sections in (filters.butterworth(16, 3400, RATE), filters.shelf(120, -20, RATE, high=False)):
        response = filters.impulse_response(sections)
        grid = np.array([0.0, 60, 120, 400, 2000, 3400])
        exact = signal.sosfreqz(sections, grid, fs=RATE)[1]
        assert np.abs(signal.freqz(response, worN=grid, fs=RATE)[1] - exact).max() < 1e-5


def test_a_curve_has_its_gains_and_no_delay() -> None:
    hertz, gains = [100.0, 1000, 3000, 9000], [0.0, 6, -12, 3]
    response = filters.minimum_phase(hertz, gains, RATE, 0.04)
    np.testing.assert_allclose(gains_db(response, hertz), gains, atol=0.3)
    assert np.square(response[:50]).sum() > 0.95 * np.square(response).sum()
    flat = filters.minimum_phase([100.0, 200], [-6, -6], RATE)
    assert flat[0] == pytest.approx(10 ** (-6 / 20))
    assert np.abs(flat[1:]).max() < 1e-9


def test_gains_of_bells_and_shelves() -> None:
    bell = filters.impulse_response(filters.peaking(1000, 12, 2, RATE))
    np.testing.assert_allclose(gains_db(bell, [1000, 500, 2000, 20, 20000]), [12, 6, 6, 0, 0], atol=0.2)
    high = filters.impulse_response(filters.shelf(3000, -12, RATE, high=True))
    np.testing.assert_allclose(gains_db(high, [50, 3000, 18000]), [0, -6, -12], atol=0.1)
    low = filters.impulse_response(filters.shelf(300, 9, RATE, high=False))
    np.testing.assert_allclose(gains_db(low, [10, 300, 9000]), [9, 4.5, 0], atol=0.1)
