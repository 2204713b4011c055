"""The training objective: a weighted sum of contrastive, classification, ranking and severity terms.

In the contrastive term a pair (same sound, clean and damaged) is a hard NEGATIVE: positives share the artifact and
differ in source. The configuration ``pair_as_positive`` is a control with such pairs as positives, which trains the
encoder to ignore artifacts. The contrastive losses come from pytorch-metric-learning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core.errors import ParameterError
from .frames import frame_loss
from .frames import frame_targets as frame_targets
from .rank import RankNContrast, severity_loss


class Outputs(Protocol):
    """The outputs of an encoder that an objective needs; :class:`.Encoded` has them."""

    @property
    def z(self) -> Tensor: ...  # [B, 128], L2-normalised

    @property
    def logits(self) -> Tensor: ...  # [B, K]

    @property
    def severity(self) -> Tensor: ...  # [B, K] in [0, 1]

    @property
    def frame_logits(self) -> Tensor | None: ...  # [B, N, K], with a frame head


@dataclass(frozen=True)
class ObjectiveSettings:
    """Weights of the terms; a term with weight 0 is not computed.

    Args:
        positives: Views that are positives of each other: ``"type"``, those with the same artifact (SupCon, Khosla et
            al. 2020), or ``"source"``, those of the same source (the control).
        contrastive: Weight of the contrastive term.
        cross_entropy: Weight of the cross-entropy over states.
        ranking: Weight of the ranking by severity within each type.
        severity: Weight of the severity regression (Huber).
        frames: Weight of the binary cross-entropy of every state in every frame; needs an encoder with a frame head.
        temperature: Of the contrastive term, > 0.
        memory: Number of past embeddings that are further negatives and positives (cross-batch memory, Wang et al.
            2020); 0: none. Only with positives="type", as the numbers of sources change from batch to batch.

    Raises:
        ParameterError: a value is out of range.
    """

    positives: str = "type"
    contrastive: float = 0.5
    cross_entropy: float = 1.0
    ranking: float = 0.5
    severity: float = 0.5
    temperature: float = 0.1
    memory: int = 2048
    frames: float = 0.0

    def __post_init__(self) -> None:
        weights = (self.contrastive, self.cross_entropy, self.ranking, self.severity, self.frames)
        if self.positives not in ("type", "source"):
            raise ParameterError(f"positives must be 'type' or 'source'; got {self.positives!r}.")
        if min(weights) < 0 or max(weights) == 0:
            raise ParameterError(f"Objective weights must be >= 0 and not all 0; got {weights}.")
        if self.temperature <= 0 or self.memory < 0:
            raise ParameterError("temperature must be > 0 and memory >= 0.")

    @property
    def outputs(self) -> frozenset[str]:
        """Names of the outputs of an encoder that terms with a weight use."""
        weights = {"z": self.contrastive + self.ranking, "logits": self.cross_entropy, "severity": self.severity}
        return frozenset(name for name, weight in {**weights, "frame_logits": self.frames}.items() if weight)


class Objective(nn.Module):
    """Weighted sum of the terms.

    Args:
        settings: Their weights.
        embedding_size: Width of z.
        frame_samples: Length in samples of a frame of ``frame_logits``; 0 for an encoder without a frame head.

    Shape:
        ``forward(outputs, *, states=[B], severities=[B], sources=[B], spans=[B, 2]) -> (scalar, {term: value})``.
        ``spans`` as in :func:`.frames.frame_targets`; only the term ``frames`` needs them. With ``remember=False``
        (validation) the memory is neither read nor written.

    Raises:
        ParameterError: the settings give frames a weight, but the encoder has no frame head.
    """

    def __init__(self, settings: ObjectiveSettings, embedding_size: int, frame_samples: float = 0.0) -> None:
        from pytorch_metric_learning.losses import CrossBatchMemory, SupConLoss

        super().__init__()
        if settings.frames and not frame_samples:
            raise ParameterError(
                f"objective.frames={settings.frames} needs an encoder with a frame head: set encoder.frame_hop_s, "
                "for instance to 0.06."
            )
        self.settings, self.frame_samples = settings, frame_samples
        self.contrastive = SupConLoss(temperature=settings.temperature)
        self.memory = (
            CrossBatchMemory(self.contrastive, embedding_size, settings.memory)
            if settings.memory and settings.positives == "type" and settings.contrastive
            else None
        )
        self.ranking = RankNContrast()

    def forward(
        self, outputs: Outputs, *, states: Tensor, severities: Tensor, sources: Tensor, spans: Tensor | None = None,
        remember: bool = True,
    ) -> tuple[Tensor, dict[str, float]]:  # fmt: skip
        settings, terms = self.settings, {}
        if settings.contrastive:
            labels = states if settings.positives == "type" else sources
            term = self.memory if self.memory is not None and remember else self.contrastive
            terms["contrastive"] = settings.contrastive * term(outputs.z, labels)
        if settings.cross_entropy:
            terms["cross_entropy"] = settings.cross_entropy * F.cross_entropy(outputs.logits, states)
        if settings.ranking:
            damaged = states > 0  # clean views have no severity to rank
            ranking = self.ranking(outputs.z[damaged], states[damaged], severities[damaged])
            terms["ranking"] = settings.ranking * ranking
        if settings.severity:
            terms["severity"] = settings.severity * severity_loss(outputs.severity, states, severities)
        if settings.frames:
            if outputs.frame_logits is None or spans is None:
                raise ParameterError(f"objective.frames={settings.frames} needs frame_logits of the encoder and spans.")
            terms["frames"] = settings.frames * frame_loss(outputs.frame_logits, states, spans, self.frame_samples)
        total = torch.stack(list(terms.values())).sum()
        return total, {name: float(value.detach()) for name, value in terms.items()}

    def memory_state(self) -> dict[str, Tensor]:
        """The cross-batch memory as tensors for a checkpoint; empty without a memory."""
        if self.memory is None:
            return {}
        return {
            "embeddings": self.memory.embedding_memory,
            "labels": self.memory.label_memory,
            "position": torch.tensor([self.memory.queue_idx, int(self.memory.has_been_filled)]),
        }

    def load_memory_state(self, state: dict[str, Tensor]) -> None:
        """Loads what :meth:`memory_state` returned."""
        if self.memory is None:
            return
        self.memory.embedding_memory = state["embeddings"].clone()
        self.memory.label_memory = state["labels"].clone()
        self.memory.queue_idx = int(state["position"][0])
        self.memory.has_been_filled = bool(state["position"][1])
