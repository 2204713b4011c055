"""EfficientAT's front-end against the published recipe, written out in NumPy float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from contrastive_artifacts.models.frontends import EfficientatMel


def _mel(hz: np.ndarray | float) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hz, dtype=np.float64) / 700.0)


def _reference(waveform: np.ndarray) -> np.ndarray:
    """[T] -> normalised log-mel spectrogram [128, frames]."""
    x = waveform.astype(np.float64)
    x = np.pad(x[1:] - 0.97 * x[:-1], 512, mode="reflect")
    window = np.zeros(1024)
    window[112:912] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(800) / 799)
    power = np.array([np.abs(np.fft.rfft(x[s : s + 1024] * window)) ** 2 for s in range(0, len(x) - 1023, 320)])
    edges = np.linspace(_mel(0.0), _mel(15000.0), 130)
    bins = _mel(np.arange(513) * 32000 / 1024)
    filters = np.zeros((513, 128))
    for band, (low, centre, high) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        filters[:, band] = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    return ((np.log(power @ filters + 1e-5) + 4.5) / 5).T


@pytest.mark.parametrize("samples", [10240, 32000, 50001])
def test_spectrogram_is_the_published_one(samples: int) -> None:
    waveform = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    ours = EfficientatMel()(torch.from_numpy(waveform)[None])[0].numpy()
    expected = _reference(waveform)
    assert ours.shape == expected.shape == (128, 1 + (samples - 2) // 320)
    np.testing.assert_allclose(ours, expected, atol=1e-3)
    assert np.abs(ours - expected).mean() < 2e-5


def test_nothing_above_fifteen_kilohertz_is_heard() -> None:
    def level(hz: float) -> float:
        tone = torch.sin(2 * torch.pi * hz * torch.arange(32000, dtype=torch.float64) / 32000).float()
        return float(EfficientatMel()(tone[None])[0, :, 20:80].max())  # away from the reflected ends

    decibels = 10 * 5 / np.log(10)  # per unit of the normalised spectrogram
    assert (level(14500.0) - level(15500.0)) * decibels > 65


def test_rows_do_not_mix() -> None:
    batch = torch.from_numpy(np.random.default_rng(1).normal(0, 0.1, (5, 16000)).astype(np.float32))
    torch.testing.assert_close(EfficientatMel()(batch)[3:4], EfficientatMel()(batch[3:4]))
