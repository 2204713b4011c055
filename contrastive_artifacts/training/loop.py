"""Pretraining of an encoder: batches of paired views, stages, averaged weights; saves the best encoder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
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
from . import checkpoint, distributed
from .log import LOG_EVERY, Clock, Draw, Judged, NoLog, TrainingLog, joined, judged
from .parts import add_l1, in_parts
from .settings import TrainerSettings
from .stages import Schedule, Stage, StagedBatches
from .steps import Steps, parameter_groups


@dataclass(frozen=True)
class Result:
    """Outcome of a training."""

    steps: int
    best_step: int
    best_loss: float  # validation loss of the encoder in ``run/encoder``
    views_per_s: float
    wait_share: float  # share of the time that the training process waited for views


class Pretraining(Steps[Batch]):
    """One run: ``Pretraining(...).fit()`` trains it, or continues a run that was stopped.

    Args:
        encoder: Its weights are the starting point; trained in place.
        corpus: Of the clips.
        splits: ``{"train": clips, "validation": clips}``, already split by source.
        stages: One or more, trained one after the other. Each starts with the weights at the end of the one before and
            is validated with its own objective on its own views; ``run/encoder`` is the best encoder of the latest
            stage.
        trainer: Length, batch size, device.
        run: Directory for the checkpoint, the log and the best encoder (``run/encoder``).
        config: The whole configuration as plain JSON; a run resumes only under the same configuration.
        draw: Figures of each validation for TensorBoard; of several processes the first one draws the views that it
            validates itself. None: none.

    Raises:
        ParameterError: a setting that this encoder or this machine does not support.
        TrainingError: the run directory belongs to another configuration, or the loss is no longer finite.
    """

    name = "encoder"
    advice = "optim.lr_top, lr_bottom and lr_heads"

    def __init__(
        self, encoder: Encoder, corpus: Corpus, splits: dict[str, list[Clip]], stages: Sequence[Stage],
        trainer: TrainerSettings, run: str | Path, config: dict[str, Any], draw: Draw | None = None,
    ) -> None:  # fmt: skip
        self.draw, self.judged = draw if distributed.is_first() else None, list[Judged]()
        self.trainer, self.run, self.schedule = trainer, Path(run), Schedule(stages, trainer.steps)
        cuda = trainer.device == "cuda" or (trainer.device == "auto" and torch.cuda.is_available())
        self.encoder = encoder.to("cuda" if cuda else "cpu")
        distributed.share_statistics(encoder)
        if trainer.checkpointing:
            _checkpoint_blocks(encoder)
        if trainer.compile and not cuda:
            raise ParameterError("trainer.compile is for GPUs only, and there is none here; leave it out.")
        self.wrapped = distributed.wrapped(encoder)
        self.forward: Callable[..., Encoded] = torch.compile(self.wrapped) if trainer.compile else self.wrapped
        groups = [
            group
            for i, layers in enumerate(encoder.layer_groups())
            for group in parameter_groups(layers.parameters(), layer_group=i)
        ]
        super().__init__(encoder, groups, trainer, self.run, self.schedule.bounds)
        frame_samples = encoder.settings.frame_hop_s * encoder.sample_rate
        self.objectives = [
            Objective(stage.objective, encoder.settings.embedding, frame_samples).to(self.device)
            for stage in self.schedule.stages
        ]
        ema = self.schedule.stages[0].optim.ema
        self.average = AveragedModel(encoder, multi_avg_fn=get_ema_multi_avg_fn(ema), use_buffers=True) if ema else None
        self.views = [stage.views.for_encoder(encoder) for stage in stages]
        self.batches = StagedBatches(self.schedule, self.views, corpus, splits["train"], trainer)
        held_out = splits["validation"][: trainer.validation_clips]
        self.validation = {v: _validation_batches(corpus, held_out, v, trainer.sources) for v in set(self.views)}
        config = {**config, "corpus_fingerprint": corpus.fingerprint}
        checkpoint.check_config(self.run, config)
        if distributed.is_first():
            files.write_json(self.run / "config.json", config)

    def fit(self) -> Result:
        """Trains to the last step or to early stopping; returns where it ended."""
        torch.manual_seed(distributed.seed_of(self.trainer.seed))
        self.resume()
        self.first, self.clock = self.step, Clock()
        log = TrainingLog(self.run, self.trainer.steps, self.step, self.draw) if distributed.is_first() else NoLog()
        with log as self.log:
            if not self.finished:
                self.take(self.clock.waiting_for(self._loader()))
        views = (self.step - self.first) * self.trainer.sources * len(self.encoder.settings.states)
        return Result(self.step, self.best_step, self.best_loss, views / self.clock.elapsed, self.clock.wait_share)

    def _loader(self) -> DataLoader[Batch]:
        return DataLoader(
            cast("Dataset[Batch]", self.batches),
            batch_size=None,
            sampler=range(self.step, self.trainer.steps),
            num_workers=self.trainer.workers,
            generator=torch.Generator(),  # a separate one: starting the workers must not change the draws of dropout
            prefetch_factor=4 if self.trainer.workers else None,
            worker_init_fn=_silent,
        )

    @property
    def objective(self) -> Objective:
        return self.objectives[self.schedule.index(self.step)]  # memories of stages that are over are not needed

    def rate(self, group: dict[str, Any], step: int) -> float:
        optim = self.schedule.stages[self.schedule.index(step)].optim
        return optim.rate(group["layer_group"], len(self.encoder.layer_groups())) * self._factor(step)

    def _factor(self, step: int) -> float:
        """Share of the peak learning rate at a step."""
        stage = self.schedule.stages[self.schedule.index(step)]
        return stage.optim.factor(*self.schedule.within(step))

    def prepare(self) -> tuple[float, float]:
        optim, groups = self.schedule.stages[self.schedule.index(self.step)].optim, self.encoder.layer_groups()
        self.encoder.train()
        for i, layers in enumerate(groups):
            trains = optim.trains(i, len(groups), *self.schedule.within(self.step))
            layers.requires_grad_(trains).train(trains)  # running statistics of frozen layers do not change either
        return optim.weight_decay, optim.clip

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        return self._loss(batch, self.objective, self.forward, remember=True)

    def gradients(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        count, objective = self.trainer.accumulate or 1, self.objective
        distributed.need(self.wrapped, objective.settings.outputs)
        if count == 1:
            loss, terms = super().gradients(batch)
        else:
            loss, terms = in_parts(
                self.wrapped, batch.parts(count), lambda part: self._outputs(part, self.forward),
                lambda outputs: self._objective(outputs, batch, objective, remember=True),
            )  # fmt: skip
        if l1 := self.schedule.stages[self.schedule.index(self.step)].optim.l1:
            loss = loss + add_l1([p for p in self.encoder.layer_groups()[-1].parameters() if p.ndim > 1], l1)
        return loss, terms

    def _loss(
        self, batch: Batch, objective: Objective, encoder: Callable[..., Encoded], remember: bool
    ) -> tuple[Tensor, dict[str, float]]:
        return self._objective(self._outputs(batch, encoder), batch, objective, remember)

    def _outputs(self, batch: Batch, encoder: Callable[..., Encoded]) -> Encoded:
        waveforms = self._tensor(batch.waveforms)
        detail = None if batch.detail is None else DetailFigures(*(self._tensor(part) for part in batch.detail))
        precision = self.trainer.precision or ("bfloat16" if self.device.type == "cuda" else "float32")
        with torch.autocast(self.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            outputs = encoder(waveforms, detail)
        return Encoded(*(None if part is None else part.float() for part in outputs))  # type: ignore[arg-type]

    def _objective(
        self, outputs: Encoded, batch: Batch, objective: Objective, remember: bool
    ) -> tuple[Tensor, dict[str, float]]:
        labels = {name: self._tensor(getattr(batch, name)) for name in ("states", "severities", "sources", "spans")}
        if remember:  # in training: the views of all processes; each validates batches of its own
            outputs = Encoded(*(None if part is None else distributed.gathered(part) for part in outputs))  # type: ignore[arg-type]
            labels = {name: distributed.gathered(part) for name, part in labels.items()}
        return objective(outputs, **labels, remember=remember)

    def _tensor(self, part: Any) -> Tensor:
        return torch.as_tensor(part).to(self.device)

    def validation_loss(self) -> float:
        encoder = self._validated().eval()
        index = self.schedule.index(self.step - 1)
        batches, objective = self.validation[self.views[index]], self.objectives[index]
        losses = torch.zeros(len(batches), dtype=torch.float64, device=self.device)
        self.judged = []
        with torch.no_grad():
            for number in range(distributed.rank(), len(batches), distributed.processes()):
                batch, outputs = batches[number], self._outputs(batches[number], encoder)
                losses[number] = self._objective(outputs, batch, objective, remember=False)[0]
                if self.draw is not None:
                    self.judged.append(judged(outputs, batch.states, batch.severities))
        return sum(distributed.summed(losses).tolist()) / len(losses)

    def _validated(self) -> Encoder:
        """The encoder that is validated and saved: with averaged weights where ``optim.ema`` is set."""
        return self.encoder if self.average is None else cast(Encoder, self.average.module)

    def keep_best(self) -> None:
        self._validated().save(self.run / "encoder")

    def further_state(self) -> checkpoint.State:
        average = {} if self.average is None else self.average.state_dict()
        return checkpoint.State({f"average.{k}": v for k, v in average.items()}, {})

    def restore(self, state: checkpoint.State) -> None:
        if self.average is not None:
            self.average.load_state_dict(state.part("average"))

    def after_step(self, batch: Batch, loss: float, terms: dict[str, float]) -> None:
        if self.average is not None:
            self.average.update_parameters(self.encoder)
        stage, rate = self._last_stage(), (self.step - self.first) * len(batch.states) / self.clock.elapsed
        rate *= distributed.processes()
        self.log.advance(self.step, stage, loss, rate)
        if self.step % LOG_EVERY == 0:
            facts = {"lr": self._factor(self.step), "views_per_s": rate, "wait_share": self.clock.wait_share}
            self.log.write(self.step, "train", stage, {"loss": loss, **terms, **facts})

    def after_validation(self, loss: float) -> None:
        self.log.write(self.step, "validation", self._last_stage(), {"loss": loss})
        if self.draw is not None:
            self.log.draw(self.step, joined(self.judged))

    def _last_stage(self) -> str:
        """Name of the stage that the last step belonged to."""
        return self.schedule.stages[self.schedule.index(self.step - 1)].name


def _silent(_: int) -> None:
    """A worker whose batches are no longer taken prints nothing of it; its errors are raised in this process."""
    sys.excepthook = lambda *_: None


def _checkpoint_blocks(encoder: Encoder) -> None:
    """Switches gradient checkpointing on in all modules of the backbone that support it.

    Raises:
        ParameterError: no module supports it.
    """
    modules = [module for module in encoder.backbone.modules() if hasattr(module, "checkpointing")]
    if not modules:
        raise ParameterError(
            f"Backbone {encoder.backbone.record['backbone']} has no blocks with gradient checkpointing; "
            "leave out trainer.checkpointing."
        )
    for module in modules:
        module.checkpointing = True  # type: ignore[assignment]


def _validation_batches(corpus: Corpus, clips: Sequence[Clip], views: ViewSettings, sources: int) -> list[Batch]:
    """Fixed views of the held-out clips, in batches of whole sources; their seed is not the one of the training."""
    rendered, size, batches = evaluation_views(corpus, clips, views, seed=-1), sources * len(views.states), []
    while chunk := list(islice(rendered, size)):
        batches.append(stack(chunk))
    if not batches:
        raise TrainingError("No held-out clip could be read, so there is nothing to validate on.")
    return batches
