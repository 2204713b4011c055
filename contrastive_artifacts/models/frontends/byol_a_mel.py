"""BYOL-A's front-end: 64-band log-mel spectrogram at 16 kHz, normalised by the statistics of a data set.

Recipe: arXiv 2204.07402: windows of 64 ms every 10 ms, 60 to 7800 Hz. The paper does not name the mel filters; these
are Slaney's, of equal area.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...core import torchaudio as _torchaudio
from ...core.errors import ParameterError
from .filterbank import over_frames, reflected

SAMPLE_RATE = 16000
N_FFT = 1024  # samples, also of the window
HOP = 160
BANDS = 64
LOW_HZ, HIGH_HZ = 60.0, 7800.0
POWER_FLOOR = torch.finfo(torch.float32).eps


class ByolAMel(nn.Module):
    """Power spectrum (centred, reflected ends, periodic Hann) -> mel -> log -> zero mean and unit deviation.

    Args:
        mean, std: Statistics of the log-mel values of the data set; see :meth:`statistics`.
        n_fft: Length of FFT and window in samples.
        bands: Number of mel bands from ``low_hz`` to ``high_hz``.

    Raises:
        ParameterError: std is not positive.
    """

    window: Tensor
    filters: Tensor

    def __init__(
        self,
        mean: float,
        std: float,
        n_fft: int = N_FFT,
        bands: int = BANDS,
        low_hz: float = LOW_HZ,
        high_hz: float = HIGH_HZ,
    ) -> None:
        super().__init__()
        if not std > 0:
            raise ParameterError(f"std must be > 0; got {std}.")
        self.mean, self.std, self.n_fft = mean, std, n_fft
        with torch.device("cpu"):  # torchaudio reads the values, which a meta device does not have
            filters = _torchaudio.load("torchaudio.functional").melscale_fbanks(
                n_fft // 2 + 1, low_hz, high_hz, bands, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
            )
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram ``[B, bands, 1 + T // 160]`` (mel band, time) of ``[B, T]`` in [-1, 1] at 16 kHz, T > n_fft / 2.

        Frame ``n`` is centred at sample ``160 n``.
        """
        return (self._log_mel(waveform) - self.mean) / self.std

    def statistics(self, waveform: Tensor) -> tuple[float, float]:
        """Mean and deviation of the log-mel values of clips ``[B, T]`` of a data set, the arguments of this class."""
        values = self._log_mel(waveform)
        return float(values.mean()), float(values.std())

    def _log_mel(self, waveform: Tensor) -> Tensor:
        padded = reflected(waveform, self.n_fft // 2)
        return over_frames(self._bands, padded, self.n_fft, HOP).transpose(1, 2)

    def _bands(self, frames: Tensor) -> Tensor:
        squared = torch.view_as_real(torch.fft.rfft(frames * self.window)).square()
        power = squared[..., 0] + squared[..., 1]
        return torch.log(power @ self.filters + POWER_FLOOR)
