"""Whisper's front-end: log-mel spectrogram at 16 kHz up to 8 kHz, limited to 80 dB below its largest value.

Recipe: openai/whisper, whisper/audio.py (MIT); ``WhisperFeatureExtractor`` in transformers (Apache-2.0).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...core import torchaudio as _torchaudio
from .filterbank import over_frames, reflected

SAMPLE_RATE = 16000
N_FFT = 400  # samples, also of the window
HOP = 160
HIGH_HZ = 8000.0
FLOOR = 1e-10
RANGE = 8.0  # of the logarithm to base 10
SHIFT, SCALE = 4.0, 4.0


class WhisperMel(nn.Module):
    """Power spectrum (centred, reflected ends, periodic Hann) -> Slaney's mel -> log10, limited range."""

    window: Tensor
    filters: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        with torch.device("cpu"):  # torchaudio reads the values, which a meta device does not have
            functional = _torchaudio.load("torchaudio.functional")
            filters = functional.melscale_fbanks(N_FFT // 2 + 1, 0.0, HIGH_HZ, bands, SAMPLE_RATE, "slaney", "slaney")
        self.register_buffer("window", torch.hann_window(N_FFT, periodic=True), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram ``[B, bands, T // 160]`` (mel band, time) of ``[B, T]`` in [-1, 1] at 16 kHz, T > 200.

        Frame ``n`` is centred at sample ``160 n``. Values are raised to at least 80 dB below the largest of the row.
        """
        padded = reflected(waveform, N_FFT // 2)
        logs = over_frames(self._log_mel, padded, N_FFT, HOP)[:, : waveform.shape[1] // HOP].transpose(1, 2)
        return (torch.maximum(logs, logs.amax((1, 2), keepdim=True) - RANGE) + SHIFT) / SCALE

    def _log_mel(self, frames: Tensor) -> Tensor:
        power = torch.view_as_real(torch.fft.rfft(frames * self.window)).square().sum(-1)
        return torch.log10((power @ self.filters).clamp(min=FLOOR))
