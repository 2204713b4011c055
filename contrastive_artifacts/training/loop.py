"""The pretraining loop: resumable to the bit, early stopping on held-out sources, the best encoder kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

from ..core import files
from ..core.errors import ParameterError, TrainingError
from ..data.corpora import Clip, Corpus
from ..data.views import Batch, ViewSettings, evaluation_views, stack
from ..models.detail import DetailFigures
from ..models.encoder import Encoder
from ..models.heads import Encoded
from ..models.objectives import Objective
from . import checkpoint
from .log import TrainingLog
from .settings import TrainerSettings
from .stages import Schedule, Stage, StagedBatches

LOG_EVERY = 10
logger = logging.getLogger("contrastive_artifacts")


@dataclass(frozen=True)
class Result:
    """Where a training ended: ``best_loss`` is the validation loss of the encoder saved in ``run/encoder``."""

    steps: int
    best_step: int
    best_loss: float
    views_per_s: float
    wait_share: float  # share of the time in which the training process waited for views


class Pretraining:
    """One run: ``Pretraining(...).fit()`` trains, or goes on where the run directory says that it was.

    Args:
        encoder: Its weights are the starting point; trained in place.
        splits: ``{"train": clips, "validation": clips}``, already split by source.
        stages: What is learnt, one after the other; mostly one. Each begins with the weights that the one before ended
            with, and is validated by its own objective on its own views: ``run/encoder`` is the best one of the
            latest stage. Patience counts in the last one only.
        run: Directory that takes checkpoint, log and the best encoder (``run/encoder``).
        config: Plain JSON record of the whole configuration; a run is resumed only under the same one.

    Raises:
        ParameterError: a setting that this encoder or this machine cannot follow.
        TrainingError: the run directory belongs to another configuration, or the loss is no longer finite.
    """

    def __init__(
        self, encoder: Encoder, corpus: Corpus, splits: dict[str, list[Clip]], stages: Sequence[Stage],
        trainer: TrainerSettings, run: str | Path, config: dict[str, Any],
    ) -> None:  # fmt: skip
        native = encoder.settings.native  # its views must come with figures at their own rate
        stages = [replace(stage, views=replace(stage.views, native=native)) for stage in stages]
        self.trainer, self.run, self.schedule = trainer, Path(run), Schedule(stages, trainer.steps)
        cuda = trainer.device == "cuda" or (trainer.device == "auto" and torch.cuda.is_available())
        self.device = torch.device("cuda" if cuda else "cpu")
        self.encoder = encoder.to(self.device)
        if trainer.checkpointing:
            _checkpoint_blocks(encoder)
        if trainer.compile and not cuda:
            raise ParameterError("trainer.compile pays on a GPU only, and there is none here; leave it out.")
        self.forward: Callable[..., Encoded] = torch.compile(encoder) if trainer.compile else encoder
        frame_samples = encoder.settings.frame_hop_s * encoder.sample_rate
        self.objectives = [
            Objective(stage.objective, encoder.settings.embedding, frame_samples).to(self.device)
            for stage in self.schedule.stages
        ]
        self.optimizer = torch.optim.AdamW(_groups(encoder), lr=1.0)
        ema = self.schedule.stages[0].optim.ema
        self.average = AveragedModel(encoder, multi_avg_fn=get_ema_multi_avg_fn(ema), use_buffers=True) if ema else None
        self.batches = StagedBatches(self.schedule, corpus, splits["train"], trainer)
        held_out = splits["validation"][: trainer.validation_clips]
        views = {stage.views for stage in self.schedule.stages}
        self.validation = {v: _validation_batches(corpus, held_out, v, trainer.sources) for v in views}
        self.step, self.saved, self.best_step, self.best_loss, self.best_stage = 0, 0, 0, math.inf, -1
        self._claim({**config, "corpus_fingerprint": corpus.fingerprint})

    def fit(self) -> Result:
        """Trains to the last step or to early stopping; returns where it ended."""
        torch.manual_seed(self.trainer.seed)
        self._resume()
        started, waited, first = time.perf_counter(), 0.0, self.step
        loader: DataLoader[Batch] = DataLoader(
            cast("Dataset[Batch]", self.batches),
            batch_size=None,
            sampler=range(self.step, self.trainer.steps),
            num_workers=self.trainer.workers,
            generator=torch.Generator(),  # its own, so that starting the workers leaves dropout's sequence alone
            prefetch_factor=4 if self.trainer.workers else None,
        )
        with TrainingLog(self.run, self.trainer.steps, self.step) as log:
            data = iter(loader) if self.step < self.trainer.steps and not self._out_of_patience() else iter(())
            while True:
                asked = time.perf_counter()
                batch = next(data, None)
                waited += time.perf_counter() - asked
                if batch is None:
                    break
                loss, terms = self._train_step(batch)
                self.step += 1
                elapsed = time.perf_counter() - started
                rate = (self.step - first) * len(batch.states) / elapsed
                name = self._stage_behind().name
                log.advance(self.step, name, loss, rate)
                if self.step % LOG_EVERY == 0:
                    facts = {"lr": self._factor(), "views_per_s": rate, "wait_share": waited / elapsed}
                    log.write(self.step, "train", name, {"loss": loss, **terms, **facts})
                if self.step % self.trainer.validate_every == 0 or self.step in self.schedule.bounds:
                    log.write(self.step, "validation", name, {"loss": self._validate()})
                    self._save()
                    if self._out_of_patience():
                        break
        elapsed = max(time.perf_counter() - started, 1e-9)
        views = (self.step - first) * self.trainer.sources * len(self.encoder.settings.states)
        return Result(self.step, self.best_step, self.best_loss, views / elapsed, waited / elapsed)

    def _stage_behind(self) -> Stage:
        """The stage that the last step belonged to."""
        return self.schedule.stages[self.schedule.index(self.step - 1)]

    def _factor(self) -> float:
        """Share of the peak learning rate of the step to come."""
        stage = self.schedule.stages[self.schedule.index(self.step)]
        return stage.optim.factor(*self.schedule.within(self.step))

    def _train_step(self, batch: Batch) -> tuple[float, dict[str, float]]:
        index = self.schedule.index(self.step)
        optim, factor, stages = self.schedule.stages[index].optim, self._factor(), self.encoder.stages()
        self.encoder.train()
        for i, stage in enumerate(stages):
            trains = optim.trains(i, len(stages), *self.schedule.within(self.step))
            stage.requires_grad_(trains).train(trains)  # at rest, running statistics stay as they are, too
        for group in self.optimizer.param_groups:
            group["lr"] = optim.rate(group["stage"], len(stages)) * factor
            group["weight_decay"] = optim.weight_decay if group["decays"] else 0.0
        loss, terms = self._loss(batch, self.objectives[index], self.forward, remember=True)
        if optim.l1:
            loss = loss + optim.l1 * sum(p.abs().sum() for p in stages[-1].parameters() if p.ndim > 1)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss became {value} at step {self.step} ({terms}). The checkpoint of step "
                f"{self.saved} is kept in {self.run}; "
                "lower optim.lr_top, lr_bottom and lr_heads."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in self.encoder.parameters() if p.grad is not None], optim.clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.encoder)
        return value, terms

    def _loss(
        self, batch: Batch, objective: Objective, encoder: Callable[..., Encoded], remember: bool
    ) -> tuple[Tensor, dict[str, float]]:
        waveforms = self._tensor(batch.waveforms)
        detail = None if batch.detail is None else DetailFigures(*(self._tensor(part) for part in batch.detail))
        autocast: AbstractContextManager[Any] = (
            torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()
        )
        with autocast:
            outputs = encoder(waveforms, detail)
        outputs = Encoded(*(None if part is None else part.float() for part in outputs))  # type: ignore[arg-type]
        return objective(
            outputs,
            states=self._tensor(batch.states),
            severities=self._tensor(batch.severities),
            sources=self._tensor(batch.sources),
            spans=self._tensor(batch.spans),
            remember=remember,
        )

    def _tensor(self, part: Any) -> Tensor:
        return torch.as_tensor(part).to(self.device)

    def _validate(self) -> float:
        """Loss over the held-out batches; saves the encoder where it is the best of its stage so far."""
        encoder = cast(Encoder, self.average.module) if self.average is not None else self.encoder
        loss = self._validation_loss(encoder)
        if not math.isfinite(loss):
            raise TrainingError(
                f"The validation loss became {loss} at step {self.step}; {self.run} keeps the state before it."
            )
        stage = self.schedule.index(self.step - 1)
        if loss < self.best_loss or stage > self.best_stage:
            self.best_loss, self.best_step, self.best_stage = loss, self.step, stage
            encoder.save(self.run / "encoder")
        return loss

    def _validation_loss(self, encoder: Encoder) -> float:
        encoder.eval()
        index = self.schedule.index(self.step - 1)
        batches, objective = self.validation[self.schedule.stages[index].views], self.objectives[index]
        with torch.no_grad():
            losses = [float(self._loss(batch, objective, encoder, remember=False)[0]) for batch in batches]
        return sum(losses) / len(losses)

    def _out_of_patience(self) -> bool:
        stale = (self.step - self.best_step) // self.trainer.validate_every
        last = self.best_stage == len(self.schedule.stages) - 1
        return bool(self.trainer.patience) and last and stale >= self.trainer.patience

    def _claim(self, config: dict[str, Any]) -> None:
        path = self.run / "config.json"
        if path.exists() and files.read_json(path) != config:
            raise TrainingError(
                f"{self.run} holds a run of another configuration (see {path}); choose another run=... or delete it."
            )
        files.write_json(path, config)

    def _save(self) -> None:
        objective = self.objectives[self.schedule.index(self.step)]  # memories of stages that are over are not needed
        tensors = {f"encoder.{k}": v for k, v in self.encoder.state_dict().items()}
        tensors |= {f"optimizer.{k}": v for k, v in checkpoint.optimizer_tensors(self.optimizer).items()}
        tensors |= {f"memory.{k}": v for k, v in objective.memory_state().items()}
        if self.average is not None:
            tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        tensors["random.cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        best = {"best_step": self.best_step, "best_loss": self.best_loss, "best_stage": self.best_stage}
        checkpoint.save(self.run, checkpoint.State(tensors, {"step": self.step, **best}))
        self.saved = self.step

    def _resume(self) -> None:
        state = checkpoint.load(self.run)
        if state is None:
            return
        self.encoder.load_state_dict(state.part("encoder"))
        checkpoint.load_optimizer(self.optimizer, state.part("optimizer"))
        if self.average is not None:
            self.average.load_state_dict(state.part("average"))
        torch.set_rng_state(state.tensors["random.cpu"])
        if self.device.type == "cuda" and "random.cuda" in state.tensors:
            torch.cuda.set_rng_state(state.tensors["random.cuda"], self.device)
        self.step = self.saved = state.record["step"]
        self.best_step, self.best_loss = state.record["best_step"], state.record["best_loss"]
        self.best_stage = state.record["best_stage"]
        stage = self.schedule.index(self.step)
        if memory := state.part("memory"):
            self.objectives[stage].load_memory_state(memory)
        logger.info("resuming %s at step %d, stage %s", self.run, self.step, self.schedule.stages[stage].name)


def _groups(encoder: Encoder) -> list[dict[str, Any]]:
    """Parameter groups: one a stage and kind; matrices and kernels decay, biases and norms do not."""
    groups = []
    for i, stage in enumerate(encoder.stages()):
        for decays in (True, False):
            parameters = [p for p in stage.parameters() if (p.ndim > 1) == decays]
            if parameters:
                groups.append({"params": parameters, "stage": i, "decays": decays})
    return groups


def _checkpoint_blocks(encoder: Encoder) -> None:
    """Switches gradient checkpointing on wherever the backbone has it.

    Raises:
        ParameterError: it has it nowhere.
    """
    able = [module for module in encoder.backbone.modules() if hasattr(module, "checkpointing")]
    if not able:
        raise ParameterError(
            f"Backbone {encoder.backbone.record['backbone']} has no blocks of a transformer to compute again; "
            "leave out trainer.checkpointing."
        )
    for module in able:
        module.checkpointing = True  # type: ignore[assignment]


def _validation_batches(corpus: Corpus, clips: Sequence[Clip], views: ViewSettings, sources: int) -> list[Batch]:
    """Fixed views of the held-out clips, in batches of whole sources; the seed is not the training's."""
    rendered, size, batches = evaluation_views(corpus, clips, views, seed=-1), sources * len(views.states), []
    while chunk := list(islice(rendered, size)):
        batches.append(stack(chunk))
    if not batches:
        raise TrainingError("No held-out clip could be read: there is nothing to validate on.")
    return batches
