"""Stages of a training: what is learnt from which views, one after the other in one run."""

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
    """A stretch of training steps under the same settings, with a learning rate curve and a memory of its own.

    Args:
        share: Share of the run's steps, > 0; the shares of all stages add up to 1.
        name: Stands in the log.
    """

    views: ViewSettings
    objective: ObjectiveSettings
    optim: OptimSettings
    share: float = 1.0
    name: str = "all"


class Schedule:
    """Which stage a step of the run belongs to.

    Attributes:
        bounds: Step that each stage begins with, and the number of all steps.

    Raises:
        ParameterError: shares that do not add up to 1 or leave a stage without a step; names given twice; views of
            other states or lengths; another ``ema``, which is a property of the whole run.
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
        """Number of the stage that ``step`` lies in; the last one's for the step after the end."""
        return stage_of(step, self.bounds)

    def within(self, step: int) -> tuple[int, int]:
        """The step counted from the beginning of its stage, and the steps of that stage."""
        begin, end = self.bounds[(at := self.index(step))], self.bounds[at + 1]
        return step - begin, end - begin


class StagedBatches:
    """The batch of every step of the run, from the views of its stage; clips are decoded once for all stages."""

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
