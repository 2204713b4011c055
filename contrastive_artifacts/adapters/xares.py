"""An encoder for X-ARES (arXiv 2505.16369): ``python -m xares.run PATH/TO/adapters/xares.py TASKS``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..embedding.pretrained import encoder_folder
from ..models.encoder import Encoder
from .windowed import centred


class ArtifactEncoder(nn.Module):
    """The encoder with what X-ARES reads of one.

    Args:
        name: As :func:`contrastive_artifacts.load` takes it.

    Attributes:
        sampling_rate: In Hz; what :meth:`forward` takes.
        output_dim: D.
        hop_size_in_ms: From one frame to the next.
    """

    hop_size_in_ms = 250

    def __init__(self, name: str = "release") -> None:
        super().__init__()
        self.encoder = Encoder.load(encoder_folder(name)).eval()
        self.sampling_rate, self.output_dim = self.encoder.sample_rate, self.encoder.settings.hidden

    def forward(self, waveform: Tensor) -> Tensor:
        """Frames ``[B, N, D]`` of ``[B, T]`` or ``[T]``."""
        with torch.no_grad():
            return centred(self.encoder, torch.atleast_2d(waveform), self.hop_size_in_ms / 1000)
