"""YAMNet's front-end against the published recipe, written out in NumPy float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from contrastive_artifacts.models.frontends import YamnetMel, yamnet_mel


def _mel(hz: np.ndarray | float) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hz, dtype=np.float64) / 700.0)


def _reference(waveform: np.ndarray) -> np.ndarray:
    """[T] -> log-mel frames [F, 64]."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    starts = range(0, len(waveform) - 399, 160)
    spectra = np.array([np.abs(np.fft.rfft(waveform[s : s + 400].astype(np.float64) * window, 512)) for s in starts])
    edges = np.linspace(_mel(125.0), _mel(7500.0), 66)
    bins = _mel(np.arange(257) * 16000 / 512)
    filters = np.zeros((257, 64))
    for band, (low, centre, high) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        filters[:, band] = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    return np.log(spectra @ filters + 0.001)


@pytest.mark.parametrize("samples", [15600, 16000, 40000])
def test_spectrogram_is_the_published_one(samples: int) -> None:
    rng = np.random.default_rng(samples)
    waveform = (rng.normal(0, 0.1, samples) + 0.3 * np.sin(np.arange(samples) * 0.5)).astype(np.float32)
    ours = YamnetMel().spectrogram(torch.from_numpy(waveform)[None])[0].numpy()
    expected = _reference(waveform)
    assert ours.shape == expected.shape
    np.testing.assert_allclose(ours, expected, atol=2e-3)  # float32 mel edges, felt where a tone leaves little leakage
    assert np.abs(ours - expected).mean() < 2e-5


@pytest.mark.parametrize(("samples", "patches"), [(1, 1), (15600, 1), (15601, 2), (23280, 2), (48000, 6), (160000, 20)])
def test_patches_are_completed_with_zeros(samples: int, patches: int) -> None:
    waveform = torch.full((2, samples), 0.1)
    output = YamnetMel()(waveform)
    assert output.shape == (2, patches, 96, 64)
    padded = torch.nn.functional.pad(waveform, (0, yamnet_mel.padded_samples(samples) - samples))
    torch.testing.assert_close(output[:, -1], YamnetMel().spectrogram(padded)[:, -96:], atol=0, rtol=0)


def test_a_tone_peaks_in_its_band_and_silence_is_the_offset() -> None:
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(15600) / 16000)[None]
    centres = np.linspace(_mel(125.0), _mel(7500.0), 66)[1:-1]
    assert YamnetMel().spectrogram(tone)[0].mean(0).argmax() == np.abs(centres - _mel(1000.0)).argmin()
    assert torch.allclose(YamnetMel()(torch.zeros(1, 15600)), torch.tensor(0.001).log())


def test_rows_do_not_mix() -> None:
    batch = torch.from_numpy(np.random.default_rng(1).normal(0, 0.1, (9, 16000)).astype(np.float32))
    torch.testing.assert_close(YamnetMel()(batch)[5:6], YamnetMel()(batch[5:6]))
