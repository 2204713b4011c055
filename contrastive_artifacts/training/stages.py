"""Stages of a training: one run, several parts, each with its own views, objective and learning rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from ..core.errors import ParameterError
from ..data.corpora import Clip, Corpus
from ..data.views import Batch, ClipCache, TrainingBatches, ViewSettings, check_damage
from ..models.encoder import Encoder
from ..models.objectives import ObjectiveSettings
from . import distributed
from .settings import OptimSettings, TrainerSettings
from .steps import stage_of


@dataclass(frozen=True)
class StageViews:
    """How the views of a stage are damaged. Their states, length and sample rate are those of the encoder.

    Args:
        severity, spliced, span: As in :class:`.ViewSettings`.

    Raises:
        ParameterError: a value lies outside its range.
    """

    severity: tuple[float, float] = (0.0, 1.0)
    spliced: float = 0.0
    span: tuple[float, float] = (0.15, 0.6)

    def __post_init__(self) -> None:
        check_damage(self.severity, self.spliced, self.span)

    def for_encoder(self, encoder: Encoder) -> ViewSettings:
        """The full settings of views for an encoder; with detail figures at their native rate, if it takes these."""
        return ViewSettings(
            encoder.settings.states,
            encoder.settings.window_s,
            encoder.sample_rate,
            self.severity,
            self.spliced,
            self.span,
            encoder.settings.native,
        )


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

    views: StageViews
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
            stages differ in ``ema``, which holds for the whole run.
    """

    def __init__(self, stages: Sequence[Stage], steps: int) -> None:
        shares, names = [stage.share for stage in stages], [stage.name for stage in stages]
        if not shares or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6 or len(set(names)) < len(names):
            raise ParameterError(f"Stages need a name each and shares > 0 that add up to 1; got {names}, {shares}.")
        self.stages = tuple(stages)
        self.bounds = [0, *(round(steps * total) for total in accumulate(shares))]
        if any(begin >= end for begin, end in zip(self.bounds, self.bounds[1:], strict=False)):
            raise ParameterError(f"{steps} steps are too few for the shares {shares}: a stage has none.")
        if len(decays := {stage.optim.ema for stage in stages}) > 1:
            raise ParameterError(f"optim.ema must be the same in all stages; got {sorted(decays)}.")

    def index(self, step: int) -> int:
        """Number of the stage that ``step`` lies in; the last one for the step after the end."""
        return stage_of(step, self.bounds)

    def within(self, step: int) -> tuple[int, int]:
        """The step counted from the first step of its stage, and the number of steps of that stage."""
        begin, end = self.bounds[(at := self.index(step))], self.bounds[at + 1]
        return step - begin, end - begin


class StagedBatches:
    """The batch of each step, with the views of its stage; all stages share one cache of decoded clips.

    Args:
        views: Of each stage of the schedule.
    """

    def __init__(
        self, schedule: Schedule, views: Sequence[ViewSettings], corpus: Corpus, clips: Sequence[Clip],
        trainer: TrainerSettings,
    ) -> None:  # fmt: skip
        self.schedule, cache = schedule, ClipCache(corpus)
        length, part = (trainer.sources, trainer.steps), (distributed.rank(), distributed.processes())
        self.parts = [
            TrainingBatches(corpus, clips, settings, *length, trainer.seed, cache, *part) for settings in views
        ]

    def __len__(self) -> int:
        return self.schedule.bounds[-1]

    def __getitem__(self, step: int) -> Batch:
        return self.parts[self.schedule.index(step)][step]
