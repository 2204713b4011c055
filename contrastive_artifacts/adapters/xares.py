"""An encoder for X-ARES (arXiv 2505.16369): ``python -m xares.run PATH/TO/adapters/xares.py TASKS``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..embedding import load
from .windowed import centred


class ArtifactEncoder(nn.Module):
    """The encoder with the attributes that X-ARES reads.

    Args:
        name: As :func:`contrastive_artifacts.load` takes it; a context module is used.

    Attributes:
        sampling_rate: In Hz; what :meth:`forward` takes.
        output_dim: D.
        hop_size_in_ms: From one frame to the next.
    """

    hop_size_in_ms = 250

    def __init__(self, name: str = "release") -> None:
        super().__init__()
        self.encoder = load(name)
        self.sampling_rate, self.output_dim = self.encoder.sample_rate, self.encoder.dim

    def forward(self, waveform: Tensor) -> Tensor:
        """Frames ``[B, N, D]`` of ``[B, T]`` or ``[T]``."""
        return centred(self.encoder, torch.atleast_2d(waveform), self.sampling_rate, self.hop_size_in_ms / 1000)
