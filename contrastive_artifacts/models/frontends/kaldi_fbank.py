"""Kaldi's filter banks at 16 kHz, for batches: the front-end of AST, BEATs and EAT.

Recipe: ``torchaudio.compliance.kaldi.fbank`` without dither (torchaudio, BSD-2-Clause), which AST's feature extractor
in transformers and BEATs call for each clip.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ...core.errors import ParameterError
from .filterbank import mel_filterbank, over_frames

Window = Literal["hanning", "povey"]
WINDOWS = get_args(Window)
SAMPLE_RATE = 16000
WINDOW = 400  # samples
HOP = 160
N_FFT = 512
LOW_HZ, HIGH_HZ = 20.0, 8000.0
PRE_EMPHASIS = 0.97
POVEY_POWER = 0.85  # of the Hann window
FLOOR = torch.finfo(torch.float32).eps


class KaldiFbank(nn.Module):
    """Frames from the first sample on -> mean removed -> pre-emphasis -> window -> power -> mel -> log -> normalised.

    Pre-emphasis is computed within each frame, with the first sample repeated before it. Some published recipes also
    remove the mean of the whole waveform; as each frame's mean is removed anyway, this makes no difference.

    Args:
        mean, deviation: Statistics of the log-mel of the training data; the output is
            ``(x - mean) / (2 * deviation)``.
        window: "hanning", or "povey": Kaldi's window, a Hann window to the power 0.85.
        gain: Factor on the waveform: 2^15 for recipes that expect 16-bit integers.
        bands: Number of mel bands from 20 Hz to 8 kHz.

    Raises:
        ParameterError: another ``window``.
    """

    window: Tensor
    filters: Tensor

    def __init__(
        self, mean: float, deviation: float, window: Window = "hanning", gain: float = 1.0, bands: int = 128
    ) -> None:
        super().__init__()
        if window not in WINDOWS:
            raise ParameterError(f"window={window!r} is none of {', '.join(WINDOWS)}.")
        self.mean, self.deviation, self.gain = mean, deviation, gain
        shape = torch.hann_window(WINDOW, periodic=False).pow(POVEY_POWER if window == "povey" else 1.0)
        self.register_buffer("window", shape, persistent=False)
        self.register_buffer("filters", mel_filterbank(bands, N_FFT, SAMPLE_RATE, LOW_HZ, HIGH_HZ), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Spectrogram ``[B, bands, 1 + (T - 400) // 160]`` (mel band, time) of ``[B, T]`` in [-1, 1], T >= 400.

        Frame ``n`` is centred at sample ``160 n + 200``.
        """
        return over_frames(self._log_mel, waveform * self.gain, WINDOW, HOP).transpose(1, 2)

    def _log_mel(self, frames: Tensor) -> Tensor:
        centred = frames - frames.mean(1, keepdim=True)
        before = torch.cat([centred[:, :1], centred[:, :-1]], dim=1)
        spectrum = torch.fft.rfft((centred - PRE_EMPHASIS * before) * self.window, N_FFT)
        power = torch.view_as_real(spectrum).square().sum(-1)
        return ((power @ self.filters).clamp(min=FLOOR).log() - self.mean) / (2 * self.deviation)
