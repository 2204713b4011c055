"""Trains a context module over cached patches: minutes on one core, early stopping by held-out sources."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..core import seeding
from ..core.errors import ParameterError, TrainingError
from ..models.context import Context, Stretch, collate
from ..models.objectives import Objective, ObjectiveSettings


@dataclass(frozen=True, eq=False)
class Sequences:
    """Recordings with what is known of each.

    Args:
        rows: Of each of M recordings K stretches; those of one place among the K are of about one length.
        states: int64 [M].
        severities: float32 [M], 0 for clean.
        sources: [M] split keys.
    """

    rows: Sequence[Sequence[Stretch]]
    states: np.ndarray
    severities: np.ndarray
    sources: np.ndarray

    def __post_init__(self) -> None:
        sizes = {len(self.rows), len(self.states), len(self.severities), len(self.sources)}
        if len(sizes) != 1 or not len(self.rows):
            raise ParameterError(f"Sequences need as many states, severities and sources as rows; got {sorted(sizes)}.")
        if len(kinds := {len(row) for row in self.rows}) != 1 or 0 in kinds:
            raise ParameterError(
                f"Every recording needs as many stretches as the others, not none; got {sorted(kinds)}."
            )

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: np.ndarray) -> Sequences:
        """The sequences of an index array or a boolean mask [M]."""
        index = np.flatnonzero(index) if index.dtype == bool else index
        rows = [self.rows[i] for i in index.tolist()]
        return Sequences(rows, self.states[index], self.severities[index], self.sources[index])


@dataclass(frozen=True)
class FitSettings:
    """Length and pace.

    Args:
        steps: Most optimiser steps.
        batch: Sequences a step; all states of a source come together, so that the pair is a hard negative.
        lr: Peak learning rate of AdamW; a half cosine follows a short rise.
        weight_decay: Of all matrices.
        validate_every: Steps between looks at the held-out sources.
        patience: Looks without a better loss after which it stops.
        held_out: Share of the sources that decides when to stop, (0, 1).
        seed: Of weights, batches, stretches and dropout.
    """

    steps: int = 240
    batch: int = 64
    lr: float = 1e-3
    weight_decay: float = 0.05
    validate_every: int = 30
    patience: int = 3
    held_out: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.validate_every, self.patience) < 1 or not 0 < self.held_out < 1:
            raise ParameterError("steps, batch, validate_every and patience must be >= 1, held_out lie in (0, 1).")
        if self.lr <= 0:
            raise ParameterError(f"lr must be > 0; got {self.lr}.")


def fit(context: Context, data: Sequences, settings: FitSettings, objective: ObjectiveSettings | None = None) -> float:
    """Trains ``context`` in place and leaves it, in evaluation mode, as it was at its best on the held-out sources.

    The same seed gives the same weights. Returns the best held-out loss.

    Raises:
        ParameterError: fewer than two sources.
        TrainingError: the loss is no longer finite.
    """
    names = np.unique(data.sources)
    if len(names) < 2:
        raise ParameterError("All sequences come from one source; nothing can be held out to say when to stop.")
    rng = seeding.generator(settings.seed, "context", context.settings.kind)
    kept = max(1, round(settings.held_out * len(names)))
    held = np.isin(data.sources, rng.permutation(names)[:kept])
    train, validation = data.take(~held), data.take(held)
    stretches = [stretch for row in train.rows for stretch in row]
    vectors, slow = np.concatenate([s.vectors for s in stretches]), np.stack([s.slow for s in stretches])
    context.standardise(*(torch.from_numpy(part.astype(np.float32)) for part in (vectors, slow)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeding.derive(settings.seed, "context"))
        return _fit(context, train, validation, settings, objective or ObjectiveSettings(memory=512), rng)


def _fit(
    context: Context, train: Sequences, validation: Sequences, settings: FitSettings, wanted: ObjectiveSettings,
    rng: np.random.Generator,
) -> float:  # fmt: skip
    objective = Objective(wanted, context.settings.embedding)
    decays = [p for p in context.parameters() if p.ndim > 1]
    rest = [p for p in context.parameters() if p.ndim == 1]
    groups = [{"params": decays, "weight_decay": settings.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.lr)
    best, best_loss, stale = copy.deepcopy(context.state_dict()), math.inf, 0
    for step in range(1, settings.steps + 1):
        context.train()
        rate = min(1.0, step / (0.05 * settings.steps)) * 0.5 * (1 + math.cos(math.pi * step / settings.steps))
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * max(rate, 1e-3)
        batch, which = _batch(train, settings.batch, rng), int(rng.integers(len(train.rows[0])))
        loss = _loss(context, objective, batch, which, remember=True)
        if not math.isfinite(float(loss.detach())):
            raise TrainingError(f"The loss of the context module became {float(loss)} at step {step}; lower lr.")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(context.parameters(), 1.0)
        optimizer.step()
        if step % settings.validate_every == 0 or step == settings.steps:
            value = _validation(context, objective, validation)
            stale = 0 if value < best_loss else stale + 1
            if value < best_loss:
                best, best_loss = copy.deepcopy(context.state_dict()), value
            if stale >= settings.patience:
                break
    context.load_state_dict(best)
    context.eval()
    return best_loss


def _batch(data: Sequences, size: int, rng: np.random.Generator) -> Sequences:
    """Whole sources in random order until there are ``size`` sequences, or all."""
    picked: list[int] = []
    for name in rng.permutation(np.unique(data.sources)):
        picked += np.flatnonzero(data.sources == name).tolist()
        if len(picked) >= size:
            break
    return data.take(np.array(picked))


def _loss(
    context: Context, objective: Objective, batch: Sequences, which: int, remember: bool
) -> torch.Tensor:  # fmt: skip
    """Of the stretches at one place of every recording."""
    numbers = np.unique(batch.sources, return_inverse=True)[1]
    encoded = context(*collate([row[which] for row in batch.rows]))
    loss, _ = objective(
        encoded,
        states=torch.from_numpy(batch.states),
        severities=torch.from_numpy(batch.severities),
        sources=torch.from_numpy(numbers),
        remember=remember,
    )
    return loss


def _validation(context: Context, objective: Objective, data: Sequences) -> float:
    """Mean loss over the held-out recordings, every stretch of each."""
    context.eval()
    with torch.no_grad():
        losses = [float(_loss(context, objective, data, k, remember=False)) for k in range(len(data.rows[0]))]
    return sum(losses) / len(losses)
