"""The front-end of PANNs: 64-band log-mel spectrogram in decibels, with librosa's filters, at 32 or 16 kHz.

Recipe: qiuqiangkong/audioset_tagging_cnn, pytorch/models.py and scripts/0_inference.sh (MIT).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...core import torchaudio as _torchaudio
from .filterbank import over_frames, reflected

BANDS = 64
POWER_FLOOR = 1e-10  # -100 dB


class Recipe(NamedTuple):
    """The constants that depend on the sample rate; the window is as long as the FFT."""

    sample_rate: int
    n_fft: int
    hop: int
    low_hz: float
    high_hz: float


RATE_32K = Recipe(32000, 1024, 320, 50.0, 14000.0)
RATE_16K = Recipe(16000, 512, 160, 50.0, 8000.0)


class PannsMel(nn.Module):
    """Power spectrum (centred, reflected ends, periodic Hann) -> Slaney's mel filters of equal area -> decibels."""

    window: Tensor
    filters: Tensor

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        with torch.device("cpu"):  # torchaudio reads the values, which a meta device does not have
            filters = _torchaudio.load("torchaudio.functional").melscale_fbanks(
                *(recipe.n_fft // 2 + 1, recipe.low_hz, recipe.high_hz, BANDS, recipe.sample_rate),
                norm="slaney",
                mel_scale="slaney",
            )
        self.register_buffer("window", torch.hann_window(recipe.n_fft), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram in dB ``[B, 64, 1 + T // hop]`` (mel band, time) of ``[B, T]`` in [-1, 1], T > n_fft / 2.

        Frame ``n`` is centred at sample ``hop * n``.
        """
        padded = reflected(waveform, self.recipe.n_fft // 2)
        return over_frames(self._decibels, padded, self.recipe.n_fft, self.recipe.hop).transpose(1, 2)

    def _decibels(self, frames: Tensor) -> Tensor:
        squared = torch.view_as_real(torch.fft.rfft(frames * self.window)).square()
        power = squared[..., 0] + squared[..., 1]
        return 10 * torch.log10((power @ self.filters).clamp(min=POWER_FLOOR))
