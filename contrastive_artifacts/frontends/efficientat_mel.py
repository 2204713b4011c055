"""EfficientAT's front-end: 128-band log-mel spectrogram at 32 kHz, up to 15 kHz.

Recipe: fschmid56/EfficientAT, models/preprocess.py at evaluation (MIT).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .filterbank import mel_filterbank

SAMPLE_RATE = 32000
PRE_EMPHASIS = 0.97
WINDOW = 800  # samples
HOP = 320
N_FFT = 1024
BANDS = 128
LOW_HZ, HIGH_HZ = 0.0, 15000.0
LOG_OFFSET = 1e-5
SHIFT, SCALE = 4.5, 5.0
ROWS = 2  # of a batch at once: their spectra stay in the processor's cache, about four times as fast as all at once


class EfficientatMel(nn.Module):
    """Pre-emphasis -> power spectrum (centred, reflected ends, symmetric Hann) -> mel -> log -> fixed normalisation."""

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(WINDOW, periodic=False), persistent=False)
        filters = mel_filterbank(BANDS, N_FFT, SAMPLE_RATE, LOW_HZ, HIGH_HZ)
        self.register_buffer("filters", filters.T.contiguous(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram ``[B, 128, 1 + (T - 2) // 320]`` (mel band, time) of ``[B, T]`` in [-1, 1] at 32 kHz, T > 513.

        Frame ``n`` is centred at sample ``320 n``.
        """
        return torch.cat([self._spectrogram(rows) for rows in waveform.split(ROWS)])

    def _spectrogram(self, waveform: Tensor) -> Tensor:
        emphasised = waveform[:, 1:] - PRE_EMPHASIS * waveform[:, :-1]  # one sample shorter
        spectrum = torch.stft(
            emphasised, N_FFT, HOP, WINDOW, self.window, center=True, pad_mode="reflect", return_complex=True
        )
        squared = torch.view_as_real(spectrum).square()
        power = squared[..., 0] + squared[..., 1]  # [B, bins, time]
        return (torch.log(self.filters @ power + LOG_OFFSET) + SHIFT) / SCALE
