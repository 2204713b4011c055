"""M2D's front-end: 80-band log-mel spectrogram at 16 kHz, 50 Hz to 8 kHz, in windows of 25 ms every 10 ms.

Recipe: arXiv 2210.14648. The filters are those of nnAudio (MIT), which M2D's README names: Slaney's, of equal area.
This is the front-end of BYOL-A, by the same authors, with other sizes.
"""

from __future__ import annotations

from .byol_a_mel import HOP as HOP
from .byol_a_mel import SAMPLE_RATE as SAMPLE_RATE
from .byol_a_mel import ByolAMel

N_FFT = 400  # samples, also of the window
BANDS = 80
LOW_HZ, HIGH_HZ = 50.0, 8000.0
MEAN, STD = -7.1, 4.2  # statistics of AudioSet


class M2dMel(ByolAMel):
    """Spectrogram ``[B, 80, 1 + T // 160]`` of ``[B, T]`` in [-1, 1], T > 200; see :class:`ByolAMel`."""

    def __init__(self, mean: float = MEAN, std: float = STD) -> None:
        super().__init__(mean, std, N_FFT, BANDS, LOW_HZ, HIGH_HZ)
