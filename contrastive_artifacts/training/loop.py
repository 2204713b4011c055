"""The pretraining loop: resumable to the bit, early stopping on held-out sources, the best encoder kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

from .. import files
from ..corpora import Clip, Corpus
from ..encoder import Encoder
from ..errors import TrainingError
from ..objectives import Objective, ObjectiveSettings
from ..views import Batch, TrainingBatches, ViewSettings, evaluation_views, stack
from . import checkpoint
from .log import TrainingLog
from .settings import OptimSettings, TrainerSettings

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
        run: Directory that takes checkpoint, log and the best encoder (``run/encoder``).
        config: Plain JSON record of the whole configuration; a run is resumed only under the same one.

    Raises:
        TrainingError: the run directory belongs to another configuration, or the loss is no longer finite.
    """

    def __init__(
        self, encoder: Encoder, corpus: Corpus, splits: dict[str, list[Clip]], views: ViewSettings,
        objective: ObjectiveSettings, optim: OptimSettings, trainer: TrainerSettings, run: str | Path,
        config: dict[str, Any],
    ) -> None:  # fmt: skip
        self.optim, self.trainer, self.run = optim, trainer, Path(run)
        cuda = trainer.device == "cuda" or (trainer.device == "auto" and torch.cuda.is_available())
        self.device = torch.device("cuda" if cuda else "cpu")
        self.encoder = encoder.to(self.device)
        self.objective = Objective(objective, encoder.settings.embedding).to(self.device)
        self.optimizer = torch.optim.AdamW(_groups(encoder, optim), lr=1.0)
        self.average = (
            AveragedModel(encoder, multi_avg_fn=get_ema_multi_avg_fn(optim.ema), use_buffers=True)
            if optim.ema
            else None
        )
        self.batches = TrainingBatches(corpus, splits["train"], views, trainer.sources, trainer.steps, trainer.seed)
        held_out = splits["validation"][: trainer.validation_clips]
        self.validation = _validation_batches(corpus, held_out, views, trainer.sources)
        self.step, self.best_step, self.best_loss = 0, 0, math.inf
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
                log.advance(self.step, loss, rate)
                if self.step % LOG_EVERY == 0:
                    lr = self.optim.factor(self.step, self.trainer.steps)
                    log.write(
                        self.step,
                        "train",
                        {"loss": loss, **terms, "lr": lr, "views_per_s": rate, "wait_share": waited / elapsed},
                    )
                if self.step % self.trainer.validate_every == 0 or self.step == self.trainer.steps:
                    log.write(self.step, "validation", {"loss": self._validate()})
                    self._save()
                    if self._out_of_patience():
                        break
        elapsed = max(time.perf_counter() - started, 1e-9)
        views = (self.step - first) * self.trainer.sources * len(self.batches.settings.states)
        return Result(self.step, self.best_step, self.best_loss, views / elapsed, waited / elapsed)

    def _train_step(self, batch: Batch) -> tuple[float, dict[str, float]]:
        self.encoder.train()
        body_rests = self.step < self.optim.freeze_share * self.trainer.steps
        stages = self.encoder.stages()
        for i, stage in enumerate(stages):
            stage.requires_grad_(i == len(stages) - 1 or not (body_rests or i < self.optim.freeze_stages))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * self.optim.factor(self.step, self.trainer.steps)
        loss, terms = self._loss(batch, remember=True)
        if self.optim.l1:
            loss = loss + self.optim.l1 * sum(p.abs().sum() for p in stages[-1].parameters() if p.ndim > 1)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss became {value} at step {self.step} ({terms}). The checkpoint of step "
                f"{self.step - self.step % self.trainer.validate_every} is kept in {self.run}; "
                "lower optim.lr_top, lr_bottom and lr_heads."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in self.encoder.parameters() if p.grad is not None], self.optim.clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.encoder)
        return value, terms

    def _loss(self, batch: Batch, remember: bool, encoder: nn.Module | None = None) -> tuple[Tensor, dict[str, float]]:
        waveforms, states, severities, sources = (torch.as_tensor(part).to(self.device) for part in batch)
        autocast: AbstractContextManager[Any] = (
            torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()
        )
        with autocast:
            outputs = (encoder or self.encoder)(waveforms)
        outputs = type(outputs)(*(part.float() for part in outputs))
        return self.objective(outputs, states, severities, sources, remember)

    def _validate(self) -> float:
        """Loss over the held-out batches; saves the encoder where it is the best so far."""
        encoder = cast(Encoder, self.average.module) if self.average is not None else self.encoder
        loss = self._validation_loss(encoder)
        if not math.isfinite(loss):
            raise TrainingError(
                f"The validation loss became {loss} at step {self.step}; {self.run} keeps the state before it."
            )
        if loss < self.best_loss:
            self.best_loss, self.best_step = loss, self.step
            encoder.save(self.run / "encoder")
        return loss

    def _validation_loss(self, encoder: Encoder) -> float:
        encoder.eval()
        with torch.no_grad():
            losses = [float(self._loss(batch, remember=False, encoder=encoder)[0]) for batch in self.validation]
        return sum(losses) / len(losses)

    def _out_of_patience(self) -> bool:
        stale = (self.step - self.best_step) // self.trainer.validate_every
        return bool(self.trainer.patience) and stale >= self.trainer.patience

    def _claim(self, config: dict[str, Any]) -> None:
        path = self.run / "config.json"
        if path.exists() and files.read_json(path) != config:
            raise TrainingError(
                f"{self.run} holds a run of another configuration (see {path}); choose another run=... or delete it."
            )
        files.write_json(path, config)

    def _save(self) -> None:
        tensors = {f"encoder.{k}": v for k, v in self.encoder.state_dict().items()}
        tensors |= {f"optimizer.{k}": v for k, v in checkpoint.optimizer_tensors(self.optimizer).items()}
        tensors |= {f"memory.{k}": v for k, v in self.objective.memory_state().items()}
        if self.average is not None:
            tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        tensors["random.cpu"] = torch.get_rng_state()
        record = {"step": self.step, "best_step": self.best_step, "best_loss": self.best_loss}
        checkpoint.save(self.run, checkpoint.State(tensors, record))

    def _resume(self) -> None:
        state = checkpoint.load(self.run)
        if state is None:
            return
        self.encoder.load_state_dict(state.part("encoder"))
        checkpoint.load_optimizer(self.optimizer, state.part("optimizer"))
        if memory := state.part("memory"):
            self.objective.load_memory_state(memory)
        if self.average is not None:
            self.average.load_state_dict(state.part("average"))
        torch.set_rng_state(state.tensors["random.cpu"])
        self.step, self.best_step = state.record["step"], state.record["best_step"]
        self.best_loss = state.record["best_loss"]
        logger.info("resuming %s at step %d", self.run, self.step)


def _groups(encoder: Encoder, optim: OptimSettings) -> list[dict[str, Any]]:
    """Parameter groups: one a stage and kind; matrices and kernels decay, biases and norms do not."""
    stages = encoder.stages()
    groups = []
    for i, stage in enumerate(stages):
        top = i == len(stages) - 1
        height = i / max(1, len(stages) - 2)  # 0 at the lowest backbone stage, 1 at the topmost
        lr = optim.lr_heads if top else optim.lr_bottom * (optim.lr_top / optim.lr_bottom) ** height
        for decays in (True, False):
            parameters = [p for p in stage.parameters() if (p.ndim > 1) == decays]
            if parameters:
                groups.append(
                    {"params": parameters, "peak_lr": lr, "weight_decay": optim.weight_decay if decays else 0.0}
                )
    return groups


def _validation_batches(corpus: Corpus, clips: Sequence[Clip], views: ViewSettings, sources: int) -> list[Batch]:
    """Fixed views of the held-out clips, in batches of whole sources; the seed is not the training's."""
    states, rendered = len(views.states), list(evaluation_views(corpus, clips, views, seed=-1))
    if not rendered:
        raise TrainingError("No held-out clip could be read: there is nothing to validate on.")
    return [stack(chunk) for chunk in _chunks(rendered, sources * states)]


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    return (items[i : i + size] for i in range(0, len(items), size))
