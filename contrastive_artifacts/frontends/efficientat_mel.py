"""EfficientAT's front-end: 128-band log-mel spectrogram at 32 kHz, up to 15 kHz.

Recipe: fschmid56/EfficientAT, models/preprocess.py at evaluation (MIT).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .filterbank import mel_filterbank, over_frames

SAMPLE_RATE = 32000
PRE_EMPHASIS = 0.97
WINDOW = 800  # samples
HOP = 320
N_FFT = 1024
BANDS = 128
LOW_HZ, HIGH_HZ = 0.0, 15000.0
LOG_OFFSET = 1e-5
SHIFT, SCALE = 4.5, 5.0


class EfficientatMel(nn.Module):
    """Pre-emphasis -> power spectrum (centred, reflected ends, symmetric Hann) -> mel -> log -> fixed normalisation."""

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        window = torch.hann_window(WINDOW, periodic=False)
        side = (N_FFT - WINDOW) // 2
        self.register_buffer("window", nn.functional.pad(window, (side, side)), persistent=False)
        self.register_buffer("filters", mel_filterbank(BANDS, N_FFT, SAMPLE_RATE, LOW_HZ, HIGH_HZ), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram ``[B, 128, 1 + (T - 2) // 320]`` (mel band, time) of ``[B, T]`` in [-1, 1] at 32 kHz, T > 513.

        Frame ``n`` is centred at sample ``320 n``.
        """
        emphasised = waveform[:, 1:] - PRE_EMPHASIS * waveform[:, :-1]  # one sample shorter
        padded = nn.functional.pad(emphasised.unsqueeze(1), (N_FFT // 2, N_FFT // 2), mode="reflect").squeeze(1)
        return over_frames(self._log_mel, padded, N_FFT, HOP).transpose(1, 2)

    def _log_mel(self, frames: Tensor) -> Tensor:
        squared = torch.view_as_real(torch.fft.rfft(frames * self.window)).square()
        power = squared[..., 0] + squared[..., 1]
        return (torch.log(power @ self.filters + LOG_OFFSET) + SHIFT) / SCALE
