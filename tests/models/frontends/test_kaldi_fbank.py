"""The batched filter banks against torchaudio's, clip by clip, and against AST's feature extractor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from contrastive_artifacts.core import torchaudio as _torchaudio
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.models.frontends import KaldiFbank

AST, BEATS = (-4.2677393, 4.5689974), (15.41663, 6.55582)


def _batch(samples: int) -> Tensor:
    """Noise, a chirp with an offset, clicks."""
    rng = np.random.default_rng(samples)
    t = np.arange(samples) / 16000
    rows = (
        rng.normal(0, 0.1, samples),
        0.2 + 0.5 * np.sin(2 * np.pi * (100 * t + 1500 * t * t)) + rng.normal(0, 1e-3, samples),
        0.9 * (np.arange(samples) % 1500 == 0) + rng.normal(0, 1e-3, samples),
    )
    return torch.from_numpy(np.stack(rows).astype(np.float32))


@pytest.mark.parametrize(("window", "gain", "statistics"), [("hanning", 1.0, AST), ("povey", 2.0**15, BEATS)])
def test_batch_equals_kaldi_clip_by_clip(window: str, gain: float, statistics: tuple[float, float]) -> None:
    kaldi = _torchaudio.load("torchaudio.compliance.kaldi")
    mean, deviation = statistics
    waveform = _batch(20000)
    ours = KaldiFbank(mean, deviation, window, gain)(waveform)
    assert ours.shape == (3, 128, 1 + (20000 - 400) // 160)
    for row, clip in zip(ours, waveform, strict=True):
        theirs = kaldi.fbank(gain * clip[None], num_mel_bins=128, sample_frequency=16000, window_type=window)
        torch.testing.assert_close(row.T, (theirs - mean) / (2 * deviation), rtol=0, atol=1e-4)


def test_spectrogram_is_that_of_the_feature_extractor_of_ast() -> None:
    _torchaudio.load()
    extractor_of = pytest.importorskip("transformers").ASTFeatureExtractor
    waveform = _batch(24000)
    ours = KaldiFbank(*AST)(waveform)
    published = extractor_of()([w.numpy() for w in waveform], sampling_rate=16000, return_tensors="pt").input_values
    frames = ours.shape[-1]
    torch.testing.assert_close(ours.transpose(1, 2), published[:, :frames], rtol=0, atol=1e-4)
    assert published.shape[1] == 1024
    assert published[:, frames:].std() < 1e-6  # what the extractor adds is padding


def test_an_offset_is_not_heard() -> None:
    waveform = _batch(8000)
    fbank = KaldiFbank(*AST)
    torch.testing.assert_close(fbank(waveform + 0.25), fbank(waveform), rtol=0, atol=2e-3)


def test_silence_is_the_floor() -> None:
    silence = KaldiFbank(0.0, 0.5)(torch.zeros(1, 1000))
    torch.testing.assert_close(silence, torch.full_like(silence, float(np.log(2.0**-23))))


def test_other_windows_are_refused() -> None:
    with pytest.raises(ParameterError, match="povey"):
        KaldiFbank(*AST, window="hamming")  # type: ignore[arg-type]
