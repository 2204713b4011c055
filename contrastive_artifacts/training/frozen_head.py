"""Training of one hidden layer and its heads on features of a frozen backbone, with any objective and regulariser."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..core import seeding
from ..core.errors import ParameterError
from ..models.heads import Encoded, Heads
from ..models.objectives import Objective, ObjectiveSettings
from . import checkpoint
from .parts import add_l1
from .settings import OptimSettings
from .steps import Steps, parameter_groups

EMBEDDING = 128  # width of z
STD_FLOOR = 1e-3  # lowest standard deviation of a feature, for features that do not vary in training


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """Features float32 ``[N, D]`` and their labels: states int64, severities float32, sources (texts), each ``[N]``."""

    x: np.ndarray
    states: np.ndarray
    severities: np.ndarray
    sources: np.ndarray


@dataclass(frozen=True)
class HeadSettings:
    """Size and training of a head; regularisers of the weights are settings of :class:`.OptimSettings`.

    Args:
        hidden: Width of h.
        dropout: Share of the features, and of h, that is dropped in training, [0, 1).
        steps: Optimiser steps.
        sources: Sources per batch, each with all of its rows.
        validate_every: Steps between validations.
        patience: Validations without a better loss after which training stops, and the best weights are taken; 0: the
            weights after the last step.
        seed: Of initial weights, batches and dropout.

    Raises:
        ParameterError: a value is out of range.
    """

    hidden: int = 256
    dropout: float = 0.0
    steps: int = 600
    sources: int = 8
    validate_every: int = 30
    patience: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.hidden, self.steps, self.validate_every) < 1 or self.sources < 2:
            raise ParameterError(f"hidden, steps and validate_every must be >= 1, sources >= 2; got {self}.")
        if not 0 <= self.dropout < 1 or self.patience < 0:
            raise ParameterError(f"dropout must lie in [0, 1), patience be >= 0; got {self}.")


class FrozenHead(Heads):
    """``forward(x [B, D]) -> Encoded``: features are standardised, then one layer of GELU gives h."""

    shift: Tensor
    scale: Tensor

    def __init__(self, x: np.ndarray, states: int, settings: HeadSettings) -> None:
        super().__init__()
        self.register_buffer("shift", torch.from_numpy(x.mean(axis=0)))
        self.register_buffer("scale", torch.from_numpy(x.std(axis=0)).clamp(min=STD_FLOOR))
        dropout = nn.Dropout(settings.dropout)
        self.neck = nn.Sequential(dropout, nn.Linear(x.shape[1], settings.hidden), nn.GELU(), dropout)
        self.add_heads(settings.hidden, EMBEDDING, states)

    def forward(self, x: Tensor) -> Encoded:
        return self.encoded(self.neck((x - self.shift) / self.scale))


def fit_head(
    train: FeatureRows, validation: FeatureRows, states: int, objective: ObjectiveSettings,
    optim: OptimSettings, settings: HeadSettings,
) -> tuple[FrozenHead, int]:  # fmt: skip
    """The trained head in evaluation mode, and the step that its weights are of; the same seed gives the same weights.

    Raises:
        TrainingError: a loss is no longer finite.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeding.derive(settings.seed, "head"))
        training = _Training(FrozenHead(train.x, states, settings), train, validation, objective, optim, settings)
        training.take(training.batches())
    if settings.patience:
        training.head.load_state_dict(training.best)
        return training.head.eval(), training.best_step
    return training.head.eval(), training.step


class _Training(Steps[np.ndarray]):
    """The training that :func:`fit_head` runs; a batch is the numbers of its rows."""

    name = "head"
    advice = "head.lr"

    def __init__(
        self, head: FrozenHead, train: FeatureRows, validation: FeatureRows, objective: ObjectiveSettings,
        optim: OptimSettings, settings: HeadSettings,
    ) -> None:  # fmt: skip
        super().__init__(head, list(parameter_groups(head.parameters())), settings, None)
        self.head, self.train, self.validation, self.optim, self.settings = head, train, validation, optim, settings
        self._objective = Objective(objective, EMBEDDING)
        self.best = copy.deepcopy(head.state_dict())

    def batches(self) -> Iterator[np.ndarray]:
        """Rows of whole sources, so that a view of the same sound in another state is a negative."""
        rng = seeding.generator(self.settings.seed, "head")
        while self.step < self.settings.steps:
            for rows in _whole_sources(self.train.sources, self.settings.sources, rng):
                yield rows
                if self.step == self.settings.steps:
                    return

    @property
    def objective(self) -> Objective:
        return self._objective

    def rate(self, group: dict[str, Any], step: int) -> float:
        return self.optim.lr_heads * self.optim.factor(step, self.settings.steps)

    def prepare(self) -> tuple[float, float]:
        self.head.train()
        return self.optim.weight_decay, self.optim.clip

    def gradients(self, batch: np.ndarray) -> tuple[Tensor, dict[str, float]]:
        loss, terms = super().gradients(batch)
        if self.optim.l1:
            loss = loss + add_l1([p for p in self.head.parameters() if p.ndim > 1], self.optim.l1)
        return loss, terms

    def loss(self, batch: np.ndarray) -> tuple[Tensor, dict[str, float]]:
        return self._loss(self.train, batch, remember=True)

    def _loss(self, views: FeatureRows, rows: np.ndarray, remember: bool) -> tuple[Tensor, dict[str, float]]:
        return self.objective(
            self.head(torch.from_numpy(views.x[rows])),
            states=torch.from_numpy(views.states[rows]),
            severities=torch.from_numpy(views.severities[rows]),
            sources=torch.from_numpy(np.unique(views.sources[rows], return_inverse=True)[1]),
            remember=remember,
        )

    def validation_loss(self) -> float:
        """Mean over batches of as many sources as in training: the terms depend on the size of a batch."""
        self.head.eval()
        batches = _whole_sources(self.validation.sources, self.settings.sources, seeding.generator("validation"))
        with torch.no_grad():
            return float(np.mean([float(self._loss(self.validation, rows, remember=False)[0]) for rows in batches]))

    def keep_best(self) -> None:
        if self.settings.patience:
            self.best = copy.deepcopy(self.head.state_dict())

    def further_state(self) -> checkpoint.State:
        return checkpoint.State({}, {})

    def restore(self, state: checkpoint.State) -> None: ...


def _whole_sources(sources: np.ndarray, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The rows of ``count`` sources after another, in random order; a single source that is left is no batch."""
    names = np.unique(sources)
    rows = [np.flatnonzero(sources == name) for name in names]
    order = rng.permutation(len(names))
    for first in range(0, len(order) - 1, count):
        yield np.concatenate([rows[n] for n in order[first : first + count]])
