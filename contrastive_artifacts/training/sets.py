"""Training of an encoder of label sets on cached figures."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core import seeding
from ..core.errors import ParameterError
from ..data.figures.batches import CachedViews, SetBatch
from ..models.figure_encoder import FigureEncoder
from ..models.objectives.sets import SetObjective, SetObjectiveSettings
from . import checkpoint
from .log import LOG_EVERY, Board, Draw, Judged, joined, judged
from .steps import Steps, parameter_groups

CLIP = 1.0  # largest norm of the gradient
WARMUP = 0.1  # share of the steps with a rising learning rate
BATCH = 256  # views that are validated at once
STANDARD = 4096  # views that means and deviations of the figures are taken from


@dataclass(frozen=True)
class SetFitSettings:
    """Length and learning rate of the training of an encoder of label sets.

    Args:
        epochs: Times that every view is seen.
        batch: Views per step, in whole crops.
        lr: Peak learning rate of AdamW.
        weight_decay: Decoupled L2 of all matrices.
        validations: Number of validations, each with a checkpoint.
        seed: Seed of batches and dropout.

    Raises:
        ParameterError: a value is out of range.
    """

    epochs: int = 8
    batch: int = 256
    lr: float = 2e-3
    weight_decay: float = 0.02
    validations: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch, self.validations) < 1 or not self.lr > 0 or self.weight_decay < 0:
            raise ParameterError(f"epochs, batch and validations must be >= 1, lr > 0, weight_decay >= 0; got {self}.")


@dataclass(frozen=True)
class _Pace:
    steps: int
    validate_every: int
    patience: int = 0


def fit_sets(
    encoder: FigureEncoder, train: CachedViews, validation: CachedViews, settings: SetFitSettings,
    objective: SetObjectiveSettings, directory: Path | None = None,
    progress: Callable[[float], None] = lambda views: None, draw: Draw | None = None,
) -> float:  # fmt: skip
    """Trains ``encoder`` in place; the result has the best validation loss, in evaluation mode.

    Args:
        encoder: A new one, or a trained one, which is trained further: its means and deviations of the figures stay.
        directory: Takes checkpoints. If it holds one, the training continues from it, on the same views and settings,
            and ends with exactly the weights of an uninterrupted one.
        progress: Called with the number of views of each step.
        draw: Figures of each validation; they and the losses go to ``directory/tensorboard``. None: neither.

    Returns:
        The best validation loss.

    Raises:
        TrainingError: a loss is no longer finite.
        StorageError: the checkpoint is damaged.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeding.derive(settings.seed, "sets"))
        training = _Fitting(encoder, train, validation, settings, objective, directory, progress)
        training.resume()
        if draw is not None and directory is not None:
            training.board = Board(directory, training.step, draw)
        if not training.step and not encoder.is_standardised:
            training.standardise()
        with nullcontext() if training.board is None else closing(training.board):
            if not training.finished:
                training.take(training.batches())
    encoder.load_state_dict(training.best)
    encoder.eval()
    return training.best_loss


class _Fitting(Steps[SetBatch]):
    """The training that :func:`fit_sets` runs."""

    name, advice = "encoder", "fitting.lr"

    def __init__(
        self, encoder: FigureEncoder, train: CachedViews, validation: CachedViews, settings: SetFitSettings,
        objective: SetObjectiveSettings, directory: Path | None, progress: Callable[[float], None],
    ) -> None:  # fmt: skip
        self.per_epoch = sum(1 for _ in self._epoch(train, settings, 0))
        if not self.per_epoch:
            raise ParameterError(f"{len(train)} views do not fill a batch of {settings.batch}; render more views.")
        steps = settings.epochs * self.per_epoch
        pace = _Pace(steps, max(1, math.ceil(steps / settings.validations)))
        super().__init__(encoder, list(parameter_groups(encoder.trained_parameters())), pace, directory)
        self.encoder, self.train, self.validation, self.settings = encoder, train, validation, settings
        self._objective, self.progress = SetObjective(objective), progress
        self.best = copy.deepcopy(encoder.state_dict())
        self.board: Board | None = None

    @staticmethod
    def _epoch(train: CachedViews, settings: SetFitSettings, number: int) -> Iterator[np.ndarray]:
        return train.epoch(settings.batch, seeding.generator(settings.seed, "sets", number))

    def standardise(self) -> None:
        """Sets means and deviations of the figures from training views."""
        count = min(STANDARD, len(self.train))
        views = seeding.generator(self.settings.seed, "standard").permutation(len(self.train))[:count]
        self.encoder.standardise(self.train.figures(part) for part in np.array_split(views, -(-count // BATCH)))

    def batches(self) -> Iterator[SetBatch]:
        """The batches from the next step on; each epoch has an order of its own, so none needs to be stored."""
        first, skipped = divmod(self.step, self.per_epoch)
        for number in range(first, self.settings.epochs):
            for place, views in enumerate(self._epoch(self.train, self.settings, number)):
                if number > first or place >= skipped:
                    yield self.train.batch(views)

    @property
    def objective(self) -> SetObjective:
        return self._objective

    def rate(self, group: dict[str, Any], step: int) -> float:
        done = (step + 1) / self.pace.steps
        return self.settings.lr * min(1.0, done / WARMUP) * max(0.5 * (1 + math.cos(math.pi * done)), 1e-3)

    def prepare(self) -> tuple[float, float]:
        self.encoder.train()
        if self.encoder.backbone is not None:
            self.encoder.backbone.eval()
        return self.settings.weight_decay, CLIP

    def loss(self, batch: SetBatch) -> tuple[Tensor, dict[str, float]]:
        return self._objective(
            self.encoder(batch.figures), faults=batch.faults, severities=batch.severities, active=batch.active,
            sources=batch.sources, unknown=batch.unknown,
        )  # fmt: skip

    def after_step(self, batch: SetBatch, loss: float, terms: dict[str, float]) -> None:
        self.progress(len(batch.sources))
        if self.board is not None and self.step % LOG_EVERY == 0:
            self.board.write(self.step, "train", {"loss": loss, **terms})

    def after_validation(self, loss: float) -> None:
        if self.board is not None:
            self.board.write(self.step, "validation", {"loss": loss})
            self.board.draw(self.step, self._judged())

    def _judged(self) -> Judged:
        """What the encoder says of all validation views, in order."""
        with torch.no_grad():
            batches = (self.validation.batch(views) for views in self.validation.in_order(BATCH))
            return joined([judged(self.encoder(b.figures), b.faults.bool(), b.severities) for b in batches])

    def validation_loss(self) -> float:
        """Mean over the validation views."""
        self.encoder.eval()
        with torch.no_grad():
            losses = [
                (float(self.loss(self.validation.batch(views))[0]), len(views))
                for views in self.validation.in_order(BATCH)
            ]
        return sum(loss * count for loss, count in losses) / len(self.validation)

    def keep_best(self) -> None:
        self.best = copy.deepcopy(self.encoder.state_dict())

    def further_state(self) -> checkpoint.State:
        return checkpoint.State({f"best.{k}": v for k, v in self.best.items()}, {})

    def restore(self, state: checkpoint.State) -> None:
        self.best = state.part("best")
