"""Ranking and regression of severity within one artifact type."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class RankNContrast(nn.Module):
    """Orders embeddings of one type by severity (Zha et al., "Rank-N-Contrast", NeurIPS 2023).

    For an anchor i and another view j of the same type, every view k of that type whose severity is at least as far
    from i's as j's is pushed further away than j. Types never meet, so the term undoes the collapse that a supervised
    contrastive loss causes within a class, and nothing else.

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
        farther |= torch.eye(len(z), dtype=torch.bool, device=z.device)  # k = j: keeps rows that do not count finite
        denominator = logits[:, None, :].masked_fill(~farther, float("-inf")).logsumexp(dim=2)
        counted = same & (same.sum(dim=1, keepdim=True) >= 2)
        if not counted.any():
            return z.sum() * 0.0
        return (denominator - logits)[counted].mean()


def severity_loss(predicted: Tensor, states: Tensor, severities: Tensor) -> Tensor:
    """Huber loss of the severity predicted for each view's own type; clean views (state 0) do not count.

    Shape:
        predicted [B, K] in [0, 1], one column a state; states [B]; severities [B]; returns a scalar.
    """
    damaged = states > 0
    if not damaged.any():
        return predicted.sum() * 0.0
    own = predicted[damaged].gather(1, states[damaged, None])[:, 0]
    return F.huber_loss(own, severities[damaged].to(own.dtype), delta=0.2) / 0.2
