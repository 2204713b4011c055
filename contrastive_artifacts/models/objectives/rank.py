"""Ranking and regression of severity within one artifact type."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class RankNContrast(nn.Module):
    """Orders embeddings of one type by severity (Zha et al., "Rank-N-Contrast", NeurIPS 2023).

    For an anchor i and another view j of the same type, every view k of that type whose severity differs from that of
    i at least as much as that of j is pushed further away than j. Views of different types are not compared. This
    counteracts the collapse within a class that a supervised contrastive loss causes.

    Args:
        temperature: Divides the similarities; > 0.

    Shape:
        z [B, D] (L2-normalised inside), states [B] int64, severities [B] float; returns a scalar, 0 where no type has
        three views.
    """

    def __init__(self, temperature: float = 0.2) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, z: Tensor, states: Tensor, severities: Tensor) -> Tensor:
        z = F.normalize(z, dim=1)
        logits = z @ z.T / self.temperature
        same = (states[:, None] == states[None]) & ~torch.eye(len(z), dtype=torch.bool, device=z.device)
        gap = (severities[:, None] - severities[None]).abs()
        # denominator[i, j] = logsumexp over k in the same type with gap[i, k] >= gap[i, j]
        farther = same[:, None, :] & (gap[:, None, :] >= gap[:, :, None])
        farther |= torch.eye(len(z), dtype=torch.bool, device=z.device)  # k = j: keeps rows that are not counted finite
        denominator = logits[:, None, :].masked_fill(~farther, float("-inf")).logsumexp(dim=2)
        counted = same & (same.sum(dim=1, keepdim=True) >= 2)
        if not counted.any():
            return z.sum() * 0.0
        return (denominator - logits)[counted].mean()


def severity_loss(predicted: Tensor, states: Tensor, severities: Tensor) -> Tensor:
    """Huber loss of the severity that is predicted for the true state of each view, without clean views (state 0).

    Shape:
        predicted [B, K] in [0, 1], one column per state; states [B]; severities [B]; returns a scalar.
    """
    damaged = states > 0
    if not damaged.any():
        return predicted.sum() * 0.0
    of_state = predicted[damaged].gather(1, states[damaged, None])[:, 0]
    return F.huber_loss(of_state, severities[damaged].to(of_state.dtype), delta=0.2) / 0.2
