"""Short-time spectra: those of SciPy, whose sound they give back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from contrastive_artifacts.models import short_time


@pytest.mark.parametrize("samples", [4000, 4001, 20223])
@pytest.mark.parametrize("length", [1024, 2048])
def test_spectra_and_sound_are_those_of_scipy(samples, length):
    x = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    expected = signal.stft(x, nperseg=length, noverlap=length * 3 // 4)[2]
    spectra = short_time.spectra(x, length)
    assert spectra.dtype == np.complex64
    np.testing.assert_allclose(spectra, expected.T, atol=1e-8)
    sound = short_time.sound(spectra, length)
    np.testing.assert_allclose(sound, signal.istft(expected, nperseg=length, noverlap=length * 3 // 4)[1], atol=1e-6)
    assert sound.dtype == np.float32
    np.testing.assert_allclose(sound[:samples], x, atol=1e-5)
    assert np.abs(sound[samples:]).max(initial=0) < 1e-5
