"""Settings of the optimiser and the trainer, checked when they are created."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..core.errors import ParameterError


@dataclass(frozen=True)
class OptimSettings:
    """AdamW with a learning rate for each layer group of the encoder, see :meth:`.Encoder.layer_groups`.

    Args:
        lr_heads: Peak learning rate of neck, projector and heads.
        lr_top: Peak learning rate of the highest layer group of the backbone.
        lr_bottom: Peak learning rate of the lowest layer group; the groups between are spaced geometrically.
        layer_decay: Replaces ``lr_bottom``: the rate of each layer group as a share of the rate of the group above it,
            in (0, 1]. With 0.8, the lowest of 12 groups is trained at 0.086 of lr_top.
        weight_decay: Decoupled L2 of all weight matrices and kernels (biases and norms have none).
        l1: Weight of the L1 norm of the heads' weights in the loss.
        warmup: Share of the steps in which the rate rises linearly, [0, 1); half a cosine to 0 follows.
        clip: Largest norm of the gradient, > 0.
        freeze_stages: Number of layer groups of the backbone, from the lowest on, that are never trained.
        freeze_share: Share of the steps, from the first on, in which only the heads are trained, [0, 1].
        ema: Decay of the exponential moving average of the weights, which is validated and saved in place of the
            trained weights; 0 for none.

    Raises:
        ParameterError: a value is out of range.
    """

    lr_heads: float = 1e-3
    lr_top: float = 1e-3
    lr_bottom: float = 3e-4
    layer_decay: float | None = None
    weight_decay: float = 0.01
    l1: float = 0.0
    warmup: float = 0.05
    clip: float = 1.0
    freeze_stages: int = 0
    freeze_share: float = 0.0
    ema: float = 0.0

    def __post_init__(self) -> None:
        if min(self.lr_heads, self.lr_top, self.lr_bottom, self.clip) <= 0:
            raise ParameterError("Learning rates and clip must be > 0; to leave layers untrained, use freeze_stages.")
        if min(self.weight_decay, self.l1, self.freeze_stages) < 0:
            raise ParameterError("weight_decay, l1 and freeze_stages must be >= 0.")
        if not (0 <= self.warmup < 1 and 0 <= self.freeze_share <= 1 and 0 <= self.ema < 1):
            raise ParameterError("warmup and ema must lie in [0, 1), freeze_share in [0, 1].")
        if self.layer_decay is not None and not 0 < self.layer_decay <= 1:
            raise ParameterError(f"layer_decay must lie in (0, 1], or be null for lr_bottom; got {self.layer_decay}.")

    def rate(self, group: int, groups: int) -> float:
        """Peak learning rate of layer group ``group`` of ``groups``, from the bottom up; the heads are the last one."""
        top = groups - 2
        if group > top:
            return self.lr_heads
        if self.layer_decay is not None:
            return self.lr_top * self.layer_decay ** (top - group)
        return self.lr_bottom * (self.lr_top / self.lr_bottom) ** (group / max(1, top))

    def trains(self, group: int, groups: int, step: int, steps: int) -> bool:
        """Whether layer group ``group`` of ``groups`` is trained at ``step`` of ``steps``."""
        return group == groups - 1 or (group >= self.freeze_stages and step >= self.freeze_share * steps)

    def factor(self, step: int, steps: int) -> float:
        """Share of the peak learning rate at ``step`` of ``steps``."""
        ramp = self.warmup * steps
        if step < ramp:
            return (step + 1) / (ramp + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - ramp) / max(1.0, steps - ramp)))


@dataclass(frozen=True)
class TrainerSettings:
    """Length, batches and device of a training.

    Args:
        steps: Number of optimiser steps.
        sources: Sources per batch (each in every state), of all processes together, >= 2.
        validate_every: Steps from one validation and checkpoint to the next.
        patience: Validations without a better loss after which training ends; 0: it does not end early.
        validation_clips: Largest number of held-out clips for validation.
        workers: Processes that render views, for each training process; 0: it renders them itself.
        seed: Seed of views, initial weights of the heads, and dropout.
        device: ``"auto"`` (a GPU if there is one, in bfloat16), ``"cpu"`` or ``"cuda"``.
        checkpointing: Gradient checkpointing: keeps only the activations between transformer blocks and computes the
            others again in the backward pass. Takes a third more time and the memory of one block instead of all;
            backbones without transformer blocks do not support it.
        compile: Compile the encoder's training step with torch.compile, on a GPU only.
        accumulate: Parts that a process computes its share of a batch in, one after another; the loss stays that of the
            whole batch, see :func:`.in_parts`. Takes a third more time and the memory of one part; None: 1.
        precision: ``"float32"`` or ``"bfloat16"`` (autocast); None: bfloat16 on a GPU, float32 on a CPU.

    Raises:
        ParameterError: a value is out of range.
    """

    steps: int = 400
    sources: int = 8
    validate_every: int = 50
    patience: int = 0
    validation_clips: int = 24
    workers: int = 1
    seed: int = 0
    device: str = "auto"
    checkpointing: bool = False
    compile: bool = False
    accumulate: int | None = None
    precision: str | None = None

    def __post_init__(self) -> None:
        if min(self.steps, self.validate_every, self.validation_clips) < 1 or self.sources < 2:
            raise ParameterError("steps, validate_every and validation_clips must be >= 1, sources >= 2.")
        if min(self.patience, self.workers) < 0 or self.device not in ("auto", "cpu", "cuda"):
            raise ParameterError("patience and workers must be >= 0; device is 'auto', 'cpu' or 'cuda'.")
        if self.accumulate is not None and (self.accumulate < 1 or self.sources % self.accumulate):
            raise ParameterError(f"accumulate must divide sources={self.sources}; got {self.accumulate}.")
        if self.precision not in (None, "float32", "bfloat16"):
            raise ParameterError(f"precision is 'float32', 'bfloat16' or null; got {self.precision!r}.")
