"""Trains a context module over cached patches: minutes on one core, early stopping by held-out sources."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .. import seeding
from ..errors import ParameterError, TrainingError
from ..objectives import Objective, ObjectiveSettings
from .aggregator import Context


@dataclass(frozen=True, eq=False)
class Sequences:
    """Patch sequences with what is known of each.

    Args:
        rows: M arrays ``[N, D]``.
        states: int64 [M].
        severities: float32 [M], 0 for clean.
        sources: [M] split keys.
    """

    rows: Sequence[np.ndarray]
    states: np.ndarray
    severities: np.ndarray
    sources: np.ndarray

    def __post_init__(self) -> None:
        sizes = {len(self.rows), len(self.states), len(self.severities), len(self.sources)}
        if len(sizes) != 1 or not len(self.rows):
            raise ParameterError(f"Sequences need as many states, severities and sources as rows; got {sorted(sizes)}.")

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
        least_s, most_s: Range of the random contexts that are cut from the sequences, log-uniformly, in seconds.
        validate_every: Steps between looks at the held-out sources.
        patience: Looks without a better loss after which it stops.
        held_out: Share of the sources that decides when to stop, (0, 1).
        seed: Of weights, batches, contexts and dropout.
    """

    steps: int = 240
    batch: int = 64
    lr: float = 1e-3
    weight_decay: float = 0.05
    least_s: float = 0.96
    most_s: float = 60.0
    validate_every: int = 30
    patience: int = 3
    held_out: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.validate_every, self.patience) < 1 or not 0 < self.held_out < 1:
            raise ParameterError("steps, batch, validate_every and patience must be >= 1, held_out lie in (0, 1).")
        if self.lr <= 0 or not 0 < self.least_s <= self.most_s:
            raise ParameterError("lr must be > 0 and 0 < least_s <= most_s.")


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
    context.standardise(torch.from_numpy(np.concatenate(list(train.rows)).astype(np.float32)))
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
        loss = _loss(context, objective, _batch(train, settings.batch, rng), settings, rng, remember=True)
        if not math.isfinite(float(loss.detach())):
            raise TrainingError(f"The loss of the context module became {float(loss)} at step {step}; lower lr.")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(context.parameters(), 1.0)
        optimizer.step()
        if step % settings.validate_every == 0 or step == settings.steps:
            value = _validation(context, objective, validation, settings)
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
    context: Context, objective: Objective, batch: Sequences, settings: FitSettings, rng: np.random.Generator,
    remember: bool,
) -> torch.Tensor:  # fmt: skip
    cut = math.exp(rng.uniform(math.log(settings.least_s), math.log(settings.most_s))) / context.settings.hop_s
    patches, mask = padded([_cut(rows, max(1, round(cut)), context.settings.most, rng) for rows in batch.rows])
    numbers = np.unique(batch.sources, return_inverse=True)[1]
    states, severities = torch.from_numpy(batch.states), torch.from_numpy(batch.severities)
    return objective(context(patches, mask), states, severities, torch.from_numpy(numbers), remember=remember)[0]


def _cut(rows: np.ndarray, count: int, most: int, rng: np.random.Generator) -> np.ndarray:
    count = min(count, len(rows), most)
    start = int(rng.integers(len(rows) - count + 1))
    return rows[start : start + count]


def _validation(context: Context, objective: Objective, data: Sequences, settings: FitSettings) -> float:
    """Mean loss over the held-out sequences, each look at the same contexts."""
    context.eval()
    rng, losses = seeding.generator(settings.seed, "validation"), []
    with torch.no_grad():
        for _ in range(3):
            losses.append(float(_loss(context, objective, data, settings, rng, remember=False)))
    return sum(losses) / len(losses)


def padded(rows: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Arrays ``[N, D]`` of unequal N -> float32 ``[B, max N, D]`` with zeros behind, and the mask ``[B, max N]``."""
    most = max(len(r) for r in rows)
    # Torch's memory is aligned, NumPy's need not be, and matrix products may round by alignment.
    patches, mask = torch.zeros(len(rows), most, rows[0].shape[1]), torch.zeros(len(rows), most, dtype=torch.bool)
    for i, r in enumerate(rows):
        patches[i, : len(r)] = torch.from_numpy(np.array(r, np.float32))
        mask[i, : len(r)] = True
    return patches, mask
