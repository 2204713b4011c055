"""Dasheng's front-end: 64-band mel spectrogram in decibels at 16 kHz up to 8 kHz.

Recipe: jimbozhang/hf_transformers_custom_model_dasheng, feature_extraction_dasheng.py (Apache-2.0): torchaudio's
MelSpectrogram and AmplitudeToDB.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...core import torchaudio as _torchaudio
from .filterbank import over_frames, reflected

SAMPLE_RATE = 16000
N_FFT = 512  # samples, also of the window
HOP = 160
BANDS = 64
HIGH_HZ = 8000.0
FLOOR = 1e-10
RANGE_DB = 120.0


class DashengMel(nn.Module):
    """Power spectrum (centred, reflected ends, periodic Hann) -> HTK's mel -> ``10 log10``, limited range.

    Values are raised to at least 120 dB below the largest value of the row; in the published recipe, of the batch.
    """

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        with torch.device("cpu"):  # torchaudio reads the values, which a meta device does not have
            functional = _torchaudio.load("torchaudio.functional")
            filters = functional.melscale_fbanks(N_FFT // 2 + 1, 0.0, HIGH_HZ, BANDS, SAMPLE_RATE)
        self.register_buffer("window", torch.hann_window(N_FFT, periodic=True), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram ``[B, 64, 1 + T // 160]`` (mel band, time) of ``[B, T]`` in [-1, 1] at 16 kHz, T > 256.

        Frame ``n`` is centred at sample ``160 n``.
        """
        padded = reflected(waveform, N_FFT // 2)
        decibels = over_frames(self._log_mel, padded, N_FFT, HOP).transpose(1, 2)
        return torch.maximum(decibels, decibels.amax((1, 2), keepdim=True) - RANGE_DB)

    def _log_mel(self, frames: Tensor) -> Tensor:
        power = torch.view_as_real(torch.fft.rfft(frames * self.window)).square().sum(-1)
        return 10 * torch.log10((power @ self.filters).clamp(min=FLOOR))
