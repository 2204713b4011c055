"""ATST-Frame's front-end: 64-band mel spectrogram in decibels at 16 kHz, scaled to about [-1, 1].

Recipe: fschmid56/PretrainedSED, models/atstframe/ATSTF_wrapper.py (MIT), with torchaudio's MelSpectrogram (HTK mel
scale, triangles linear in Hz) and AmplitudeToDB.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...core import torchaudio as _torchaudio
from .filterbank import over_frames, reflected

SAMPLE_RATE = 16000
N_FFT = 1024  # and window
HOP = 160
BANDS = 64
LOW_HZ, HIGH_HZ = 60.0, 7800.0
FLOOR = 1e-10  # of the power
RANGE_DB = 80.0  # below the loudest value of the clip
LEAST_DB, MOST_DB = -50.0, 80.0
SHIFT_DB, SPAN_DB = -79.6482, 50.6842 + 79.6482  # minimum and range over the training data


class AtstMel(nn.Module):
    """Power spectrum (centred, reflected ends, periodic Hann) -> mel -> dB, limited to 80 dB below the peak -> scaled.

    The peak is the one of each row. torchaudio takes the peak of the whole batch ``[B, T]``, so the result of the
    published code for a clip depends on the other clips in the batch; for a single clip both are the same.
    """

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        functional = _torchaudio.load("torchaudio.functional")
        with torch.device("cpu"):  # torchaudio reads the values, which a meta device does not have
            filters = functional.melscale_fbanks(N_FFT // 2 + 1, LOW_HZ, HIGH_HZ, BANDS, SAMPLE_RATE)
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram ``[B, 64, 1 + T // 160]`` (mel band, time) of ``[B, T]`` in [-1, 1], T > 512.

        Frame ``n`` is centred at sample ``160 n``.
        """
        padded = reflected(waveform, N_FFT // 2)
        decibels = over_frames(self._decibels, padded, N_FFT, HOP).transpose(1, 2)
        floor = decibels.amax((1, 2), keepdim=True) - RANGE_DB
        limited = torch.maximum(decibels, floor).clamp(LEAST_DB, MOST_DB)
        return (limited - SHIFT_DB) / SPAN_DB * 2 - 1

    def _decibels(self, frames: Tensor) -> Tensor:
        power = torch.view_as_real(torch.fft.rfft(frames * self.window)).square().sum(-1)
        return 10 * (power @ self.filters).clamp(min=FLOOR).log10()
