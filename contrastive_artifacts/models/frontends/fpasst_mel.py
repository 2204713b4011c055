"""Front-end of fPaSST and the frame-level MobileNets: PaSST's recipe at 16 kHz, with a floor under the logarithm.

Recipe: fschmid56/PretrainedSED, models/frame_passt/preprocess.py at evaluation (MIT).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .efficientat_mel import BANDS as BANDS
from .efficientat_mel import SCALE, SHIFT, EfficientatMel

SAMPLE_RATE = 16000
WINDOW = 400  # samples
HOP = 160
N_FFT = 512
HIGH_HZ = 7000.0
FLOOR = 1e-7


class FpasstMel(EfficientatMel):
    """Spectrogram ``[B, 128, 1 + (T - 2) // 160]`` (mel band, time) of ``[B, T]`` in [-1, 1] at 16 kHz, T > 257.

    Args:
        periodic: Whether the Hann window is periodic (fPaSST) or symmetric (MobileNets).
    """

    def __init__(self, periodic: bool = True) -> None:
        super().__init__(SAMPLE_RATE, WINDOW, HOP, N_FFT, HIGH_HZ)
        side = (N_FFT - WINDOW) // 2
        self.window = torch.nn.functional.pad(torch.hann_window(WINDOW, periodic), (side, side))

    def _log_mel(self, frames: Tensor) -> Tensor:
        power = torch.view_as_real(torch.fft.rfft(frames * self.window)).square().sum(-1)
        return ((power @ self.filters).clamp(min=FLOOR).log() + SHIFT) / SCALE
