"""Labels of frames from where an artifact begins and ends, and their loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def frame_targets(states: Tensor, spans: Tensor, frames: int, frame_samples: float, count: int) -> Tensor:
    """What is true in every frame.

    Args:
        states: [B] int64; 0 is clean.
        spans: [B, 2], [onset, offset) of the artifact in samples, equal where there is none.
        frames: N.
        frame_samples: Length of a frame; they lie side by side from sample 0 on.
        count: K.

    Returns:
        float [B, N, K] of 0 and 1: the view's state in frames that the span reaches into, clean (0) in all others.
    """
    edges = torch.arange(frames + 1, device=spans.device) * frame_samples
    onset, offset = spans[:, :1], spans[:, 1:]
    inside = (onset < edges[1:]) & (offset > edges[:-1]) & (offset > onset)
    return F.one_hot(torch.where(inside, states[:, None], 0), count).float()


def frame_loss(logits: Tensor, states: Tensor, spans: Tensor, frame_samples: float) -> Tensor:
    """Binary cross-entropy of every state in every frame; the mean over frames of the sum over states.

    Shape:
        logits [B, N, K]; states [B]; spans [B, 2]; ``frame_samples`` as in :func:`frame_targets`. Returns a scalar.
    """
    targets = frame_targets(states, spans, logits.shape[1], frame_samples, logits.shape[2])
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(2).mean()
