"""The steps of every training: learning rates, gradients, validation, early stopping and exact resumption."""

from __future__ import annotations

import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from ..core.errors import TrainingError
from . import checkpoint, distributed

B = TypeVar("B")
logger = logging.getLogger("contrastive_artifacts")


class Pace(Protocol):
    """Length of a training, as :class:`.TrainerSettings` and :class:`.FitSettings` give it."""

    @property
    def steps(self) -> int: ...

    @property
    def validate_every(self) -> int: ...

    @property
    def patience(self) -> int: ...  # validations without a better loss before it stops; 0 for no early stopping


class Remembers(Protocol):
    """The part of an objective that belongs into a checkpoint."""

    def memory_state(self) -> dict[str, Tensor]: ...

    def load_memory_state(self, state: dict[str, Tensor]) -> None: ...


class Steps(ABC, Generic[B]):
    """Optimises a model by AdamW, one batch per step, until the last step or early stopping.

    Every ``validate_every`` steps, and at the end of each stage, it validates and writes a checkpoint. A training that
    was killed continues after its last checkpoint and ends with exactly the weights of an uninterrupted one.

    Args:
        model: Trained in place, on the device where its parameters are.
        groups: Parameter groups of the optimiser, from :func:`parameter_groups`.
        pace: Number of steps, steps between validations, patience.
        directory: Where the checkpoint is written; None for a training that cannot resume.
        bounds: First step of each stage, then the number of steps. Patience counts in the last stage only, since losses
            of different stages cannot be compared.

    Attributes:
        step: Steps that are done.
        best_step, best_loss: Step and loss of the best validation of the latest stage.
    """

    name: ClassVar[str]  # prefix of the model's tensors in the checkpoint
    advice: ClassVar[str]  # what to lower where the loss is no longer finite

    def __init__(
        self, model: nn.Module, groups: Sequence[dict[str, Any]], pace: Pace, directory: Path | None,
        bounds: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        self.model, self.pace, self.directory = model, pace, directory
        self.bounds = list(bounds or (0, pace.steps))
        self.device = next(model.parameters()).device
        # A base rate of 1: the schedule gives the whole rate of each group. "initial_lr" lets it resume at any step.
        self.optimizer = torch.optim.AdamW([{**group, "initial_lr": 1.0} for group in groups], lr=1.0)
        self.step, self.saved, self.best_step, self.best_loss, self.best_stage = 0, 0, 0, math.inf, -1

    @property
    @abstractmethod
    def objective(self) -> Remembers:
        """The objective of the next step, whose memory belongs into the checkpoint."""

    @abstractmethod
    def rate(self, group: dict[str, Any], step: int) -> float:
        """Learning rate of a parameter group at a step, counted from 0."""

    @abstractmethod
    def prepare(self) -> tuple[float, float]:
        """Sets the modes of the model for the next step; returns weight decay and the largest norm of the gradient."""

    @abstractmethod
    def loss(self, batch: B) -> tuple[Tensor, dict[str, float]]:
        """Loss of a training batch, and the values of its terms."""

    def gradients(self, batch: B) -> tuple[Tensor, dict[str, float]]:
        """Adds the gradient of the loss of a training batch to the parameters; returns what :meth:`loss` does."""
        loss, terms = self.loss(batch)
        loss.backward()
        return loss, terms

    @abstractmethod
    def validation_loss(self) -> float:
        """Mean loss over the held-out sources; draws no random numbers."""

    @abstractmethod
    def keep_best(self) -> None:
        """Stores the model as the best one so far."""

    @abstractmethod
    def further_state(self) -> checkpoint.State:
        """What the next step depends on besides model, optimiser, memory and PyTorch's random numbers."""

    @abstractmethod
    def restore(self, state: checkpoint.State) -> None:
        """Takes :meth:`further_state` back from a checkpoint."""

    def after_step(self, batch: B, loss: float, terms: dict[str, float]) -> None:
        """Called after each step."""

    def after_validation(self, loss: float) -> None:
        """Called after each validation."""

    def take(self, batches: Iterable[B]) -> None:
        """Trains on ``batches``, those from step :attr:`step` on, to their end or until patience runs out.

        Raises:
            TrainingError: a loss is no longer finite.
        """
        # LambdaLR and not CosineAnnealingLR or SequentialLR: these compute a rate from the one before it and round
        # differently, and they know neither the warm-up here nor stages with rates of their own.
        rates: list[Callable[[int], float]] = [partial(self.rate, group) for group in self.optimizer.param_groups]
        scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, rates, last_epoch=self.step - 1)
        for batch in batches:
            loss, terms = self._train_step(batch)
            self.step += 1
            scheduler.step()
            self.after_step(batch, loss, terms)
            if self.step % self.pace.validate_every == 0 or self.step in self.bounds:
                self.after_validation(self._validate())
                self.save()
                if self.out_of_patience():
                    break

    @property
    def finished(self) -> bool:
        return self.step >= self.pace.steps or self.out_of_patience()

    def out_of_patience(self) -> bool:
        stale = (self.step - self.best_step) // self.pace.validate_every
        last = self.best_stage == len(self.bounds) - 2
        return bool(self.pace.patience) and last and stale >= self.pace.patience

    def _train_step(self, batch: B) -> tuple[float, dict[str, float]]:
        weight_decay, clip = self.prepare()
        for group in self.optimizer.param_groups:
            group["weight_decay"] = weight_decay if group["decays"] else 0.0
        self.optimizer.zero_grad(set_to_none=True)
        loss, terms = self.gradients(batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss became {value} at step {self.step} ({terms}); lower {self.advice}.{self._kept()}"
            )
        nn.utils.clip_grad_norm_(self.model.parameters(), clip)
        self.optimizer.step()
        return value, terms

    def _validate(self) -> float:
        loss = self.validation_loss()
        if not math.isfinite(loss):
            raise TrainingError(
                f"The validation loss became {loss} at step {self.step}; lower {self.advice}.{self._kept()}"
            )
        stage = stage_of(self.step - 1, self.bounds)
        if loss < self.best_loss or stage > self.best_stage:
            self.best_loss, self.best_step, self.best_stage = loss, self.step, stage
            if distributed.is_first():
                self.keep_best()
        return loss

    def _kept(self) -> str:
        return f" The checkpoint of step {self.saved} is kept in {self.directory}." if self.directory else ""

    def save(self) -> None:
        """Writes the checkpoint."""
        if self.directory is None:
            return
        further = self.further_state()
        tensors = {f"{self.name}.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"optimizer.{k}": v for k, v in checkpoint.optimizer_tensors(self.optimizer).items()}
        tensors |= {f"memory.{k}": v for k, v in self.objective.memory_state().items()}
        tensors["random.cpu"] = self._of_all(torch.get_rng_state())
        if self.device.type == "cuda":
            tensors["random.cuda"] = self._of_all(torch.cuda.get_rng_state(self.device))
        best = {"best_step": self.best_step, "best_loss": self.best_loss, "best_stage": self.best_stage}
        record = {"step": self.step, "processes": distributed.processes(), **best, **further.record}
        if distributed.is_first():
            checkpoint.save(self.directory, checkpoint.State({**tensors, **further.tensors}, record))
        self.saved = self.step

    def _of_all(self, state: Tensor) -> Tensor:
        """The states of the random numbers of all processes, one after another."""
        return distributed.gathered(state.to(self.device)).cpu()

    def resume(self) -> None:
        """Continues from the checkpoint in the directory, where there is one.

        Raises:
            StorageError: the checkpoint is damaged.
        TrainingError: it is of another number of processes.
        """
        state = None if self.directory is None else checkpoint.load(self.directory)
        if state is None:
            return
        count = state.record.get("processes", 1)
        if count != distributed.processes():
            raise TrainingError(
                f"{self.directory} was trained by {count} processes and continues exactly only with as many, not with "
                f"{distributed.processes()}: start it by torchrun --nproc-per-node {count}, or choose another run=..."
            )
        self.model.load_state_dict(state.part(self.name))
        checkpoint.load_optimizer(self.optimizer, state.part("optimizer"))
        torch.set_rng_state(state.tensors["random.cpu"].chunk(count)[distributed.rank()].clone())
        if self.device.type == "cuda" and "random.cuda" in state.tensors:
            of_process = state.tensors["random.cuda"].chunk(count)[distributed.rank()].clone()
            torch.cuda.set_rng_state(of_process, self.device)
        self.step = self.saved = state.record["step"]
        self.best_step, self.best_loss = state.record["best_step"], state.record["best_loss"]
        self.best_stage = state.record["best_stage"]
        if memory := state.part("memory"):
            self.objective.load_memory_state(memory)
        self.restore(state)
        logger.info("resuming %s at step %d of %d", self.directory, self.step, self.pace.steps)


def stage_of(step: int, bounds: Sequence[int]) -> int:
    """Number of the stage that a step lies in; the last one for the step after the end.

    Args:
        step: Counted from 0.
        bounds: First step of each stage, then the number of steps.

    >>> [stage_of(step, [0, 20, 50]) for step in (0, 19, 20, 50)]
    [0, 0, 1, 1]
    """
    return min(sum(step >= bound for bound in bounds[1:]), len(bounds) - 2)


def parameter_groups(parameters: Iterable[nn.Parameter], **facts: Any) -> Iterator[dict[str, Any]]:
    """Groups for AdamW, each with ``facts``: matrices and kernels decay, biases and norms do not."""
    parameters = list(parameters)
    for decays in (True, False):
        if members := [p for p in parameters if (p.ndim > 1) == decays]:
            yield {"params": members, "decays": decays, **facts}
