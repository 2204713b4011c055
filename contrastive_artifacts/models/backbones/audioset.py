"""The published AudioSet classifier on top of a backbone, to verify converted weights."""

from __future__ import annotations

from torch import Tensor, nn

from .contract import Backbone


class Tagger(nn.Module):
    """Backbone and published head. Encoders use the backbone only and do not store the head.

    Args:
        backbone: With published weights.
        head: Frames or summary -> logits.
        clip_head: Input of the head: one vector per clip, the summary or else the mean frame (True), or each frame
            (False).
    """

    def __init__(self, backbone: Backbone, head: nn.Module, clip_head: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.clip_head = clip_head

    def scores(self, waveform: Tensor) -> Tensor:
        """AudioSet class probabilities ``[B, N, classes]`` of ``[B, T]``; N is 1 for a head that takes clips."""
        features = self.backbone(waveform)
        if self.clip_head:
            whole = features.frames.mean(1) if features.summary is None else features.summary
            return self.head(whole[:, None]).sigmoid()
        return self.head(features.frames).sigmoid()
