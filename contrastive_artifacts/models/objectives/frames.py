"""Labels of frames from the onset and offset of an artifact, and their loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def frame_targets(states: Tensor, spans: Tensor, frames: int, frame_samples: float, count: int) -> Tensor:
    """One-hot labels of all frames.

    Args:
        states: [B] int64; 0 is clean.
        spans: [B, 2], [onset, offset) of the artifact in samples; onset and offset are equal without an artifact.
        frames: N.
        frame_samples: Length of a frame in samples; frames follow each other without gaps from sample 0 on.
        count: K.

    Returns:
        float [B, N, K]: the state of the view in frames that overlap the span, clean (0) in all others.
    """
    edges = torch.arange(frames + 1, device=spans.device) * frame_samples
    onset, offset = spans[:, :1], spans[:, 1:]
    inside = (onset < edges[1:]) & (offset > edges[:-1]) & (offset > onset)
    return F.one_hot(torch.where(inside, states[:, None], 0), count).float()


def frame_loss(logits: Tensor, states: Tensor, spans: Tensor, frame_samples: float) -> Tensor:
    """Binary cross-entropy of every state in every frame: summed over states, mean over frames.

    Shape:
        logits [B, N, K]; states [B]; spans [B, 2]; ``frame_samples`` as in :func:`frame_targets`. Returns a scalar.
    """
    targets = frame_targets(states, spans, logits.shape[1], frame_samples, logits.shape[2])
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(2).mean()
