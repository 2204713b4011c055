"""Stages of a training: one run, several parts, each with its own views, objective and learning rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from ..core.errors import ParameterError
from ..data.corpora import Clip, Corpus
from ..data.views import Batch, ClipCache, TrainingBatches, ViewSettings
from ..models.objectives import ObjectiveSettings
from .settings import OptimSettings, TrainerSettings
from .steps import stage_of


@dataclass(frozen=True)
class Stage:
    """Consecutive steps with the same settings, and with their own learning rate curve and cross-batch memory.

    Args:
        views: How its training and validation views are made.
        objective: Weights of its loss terms.
        optim: Its learning rates.
        share: Its share of the run's steps, > 0; the shares of all stages add up to 1.
        name: For the log.
    """

    views: ViewSettings
    objective: ObjectiveSettings
    optim: OptimSettings
    share: float = 1.0
    name: str = "all"


class Schedule:
    """The stages of a run and the steps that belong to each.

    Attributes:
        bounds: First step of each stage, then the number of steps.

    Raises:
        ParameterError: the shares do not add up to 1 or leave a stage without a step, a name occurs twice, or the
            stages differ in the states or length of their views, or in ``ema``, which holds for the whole run.
    """

    def __init__(self, stages: Sequence[Stage], steps: int) -> None:
        shares, names = [stage.share for stage in stages], [stage.name for stage in stages]
        if not shares or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6 or len(set(names)) < len(names):
            raise ParameterError(f"Stages need a name each and shares > 0 that add up to 1; got {names}, {shares}.")
        self.stages = tuple(stages)
        self.bounds = [0, *(round(steps * total) for total in accumulate(shares))]
        if any(begin >= end for begin, end in zip(self.bounds, self.bounds[1:], strict=False)):
            raise ParameterError(f"{steps} steps are too few for the shares {shares}: a stage has none.")
        if len({(s.views.states, s.views.duration_s, s.views.sample_rate, s.optim.ema) for s in stages}) > 1:
            raise ParameterError("All stages take views of the same states, length and rate, and the same optim.ema.")

    def index(self, step: int) -> int:
        """Number of the stage that ``step`` lies in; the last one for the step after the end."""
        return stage_of(step, self.bounds)

    def within(self, step: int) -> tuple[int, int]:
        """The step counted from the first step of its stage, and the number of steps of that stage."""
        begin, end = self.bounds[(at := self.index(step))], self.bounds[at + 1]
        return step - begin, end - begin


class StagedBatches:
    """The batch of each step, with the views of its stage; all stages share one cache of decoded clips."""

    def __init__(self, schedule: Schedule, corpus: Corpus, clips: Sequence[Clip], trainer: TrainerSettings) -> None:
        self.schedule, cache = schedule, ClipCache(corpus)
        self.parts = [
            TrainingBatches(corpus, clips, stage.views, trainer.sources, trainer.steps, trainer.seed, cache)
            for stage in schedule.stages
        ]

    def __len__(self) -> int:
        return self.schedule.bounds[-1]

    def __getitem__(self, step: int) -> Batch:
        return self.parts[self.schedule.index(step)][step]
