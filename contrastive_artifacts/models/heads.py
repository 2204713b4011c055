"""The layers over h that the encoder and the context module share, and their common output."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F


class Encoded(NamedTuple):
    """Output of an encoder or a context module for a batch of B windows and K states."""

    h: Tensor  # [B, D], the embedding that probes and the index use
    z: Tensor  # [B, embedding], L2-normalised, the input of the contrastive term
    logits: Tensor  # [B, K] of the type head
    severity: Tensor  # [B, K] in [0, 1]
    frame_logits: Tensor | None = None  # [B, N, K], one column per state; None without a frame head

    @property
    def frame_probabilities(self) -> Tensor | None:
        """[B, N, K]: the probability of each state in each frame, independent of the other states; or None."""
        return None if self.frame_logits is None else self.frame_logits.sigmoid()


class Heads(nn.Module):
    """Base class of modules that compute h: adds projector, type head and severity head.

    It is a base class and not a submodule because files and fingerprints name these tensors ``projector.*``,
    ``types.*`` and ``severities.*``, without a prefix.
    """

    projector: nn.Sequential
    types: nn.Linear
    severities: nn.Linear

    def add_heads(self, hidden: int, embedding: int, states: int, width: int | None = None) -> None:
        """Creates the heads. Call it after all layers below h exist: the initial weights of a seed depend on the order.

        Args:
            hidden: Width of the input of the projector.
            embedding: Width of z.
            states: K.
            width: Of h, the input of the other heads; None: hidden.
        """
        self.projector = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, embedding))
        self.types = nn.Linear(width or hidden, states)
        self.severities = nn.Linear(width or hidden, states)

    def encoded(self, h: Tensor) -> Encoded:
        """Applies the heads to h ``[B, hidden]``."""
        return Encoded(h, F.normalize(self.projector(h), dim=1), self.types(h), self.severities(h).sigmoid())
