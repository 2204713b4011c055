"""Training of a context module on precomputed patches, with early stopping on held-out sources."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core import seeding
from ..core.errors import ParameterError
from ..models.context import Context, Stretch, collate
from ..models.objectives import Objective, ObjectiveSettings
from . import checkpoint
from .steps import Steps, parameter_groups

WARMUP = 0.05  # share of the steps with a rising learning rate
LOWEST = 1e-3  # share of the peak that the learning rate never falls below
CLIP = 1.0  # largest norm of the gradient


@dataclass(frozen=True, eq=False)
class Sequences:
    """Recordings and their labels.

    Args:
        rows: M recordings, each as K stretches; the k-th stretches of all recordings are about equally long.
        states: int64 [M], index of the artifact.
        severities: float32 [M], 0 for clean.
        sources: [M] split keys.

    Raises:
        ParameterError: the arrays or the numbers of stretches do not match.
    """

    rows: Sequence[Sequence[Stretch]]
    states: np.ndarray
    severities: np.ndarray
    sources: np.ndarray

    def __post_init__(self) -> None:
        sizes = {len(self.rows), len(self.states), len(self.severities), len(self.sources)}
        if len(sizes) != 1 or not len(self.rows):
            raise ParameterError(f"Sequences need as many states, severities and sources as rows; got {sorted(sizes)}.")
        if len(counts := {len(row) for row in self.rows}) != 1 or 0 in counts:
            raise ParameterError(
                f"All recordings need the same number of stretches, at least one; got {sorted(counts)}."
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
    """Length and learning rate of the training of a context module.

    Args:
        steps: Largest number of optimiser steps.
        batch: Sequences per step. All states of a source are in the same batch, so that views of the same sound in
            another state are negatives.
        lr: Peak learning rate of AdamW.
        weight_decay: Decoupled L2 of all matrices.
        validate_every: Steps from one validation and checkpoint to the next.
        patience: Validations without a better loss after which it stops.
        held_out: Share of the sources for validation, (0, 1).
        seed: Seed of batches, stretches and dropout.
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

    def rate(self, step: int) -> float:
        """Learning rate at a step, counted from 0: half a cosine, times a linear rise at the beginning."""
        done = step + 1
        factor = min(1.0, done / (WARMUP * self.steps)) * 0.5 * (1 + math.cos(math.pi * done / self.steps))
        return self.lr * max(factor, LOWEST)


def fit(
    context: Context,
    data: Sequences,
    settings: FitSettings,
    objective: ObjectiveSettings | None = None,
    directory: Path | None = None,
) -> float:
    """Trains ``context`` in place; the result is the module with the best held-out loss, in evaluation mode.

    The same seed gives the same weights.

    Args:
        directory: Takes a checkpoint at each validation. If it holds one, the training continues from it, on the same
            data and settings, and ends with exactly the weights of an uninterrupted one. None: no checkpoint.

    Returns:
        The best held-out loss.

    Raises:
        ParameterError: fewer than two sources.
        TrainingError: a loss is no longer finite.
        StorageError: the checkpoint is damaged.
    """
    names = np.unique(data.sources)
    if len(names) < 2:
        raise ParameterError("All sequences come from one source; no source can be held out for early stopping.")
    rng = seeding.generator(settings.seed, "context", context.settings.kind)
    count = max(1, round(settings.held_out * len(names)))
    held_out = np.isin(data.sources, rng.permutation(names)[:count])
    train, validation = data.take(~held_out), data.take(held_out)
    stretches = [stretch for row in train.rows for stretch in row]
    vectors, slow = np.concatenate([s.vectors for s in stretches]), np.stack([s.slow for s in stretches])
    context.standardise(*(torch.from_numpy(part.astype(np.float32)) for part in (vectors, slow)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeding.derive(settings.seed, "context"))
        training = _Fitting(
            context, train, validation, settings, objective or ObjectiveSettings(memory=512), rng, directory
        )
        training.resume()
        if not training.finished:
            training.take(training.batches())
    context.load_state_dict(training.best)
    context.eval()
    return training.best_loss


class _Fitting(Steps[Sequences]):
    """The training that :func:`fit` runs; a batch is a :class:`Sequences` of one stretch per recording."""

    name = "context"
    advice = "fitting.lr"

    def __init__(
        self, context: Context, train: Sequences, validation: Sequences, settings: FitSettings,
        objective: ObjectiveSettings, rng: np.random.Generator, directory: Path | None,
    ) -> None:  # fmt: skip
        super().__init__(context, list(parameter_groups(context.parameters())), settings, directory)
        self.context, self.train, self.validation, self.settings, self.rng = context, train, validation, settings, rng
        self._objective = Objective(objective, context.settings.embedding)
        self.best = copy.deepcopy(context.state_dict())

    def batches(self) -> Iterator[Sequences]:
        """The batches from the next step on."""
        for _ in range(self.step, self.settings.steps):
            batch = _whole_sources(self.train, self.settings.batch, self.rng)
            yield _stretch(batch, int(self.rng.integers(len(self.train.rows[0]))))

    @property
    def objective(self) -> Objective:
        return self._objective

    def rate(self, group: dict[str, Any], step: int) -> float:
        return self.settings.rate(step)

    def prepare(self) -> tuple[float, float]:
        self.context.train()
        return self.settings.weight_decay, CLIP

    def loss(self, batch: Sequences) -> tuple[Tensor, dict[str, float]]:
        return self._loss(batch, remember=True)

    def _loss(self, batch: Sequences, remember: bool) -> tuple[Tensor, dict[str, float]]:
        return self.objective(
            self.context(*collate([row[0] for row in batch.rows])),
            states=torch.from_numpy(batch.states),
            severities=torch.from_numpy(batch.severities),
            sources=torch.from_numpy(np.unique(batch.sources, return_inverse=True)[1]),
            remember=remember,
        )

    def validation_loss(self) -> float:
        """Mean loss over the held-out recordings, every stretch of each."""
        self.context.eval()
        with torch.no_grad():
            losses = [
                float(self._loss(_stretch(self.validation, k), remember=False)[0])
                for k in range(len(self.validation.rows[0]))
            ]
        return sum(losses) / len(losses)

    def keep_best(self) -> None:
        self.best = copy.deepcopy(self.context.state_dict())

    def further_state(self) -> checkpoint.State:
        tensors = {f"best.{k}": v for k, v in self.best.items()}
        return checkpoint.State(tensors, {"numpy": self.rng.bit_generator.state})

    def restore(self, state: checkpoint.State) -> None:
        self.best = state.part("best")
        self.rng.bit_generator.state = state.record["numpy"]


def _whole_sources(data: Sequences, size: int, rng: np.random.Generator) -> Sequences:
    """Whole sources in random order until there are ``size`` sequences, or all."""
    rows: list[int] = []
    for name in rng.permutation(np.unique(data.sources)):
        rows += np.flatnonzero(data.sources == name).tolist()
        if len(rows) >= size:
            break
    return data.take(np.array(rows))


def _stretch(data: Sequences, place: int) -> Sequences:
    """The same recordings with one stretch each, the one at ``place``."""
    return Sequences([[row[place]] for row in data.rows], data.states, data.severities, data.sources)
