"""The objective of label sets: each fault by itself, and a contrastive term whose positives share faults."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core.errors import ParameterError
from ..heads import Encoded
from .rank import RankNContrast


@dataclass(frozen=True)
class SetObjectiveSettings:
    """Weights of the terms; a term with weight 0 is not computed.

    Args:
        cross_entropy: Weight of the binary cross-entropy of every state, mean over states.
        frames: Weight of the same of every fault in every cell of the frame logits.
        contrastive: Weight of the soft contrastive term, see :func:`soft_contrastive`.
        ranking: Weight of the ranking by severity among views with the same single fault.
        severity: Weight of the severity regression (Huber).
        temperature: Of the contrastive term, > 0.

    Raises:
        ParameterError: a value is out of range.
    """

    cross_entropy: float = 10.0
    frames: float = 5.0
    contrastive: float = 0.5
    ranking: float = 0.0
    severity: float = 0.5
    temperature: float = 0.1

    def __post_init__(self) -> None:
        weights = (self.cross_entropy, self.frames, self.contrastive, self.ranking, self.severity)
        if min(weights) < 0 or max(weights) == 0 or not self.temperature > 0:
            raise ParameterError(f"Weights must be >= 0 and not all 0, temperature > 0; got {self}.")


class SetObjective(nn.Module):
    """Weighted sum of the terms.

    Shape:
        ``forward(encoded, *, faults=[B, K] in {0, 1}, severities=[B, K], active=[B, N, K] in {0, 1}, sources=[B],
        unknown=bool [B, K])`` returns a scalar and ``{term: value}``. ``encoded.logits`` has K + 1 columns, "clean"
        first; its frame logits have K. Where ``unknown`` is true, a fault is neither absent nor present: it is in no
        term, and a view without other faults is in no pair.
    """

    def __init__(self, settings: SetObjectiveSettings) -> None:
        super().__init__()
        self.settings, self.rank = settings, RankNContrast()

    def forward(
        self, encoded: Encoded, *, faults: Tensor, severities: Tensor, active: Tensor, sources: Tensor, unknown: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        settings, terms = self.settings, {}
        clean = faults.sum(1, keepdim=True) == 0
        doubtful = clean & unknown.any(1, keepdim=True)
        states = torch.cat([clean.float(), faults], dim=1)
        known = (~torch.cat([doubtful, unknown], dim=1)).float()
        if settings.cross_entropy:
            loss = F.binary_cross_entropy_with_logits(encoded.logits, states, known)
            terms["cross_entropy"] = settings.cross_entropy * loss
        if settings.frames and encoded.frame_logits is not None:
            loss = F.binary_cross_entropy_with_logits(encoded.frame_logits, active, known[:, None, 1:])
            terms["frames"] = settings.frames * loss
        if settings.contrastive:
            sure = ~doubtful[:, 0]
            loss = soft_contrastive(encoded.z[sure], states[sure], sources[sure], settings.temperature)
            terms["contrastive"] = settings.contrastive * loss
        if settings.ranking:
            single = faults.sum(1) == 1
            kind = faults[single].argmax(1)
            of_kind = severities[single].gather(1, kind[:, None])[:, 0]
            terms["ranking"] = settings.ranking * self.rank(encoded.z[single], kind, of_kind)
        if settings.severity and faults.any():
            there = faults.bool()
            loss = F.huber_loss(encoded.severity[:, 1:][there], severities[there], delta=0.2) / 0.2
            terms["severity"] = settings.severity * loss
        total = torch.stack(list(terms.values())).sum()
        return total, {name: float(value.detach()) for name, value in terms.items()}

    def memory_state(self) -> dict[str, Tensor]:
        """Nothing: it has no memory."""
        return {}

    def load_memory_state(self, state: dict[str, Tensor]) -> None:
        """Nothing to load."""


def soft_contrastive(z: Tensor, states: Tensor, sources: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss with positives weighted by the overlap of their label sets.

    The weight of a pair is the Jaccard index of its sets; pairs of one source are no positives, but negatives: the same
    sound in another state is the hard one. With sets of one label, and one view a source, this is SupCon (Khosla et al.
    2020).

    Shape:
        z [B, D], L2-normalised; states [B, K] in {0, 1}, each row with a 1; sources [B]; returns a scalar, 0 where no
        pair of different sources shares a label.
    """
    both = states @ states.T
    sizes = states.sum(1)
    weights = both / (sizes[:, None] + sizes[None] - both)
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    weights = weights.masked_fill(sources[:, None] == sources[None], 0.0)
    logits = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
    likelihood = (logits - logits.logsumexp(1, keepdim=True)).masked_fill(itself, 0.0)
    total = weights.sum(1)
    some = total > 0
    if not some.any():
        return z.sum() * 0.0
    return -((weights * likelihood).sum(1)[some] / total[some]).mean()
