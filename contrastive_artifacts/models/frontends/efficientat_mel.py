"""EfficientAT's and PaSST's front-end: 128-band log-mel spectrogram at 32 kHz, up to 15 kHz.

Recipe: fschmid56/EfficientAT, models/preprocess.py at evaluation (MIT); the same in kkoutini/PaSST (Apache-2.0), whose
networks were trained with half its ``fmax_aug_range`` of 2000 below the Nyquist frequency as the upper edge.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .filterbank import mel_filterbank, over_frames, reflected

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
    """Pre-emphasis -> power spectrum (centred, reflected ends, symmetric Hann) -> mel -> log -> fixed normalisation.

    Args:
        sample_rate: In Hz.
        window, hop, n_fft: In samples; the window is zero-padded to ``n_fft``, the same on both sides.
        high_hz: Upper edge of the mel bands.
    """

    window: Tensor
    filters: Tensor

    def __init__(
        self,
        sample_rate: int = SAMPLE_RATE,
        window: int = WINDOW,
        hop: int = HOP,
        n_fft: int = N_FFT,
        high_hz: float = HIGH_HZ,
    ) -> None:
        super().__init__()
        self.hop, self.n_fft = hop, n_fft
        side = (n_fft - window) // 2
        shape = nn.functional.pad(torch.hann_window(window, periodic=False), (side, side))
        self.register_buffer("window", shape, persistent=False)
        self.register_buffer("filters", mel_filterbank(BANDS, n_fft, sample_rate, LOW_HZ, high_hz), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram ``[B, 128, 1 + (T - 2) // hop]`` (mel band, time) of ``[B, T]`` in [-1, 1], T > n_fft / 2 + 1.

        Frame ``n`` is centred at sample ``n * hop``.
        """
        emphasised = waveform[:, 1:] - PRE_EMPHASIS * waveform[:, :-1]  # one sample shorter
        padded = reflected(emphasised, self.n_fft // 2)
        return over_frames(self._log_mel, padded, self.n_fft, self.hop).transpose(1, 2)

    def _log_mel(self, frames: Tensor) -> Tensor:
        squared = torch.view_as_real(torch.fft.rfft(frames * self.window)).square()
        power = squared[..., 0] + squared[..., 1]
        return (torch.log(power @ self.filters + LOG_OFFSET) + SHIFT) / SCALE
