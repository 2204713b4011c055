"""YAMNet's front-end: 64-band log-mel patches of 0.96 s at 16 kHz.

Recipe: tensorflow/models, research/audioset/yamnet, features.py and params.py (Apache-2.0).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .filterbank import mel_filterbank, over_frames

SAMPLE_RATE = 16000
WINDOW = 400  # samples
HOP = 160
N_FFT = 512
BANDS = 64
LOW_HZ, HIGH_HZ = 125.0, 7500.0
LOG_OFFSET = 0.001
PATCH_FRAMES = 96
PATCH_HOP_FRAMES = 48
PATCH_SAMPLES = (PATCH_FRAMES - 1) * HOP + WINDOW  # 15600, the samples of one patch
PATCH_HOP_SAMPLES = PATCH_HOP_FRAMES * HOP


def padded_samples(samples: int) -> int:
    """Length in samples after zero-padding on the right to whole patches.

    >>> padded_samples(1), padded_samples(15600), padded_samples(15601)
    (15600, 15600, 23280)
    """
    hops = max(0, math.ceil((samples - PATCH_SAMPLES) / PATCH_HOP_SAMPLES))
    return PATCH_SAMPLES + hops * PATCH_HOP_SAMPLES


class YamnetMel(nn.Module):
    """Magnitude spectrum (no centring, periodic Hann) -> mel -> ``log(mel + 0.001)`` -> overlapping patches."""

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(WINDOW, periodic=True), persistent=False)
        self.register_buffer("filters", mel_filterbank(BANDS, N_FFT, SAMPLE_RATE, LOW_HZ, HIGH_HZ), persistent=False)

    def spectrogram(self, waveform: Tensor) -> Tensor:
        """Log-mel frames ``[B, 1 + (T - 400) // 160, 64]`` of ``[B, T]``; frame ``n`` starts at sample ``160 n``."""
        return over_frames(self._log_mel, waveform, WINDOW, HOP)

    def _log_mel(self, frames: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(frames * self.window, N_FFT)
        return torch.log(spectrum.abs() @ self.filters + LOG_OFFSET)

    def forward(self, waveform: Tensor) -> Tensor:
        """Patches ``[B, N, 96, 64]`` (time, mel band) of a waveform ``[B, T]`` in [-1, 1] at 16 kHz."""
        waveform = nn.functional.pad(waveform, (0, padded_samples(waveform.shape[-1]) - waveform.shape[-1]))
        patches = self.spectrogram(waveform).unfold(1, PATCH_FRAMES, PATCH_HOP_FRAMES)
        return patches.transpose(2, 3)
