"""The published AudioSet classifier on top of a backbone: shows that converted weights hear what they should."""

from __future__ import annotations

from torch import Tensor, nn

from .contract import Backbone


class Tagger(nn.Module):
    """Backbone and published head. Encoders are made from the backbone alone and do not store the head.

    Args:
        clip_head: Whether the head takes the mean frame of a clip (True) or every frame (False).
    """

    def __init__(self, backbone: Backbone, head: nn.Module, clip_head: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.clip_head = clip_head

    def scores(self, waveform: Tensor) -> Tensor:
        """AudioSet class probabilities ``[B, N, classes]`` of ``[B, T]``; N is 1 where the head takes clips."""
        frames = self.backbone(waveform).frames
        return self.head(frames.mean(1, keepdim=True) if self.clip_head else frames).sigmoid()
