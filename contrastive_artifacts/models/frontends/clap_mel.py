"""CLAP's front-end: 64-band log-mel spectrogram in decibels at 48 kHz, 50 Hz to 14 kHz.

Recipe: ``ClapFeatureExtractor`` in transformers (Apache-2.0), after LAION-AI/CLAP (CC0). LAION-AI/CLAP also rounds the
waveform to 16 bit; this is omitted, as the rounding noise would cover quiet artifacts.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ...core import torchaudio as _torchaudio
from ...core.errors import ParameterError
from .filterbank import over_frames, reflected

Mel = Literal["slaney", "htk"]
MELS = get_args(Mel)
SAMPLE_RATE = 48000
N_FFT = 1024  # samples, also of the window
HOP = 480
BANDS = 64
LOW_HZ, HIGH_HZ = 50.0, 14000.0
FLOOR = 1e-10


class ClapMel(nn.Module):
    """Power spectrum (centred, reflected ends, periodic Hann) -> mel -> ``10 log10``, at least -100 dB.

    The published recipe uses double precision, this one single precision: values more than 110 dB below a tone in the
    same frame differ by some tenths of a decibel or more, all others by at most 0.001 dB.

    Args:
        mel: "slaney" (filters of equal area), or "htk" (peaks of 1) for the checkpoints with feature fusion.

    Raises:
        ParameterError: another ``mel``.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, mel: Mel = "slaney") -> None:
        super().__init__()
        if mel not in MELS:
            raise ParameterError(f"mel={mel!r} is none of {', '.join(MELS)}.")
        with torch.device("cpu"):  # torchaudio reads the values, which a meta device does not have
            functional = _torchaudio.load("torchaudio.functional")
            filters = functional.melscale_fbanks(
                *(N_FFT // 2 + 1, LOW_HZ, HIGH_HZ, BANDS, SAMPLE_RATE), "slaney" if mel == "slaney" else None, mel
            )
        self.register_buffer("window", torch.hann_window(N_FFT, periodic=True), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram ``[B, 64, 1 + T // 480]`` (mel band, time) of ``[B, T]`` in [-1, 1] at 48 kHz, T > 512.

        Frame ``n`` is centred at sample ``480 n``.
        """
        padded = reflected(waveform, N_FFT // 2)
        return over_frames(self._log_mel, padded, N_FFT, HOP).transpose(1, 2)

    def _log_mel(self, frames: Tensor) -> Tensor:
        power = torch.view_as_real(torch.fft.rfft(frames * self.window)).square().sum(-1)
        return 10 * torch.log10((power @ self.filters).clamp(min=FLOOR))
